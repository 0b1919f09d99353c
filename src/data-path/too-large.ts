/**
 * IP packets that are larger than the peer takes: fragments of those that may be fragmented, and word to the senders of the
 * others. RFC 791 §3.2, RFC 1191, RFC 8201.
 */
import type { Slot } from '../wire/brand.ts';
import { PppProtocol } from '../wire/ppp-frame.ts';
import type { CounterSlab } from './counters.ts';
import type { Device } from './devices.ts';
import { Drop } from './drop.ts';
import type { Transmitter } from './gre/transmitter.ts';
import { mayNotFragment, writeFragment } from './ip/fragmentation.ts';
import { mayAnswer, writeFragmentationNeeded } from './ip/icmp.ts';
import { mayAnswerIpv6, writePacketTooBig } from './ip/icmpv6.ts';
import { ipv4HeaderLength } from './ip/inner-packet.ts';
import type { OutBatch } from './queues/batch.ts';
import { RateLimit } from './queues/rate-limit.ts';
import type { SessionSlab } from './session-slab.ts';

/** ICMP messages per session: enough for path MTU discovery of many connections that start together. */
const ICMP_PER_SECOND = 50;
const ICMP_BURST = 50;

export interface TooLargeParts {
  readonly octets: Uint8Array;
  readonly maxSessions: number;
  readonly sessions: SessionSlab;
  readonly transmitter: Transmitter;
  readonly output: OutBatch;
  readonly counters: CounterSlab;
}

export class TooLarge {
  readonly #parts: TooLargeParts;
  readonly #icmpLimit: RateLimit;

  constructor(parts: TooLargeParts) {
    this.#parts = parts;
    this.#icmpLimit = new RateLimit(parts.maxSessions, ICMP_PER_SECOND, ICMP_BURST);
  }

  /** A new session has its ration of ICMP messages. */
  start(slot: Slot, now: number): void {
    this.#icmpLimit.reset(slot, now);
  }

  /** The IPv4 packet octets[at..at+length) from the device. */
  ipv4(slot: Slot, device: Device, at: number, length: number, now: number): void {
    const { octets, sessions, output, counters } = this.#parts;
    if (!mayNotFragment(octets, at)) return this.#fragment(slot, at, length, now);
    if (mayAnswer(octets, at, length) && this.#icmpLimit.take(slot, 1, now) === 1) {
      const to = output.takeSlot();
      // From the peer's address: the kernel refuses packets from outside that bear its own.
      const source = sessions.peerAddress[slot]!;
      const mtu = sessions.innerMtu[slot]!;
      if (to !== -1) {
        const total = writeFragmentationNeeded(octets, at, length, source, mtu, to);
        output.pushTun(device.fd, to, total);
      }
    }
    counters.drop(slot, Drop.tooBig);
  }

  /** The IPv6 packet octets[at..at+length) from the device. */
  ipv6(slot: Slot, device: Device, at: number, length: number, now: number): void {
    const { octets, sessions, output, counters } = this.#parts;
    if (mayAnswerIpv6(octets, at, length) && this.#icmpLimit.take(slot, 1, now) === 1) {
      const to = output.takeSlot();
      const mtu = sessions.innerMtu[slot]!;
      if (to !== -1) output.pushTun(device.fd, to, writePacketTooBig(octets, at, length, mtu, to));
    }
    counters.drop(slot, Drop.tooBig);
  }

  #fragment(slot: Slot, at: number, length: number, now: number): void {
    const { octets, sessions, transmitter, output, counters } = this.#parts;
    const mtu = sessions.innerMtu[slot]!;
    const payload = length - ipv4HeaderLength(octets, at);
    for (let done = 0; done < payload;) {
      const to = output.takeSlot();
      if (to === -1) return counters.drop(slot, Drop.full);
      const fragment = writeFragment(octets, at, length, done, mtu, to);
      if (fragment === 0) return counters.drop(slot, Drop.tooBig);
      done += fragment - ipv4HeaderLength(octets, to);
      if (!transmitter.packet(slot, PppProtocol.Ip, to, fragment, now)) return;
    }
  }
}
