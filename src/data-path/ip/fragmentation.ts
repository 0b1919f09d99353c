/**
 * Fragments of an IPv4 packet that is too large for the peer and may be fragmented (DF clear). RFC 791 §2.3, §3.2.
 */
import { readU16, writeU16 } from '../../wire/octets.ts';
import { internetChecksum } from '../../wire/checksum.ts';
import { IPV4_HEADER_LENGTH, ipv4HeaderLength } from './inner-packet.ts';

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const FRAGMENT_OFFSET = 0x1fff;

/** Kinds of IPv4 options of one octet, and the bit of those that every fragment repeats. */
const END = 0;
const NO_OPERATION = 1;
const COPIED = 0x80;

/** DF of the IPv4 packet at `at`. */
export function mayNotFragment(octets: Uint8Array, at: number): boolean {
  return (readU16(octets, at + 6) & DONT_FRAGMENT) !== 0;
}

/**
 * Writes to `to` the fragment of the IPv4 packet octets[at..at+length) that begins `done` octets into its payload.
 * @param mtu the largest fragment, octets; `to` needs room for it
 * @returns octets of the fragment; the next begins that much less its header further on. 0: the MTU is too small
 */
export function writeFragment(
  octets: Uint8Array,
  at: number,
  length: number,
  done: number,
  mtu: number,
  to: number,
): number {
  const headerLength = ipv4HeaderLength(octets, at);
  octets.copyWithin(to, at, at + headerLength);
  const kept = done === 0 ? headerLength : copiedOptions(octets, to, headerLength);
  const rest = length - headerLength - done;
  const room = mtu - kept;
  if (room < 8) return 0;
  const data = rest <= room ? rest : room & ~7;
  const from = at + headerLength + done;
  octets.copyWithin(to + kept, from, from + data);

  const flags = readU16(octets, at + 6);
  const more = (flags & MORE_FRAGMENTS) !== 0 || data < rest;
  const offset = (flags & FRAGMENT_OFFSET) + (done >> 3);
  octets[to] = 0x40 | (kept >> 2);
  writeU16(octets, to + 2, kept + data);
  writeU16(octets, to + 6, (more ? MORE_FRAGMENTS : 0) | offset);
  writeU16(octets, to + 10, 0);
  writeU16(octets, to + 10, internetChecksum(octets, to, kept));
  return kept + data;
}

/** Closes up the options of the header at `at` to those with the copied bit, padded; the length of what is left. */
function copiedOptions(octets: Uint8Array, at: number, headerLength: number): number {
  const end = at + headerLength;
  let to = at + IPV4_HEADER_LENGTH;
  for (let option = to; option < end;) {
    const kind = octets[option]!;
    if (kind === END) break;
    if (kind === NO_OPERATION) {
      option++;
      continue;
    }
    const length = option + 1 < end ? octets[option + 1]! : 0;
    if (length < 2 || option + length > end) break;
    if ((kind & COPIED) !== 0) {
      octets.copyWithin(to, option, option + length);
      to += length;
    }
    option += length;
  }
  while (((to - at) & 3) !== 0) octets[to++] = END;
  return to - at;
}
