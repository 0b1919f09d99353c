/** IPCP configuration options: RFC 1332 §3, RFC 1877 §1 (name servers). Addresses are u32, see ip.ts. */
import { rest, struct, u16, u32 } from './codec.ts';
import { optionTable, type OptionIn } from './option.ts';

const address = struct({ value: u32 });

export const ipcpOptions = optionTable({
  /** IP-Addresses, deprecated: RFC 1332 §3.1 */
  addresses: { type: 1, body: struct({ source: u32, destination: u32 }) },
  /** IP-Compression-Protocol: RFC 1332 §3.2 (0x002d: Van Jacobson). */
  ipCompression: { type: 2, body: struct({ protocol: u16, data: rest }) },
  /** RFC 1332 §3.3 */
  address: { type: 3, body: address },
  /** RFC 1877 §1.1 */
  primaryDns: { type: 129, body: address },
  /** RFC 1877 §1.2 */
  primaryNbns: { type: 130, body: address },
  /** RFC 1877 §1.3 */
  secondaryDns: { type: 131, body: address },
  /** RFC 1877 §1.4 */
  secondaryNbns: { type: 132, body: address },
});

export type IpcpOption = OptionIn<typeof ipcpOptions>;
