/** CCP configuration options: RFC 1962 §4, RFC 3078 §2 (MPPE shares option 18 with MPPC, RFC 2118). */
import { struct, u32 } from './codec.ts';
import { optionTable, type OptionIn } from './option.ts';

/** The supported bits of the MPPE option: RFC 3078 §2. */
export const MppeBits = {
  /** H: the key changes with every packet. */
  Stateless: 0x01000000,
  /** M */
  Strength56: 0x80,
  /** S */
  Strength128: 0x40,
  /** L */
  Strength40: 0x20,
  /** D */
  Obsolete: 0x10,
  /** C: Microsoft's compression. */
  Mppc: 0x01,
} as const;

export const ccpOptions = optionTable({
  /** RFC 3078 §2: bits is a set of MppeBits. */
  mppe: { type: 18, body: struct({ bits: u32 }) },
});

export type CcpOption = OptionIn<typeof ccpOptions>;
