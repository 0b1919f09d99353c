/** IPV6CP configuration options: RFC 5072 §4, RFC 5172. */
import { bytes, rest, struct, u16 } from './codec.ts';
import { optionTable, type OptionIn } from './option.ts';

export const ipv6cpOptions = optionTable({
  /** RFC 5072 §4.1: 8 octets, the low half of the link-local address. */
  interfaceIdentifier: { type: 1, body: struct({ value: bytes(8) }) },
  /** IPv6-Compression-Protocol: RFC 5172 §2 */
  ipv6Compression: { type: 2, body: struct({ protocol: u16, data: rest }) },
});

export type Ipv6cpOption = OptionIn<typeof ipv6cpOptions>;
