/**
 * ICMPv6 "packet too big" for packets too large for the peer: RFC 4443 §2.4, §3.2.
 */
import { IPV6_MIN_MTU } from '../../wire/ipv6.ts';
import { writeU16, writeU32 } from '../../wire/octets.ts';
import { internetChecksum } from '../../wire/checksum.ts';
import {
  findUpperLayer,
  IPV6_HEADER_LENGTH,
  isImpossibleIpv6Source,
  isMulticastIpv6,
} from './inner-packet.ts';

const ICMPV6 = 58;
const ICMPV6_HEADER_LENGTH = 8;
const PACKET_TOO_BIG = 2;
/** RFC 4443 §2.1: informational messages are from here on. */
const FIRST_INFORMATIONAL = 128;
const REDIRECT = 137;
const HOP_LIMIT = 64;

/**
 * Whether an ICMPv6 error may answer the IPv6 packet octets[at..at+length): RFC 4443 §2.4 (e). That this one may answer
 * what goes to a group is for multicast routing, which is not done here.
 */
export function mayAnswerIpv6(octets: Uint8Array, at: number, length: number): boolean {
  if (isImpossibleIpv6Source(octets, at + 8) || isMulticastIpv6(octets, at + 24)) return false;
  const icmp = findUpperLayer(octets, at, length, ICMPV6);
  if (icmp === -1) return true;
  const type = octets[icmp]!;
  return type >= FIRST_INFORMATIONAL && type !== REDIRECT;
}

/**
 * Writes to `to` the message about the IPv6 packet octets[at..at+length), from where that was to go: the peer's own address
 * is link-local, and the kernel forwards nothing that comes from one.
 * @param mtu the largest packet that fits, octets
 * @returns octets of the message, IPv6 header included
 */
export function writePacketTooBig(
  octets: Uint8Array,
  at: number,
  length: number,
  mtu: number,
  to: number,
): number {
  // RFC 4443 §2.4 (c): as much of the packet as possible.
  const quoted = Math.min(length, IPV6_MIN_MTU - IPV6_HEADER_LENGTH - ICMPV6_HEADER_LENGTH);
  const payload = ICMPV6_HEADER_LENGTH + quoted;
  const icmp = to + IPV6_HEADER_LENGTH;
  octets.fill(0, to, icmp + ICMPV6_HEADER_LENGTH);
  octets.copyWithin(icmp + ICMPV6_HEADER_LENGTH, at, at + quoted);

  octets[to] = 0x60;
  writeU16(octets, to + 4, payload);
  octets[to + 6] = ICMPV6;
  octets[to + 7] = HOP_LIMIT;
  octets.copyWithin(to + 8, at + 24, at + 40);
  octets.copyWithin(to + 24, at + 8, at + 24);

  octets[icmp] = PACKET_TOO_BIG;
  writeU32(octets, icmp + 4, mtu);
  // RFC 8200 §8.1: the sum covers the addresses, which lie before it, the length and the protocol.
  writeU16(octets, icmp + 2, payload + ICMPV6);
  writeU16(octets, icmp + 2, internetChecksum(octets, to + 8, 32 + payload));
  return IPV6_HEADER_LENGTH + payload;
}
