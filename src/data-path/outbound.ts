/**
 * IP packets from the TUN devices to the peers: whose they are.
 */
import type { Slot } from '../wire/brand.ts';
import { PppProtocol } from '../wire/ppp-frame.ts';
import type { CounterSlab } from './counters.ts';
import type { Device, Devices } from './devices.ts';
import { Drop, PASS } from './drop.ts';
import type { Transmitter } from './gre/transmitter.ts';
import {
  ipv4Destination,
  ipv4Source,
  isGre,
  isLinkLocal,
  isMulticastIpv6,
  isMulticastOrBroadcast,
  isUnspecified,
  packetLength,
  readI32,
} from './ip/inner-packet.ts';
import type { Ipv6Rules } from './ip/ipv6-rules.ts';
import { clampMss, clampMssIpv6 } from './ip/mss-clamp.ts';
import { setSource } from './ip/readdress.ts';
import { type OutBatch, TUN_IN_WORDS } from './queues/batch.ts';
import type { ParkedPackets } from './queues/parked-packets.ts';
import type { SessionSlab } from './session-slab.ts';
import type { TooLarge } from './too-large.ts';

export interface OutboundParts {
  readonly octets: Uint8Array;
  readonly sessions: SessionSlab;
  readonly devices: Devices;
  readonly ipv6Rules: Ipv6Rules;
  readonly tooLarge: TooLarge;
  readonly transmitter: Transmitter;
  readonly output: OutBatch;
  readonly counters: CounterSlab;
}

export class Outbound {
  readonly #parts: OutboundParts;

  constructor(parts: OutboundParts) {
    this.#parts = parts;
  }

  /** Takes what the kernel wrote to the device. @returns whether some of it waits now: see Devices.park */
  receive(fd: number, meta: Int32Array, count: number, now: number): boolean {
    const { devices, counters } = this.#parts;
    const device = devices.find(fd);
    if (device === undefined) {
      counters.drop(-1, Drop.notAttached, count);
      return false;
    }
    const parked = device.parked?.count ?? 0;
    for (let n = 0; n < count * TUN_IN_WORDS; n += TUN_IN_WORDS)
      this.#receive(device, meta[n]!, meta[n + 1]!, now);
    return (device.parked?.count ?? 0) > parked;
  }

  /** Sends what was parked: from `to` where it was made with the source address `from`. */
  unpark(device: Device, parked: ParkedPackets, from: number, to: number, now: number): void {
    const { octets, output, counters } = this.#parts;
    for (let n = 0; n < parked.count; n++) {
      const at = output.takeSlot();
      if (at === -1) {
        counters.drop(-1, Drop.full);
        continue;
      }
      const { length } = parked.packet(n);
      octets.set(parked.packet(n), at);
      if (ipv4Source(octets, at) === (from | 0)) setSource(octets, at, length, to);
      this.#ipv4(device, at, length, now);
    }
  }

  /**
   * Copies an IPv4 packet to every caller on the device, from this slot on, but the one it is from.
   * @returns where to go on when the batch has gone out; -1: it was the last
   */
  spread(fd: number, packet: Uint8Array, from: Slot, now: number): Slot {
    const { octets, sessions, devices, transmitter, output, counters } = this.#parts;
    const sender = devices.find(fd)?.routes.find(ipv4Source(packet, 0));
    for (let slot = from; slot < sessions.device.length; slot++) {
      if (sessions.device[slot] !== fd || slot === sender) continue;
      if (packet.length > sessions.innerMtu[slot]!) counters.drop(slot, Drop.tooBig);
      else {
        const at = output.takeSlot();
        if (at === -1) return slot;
        octets.set(packet, at);
        transmitter.packet(slot, PppProtocol.Ip, at, packet.length, now);
      }
    }
    return -1;
  }

