/**
 * Keeps sessions to their rates in one direction: a bucket of octets for each, and a queue for what comes too early.
 *
 * The bucket is kept as a time (GCRA, ITU-T I.371): when it will have paid for what has passed. A packet passes from that
 * moment on, and moves it by its length; an idle session's lies back by the burst at most. So in any time t there pass, by the
 * rate, the octets of t and of the burst, and one packet.
 *
 * What waits is queued by flow and served fairly (fair-queues.ts), so that a ping or TCP's acknowledgments do not wait behind
 * a download. Each flow's queue is kept short by CoDel (codel.ts). And no flow may have more queued than its session has left
 * of LONGEST, and of the slots that are free (dynamic thresholds, as in backlog.ts): one that floods has half of the time or
 * a third of the slots, and there is always room for one packet of each other one. Sessions without a rate cost one look.
 */
import type { Slot } from '../../wire/brand.ts';
import type { CounterSlab } from '../counters.ts';
import { DeadlineHeap } from '../deadline-heap.ts';
import { Drop, PASS } from '../drop.ts';
import { flowOf } from '../ip/flow.ts';
import { CoDel } from './codel.ts';
import { FairQueues } from './fair-queues.ts';
import type { HeldPackets } from './held-packets.ts';

/** Not a reason to drop: the packet was copied and waits. */
export const WAITS = -1;

/** Flows of a session that are told apart while packets of theirs wait. */
const FLOWS = 16;
/** What waits in all queues of a session, as the time that it takes by the rate; ms. */
const LONGEST = 100;
/** And what may wait however long it takes, octets: with fewer packets than four in its queue TCP does not notice a loss. */
const LEAST = 8 * 1500;
/** CoDel's target, ms: RFC 8289 §4.3; and at slow rates the time of so many octets. */
const TARGET = 5;
const TARGET_OCTETS = 1.5 * 1500;
/** Between two looks at a session, ms: several packets at a time cost less, and the burst makes up for what comes late. */
const PAUSE = 2;

export interface ShaperParts {
  readonly octets: Uint8Array;
  readonly maxSessions: number;
  /** Where packets wait, and how many slots that has. */
  readonly shaped: HeldPackets;
  readonly shapedSlots: number;
  readonly counters: CounterSlab;
}

export class Shaper {
  readonly #parts: ShaperParts;
  /** ms for each octet; 0: no limit. */
  readonly #cost: Float64Array;
  readonly #burst: Float64Array;
  /** When the next packet may pass. */
  readonly #free: Float64Array;
  /** A group for each session, in it a queue for each flow. */
  readonly #queues: FairQueues;
  /** By queue: whose it is, and whether others are in it. */
  readonly #flow: Int32Array;
  readonly #isShared: Uint8Array;
  readonly #codel: CoDel;
  /** When it came, by handle. */
  readonly #came: Float64Array;
  /** Of the packets that have waited and passed: how many, and how long in all, ms. */
  readonly waits = new Float64Array(2);
  /** Sessions with packets that wait, by when to look at them. */
  readonly #due: DeadlineHeap;
  /** Session and protocol of the packet that the last take() gave. */
  slot: Slot = -1;
  protocol = 0;

  constructor(parts: ShaperParts) {
    const { maxSessions, shaped, shapedSlots } = parts;
    this.#parts = parts;
    this.#cost = new Float64Array(maxSessions);
    this.#burst = new Float64Array(maxSessions);
    this.#free = new Float64Array(maxSessions);
    this.#queues = new FairQueues(maxSessions, FLOWS, shapedSlots, shaped);
    this.#flow = new Int32Array(maxSessions * FLOWS);
    this.#isShared = new Uint8Array(maxSessions * FLOWS);
    this.#codel = new CoDel(maxSessions * FLOWS);
    this.#came = new Float64Array(shapedSlots);
    this.#due = new DeadlineHeap(maxSessions);
  }

