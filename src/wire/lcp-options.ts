/** LCP configuration options: RFC 1661 §6.1-§6.6, RFC 1662 §7.1 (ACCM). All others are 'unknown' and get rejected. */
import { optionalU8, struct, u16, u32 } from './codec.ts';
import { optionTable, type OptionIn } from './option.ts';

export const lcpOptions = optionTable({
  /** RFC 1661 §6.1, in octets. */
  mru: { type: 1, body: struct({ value: u16 }) },
  /** RFC 1662 §7.1 */
  accm: { type: 2, body: struct({ value: u32 }) },
  /** RFC 1661 §6.2; algorithm: CHAP only (RFC 1994 §3), see ChapAlgorithm. */
  authentication: { type: 3, body: struct({ protocol: u16, algorithm: optionalU8 }) },
  /** RFC 1661 §6.4 */
  magicNumber: { type: 5, body: struct({ value: u32 }) },
  /** Protocol-Field-Compression: RFC 1661 §6.5 */
  pfc: { type: 7, body: struct({}) },
  /** Address-and-Control-Field-Compression: RFC 1661 §6.6 */
  acfc: { type: 8, body: struct({}) },
});

export type LcpOption = OptionIn<typeof lcpOptions>;
