/**
 * IP packets from the TUN devices to the peers: whose they are, and what to do with those that are too large.
 */
import { PppProtocol } from '../wire/ppp-frame.ts';
import { type CounterSlab, Drop } from './counters.ts';
import type { Device, Devices } from './devices.ts';
import { mayNotFragment, writeFragment } from './ip/fragmentation.ts';
import { mayAnswer, writeFragmentationNeeded } from './ip/icmp.ts';
import { mayAnswerIpv6, writePacketTooBig } from './ip/icmpv6.ts';
import {
  ipv4Destination,
  ipv4HeaderLength,
  ipv4Source,
  isGre,
  isLinkLocal,
  isLinkLocalMulticast,
  isMulticastOrBroadcast,
  isUnspecified,
  packetLength,
  readI32,
} from './ip/inner-packet.ts';
import type { Ipv6Rules } from './ip/ipv6-rules.ts';
import { clampMss, clampMssIpv6 } from './ip/mss-clamp.ts';
import type { OutBatch } from './queues/batch.ts';
import type { ParkedPackets } from './queues/parked-packets.ts';
import { RateLimit } from './queues/rate-limit.ts';
import { setSource } from './ip/readdress.ts';
import { type SessionSlab } from './session-slab.ts';
import type { Transmitter } from './gre/transmitter.ts';
import { dropOf, Verdict } from './verdict.ts';

/** ICMP messages per session: enough for path MTU discovery of many connections that start together. */
const ICMP_PER_SECOND = 50;
const ICMP_BURST = 50;

export interface OutboundParts {
  readonly octets: Uint8Array;
  readonly maxSessions: number;
  readonly sessions: SessionSlab;
  readonly devices: Devices;
  readonly ipv6Rules: Ipv6Rules;
  readonly transmitter: Transmitter;
  readonly output: OutBatch;
  readonly counters: CounterSlab;
}

export class Outbound {
  readonly #parts: OutboundParts;
  readonly #icmpLimit: RateLimit;

  constructor(parts: OutboundParts) {
    this.#parts = parts;
    this.#icmpLimit = new RateLimit(parts.maxSessions, ICMP_PER_SECOND, ICMP_BURST);
  }

  /** A new session has its ration of ICMP messages. */
  start(slot: number, now: number): void {
    this.#icmpLimit.reset(slot, now);
  }

  /** Takes the packet octets[at..at+length) that the kernel wrote to the device. @returns Verdict */
  receive(fd: number, at: number, length: number, now: number): number {
    const { octets, devices } = this.#parts;
    const device = devices.find(fd);
    if (device === undefined) return this.#drop(-1, Drop.notAttached, Verdict.NotAttached);
    const version = length === 0 ? 0 : octets[at]! >> 4;
    const protocol = version === 6 ? PppProtocol.Ipv6 : PppProtocol.Ip;
    const total = packetLength(protocol, octets, at, length);
    if (total === -1) return this.#drop(-1, Drop.malformed, Verdict.Malformed);
    if (device.parked !== undefined) return this.#park(device.parked, protocol, at, total);
    return protocol === PppProtocol.Ip
      ? this.#ipv4(fd, device, at, total, now)
      : this.#ipv6(fd, device, at, total, now);
  }

  /** Sends what was parked: from `to` where it was made with the source address `from`. */
  unpark(fd: number, parked: ParkedPackets, from: number, to: number, now: number): void {
    const { octets, devices, output } = this.#parts;
    const device = devices.find(fd)!;
    for (let n = 0; n < parked.count; n++) {
      const at = output.takeSlot();
      if (at === -1) {
        this.#drop(-1, Drop.full, Verdict.Full);
        continue;
      }
      const { length } = parked.packet(n);
      octets.set(parked.packet(n), at);
      if (ipv4Source(octets, at) === (from | 0)) setSource(octets, at, length, to);
      this.#ipv4(fd, device, at, length, now);
    }
  }