  /**
   * Holds at once: what waits goes by the new rate. Without one, take() gives all of it.
   * @param kilobits kbit/s of inner IP octets; 0: no limit @param burst ms at the rate that may pass at once after a pause
   */
  setRate(slot: Slot, kilobits: number, burst: number, now: number): void {
    const before = this.#cost[slot]!;
    const cost = kilobits === 0 ? 0 : 8 / kilobits;
    const isNew = before === 0;
    const debt = this.#free[slot]! - now;
    // A new bucket is full; what an old one has to pay for yet are octets.
    if (isNew) this.#free[slot] = now - burst;
    else if (debt > 0) this.#free[slot] = now + (debt * cost) / before;
    this.#cost[slot] = cost;
    this.#burst[slot] = burst;
    if (this.#queues.waiting(slot) > 0) this.#due.set(slot, this.#free[slot]!);
  }

  /** What setRate() was given. */
  rate(slot: Slot): { readonly kilobits: number; readonly burst: number } {
    const cost = this.#cost[slot]!;
    return { kilobits: cost === 0 ? 0 : 8 / cost, burst: this.#burst[slot]! };
  }

  /**
   * The packet octets[at..at+length) is to pass.
   * @returns PASS: now; WAITS: it was copied, and comes from take(); or the reason why it is dropped
   */
  offer(slot: Slot, protocol: number, at: number, length: number, now: number): number {
    return this.#cost[slot] === 0 ? PASS : this.#judge(slot, protocol, at, length, now);
  }

  /** The next packet whose time has come, as its handle (the caller releases it; see `slot` and `protocol`), or -1. */
  take(now: number): number {
    const queues = this.#queues;
    while (this.#due.earliest() <= now) {
      const slot = this.#due.first();
      if (now < this.#free[slot]!) {
        this.#due.set(slot, Math.max(this.#free[slot]!, now + PAUSE));
        continue;
      }
      const handle = queues.take(slot);
      if (queues.waiting(slot) === 0) this.#due.remove(slot);
      if (this.#isDropped(slot, handle, now)) continue;
      this.#pay(slot, this.#parts.shaped.length(handle), now);
      this.waits[0]! += 1;
      this.waits[1]! += now - this.#came[handle]!;
      this.slot = slot;
      this.protocol = queues.protocol;
      return handle;
    }
    return -1;
  }

  /** Drops what waits for the session; returns how many packets that was. */
  clear(slot: Slot): number {
    this.#due.remove(slot);
    let dropped = 0;
    if (this.#queues.waiting(slot) === 0) return dropped;
    for (let queue = slot * FLOWS; queue < (slot + 1) * FLOWS; queue++)
      dropped += this.#queues.clear(queue);
    return dropped;
  }

  /** Infinity: nothing waits. */
  nextTimeout(): number {
    return this.#due.earliest();
  }

  /** Of a session with a rate. */
  #judge(slot: Slot, protocol: number, at: number, length: number, now: number): number {
    const queues = this.#queues;
    const waiting = queues.waiting(slot);
    if (waiting === 0 && now >= this.#free[slot]!) {
      this.#pay(slot, length, now);
      return PASS;
    }
    const queue = this.#queueOf(slot, flowOf(protocol, this.#parts.octets, at, length));
    if (!this.#mayWait(slot, queue)) return Drop.overRate;
    const handle = queues.add(queue, protocol, at, length);
    if (handle === -1) return Drop.full;
    this.#came[handle] = now;
    if (waiting === 0) this.#due.set(slot, this.#free[slot]!);
    return WAITS;
  }

  #mayWait(slot: Slot, queue: number): boolean {
    const queues = this.#queues;
    if (queues.count(queue) === 0) return true; // else many that flood would leave no room for a ping
    const longest = Math.max(LEAST, LONGEST / this.#cost[slot]!);
    return (
      queues.octets(queue) < longest - queues.waitingOctets(slot) &&
      queues.count(queue) < this.#parts.shaped.free - queues.waiting(slot)
    );
  }

  #pay(slot: Slot, length: number, now: number): void {
    const from = Math.max(this.#free[slot]!, now - this.#burst[slot]!);
    this.#free[slot] = from + length * this.#cost[slot]!;
  }

  /**
   * The queue of the flow: its own as far as there are enough. Without one it shares the queue that its number says, and stays
   * there until that is empty, for its packets keep their order.
   */
  #queueOf(slot: Slot, flow: number): number {
    const first = slot * FLOWS;
    const home = first + (flow & (FLOWS - 1));
    let empty = -1;
    for (let n = 0; n < FLOWS; n++) {
      const queue = first + ((flow + n) & (FLOWS - 1));
      if (this.#flow[queue] === flow) return queue;
      if (empty === -1 && this.#queues.count(queue) === 0) empty = queue;
    }
    const isShared = this.#isShared[home] !== 0 && this.#queues.count(home) > 0;
    if (empty === -1 || isShared) {
      this.#isShared[home] = 1;
      return home;
    }
    this.#flow[empty] = flow;
    this.#isShared[empty] = 0;
    this.#codel.reset(empty);
    return empty;
  }

  /** The queue stood too long: CoDel. */
  #isDropped(slot: Slot, handle: number, now: number): boolean {
    const cost = this.#cost[slot]!;
    if (cost === 0) return false;
    const { queue } = this.#queues;
    const isLast = this.#queues.count(queue) === 0;
    const target = Math.max(TARGET, TARGET_OCTETS * cost);
    if (!this.#codel.drops(queue, now - this.#came[handle]!, target, isLast, now)) return false;
    const { shaped, counters } = this.#parts;
    counters.drop(slot, Drop.overRate);
    shaped.release(handle);
    return true;
  }
}
