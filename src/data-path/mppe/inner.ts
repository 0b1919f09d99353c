/**
 * What comes out of an MPPE packet, and whether it can be right. RFC 3078 §3.1: the protocol field and the packet.
 */
import { PppProtocol } from '../../wire/ppp-frame.ts';
import { readU16 } from '../../wire/octets.ts';
import { internetChecksum } from '../../wire/checksum.ts';
import { ipv4HeaderLength, packetLength } from '../ip/inner-packet.ts';

/** Neither PASS nor a reason to drop an MPPE packet: it waits, to be decrypted together with others. */
export const WAITS = -1;
/** It must come again when those that wait are dealt with. */
export const LATER = -2;

/** An IP packet in the arena; one record serves all. */
export interface InnerPacket {
  protocol: number;
  at: number;
  /** Octets of the packet; there may be padding behind. */
  length: number;
}

/**
 * Reads the decrypted octets[at..at+length). The protocol has two octets from Linux, one from peers that compress it here
 * too. Looks at protocol and IP header only.
 * @returns false, unless this is an IP packet: an IPv4 header with a right checksum, or an IPv6 header with the right
 * length. Of random octets one in 10^8 is, so what is wrongly decrypted is found out
 */
export function readInner(
  octets: Uint8Array,
  at: number,
  length: number,
  inner: InnerPacket,
): boolean {
  if (length < 2) return false;
  const compressed = (octets[at]! & 1) !== 0;
  const protocol = compressed ? octets[at]! : readU16(octets, at);
  if (protocol !== PppProtocol.Ip && protocol !== PppProtocol.Ipv6) return false;
  const start = compressed ? 1 : 2;
  const packet = packetLength(protocol, octets, at + start, length - start);
  if (packet === -1) return false;
  if (protocol === PppProtocol.Ip) {
    const header = ipv4HeaderLength(octets, at + start);
    if (internetChecksum(octets, at + start, header) !== 0) return false;
  } else if (packet !== length - start) {
    return false;
  }
  inner.protocol = protocol;
  inner.at = at + start;
  inner.length = packet;
  return true;
}
