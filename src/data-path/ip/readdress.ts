/**
 * Another source address for a packet that was made before there was one: its sender took the placeholder of a link that
 * dials on demand. RFC 1624; the checksums of TCP and UDP cover the addresses (RFC 9293 §3.1, RFC 768).
 */
import { readU16, writeU16 } from '../../wire/octets.ts';
import { updateChecksum } from '../../wire/checksum.ts';
import { ipv4HeaderLength } from './inner-packet.ts';

const FRAGMENT_OFFSET = 0x1fff;
const SOURCE = 12;
const IPV4_CHECKSUM = 10;
/** By protocol: where in its header the checksum is. */
const TCP = { protocol: 6, checksum: 16 };
const UDP = { protocol: 17, checksum: 6 };

/** The header of the IPv4 packet octets[at..at+length) must have been checked (ipv4Length). */
export function setSource(octets: Uint8Array, at: number, length: number, source: number): void {
  const sums = [at + IPV4_CHECKSUM];
  const inner = transportChecksum(octets, at, length);
  if (inner !== undefined) sums.push(inner);
  for (const [offset, word] of [
    [SOURCE, source >>> 16],
    [SOURCE + 2, source & 0xffff],
  ] as const) {
    const before = readU16(octets, at + offset);
    writeU16(octets, at + offset, word);
    for (const sum of sums) updateChecksum(octets, sum, before, word);
  }
}

/** Where it is; undefined: the packet has none (UDP may do without, and only the first fragment has one). */
function transportChecksum(octets: Uint8Array, at: number, length: number): number | undefined {
  if ((readU16(octets, at + 6) & FRAGMENT_OFFSET) !== 0) return undefined;
  const protocol = octets[at + 9];
  const found = [TCP, UDP].find((each) => each.protocol === protocol);
  if (found === undefined) return undefined;
  const sum = at + ipv4HeaderLength(octets, at) + found.checksum;
  if (sum + 2 > at + length) return undefined;
  return found === UDP && readU16(octets, sum) === 0 ? undefined : sum;
}
