/** IPCP configuration options: RFC 1332 §3, RFC 1877 §1 (name servers). */
import { ipv4, rest, struct, u16 } from './codec.ts';
import { optionTable, type OptionIn } from './option.ts';

const address = struct({ value: ipv4 });

export const ipcpOptions = optionTable({
  /** IP-Addresses, deprecated: RFC 1332 §3.1 */
  addresses: { type: 1, body: struct({ source: ipv4, destination: ipv4 }) },
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
