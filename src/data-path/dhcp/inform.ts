/**
 * DHCP from callers, which Windows asks for its routes (DHCPINFORM): answered here, inside the session it came by, and never passed
 * on. RFC 2131 §4.1, §4.3.5.
 */
import type { Slot } from '../../wire/brand.ts';
import { isMalformed } from '../../wire/codec.ts';
import {
  BootpOperation,
  decodeDhcp,
  DHCP_CLIENT_PORT,
  DHCP_SERVER_PORT,
  DhcpMessageType,
  encodeDhcp,
  type DhcpMessage,
} from '../../wire/dhcp.ts';
import { readU16, writeU16, writeU32 } from '../../wire/octets.ts';
import { PppProtocol } from '../../wire/ppp-frame.ts';
import { Column, type CounterSlab } from '../counters.ts';
import { Drop } from '../drop.ts';
import type { Transmitter } from '../gre/transmitter.ts';
import { internetChecksum } from '../../wire/checksum.ts';
import { IPV4_HEADER_LENGTH, ipv4HeaderLength, ipv4Source } from '../ip/inner-packet.ts';
import {
  hasWrongUdpChecksum,
  UDP,
  UDP_HEADER_LENGTH,
  udpLength,
  writeUdpChecksum,
} from '../ip/udp.ts';
import type { OutBatch } from '../queues/batch.ts';
import { RateLimit } from '../queues/rate-limit.ts';
import type { SessionSlab } from '../session-slab.ts';
import {
  answerInform,
  DHCP_LEAST_PACKET,
  DHCP_OVERHEAD,
  optionOf,
  type InformParameters,
} from './answer.ts';

/** Answers per session: a client asks once or a few times after it has logged in. */
const PER_SECOND = 1;
const BURST = 10;

export interface DhcpInformParts {
  readonly octets: Uint8Array;
  readonly maxSessions: number;
  readonly sessions: SessionSlab;
  readonly transmitter: Transmitter;
  readonly output: OutBatch;
  readonly counters: CounterSlab;
}

/** Whether the IPv4 packet octets[at..at+length) is from a DHCP client to a server. */
export function isToDhcpServer(octets: Uint8Array, at: number, length: number): boolean {
  if (octets[at + 9] !== UDP) return false;
  const header = ipv4HeaderLength(octets, at);
  return (
    header + 4 <= length &&
    (readU16(octets, at + 6) & 0x1fff) === 0 &&
    readU16(octets, at + header + 2) === DHCP_SERVER_PORT &&
    readU16(octets, at + header) === DHCP_CLIENT_PORT
  );
}

export class DhcpInform {
  readonly #parts: DhcpInformParts;
  readonly #limit: RateLimit;
  /** By slot. */
  readonly #parameters: (InformParameters | undefined)[];

  constructor(parts: DhcpInformParts) {
    this.#parts = parts;
    this.#limit = new RateLimit(parts.maxSessions, PER_SECOND, BURST);
    this.#parameters = new Array<undefined>(parts.maxSessions).fill(undefined);
  }

  /** A new session has its ration of answers, and nothing to tell. */
  start(slot: Slot, now: number): void {
    this.#limit.reset(slot, now);
    this.#parameters[slot] = undefined;
  }

  /** What the session is told; undefined: DHCP of its peer is as any packet. */
  tell(slot: Slot, parameters: InformParameters | undefined): void {
    this.#parameters[slot] = parameters;
  }

  answers(slot: Slot): boolean {
    return this.#parameters[slot] !== undefined;
  }

  /** Deals with the IPv4 packet octets[at..at+length), of which isToDhcpServer holds. */
  receive(slot: Slot, at: number, length: number, now: number): void {
    const { octets, sessions, counters } = this.#parts;
    counters.add(slot, Column.RxPackets, 1);
    counters.add(slot, Column.RxOctets, length);
    const source = ipv4Source(octets, at);
    // Machines behind the caller have a DHCP server of their own.
    if (source !== sessions.peerAddress[slot]) return counters.drop(slot, Drop.badSource);
    if (this.#limit.take(slot, 1, now) === 0) return counters.drop(slot, Drop.dhcpFlood);
    const request = this.#read(at, length);
    if (request === undefined || request.operation !== BootpOperation.Request)
      return counters.drop(slot, Drop.dhcpMalformed);
    if (optionOf(request, 'message-type') !== DhcpMessageType.Inform)
      return counters.drop(slot, Drop.dhcpLease);
    if ((request.clientAddress | 0) !== source) return counters.drop(slot, Drop.dhcpMalformed);
    this.#answer(slot, request, now);
  }

  #read(at: number, length: number): DhcpMessage | undefined {
    const { octets } = this.#parts;
    const datagram = udpLength(octets, at, length);
    if (datagram === -1 || hasWrongUdpChecksum(octets, at, datagram)) return undefined;
    const udp = at + ipv4HeaderLength(octets, at);
    const message = decodeDhcp(octets.slice(udp + UDP_HEADER_LENGTH, udp + datagram));
    return isMalformed(message) ? undefined : message;
  }

  #answer(slot: Slot, request: DhcpMessage, now: number): void {
    const { octets, sessions, transmitter, output, counters } = this.#parts;
    const takes = Math.max(DHCP_LEAST_PACKET, optionOf(request, 'maximum-message-size') ?? 0);
    const most = Math.min(takes, sessions.innerMtu[slot]!, output.slotCapacity) - DHCP_OVERHEAD;
    const server = sessions.localAddress[slot]! >>> 0;
    const message = encodeDhcp(answerInform(request, server, this.#parameters[slot]!, most));
    const to = output.takeSlot();
    if (to === -1) return counters.drop(slot, Drop.full);
    const total = writeDatagram(octets, to, server, request.clientAddress, message);
    transmitter.packet(slot, PppProtocol.Ip, to, total, now);
  }
}

/** An IPv4 packet from server to client, with `message`. @returns its octets */
function writeDatagram(
  octets: Uint8Array,
  at: number,
  source: number,
  destination: number,
  message: Uint8Array,
): number {
  const datagram = UDP_HEADER_LENGTH + message.length;
  const total = IPV4_HEADER_LENGTH + datagram;
  const udp = at + IPV4_HEADER_LENGTH;
  octets.fill(0, at, udp + UDP_HEADER_LENGTH);
  octets[at] = 0x45;
  writeU16(octets, at + 2, total);
  octets[at + 8] = 64;
  octets[at + 9] = UDP;
  writeU32(octets, at + 12, source);
  writeU32(octets, at + 16, destination);
  writeU16(octets, at + 10, internetChecksum(octets, at, IPV4_HEADER_LENGTH));

  writeU16(octets, udp, DHCP_SERVER_PORT);
  writeU16(octets, udp + 2, DHCP_CLIENT_PORT);
  writeU16(octets, udp + 4, datagram);
  octets.set(message, udp + UDP_HEADER_LENGTH);
  writeUdpChecksum(octets, at, datagram);
  return total;
}
