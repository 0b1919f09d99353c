/**
 * IPv6: the header (RFC 8200 §3), prefixes, and the text of addresses (RFC 4291 §2.2, RFC 5952) as inet_ntop and `ip` write it.
 */
import { internetChecksum } from './checksum.ts';
import {
  bytes,
  decode,
  encode,
  isMalformed,
  malformed,
  rest,
  struct,
  u16,
  u32,
  u8,
} from './codec.ts';
import type { Malformed } from './codec.ts';
import { copyOctets, readU16, writeU16 } from './octets.ts';

/** A network, or with length 128 an address. */
export interface Ipv6Prefix {
  /** 16 octets; the bits behind `length` are of no meaning. */
  readonly address: Uint8Array;
  /** 0..128 */
  readonly length: number;
}

/** What every link carries, octets: RFC 8200 §5. */
export const IPV6_MIN_MTU = 1280;

/** RFC 8200 §4 */
export const Ipv6NextHeader = {
  HopByHop: 0,
  Udp: 17,
  Routing: 43,
  Fragment: 44,
  Icmpv6: 58,
  DestinationOptions: 60,
} as const;

/** RFC 4291 §2.7.1 */
export const ALL_NODES = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
/** RFC 4291 §2.5.2 */
export const UNSPECIFIED = new Uint8Array(16);

const header = struct({
  /** Version, traffic class and flow label. */
  first: u32,
  payloadLength: u16,
  nextHeader: u8,
  hopLimit: u8,
  source: bytes(16),
  destination: bytes(16),
  payload: rest,
});

export interface Ipv6Packet {
  readonly nextHeader: number;
  readonly hopLimit: number;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly payload: Uint8Array;
}

const VERSION = 6;

/** Octets behind the payload length are padding. */
export function decodeIpv6(octets: Uint8Array): Ipv6Packet | Malformed {
  const read = decode(header, octets, 'IPv6');
  if (isMalformed(read)) return read;
  const { first, payloadLength, payload, ...fields } = read;
  if (first >>> 28 !== VERSION) return malformed('bad-value', `IPv6: version ${first >>> 28}`);
  if (payloadLength > payload.length)
    return malformed('too-short', `IPv6: ${payload.length} octets of ${payloadLength}`);
  return { ...fields, payload: payload.subarray(0, payloadLength) };
}

/** Throws RangeError for what the header cannot carry. */
export function encodeIpv6(packet: Ipv6Packet): Uint8Array {
  const payloadLength = packet.payload.length;
  return encode(header, { ...packet, first: VERSION * 2 ** 28, payloadLength }, 'IPv6');
}

/** Writes the checksum of the payload, which covers a pseudo header too (RFC 8200 §8.1), to `at` in it. */
export function writeIpv6Checksum(packet: Ipv6Packet, at: number): void {
  writeU16(packet.payload, at, 0);
  writeU16(packet.payload, at, payloadChecksum(packet) || 0xffff);
}

/** Whether the payload, its checksum included, has the right one. */
export function hasRightIpv6Checksum(packet: Ipv6Packet): boolean {
  return payloadChecksum(packet) === 0;
}

function payloadChecksum({ source, destination, nextHeader, payload }: Ipv6Packet): number {
  const summed = new Uint8Array(40 + payload.length);
  summed.set(source);
  summed.set(destination, 16);
  writeU16(summed, 34, payload.length);
  summed[39] = nextHeader;
  summed.set(payload, 40);
  return internetChecksum(summed, 0, summed.length);
}

const GROUP = /^[0-9a-fA-F]{1,4}$/;

/** 16 octets; undefined for anything else, an address with an embedded IPv4 address (RFC 4291 §2.2.3) too. */
export function parseIpv6Address(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  const [before = [], after = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const groups = before.length + after.length;
  if (halves.length > 2 || (halves.length === 2 ? groups > 7 : groups !== 8)) return undefined;
  if (![...before, ...after].every((group) => GROUP.test(group))) return undefined;
  const zeros = Array.from({ length: 8 - groups }, () => '0');
  return Uint8Array.from(
    [...before, ...zeros, ...after].flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 0xff];
    }),
  );
}

/** RFC 5952 §4: the longest run of two zero groups or more, the first of several, is `::`. */
export function formatIpv6Address(address: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, n) => readU16(address, 2 * n).toString(16));
  let from = 0;
  let most = 1;
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (groups[end] === '0') end++;
    if (end - start > most) [from, most] = [start, end - start];
  }
  if (most === 1) return groups.join(':');
  return `${groups.slice(0, from).join(':')}::${groups.slice(from + most).join(':')}`;
}

const LENGTH = /^(0|[1-9][0-9]{0,2})$/;

/** Reads `2001:db8::/48`, or an address alone as /128. Bits behind the length are cleared. */
export function parseIpv6Prefix(text: string): Ipv6Prefix | undefined {
  const [network = '', length = '128', ...more] = text.split('/');
  const address = parseIpv6Address(network);
  if (address === undefined || more.length > 0) return undefined;
  if (!LENGTH.test(length) || Number(length) > 128) return undefined;
  return ipv6PrefixOf(address, Number(length));
}

/** An address as a prefix of 128 bits is written without its length, as parseIpv6Prefix reads it. */
export function formatIpv6Prefix({ address, length }: Ipv6Prefix): string {
  const text = formatIpv6Address(address);
  return length === 128 ? text : `${text}/${length}`;
}

/** The network of `length` bits (0..128) that `address` is in. */
export function ipv6PrefixOf(address: Uint8Array, length: number): Ipv6Prefix {
  const network = copyOctets(address);
  for (let n = 0; n < 16; n++) network[n]! &= maskOctet(length, n);
  return { address: network, length };
}

export function ipv6PrefixContains({ address, length }: Ipv6Prefix, other: Uint8Array): boolean {
  for (let n = 0; n < 16; n++)
    if (((address[n]! ^ other[n]!) & maskOctet(length, n)) !== 0) return false;
  return true;
}

/** Whether `inner` is `outer` or a part of it. */
export function ipv6PrefixCovers(outer: Ipv6Prefix, inner: Ipv6Prefix): boolean {
  return outer.length <= inner.length && ipv6PrefixContains(outer, inner.address);
}

export function isSameIpv6Prefix(a: Ipv6Prefix, b: Ipv6Prefix): boolean {
  return a.length === b.length && ipv6PrefixContains(a, b.address);
}

function maskOctet(length: number, n: number): number {
  const bits = Math.min(8, Math.max(0, length - 8 * n));
  return (0xff << (8 - bits)) & 0xff;
}

export function isSameIpv6Address(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((octet, n) => octet === b[n]);
}

/** The address in a /64 that has this interface identifier (8 octets): RFC 4291 §2.5.1. */
export function addressInPrefix({ address }: Ipv6Prefix, identifier: Uint8Array): Uint8Array {
  const whole = copyOctets(address);
  whole.set(identifier, 8);
  return whole;
}

/** fe80::/64 with the interface identifier of IPV6CP: RFC 5072 §5. */
export function linkLocalAddress(identifier: Uint8Array): Uint8Array {
  const whole = new Uint8Array(16);
  whole[0] = 0xfe;
  whole[1] = 0x80;
  whole.set(identifier, 8);
  return whole;
}
