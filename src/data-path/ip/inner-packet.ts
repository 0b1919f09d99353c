/**
 * The inner IP packet: its length if its header makes sense, and its addresses. RFC 791 §3.1, RFC 8200 §3. Hot path.
 *
 * IPv4 addresses are int32 here: small integers on the packet path, which u32 above 2^31 are not.
 */
import { PppProtocol } from '../../wire/ppp-frame.ts';
import { readU16 } from '../../wire/octets.ts';

export const IPV4_HEADER_LENGTH = 20;
export const IPV6_HEADER_LENGTH = 40;

/** Total length of the IPv4 packet in octets[at..at+length), or -1 if its header contradicts that. */
export function ipv4Length(octets: Uint8Array, at: number, length: number): number {
  if (length < IPV4_HEADER_LENGTH || octets[at]! >> 4 !== 4) return -1;
  const headerLength = ipv4HeaderLength(octets, at);
  const total = readU16(octets, at + 2);
  if (headerLength < IPV4_HEADER_LENGTH || total < headerLength || total > length) return -1;
  return total;
}

/** Total length of the IPv6 packet in octets[at..at+length), or -1 if its header contradicts that. */
export function ipv6Length(octets: Uint8Array, at: number, length: number): number {
  if (length < IPV6_HEADER_LENGTH || octets[at]! >> 4 !== 6) return -1;
  const total = IPV6_HEADER_LENGTH + readU16(octets, at + 4);
  return total > length ? -1 : total;
}

/** ipv4Length or ipv6Length by PPP protocol; -1 for any other protocol. */
export function packetLength(
  protocol: number,
  octets: Uint8Array,
  at: number,
  length: number,
): number {
  if (protocol === PppProtocol.Ip) return ipv4Length(octets, at, length);
  if (protocol === PppProtocol.Ipv6) return ipv6Length(octets, at, length);
  return -1;
}

export function ipv4HeaderLength(octets: Uint8Array, at: number): number {
  return (octets[at]! & 0x0f) * 4;
}

/** Four octets as an int32. */
export function readI32(octets: Uint8Array, at: number): number {
  return (octets[at]! << 24) | (octets[at + 1]! << 16) | (octets[at + 2]! << 8) | octets[at + 3]!;
}

export function ipv4Source(octets: Uint8Array, at: number): number {
  return readI32(octets, at + 12);
}

export function ipv4Destination(octets: Uint8Array, at: number): number {
  return readI32(octets, at + 16);
}

export function isGre(octets: Uint8Array, at: number): boolean {
  return octets[at + 9] === 47;
}

/** 224.0.0.0/4 or 255.255.255.255. */
export function isMulticastOrBroadcast(address: number): boolean {
  return address >>> 28 === 0xe || address === -1;
}

/** An address that no packet on a link can come from: 0/8, 127/8, and all from 224.0.0.0 on. RFC 1122 §3.2.1.3 */
export function isImpossibleSource(address: number): boolean {
  const first = address >>> 24;
  return first === 0 || first === 127 || first >= 224;
}

/** fe80::/10 at `at`. RFC 4291 §2.5.6 */
export function isLinkLocal(octets: Uint8Array, at: number): boolean {
  return octets[at] === 0xfe && (octets[at + 1]! & 0xc0) === 0x80;
}

/** ff00::/8 at `at`. RFC 4291 §2.7 */
export function isMulticastIpv6(octets: Uint8Array, at: number): boolean {
  return octets[at] === 0xff;
}

/** ff02::/16 at `at`. RFC 4291 §2.7 */
export function isLinkLocalMulticast(octets: Uint8Array, at: number): boolean {
  return octets[at] === 0xff && octets[at + 1] === 0x02;
}

/** An address that no packet on a link can come from: groups, and ::/64 with loopback and mapped IPv4 addresses. RFC 4291 §2.5, §2.7 */
export function isImpossibleIpv6Source(octets: Uint8Array, at: number): boolean {
  return (
    isMulticastIpv6(octets, at) || (readI32(octets, at) === 0 && readI32(octets, at + 4) === 0)
  );
}

/** `::` at `at`, the source of a node that has no address yet. */
export function isUnspecified(octets: Uint8Array, at: number): boolean {
  for (let n = 0; n < 16; n++) if (octets[at + n] !== 0) return false;
  return true;
}

/** IPv6 extension headers that may precede another header: RFC 8200 §4.1. */
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION_OPTIONS = 60;
/** RFC 8200 §4: each once, destination options twice. */
const MOST_EXTENSIONS = 5;

/**
 * Where the header of the upper-layer protocol begins in the IPv6 packet octets[at..at+length).
 * @returns -1: it has another one, or is a later fragment
 */
export function findUpperLayer(
  octets: Uint8Array,
  at: number,
  length: number,
  protocol: number,
): number {
  let next = octets[at + 6]!;
  let header = at + IPV6_HEADER_LENGTH;
  for (let n = 0; n <= MOST_EXTENSIONS && header + 8 <= at + length; n++) {
    if (next === protocol) return header;
    if (next === FRAGMENT) {
      if ((readU16(octets, header + 2) & 0xfff8) !== 0) return -1;
    } else if (next !== HOP_BY_HOP && next !== ROUTING && next !== DESTINATION_OPTIONS) {
      return -1;
    }
    // A fragment header has its second octet reserved: its length is always 8.
    const units = next === FRAGMENT ? 0 : octets[header + 1]!;
    next = octets[header]!;
    header += 8 + units * 8;
  }
  return -1;
}
