/** UDP in IPv4: RFC 768. */
import { readU16, writeU16 } from '../../wire/octets.ts';
import { internetChecksum } from '../../wire/checksum.ts';
import { ipv4HeaderLength } from './inner-packet.ts';

export const UDP = 17;
export const UDP_HEADER_LENGTH = 8;
/** More fragments, and the offset. */
const FRAGMENT = 0x3fff;
const CHECKSUM = 6;

/** Octets of the datagram in the whole IPv4 packet octets[at..at+length), or -1: there is none, or its length contradicts that. */
export function udpLength(octets: Uint8Array, at: number, length: number): number {
  const room = length - ipv4HeaderLength(octets, at);
  if (octets[at + 9] !== UDP || room < UDP_HEADER_LENGTH) return -1;
  if ((readU16(octets, at + 6) & FRAGMENT) !== 0) return -1;
  const datagram = readU16(octets, at + length - room + 4);
  return datagram < UDP_HEADER_LENGTH || datagram > room ? -1 : datagram;
}

/** The sum over a datagram of so many octets and its pseudo header; 0: a right checksum is in it. */
function sumOf(octets: Uint8Array, at: number, datagram: number): number {
  const part = (from: number, length: number) => ~internetChecksum(octets, from, length) & 0xffff;
  let sum = part(at + 12, 8) + UDP + datagram + part(at + ipv4HeaderLength(octets, at), datagram);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Without one it is not wrong. */
export function hasWrongUdpChecksum(octets: Uint8Array, at: number, datagram: number): boolean {
  const given = readU16(octets, at + ipv4HeaderLength(octets, at) + CHECKSUM);
  return given !== 0 && sumOf(octets, at, datagram) !== 0;
}

export function writeUdpChecksum(octets: Uint8Array, at: number, datagram: number): void {
  const place = at + ipv4HeaderLength(octets, at) + CHECKSUM;
  writeU16(octets, place, 0);
  writeU16(octets, place, sumOf(octets, at, datagram) || 0xffff);
}
