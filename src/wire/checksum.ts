/**
 * The checksum of IPv4, TCP and ICMP: RFC 1071, and its update in place, RFC 1624 §3. Hot path.
 */
import { readU16, writeU16 } from './octets.ts';

/** The checksum of octets[at..at+length) whose checksum field is 0: the value to put there. 0 if a right one is there. */
export function internetChecksum(octets: Uint8Array, at: number, length: number): number {
  let sum = 0;
  const even = at + (length & ~1);
  for (let n = at; n < even; n += 2) sum += (octets[n]! << 8) | octets[n + 1]!;
  if ((length & 1) !== 0) sum += octets[even]! << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Corrects the checksum at `at` for a 16-bit word that changed from `before` to `after`: eqn. 3 of RFC 1624. */
export function updateChecksum(
  octets: Uint8Array,
  at: number,
  before: number,
  after: number,
): void {
  let sum = (~readU16(octets, at) & 0xffff) + (~before & 0xffff) + (after & 0xffff);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  writeU16(octets, at, ~sum);
}
