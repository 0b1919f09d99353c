/**
 * Lowers the Maximum Segment Size in TCP SYNs, in both directions, so that no end of a connection through the tunnel sends
 * segments that do not fit: path MTU discovery alone fails wherever a firewall drops ICMP. RFC 9293 §3.2, §3.7.1.
 */
import { readU16, writeU16 } from '../../wire/octets.ts';
import { updateChecksum } from '../../wire/checksum.ts';
import { findUpperLayer, ipv4HeaderLength } from './inner-packet.ts';

const TCP = 6;
const TCP_HEADER_LENGTH = 20;
const SYN = 0x02;
const FRAGMENT_OFFSET = 0x1fff;
/** Octets of an IP and a TCP header without options: what MSS does not count. RFC 9293 §3.7.1. */
const IPV4_TCP_HEADERS = 40;
const IPV6_TCP_HEADERS = 60;

/** Kinds of TCP options. */
const END = 0;
const NO_OPERATION = 1;
const MAXIMUM_SEGMENT_SIZE = 2;

/**
 * Makes the IPv4 packet octets[at..at+length), if it is a SYN that offers more, offer what fits into `mtu` octets.
 * The header must have been checked (ipv4Length).
 */
export function clampMss(octets: Uint8Array, at: number, length: number, mtu: number): void {
  if (octets[at + 9] !== TCP) return;
  const tcp = at + ipv4HeaderLength(octets, at);
  if (!isSyn(octets, tcp) || (readU16(octets, at + 6) & FRAGMENT_OFFSET) !== 0) return;
  clampSyn(octets, tcp, at + length, mtu - IPV4_TCP_HEADERS);
}

/** The same of an IPv6 packet (ipv6Length). */
export function clampMssIpv6(octets: Uint8Array, at: number, length: number, mtu: number): void {
  const tcp = findUpperLayer(octets, at, length, TCP);
  if (tcp !== -1 && isSyn(octets, tcp)) clampSyn(octets, tcp, at + length, mtu - IPV6_TCP_HEADERS);
}

/** If there is a TCP header. Asked first: hardly any segment is one. */
function isSyn(octets: Uint8Array, tcp: number): boolean {
  return (octets[tcp + 13]! & SYN) !== 0;
}

/** The TCP header at `tcp`, in a packet that ends at `end`. */
function clampSyn(octets: Uint8Array, tcp: number, end: number, maximum: number): void {
  if (tcp + TCP_HEADER_LENGTH > end) return;
  const optionsEnd = Math.min(end, tcp + (octets[tcp + 12]! >> 4) * 4);
  for (let option = tcp + TCP_HEADER_LENGTH; option < optionsEnd;) {
    const kind = octets[option]!;
    if (kind === END) return;
    if (kind === NO_OPERATION) {
      option++;
      continue;
    }
    const optionLength = option + 1 < optionsEnd ? octets[option + 1]! : 0;
    if (optionLength < 2 || option + optionLength > optionsEnd) return;
    if (kind === MAXIMUM_SEGMENT_SIZE && optionLength === 4) {
      lower(octets, tcp, option + 2, maximum);
      return;
    }
    option += optionLength;
  }
}

function lower(octets: Uint8Array, tcp: number, at: number, maximum: number): void {
  const offered = readU16(octets, at);
  if (offered <= maximum) return;
  writeU16(octets, at, maximum);
  // At an odd distance the value lies across two words of the sum; swapped octets add up to the same.
  const odd = ((at - tcp) & 1) !== 0;
  updateChecksum(octets, tcp + 16, odd ? swap(offered) : offered, odd ? swap(maximum) : maximum);
}

function swap(word: number): number {
  return ((word & 0xff) << 8) | (word >> 8);
}
