/**
 * Brings the packets of stateful MPPE into order (queues/order-queue.ts); everything else passes at once.
 */
import type { Slot } from '../../wire/brand.ts';
import { createPppHeader, PppProtocol, readPppHeader } from '../../wire/ppp-frame.ts';
import type { CounterSlab } from '../counters.ts';
import { DeadlineList } from '../deadline-list.ts';
import { Drop } from '../drop.ts';
import type { HeldPackets } from '../queues/held-packets.ts';
import { MAX_HELD, OrderQueue } from '../queues/order-queue.ts';
import type { PppReceiver } from './ppp-receiver.ts';
import { WINDOW } from './sequence-window.ts';

export interface ResequencerParts {
  readonly octets: Uint8Array;
  readonly maxSessions: number;
  readonly held: HeldPackets;
  readonly ppp: PppReceiver;
  readonly counters: CounterSlab;
}

/** ms that a packet waits for the one before it. */
export const ORDER_DELAY = 50;

export class Resequencer {
  readonly #parts: ResequencerParts;
  readonly #order: OrderQueue;
  readonly #deadlines: DeadlineList;
  readonly #header = createPppHeader();

  constructor(parts: ResequencerParts) {
    this.#parts = parts;
    this.#order = new OrderQueue(parts.maxSessions, parts.held);
    this.#deadlines = new DeadlineList(parts.maxSessions, ORDER_DELAY);
  }

  /** Forgets what waits. @param next the number that comes next; undefined: whatever comes */
  restart(slot: Slot, next: number | undefined): void {
    this.#deadlines.disarm(slot);
    this.#order.reset(slot);
    if (next !== undefined) this.#order.startAt(slot, next);
  }

  /** Gives up the packets before those that wait, so that none does. */
  release(slot: Slot, now: number): void {
    while (this.#order.waiting(slot) > 0) {
      this.#order.skip(slot);
      this.#release(slot, now);
    }
  }

  /** What restart() is to be given: see release(). Not carried: #parts, #deadlines and #header. */
  save(slot: Slot): number | undefined {
    return this.#order.save(slot);
  }

  /** The PPP frame octets[at..at+length) of GRE packet `sequence`. */
  receive(slot: Slot, sequence: number, at: number, length: number, now: number): void {
    const { octets, ppp, counters } = this.#parts;
    const order = this.#order;
    const distance = this.#makeRoom(slot, sequence, now);
    const waits =
      readPppHeader(octets, at, length, this.#header) &&
      this.#header.protocol === PppProtocol.Compressed;
    if (waits && distance !== 0) {
      if (distance < 0) return counters.drop(slot, Drop.late);
      if (!order.hold(slot, sequence, at, length)) return counters.drop(slot, Drop.full);
      return this.#deadlines.arm(slot, now);
    }
    if (distance > 0) order.pass(slot, sequence);
    ppp.receive(slot, sequence, at, length, now);
    if (distance !== 0) return;
    order.step(slot);
    this.#release(slot, now);
  }

  /** Infinity: none. */
  nextTimeout(): number {
    return this.#deadlines.earliest();
  }

  handleTimeout(now: number): void {
    const deadlines = this.#deadlines;
    for (let slot = deadlines.take(now); slot !== -1; slot = deadlines.take(now)) {
      this.#order.skip(slot);
      this.#release(slot, now);
    }
  }

  /** Gives up missing packets until the number has a place. @returns its distance from the one that comes next */
  #makeRoom(slot: Slot, sequence: number, now: number): number {
    const order = this.#order;
    let distance = order.distance(slot, sequence);
    while (distance >= MAX_HELD && order.waiting(slot) > 0) {
      order.skip(slot);
      this.#release(slot, now);
      distance = order.distance(slot, sequence);
    }
    if (distance > -WINDOW && distance < MAX_HELD) return distance;
    // A gap with nothing behind it, or the window was moved back (sequence-window.ts).
    order.reset(slot);
    order.startAt(slot, sequence);
    return 0;
  }

  /** Deals with the held packets whose turn has come; the next ones have their own time. */
  #release(slot: Slot, now: number): void {
    const { held, ppp } = this.#parts;
    const order = this.#order;
    const waited = order.waiting(slot);
    for (let handle = order.take(slot); handle !== -1; handle = order.take(slot)) {
      ppp.receive(slot, order.taken, held.offset(handle), held.length(handle), now);
      held.release(handle);
    }
    const waiting = order.waiting(slot);
    if (waiting !== waited) this.#deadlines.disarm(slot);
    if (waiting !== 0) this.#deadlines.arm(slot, now);
  }
}
