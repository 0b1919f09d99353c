/**
 * ICMP "fragmentation needed and DF set" for packets too large for the peer: RFC 792, RFC 1191 §4, RFC 1812 §4.3.2.
 */
import { readU16, writeU16, writeU32 } from '../../wire/octets.ts';
import { internetChecksum } from '../../wire/checksum.ts';
import {
  IPV4_HEADER_LENGTH,
  ipv4Destination,
  ipv4HeaderLength,
  ipv4Source,
  isImpossibleSource,
  isMulticastOrBroadcast,
} from './inner-packet.ts';

const ICMP = 1;
const ICMP_HEADER_LENGTH = 8;
const DESTINATION_UNREACHABLE = 3;
const FRAGMENTATION_NEEDED = 4;
const FRAGMENT_OFFSET = 0x1fff;
/** RFC 1812 §4.3.2.3: as much of the packet as possible without the message exceeding this. */
const MAX_MESSAGE_LENGTH = 576;

/** Whether an ICMP error may answer the IPv4 packet octets[at..at+length): RFC 1812 §4.3.2.7. */
export function mayAnswer(octets: Uint8Array, at: number, length: number): boolean {
  if (isImpossibleSource(ipv4Source(octets, at))) return false;
  if (isMulticastOrBroadcast(ipv4Destination(octets, at))) return false;
  if ((readU16(octets, at + 6) & FRAGMENT_OFFSET) !== 0) return false;
  if (octets[at + 9] !== ICMP) return true;
  const icmp = at + ipv4HeaderLength(octets, at);
  return icmp < at + length && !isError(octets[icmp]!);
}

/**
 * Writes to `to` the message about the IPv4 packet octets[at..at+length).
 * @param source address it comes from, of the next hop
 * @param mtu the largest packet that fits, octets
 * @returns octets of the message, IPv4 header included
 */
export function writeFragmentationNeeded(
  octets: Uint8Array,
  at: number,
  length: number,
  source: number,
  mtu: number,
  to: number,
): number {
  const quoted = Math.min(length, MAX_MESSAGE_LENGTH - IPV4_HEADER_LENGTH - ICMP_HEADER_LENGTH);
  const total = IPV4_HEADER_LENGTH + ICMP_HEADER_LENGTH + quoted;
  const icmp = to + IPV4_HEADER_LENGTH;
  octets.fill(0, to, icmp + ICMP_HEADER_LENGTH);
  octets.copyWithin(icmp + ICMP_HEADER_LENGTH, at, at + quoted);

  octets[to] = 0x45;
  octets[to + 1] = 0xc0; // internetwork control: RFC 1812 §4.3.2.5
  writeU16(octets, to + 2, total);
  octets[to + 8] = 64;
  octets[to + 9] = ICMP;
  writeU32(octets, to + 12, source);
  writeU32(octets, to + 16, ipv4Source(octets, at));
  writeU16(octets, to + 10, internetChecksum(octets, to, IPV4_HEADER_LENGTH));

  octets[icmp] = DESTINATION_UNREACHABLE;
  octets[icmp + 1] = FRAGMENTATION_NEEDED;
  writeU16(octets, icmp + 6, mtu);
  writeU16(octets, icmp + 2, internetChecksum(octets, icmp, ICMP_HEADER_LENGTH + quoted));
  return total;
}

/** Destination Unreachable, Source Quench, Redirect, Time Exceeded, Parameter Problem. */
function isError(type: number): boolean {
  return type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
}