  /** Only what somebody sends to a host is worth a call: groups and IPv6 are the kernel's own chatter. */
  #park(parked: ParkedPackets, protocol: number, at: number, length: number): number {
    const { octets } = this.#parts;
    if (protocol !== PppProtocol.Ip) return this.#drop(-1, Drop.ipv6, Verdict.Ipv6);
    if (isMulticastOrBroadcast(ipv4Destination(octets, at)))
      return this.#drop(-1, Drop.multicast, Verdict.Multicast);
    if (parked.keep(octets, at, length)) return Verdict.Parked;
    return this.#drop(-1, Drop.full, Verdict.Full);
  }

  #ipv4(fd: number, device: Device, at: number, length: number, now: number): number {
    const { octets, sessions, transmitter } = this.#parts;
    let slot = device.single;
    if (!device.isLink) {
      const destination = ipv4Destination(octets, at);
      if (isMulticastOrBroadcast(destination)) {
        return this.#drop(-1, Drop.multicast, Verdict.Multicast);
      }
      slot = device.routes.find(destination);
      if (slot === -1) return this.#drop(-1, Drop.noRoute, Verdict.NoRoute);
    }
    if (slot === -1 || sessions.device[slot] !== fd) {
      return this.#drop(-1, Drop.notAttached, Verdict.NotAttached);
    }
    // A route that leads the peer's outside address into a tunnel: each packet would come back wrapped once more.
    if (isGre(octets, at) && ipv4Source(octets, at) === sessions.local[slot]) {
      return this.#drop(slot, Drop.loop, Verdict.Loop);
    }
    const mtu = sessions.innerMtu[slot]!;
    if (length > mtu) return this.#tooLarge(slot, fd, at, length, mtu, now);
    clampMss(octets, at, length, mtu);
    return transmitter.packet(slot, PppProtocol.Ip, at, length);
  }

  #tooLarge(
    slot: number,
    fd: number,
    at: number,
    length: number,
    mtu: number,
    now: number,
  ): number {
    const { octets, sessions, transmitter, output } = this.#parts;
    if (mayNotFragment(octets, at)) {
      const source = sessions.peerAddress[slot]!;
      if (mayAnswer(octets, at, length) && this.#icmpLimit.take(slot, 1, now) === 1) {
        const to = output.takeSlot();
        if (to !== -1) {
          // From the peer's address: the kernel refuses packets from outside that bear its own.
          const total = writeFragmentationNeeded(octets, at, length, source, mtu, to);
          output.pushTun(fd, to, total);
        }
      }
      return this.#drop(slot, Drop.tooBig, Verdict.TooBig);
    }
    const payload = length - ipv4HeaderLength(octets, at);
    for (let done = 0; done < payload;) {
      const to = output.takeSlot();
      if (to === -1) return this.#drop(slot, Drop.full, Verdict.Full);
      const fragment = writeFragment(octets, at, length, done, mtu, to);
      if (fragment === 0) return this.#drop(slot, Drop.tooBig, Verdict.TooBig);
      done += fragment - ipv4HeaderLength(octets, to);
      const verdict = transmitter.packet(slot, PppProtocol.Ip, to, fragment);
      if (verdict !== Verdict.Sent && verdict !== Verdict.Held) return verdict;
    }
    return Verdict.Sent;
  }

  #ipv6(fd: number, device: Device, at: number, length: number, now: number): number {
    return device.isLink
      ? this.#ipv6ToLink(fd, device, at, length, now)
      : this.#ipv6ToCaller(fd, at, length);
  }

  #ipv6ToLink(fd: number, device: Device, at: number, length: number, now: number): number {
    const { octets, sessions, ipv6Rules, transmitter } = this.#parts;
    const slot = device.single;
    if (slot === -1 || sessions.device[slot] !== fd)
      return this.#drop(-1, Drop.notAttached, Verdict.NotAttached);
    const verdict = ipv6Rules.outward(slot, device, at);
    if (verdict !== Verdict.Sent) return this.#drop(slot, dropOf(verdict), verdict);
    const mtu = sessions.innerMtu[slot]!;
    if (length > mtu) {
      this.#answerTooBig(slot, fd, at, length, mtu, now);
      return this.#drop(slot, Drop.tooBig, Verdict.TooBig);
    }
    clampMssIpv6(octets, at, length, mtu);
    return transmitter.packet(slot, PppProtocol.Ipv6, at, length);
  }

  #answerTooBig(
    slot: number,
    fd: number,
    at: number,
    length: number,
    mtu: number,
    now: number,
  ): void {
    const { octets, output } = this.#parts;
    if (!mayAnswerIpv6(octets, at, length) || this.#icmpLimit.take(slot, 1, now) === 0) return;
    const to = output.takeSlot();
    if (to !== -1) output.pushTun(fd, to, writePacketTooBig(octets, at, length, mtu, to));
  }

  /** Link-local alone, to the session that has the identifier; no groups. */
  #ipv6ToCaller(fd: number, at: number, length: number): number {
    const { octets, sessions, transmitter } = this.#parts;
    const source = at + 8;
    const destination = at + 24;
    const toGroup = isLinkLocalMulticast(octets, destination);
    if (!toGroup && !isLinkLocal(octets, destination)) {
      return this.#drop(-1, Drop.ipv6, Verdict.Ipv6);
    }
    if (!isLinkLocal(octets, source) && !isUnspecified(octets, source)) {
      return this.#drop(-1, Drop.ipv6, Verdict.Ipv6);
    }
    if (toGroup) return this.#drop(-1, Drop.multicast, Verdict.Multicast);
    const slot = this.#neighbour(fd, destination + 8);
    if (slot === -1) return this.#drop(-1, Drop.noRoute, Verdict.NoRoute);
    if (length > sessions.innerMtu[slot]!) return this.#drop(slot, Drop.tooBig, Verdict.TooBig);
    return transmitter.packet(slot, PppProtocol.Ipv6, at, length);
  }

  /** The session on the device whose peer has the interface identifier at `at`, or -1. */
  #neighbour(fd: number, at: number): number {
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

  #drop(slot: number, reason: number, verdict: number): number {
    this.#parts.counters.add(slot, reason, 1);
    return verdict;
  }
}
