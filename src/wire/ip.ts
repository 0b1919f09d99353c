/**
 * IPv4 addresses, prefixes and ranges, and their text.
 *
 * Parsing is strict, one text for each value: four decimal numbers without leading zeros (which other programs read as
 * octal), no blanks, no short forms. What is not exactly that is undefined.
 */
import type { Ipv4 } from './brand.ts';

/** A network: the bits of `address` behind `length` are 0 (see prefixOf). */
export interface Prefix {
  readonly address: Ipv4;
  /** 0..32 */
  readonly length: number;
}

/** All addresses from first to last, both included; first <= last. */
export interface AddressRange {
  readonly first: Ipv4;
  readonly last: Ipv4;
}

const NUMBER = '(0|[1-9][0-9]{0,2})';
const ADDRESS = new RegExp(`^${NUMBER}\\.${NUMBER}\\.${NUMBER}\\.${NUMBER}$`);
const LENGTH = /^(0|[1-9][0-9]?)$/;

export function parseAddress(text: string): Ipv4 | undefined {
  const parts = ADDRESS.exec(text);
  if (parts === null) return undefined;
  let address = 0;
  for (let i = 1; i <= 4; i++) {
    const octet = Number(parts[i]);
    if (octet > 255) return undefined;
    address = ((address << 8) | octet) >>> 0;
  }
  return address;
}

export function formatAddress(address: Ipv4): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** The mask of a prefix of `length` bits (0..32) as a u32. */
export function netmask(length: number): number {
  return length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
}

/** The network of `length` bits that `address` is in. Throws RangeError for a length other than 0..32. */
export function prefixOf(address: Ipv4, length: number): Prefix {
  if (!Number.isInteger(length) || length < 0 || length > 32)
    throw new RangeError(`prefix length ${length}`);
  return { address: (address & netmask(length)) >>> 0, length };
}

/** Reads `10.20.0.0/16`, or an address alone as /32. Host bits are cleared: 192.168.99.1/24 is 192.168.99.0/24. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const address = parseAddress(slash === -1 ? text : text.slice(0, slash));
  const length = slash === -1 ? '32' : text.slice(slash + 1);
  if (address === undefined || !LENGTH.test(length) || Number(length) > 32) return undefined;
  return prefixOf(address, Number(length));
}

export function formatPrefix({ address, length }: Prefix): string {
  return `${formatAddress(address)}/${length}`;
}

export function prefixContains(prefix: Prefix, address: Ipv4): boolean {
  return ((prefix.address ^ address) & netmask(prefix.length)) === 0;
}

/** RFC 6890 §2.2.2, RFC 1112 §4: networks that no host's address is in. */
const withoutHosts: readonly (readonly [string, string])[] = [
  ['0.0.0.0/8', 'means "this network"'],
  ['127.0.0.0/8', 'is a loopback address'],
  ['224.0.0.0/4', 'is a multicast address'],
  ['255.255.255.255/32', 'is the broadcast address'],
  ['240.0.0.0/4', 'is a reserved address'],
];

/** Why no host can have this address, as the rest of a sentence about it; undefined: one can. */
export function addressFault(address: Ipv4): string | undefined {
  return withoutHosts.find(([network]) => prefixContains(parsePrefix(network)!, address))?.[1];
}

/** Every address of the prefix, its network and broadcast addresses included. */
export function prefixRange({ address, length }: Prefix): AddressRange {
  return { first: address, last: (address | ~netmask(length)) >>> 0 };
}

/** Reads `192.168.99.10-192.168.99.60`, or an address alone as a range of one. */
export function parseRange(text: string): AddressRange | undefined {
  const dash = text.indexOf('-');
  const first = parseAddress(dash === -1 ? text : text.slice(0, dash));
  const last = dash === -1 ? first : parseAddress(text.slice(dash + 1));
  if (first === undefined || last === undefined || first > last) return undefined;
  return { first, last };
}

export function formatRange({ first, last }: AddressRange): string {
  return `${formatAddress(first)}-${formatAddress(last)}`;
}

export function rangeContains({ first, last }: AddressRange, address: Ipv4): boolean {
  return first <= address && address <= last;
}

/** How many addresses a range has: 1..2^32. */
export function rangeSize({ first, last }: AddressRange): number {
  return last - first + 1;
}
