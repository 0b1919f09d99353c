/**
 * GRE packets from the peers: to which call, in which order, and what is in them. RFC 2637 §4.
 *
 * Everything is delivered in order of arrival, but stateful MPPE (order-queue.ts); control frames never wait.
 */
import type { MppeKeys } from '../../crypto/mppe-keys.ts';
import { createGreHeader, readGre } from '../../wire/gre.ts';
import { createPppHeader, PppProtocol, readPppHeader } from '../../wire/ppp-frame.ts';
import { Column, type CounterSlab, Drop } from '../counters.ts';
import { DeadlineList } from '../deadline-list.ts';
import { EarlyQueue } from '../queues/early-queue.ts';
import type { HeldPackets } from '../queues/held-packets.ts';
import type { Inbound } from '../inbound.ts';
import { packetLength } from '../ip/inner-packet.ts';
import { Mppe } from '../mppe/inner.ts';
import type { MppeCipher } from '../mppe/cipher.ts';
import { MppeReceiver } from '../mppe/receiver.ts';
import { MAX_HELD, OrderQueue } from '../queues/order-queue.ts';
import { Sequence, type SequenceWindow, WINDOW } from './sequence-window.ts';
import { type SessionSlab, State } from '../session-slab.ts';
import type { SlotTable } from '../slot-table.ts';
import type { Transmitter } from './transmitter.ts';
import { Verdict } from '../verdict.ts';

export interface GreReceiverParts {
  readonly octets: Uint8Array;
  readonly cipher: MppeCipher;
  readonly maxSessions: number;
  /** Packets after which an acknowledgment waits no longer. */
  readonly ackEvery: number;
  readonly sessions: SessionSlab;
  readonly calls: SlotTable;
  readonly window: SequenceWindow;
  readonly acks: DeadlineList;
  readonly held: HeldPackets;
  readonly transmitter: Transmitter;
  readonly inbound: Inbound;
  readonly counters: CounterSlab;
}

/** ms that a packet of stateful MPPE waits for the one before it. */
export const ORDER_DELAY = 50;
/** ms that GRE waits for its call to be connected. */
export const EARLY_DELAY = 3000;

export class GreReceiver {
  /** The call of the last Control or Desynchronized, and where the PPP frame lies. */
  controlSlot = -1;
  controlOffset = 0;
  controlLength = 0;

  readonly #parts: GreReceiverParts;
  readonly #mppe: MppeReceiver;
  readonly #order: OrderQueue;
  readonly #orderDeadlines: DeadlineList;
  readonly #early: EarlyQueue;
  readonly #earlyDeadlines: DeadlineList;
  /** Calls with something for poll: early packets that may come out now, and lost synchronization. */
  readonly #released: DeadlineList;
  readonly #desynchronized: DeadlineList;
  readonly #gre = createGreHeader();
  readonly #ppp = createPppHeader();