  #receive(device: Device, at: number, length: number, now: number): void {
    const { octets, counters } = this.#parts;
    const version = length === 0 ? 0 : octets[at]! >> 4;
    const protocol = version === 6 ? PppProtocol.Ipv6 : PppProtocol.Ip;
    const total = packetLength(protocol, octets, at, length);
    if (total === -1) counters.drop(-1, Drop.malformed);
    else if (device.parked !== undefined) this.#park(device.parked, protocol, at, total);
    else if (protocol === PppProtocol.Ip) this.#ipv4(device, at, total, now);
    else if (device.isLink) this.#ipv6ToLink(device, at, total, now);
    else this.#ipv6ToCaller(device, at, total, now);
  }

  /** Only what somebody sends to a host is worth a call: groups and IPv6 are the kernel's own chatter. */
  #park(parked: ParkedPackets, protocol: number, at: number, length: number): void {
    const { octets, counters } = this.#parts;
    if (protocol !== PppProtocol.Ip) counters.drop(-1, Drop.ipv6);
    else if (isMulticastOrBroadcast(ipv4Destination(octets, at))) counters.drop(-1, Drop.multicast);
    else if (!parked.keep(octets, at, length)) counters.drop(-1, Drop.full);
  }

  #ipv4(device: Device, at: number, length: number, now: number): void {
    const { octets, sessions, tooLarge, transmitter, counters } = this.#parts;
    let slot = device.single;
    if (!device.isLink) {
      const destination = ipv4Destination(octets, at);
      if (isMulticastOrBroadcast(destination)) return counters.drop(-1, Drop.multicast);
      slot = device.routes.find(destination);
      if (slot === -1) return counters.drop(-1, Drop.noRoute);
    }
    if (slot === -1) return counters.drop(-1, Drop.notAttached);
    // A route that leads the peer's outside address into a tunnel: each packet would come back wrapped once more.
    if (isGre(octets, at) && ipv4Source(octets, at) === sessions.local[slot])
      return counters.drop(slot, Drop.loop);
    const mtu = sessions.innerMtu[slot]!;
    if (length > mtu) return tooLarge.ipv4(slot, device, at, length, now);
    clampMss(octets, at, length, mtu);
    transmitter.packet(slot, PppProtocol.Ip, at, length, now);
  }

  #ipv6ToLink(device: Device, at: number, length: number, now: number): void {
    const { octets, sessions, ipv6Rules, tooLarge, transmitter, counters } = this.#parts;
    const slot = device.single;
    if (slot === -1) return counters.drop(-1, Drop.notAttached);
    const reason = ipv6Rules.outward(slot, device, at);
    if (reason !== PASS) return counters.drop(slot, reason);
    const mtu = sessions.innerMtu[slot]!;
    if (length > mtu) return tooLarge.ipv6(slot, device, at, length, now);
    clampMssIpv6(octets, at, length, mtu);
    transmitter.packet(slot, PppProtocol.Ipv6, at, length, now);
  }

  /** Whose prefix it is; link-local to the session that has the identifier; no groups. */
  #ipv6ToCaller(device: Device, at: number, length: number, now: number): void {
    const { octets, sessions, tooLarge, transmitter, counters } = this.#parts;
    const source = at + 8;
    const destination = at + 24;
    if (isMulticastIpv6(octets, destination)) return counters.drop(-1, Drop.multicast);
    const isNear = isLinkLocal(octets, destination);
    // RFC 4291 §2.5.6: what comes from a link-local address stays on its link.
    const isFromNear = isLinkLocal(octets, source) || isUnspecified(octets, source);
    if (isNear !== isFromNear || (!isNear && device.ipv6Routes.isEmpty))
      return counters.drop(-1, Drop.ipv6);
    const slot = isNear
      ? this.#neighbour(device.fd, destination + 8)
      : device.ipv6Routes.find(octets, destination);
    if (slot === -1) return counters.drop(-1, Drop.noRoute);
    if (sessions.ipv6[slot] === 0) return counters.drop(slot, Drop.ipv6);
    const mtu = sessions.innerMtu[slot]!;
    if (length > mtu)
      return isNear
        ? counters.drop(slot, Drop.tooBig)
        : tooLarge.ipv6(slot, device, at, length, now);
    clampMssIpv6(octets, at, length, mtu);
    transmitter.packet(slot, PppProtocol.Ipv6, at, length, now);
  }

  /** The session on the device whose peer has the interface identifier at `at`, or -1. */
  #neighbour(fd: number, at: number): Slot {
    const { octets, sessions } = this.#parts;
    const high = readI32(octets, at);
    const low = readI32(octets, at + 4);
    for (let slot = 0; slot < sessions.device.length; slot++) {
      if (
        sessions.device[slot] === fd &&
        sessions.ipv6[slot] !== 0 &&
        sessions.identifierHigh[slot] === high &&
        sessions.identifierLow[slot] === low
      ) {
        return slot;
      }
    }
    return -1;
  }
}
