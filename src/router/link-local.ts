import { formatIpv6Address } from '../wire/ipv6.ts';

/** fe80::/64 with the interface identifier of IPV6CP (RFC 5072 §5). */
export function linkLocal(identifier: Uint8Array): string {
  return formatIpv6Address(Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, ...identifier));
}
