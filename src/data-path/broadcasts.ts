/**
 * How machines of one network find each other by name: NetBIOS (RFC 1002 §4.2, §4.4) by broadcast, mDNS (RFC 6762) by multicast.
 * No router passes that on; here is what may go between the LAN and the callers of a server all the same, with its sender's
 * address, so that the answers find him.
 */
import type { Ipv4 } from '../wire/brand.ts';
import { readU16, writeU16, writeU32 } from '../wire/octets.ts';
import { internetChecksum } from '../wire/checksum.ts';
import { ipv4HeaderLength, ipv4Length, ipv4Source } from './ip/inner-packet.ts';
import { UDP_HEADER_LENGTH, udpLength, writeUdpChecksum } from './ip/udp.ts';
import { RateLimit } from './queues/rate-limit.ts';

export const NETBIOS_PORTS = [137, 138] as const;
export const MDNS_PORT = 5353;
/** 224.0.0.251 */
export const MDNS_GROUP: Ipv4 = 0xe00000fb;
export const EVERYBODY: Ipv4 = 0xffffffff;

export type Side = 'callers' | 'lan';
export type BroadcastFate = 'relayed' | 'malformed' | 'flood' | 'echo';

/** Packets a second and at once: of one machine (by the end of its address), and of all on a side. */
const MACHINES = 256;
const OF_ONE = [10, 20] as const;
const OF_ALL = [50, 100] as const;
/** What has gone to one side and comes from there within this time, ms, was brought back by another relay. */
const ECHO_TIME = 1000;
const MOST_REMEMBERED = 128;

export class Broadcasts {
  readonly #ofAll = new RateLimit(2, ...OF_ALL);
  readonly #ofOne = {
    callers: new RateLimit(MACHINES, ...OF_ONE),
    lan: new RateLimit(MACHINES, ...OF_ONE),
  };
  /** By what was said: the side it came from, and when. */
  readonly #said = new Map<number, { readonly side: Side; readonly at: number }>();

  /** An IPv4 packet to one of the ports and groups above: may it go to the other side? */
  judge(packet: Uint8Array, side: Side, now: number): BroadcastFate {
    const total = ipv4Length(packet, 0, packet.length);
    const datagram = total === packet.length ? udpLength(packet, 0, total) : -1;
    if (datagram === -1) return 'malformed';
    if (this.#ofOne[side].take(ipv4Source(packet, 0) & (MACHINES - 1), 1, now) === 0)
      return 'flood';
    const words = hashOf(packet, ipv4HeaderLength(packet, 0), datagram);
    const before = this.#said.get(words);
    if (before !== undefined && before.side !== side && now - before.at < ECHO_TIME) return 'echo';
    if (this.#ofAll.take(side === 'lan' ? 1 : 0, 1, now) === 0) return 'flood';
    this.#said.delete(words);
    this.#said.set(words, { side, at: now });
    for (const oldest of this.#said.keys())
      if (this.#said.size > MOST_REMEMBERED) this.#said.delete(oldest);
    return 'relayed';
  }
}

/** The same packet to the broadcast address of another network; to a group it goes as it is. */
export function readdressed(packet: Uint8Array, broadcast: Ipv4): Uint8Array {
  const copy = packet.slice();
  if (portOf(packet) !== MDNS_PORT) writeU32(copy, 16, broadcast);
  const header = ipv4HeaderLength(copy, 0);
  writeU16(copy, 10, 0);
  writeU16(copy, 10, internetChecksum(copy, 0, header));
  // A machine whose network card makes the sum has left it half done, as it comes from a bridge.
  if (readU16(copy, header + 6) !== 0) writeUdpChecksum(copy, 0, udpLength(copy, 0, copy.length));
  return copy;
}

/** Destination port of a UDP packet. */
export function portOf(packet: Uint8Array): number {
  return readU16(packet, ipv4HeaderLength(packet, 0) + 2);
}

/** FNV-1a over the port and what is said, whoever says it: a relay may put its own address there. */
function hashOf(packet: Uint8Array, udp: number, datagram: number): number {
  let hash = 0x811c9dc5 ^ readU16(packet, udp + 2);
  for (let at = udp + UDP_HEADER_LENGTH; at < udp + datagram; at++)
    hash = Math.imul(hash ^ packet[at]!, 0x01000193);
  return hash;
}