  constructor(parts: GreReceiverParts) {
    const { maxSessions, held } = parts;
    this.#parts = parts;
    this.#mppe = new MppeReceiver(maxSessions, parts.cipher, (slot, result) => {
      this.#opened(slot, result);
    });
    this.#order = new OrderQueue(maxSessions, held);
    this.#orderDeadlines = new DeadlineList(maxSessions, ORDER_DELAY);
    this.#early = new EarlyQueue(maxSessions, held);
    this.#earlyDeadlines = new DeadlineList(maxSessions, EARLY_DELAY);
    this.#released = new DeadlineList(maxSessions, 0);
    this.#desynchronized = new DeadlineList(maxSessions, 0);
  }

  /** The call can send now: what was held comes out of poll. */
  connected(slot: number, now: number): void {
    this.#earlyDeadlines.disarm(slot);
    if (this.#early.waiting(slot) > 0) this.#released.arm(slot, now);
  }

  /** Forgets everything about the call. */
  close(slot: number): void {
    this.setMppe(slot, undefined);
    this.#early.clear(slot);
    this.#earlyDeadlines.disarm(slot);
    this.#released.disarm(slot);
    this.#parts.window.reset(slot);
  }

  setMppe(slot: number, mppe: MppeKeys | undefined): void {
    const { window } = this.#parts;
    this.#mppe.configure(slot, mppe);
    this.#orderDeadlines.disarm(slot);
    this.#desynchronized.disarm(slot);
    this.#order.reset(slot);
    if (window.started(slot)) this.#order.startAt(slot, window.highest(slot) + 1);
  }

  /** Something of the peer was accepted. */
  heard(slot: number): boolean {
    const { window, sessions } = this.#parts;
    return window.started(slot) || sessions.acknowledged[slot] !== 0;
  }

  /** Delivers the packet that waits to be decrypted beside another one. */
  finish(): void {
    this.#mppe.finish();
  }

  /** Whether the peer changes its MPPE key when it flushes. */
  changesOnFlush(slot: number): boolean {
    return this.#mppe.changesOnFlush(slot);
  }

  /** @returns Verdict */
  receive(offset: number, length: number, peer: number, local: number, now: number): number {
    const { octets, calls, sessions } = this.#parts;
    if (readGre(octets, offset, length, this.#gre) !== 0) {
      return this.#drop(-1, Drop.malformed, Verdict.Malformed);
    }
    const slot = calls.find(peer, this.#gre.callId);
    if (slot === -1 || (sessions.local[slot] !== 0 && sessions.local[slot] !== (local | 0))) {
      return this.#drop(-1, Drop.unknownCall, Verdict.UnknownCall);
    }
    if (sessions.state[slot] === State.Connected) return this.#accept(slot, offset, now);
    if (!this.#early.hold(slot, offset, length)) return this.#drop(slot, Drop.full, Verdict.Full);
    this.#earlyDeadlines.arm(slot, now);
    return Verdict.Held;
  }

  /** Control or Desynchronized of what was held until now, or None. */
  poll(now: number): number {
    const { octets, held } = this.#parts;
    for (let slot = this.#released.first(); slot !== -1; slot = this.#released.first()) {
      const handle = this.#early.take(slot);
      if (handle === -1) {
        this.#released.disarm(slot);
        continue;
      }
      const offset = held.offset(handle);
      held.release(handle);
      readGre(octets, offset, held.length(handle), this.#gre); // it was well formed when it came
      const verdict = this.#accept(slot, offset, now);
      if (verdict === Verdict.Control || verdict === Verdict.Desynchronized) return verdict;
    }
    const slot = this.#desynchronized.first();
    if (slot === -1) return Verdict.None;
    this.#desynchronized.disarm(slot);
    this.controlSlot = slot;
    return Verdict.Desynchronized;
  }

  /** Infinity: none. */
  nextTimeout(): number {
    return Math.min(this.#orderDeadlines.earliest(), this.#earlyDeadlines.earliest());
  }

  handleTimeout(now: number): void {
    const order = this.#orderDeadlines;
    for (let slot = order.take(now); slot !== -1; slot = order.take(now)) {
      this.#order.skip(slot);
      this.#release(slot, now);
    }
    const early = this.#earlyDeadlines;
    for (let slot = early.take(now); slot !== -1; slot = early.take(now)) {
      this.#parts.counters.add(slot, Drop.holdExpired, this.#early.clear(slot));
    }
  }

  /** The packet of a connected call at `offset`, whose header is in #gre. */
  #accept(slot: number, offset: number, now: number): number {
    const { sessions } = this.#parts;
    const { headerLength, payloadLength, hasSequence } = this.#gre;
    if (!hasSequence) {
      // RFC 2637 §4.1: S is set if there is a payload.
      if (payloadLength !== 0) return this.#drop(slot, Drop.malformed, Verdict.Malformed);
      sessions.acknowledged[slot] = 1;
      return Verdict.Ack;
    }
    const sequence = this.#gre.sequence | 0;
    const refused = this.#judge(slot, sequence);
    if (refused !== Verdict.None) return refused;
    this.#owe(slot, now);
    const at = offset + headerLength;
    return this.#mppe.stateful(slot)
      ? this.#inOrder(slot, sequence, at, payloadLength, now)
      : this.#frame(slot, sequence, at, payloadLength, now);
  }

  /** None, or why the packet is dropped by its sequence number. */
  #judge(slot: number, sequence: number): number {
    const { window, counters } = this.#parts;
    switch (window.accept(slot, sequence)) {
      case Sequence.Ahead:
        counters.add(slot, Column.Lost, window.missing);
        return Verdict.None;
      case Sequence.Reordered:
        counters.add(slot, Column.Reordered, 1);
        counters.found(slot);
        return Verdict.None;
      case Sequence.Duplicate:
        return this.#drop(slot, Drop.duplicate, Verdict.Duplicate);
      case Sequence.Late:
        return this.#drop(slot, Drop.late, Verdict.Late);
      case Sequence.FarFuture:
        return this.#drop(slot, Drop.farFuture, Verdict.FarFuture);
      default:
        return Verdict.None;
    }
  }

  /** One more packet to acknowledge: with the next one we send, alone after a while, at once if there are many. */
  #owe(slot: number, now: number): void {
    const { sessions, acks, ackEvery, transmitter } = this.#parts;
    sessions.unacknowledged[slot] = sessions.unacknowledged[slot]! + 1;
    if (sessions.unacknowledged[slot] >= ackEvery && transmitter.acknowledgment(slot)) return;
    acks.arm(slot, now);
  }

  /** Stateful MPPE: brings encrypted frames into order; others pass. */
  #inOrder(slot: number, sequence: number, at: number, length: number, now: number): number {
    const order = this.#order;
    let distance = order.distance(slot, sequence);
    // The window was moved back (sequence-window.ts).
    if (distance <= -WINDOW) distance = this.#restartOrder(slot, sequence);
    while (distance >= MAX_HELD) {
      if (order.waiting(slot) === 0) {
        distance = this.#restartOrder(slot, sequence);
      } else {
        order.skip(slot);
        this.#release(slot, now);
        distance = order.distance(slot, sequence);
      }
    }
    const ppp = this.#ppp;
    const waits =
      readPppHeader(this.#parts.octets, at, length, ppp) && ppp.protocol === PppProtocol.Compressed;
    if (waits && distance !== 0) {
      if (distance < 0) return this.#drop(slot, Drop.late, Verdict.Late);
      if (!order.hold(slot, sequence, at, length)) return this.#drop(slot, Drop.full, Verdict.Full);
      this.#orderDeadlines.arm(slot, now);
      return Verdict.Held;
    }
    if (distance > 0) order.pass(slot, sequence);
    const verdict = this.#frame(slot, sequence, at, length, now);
    if (distance === 0) {
      order.step(slot);
      this.#release(slot, now);
    }
    return verdict;
  }

  #restartOrder(slot: number, sequence: number): number {
    this.#order.reset(slot);
    this.#order.startAt(slot, sequence);
    return 0;
  }

  /** Deals with the held packets whose turn has come; the next ones have their own time. */
  #release(slot: number, now: number): void {
    const { held } = this.#parts;
    const order = this.#order;
    const waited = order.waiting(slot);
    for (let handle = order.take(slot); handle !== -1; handle = order.take(slot)) {
      const at = held.offset(handle);
      const verdict = this.#frame(slot, order.taken, at, held.length(handle), now);
      held.release(handle);
      if (verdict === Verdict.Desynchronized) this.#desynchronized.arm(slot, now);
    }
    const waiting = order.waiting(slot);
    if (waiting !== waited) this.#orderDeadlines.disarm(slot);
    if (waiting !== 0) this.#orderDeadlines.arm(slot, now);
  }

  /** The PPP frame octets[at..at+length) of GRE packet `sequence`. */
  #frame(slot: number, sequence: number, at: number, length: number, now: number): number {
    const { octets, sessions, inbound, counters } = this.#parts;
    if (length === 0) return Verdict.Ack;
    const ppp = this.#ppp;
    if (!readPppHeader(octets, at, length, ppp)) {
      return this.#drop(slot, Drop.malformed, Verdict.Malformed);
    }
    const { protocol } = ppp;
    const start = at + ppp.headerLength;
    const rest = length - ppp.headerLength;
    if (protocol === PppProtocol.Compressed) return this.#decrypt(slot, sequence, start, rest, now);
    if (protocol !== PppProtocol.Ip && protocol !== PppProtocol.Ipv6) {
      counters.add(slot, Column.RxControl, 1);
      this.controlSlot = slot;
      this.controlOffset = at;
      this.controlLength = length;
      return Verdict.Control;
    }
    if (sessions.requireEncryption[slot] !== 0 || this.#mppe.active(slot)) {
      return this.#drop(slot, Drop.notEncrypted, Verdict.NotEncrypted);
    }
    const packet = packetLength(protocol, octets, start, rest);
    if (packet === -1) return this.#drop(slot, Drop.malformed, Verdict.Malformed);
    return inbound.deliver(slot, protocol, start, packet);
  }

  #decrypt(slot: number, sequence: number, at: number, length: number, now: number): number {
    const mppe = this.#mppe;
    if (!mppe.active(slot)) return this.#drop(slot, Drop.notNegotiated, Verdict.NotNegotiated);
    return this.#opened(slot, mppe.open(slot, at, length, sequence, now));
  }

  /** What becomes of an MPPE packet, now or after it waited for another one. @returns Verdict */
  #opened(slot: number, result: number): number {
    const { protocol, at, length } = this.#mppe.inner;
    switch (result) {
      case Mppe.Ok:
        return this.#parts.inbound.deliver(slot, protocol, at, length);
      case Mppe.Waiting:
        return Verdict.Held;
      case Mppe.Malformed:
        return this.#drop(slot, Drop.malformed, Verdict.Malformed);
      case Mppe.NotEncrypted:
        return this.#drop(slot, Drop.notEncrypted, Verdict.NotEncrypted);
      case Mppe.Late:
        return this.#drop(slot, Drop.late, Verdict.Late);
      case Mppe.RekeyLimit:
        return this.#drop(slot, Drop.rekeyLimit, Verdict.Undecryptable);
      case Mppe.Desynchronized:
        this.controlSlot = slot;
        return this.#drop(slot, Drop.desynchronized, Verdict.Desynchronized);
      default:
        return this.#drop(slot, Drop.undecryptable, Verdict.Undecryptable);
    }
  }

  #drop(slot: number, reason: number, verdict: number): number {
    this.#parts.counters.add(slot, reason, 1);
    return verdict;
  }
}
