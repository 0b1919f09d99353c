/**
 * Packets that wait, in groups of queues. The queues of a group are served by deficit round robin (Shreedhar and Varghese
 * 1995): equal octets for all that have something to send. One that has had nothing for a round comes before the others, once
 * (RFC 8290 §4.2): what is sent now and then does not wait for a round of those who always have something.
 */
import type { HeldPackets } from './held-packets.ts';

/** Octets of a queue in each round. */
const QUANTUM = 1500;

const NONE = -1;

/** Where a queue is in its group. */
const Round = { Out: 0, New: 1, Old: 2 } as const;
const ROUNDS = 3;

export class FairQueues {
  readonly #held: HeldPackets;
  readonly #perGroup: number;
  /** By handle. */
  readonly #next: Int32Array;
  readonly #protocol: Uint16Array;
  /** By queue. One that has become empty leaves its round when its turn comes. */
  readonly #head: Int32Array;
  readonly #tail: Int32Array;
  readonly #count: Uint16Array;
  readonly #octets: Int32Array;
  readonly #deficit: Int32Array;
  readonly #round: Uint8Array;
  readonly #nextInRound: Int32Array;
  /** By group and round: the first queue + 1, or 0, and the last. */
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  /** By group. */
  readonly #waiting: Uint16Array;
  readonly #groupOctets: Int32Array;
  /** Queue and protocol of the packet that the last take() gave. */
  queue = NONE;
  protocol = 0;

  /** @param slots those of `held`, at most 65535 */
  constructor(groups: number, perGroup: number, slots: number, held: HeldPackets) {
    const queues = groups * perGroup;
    this.#held = held;
    this.#perGroup = perGroup;
    this.#next = new Int32Array(slots);
    this.#protocol = new Uint16Array(slots);
    this.#head = new Int32Array(queues);
    this.#tail = new Int32Array(queues);
    this.#count = new Uint16Array(queues);
    this.#octets = new Int32Array(queues);
    this.#deficit = new Int32Array(queues);
    this.#round = new Uint8Array(queues);
    this.#nextInRound = new Int32Array(queues);
    this.#first = new Int32Array(groups * ROUNDS);
    this.#last = new Int32Array(groups * ROUNDS);
    this.#waiting = new Uint16Array(groups);
    this.#groupOctets = new Int32Array(groups);
  }

  /** Packets and octets in all queues of a group. */
  waiting(group: number): number {
    return this.#waiting[group]!;
  }

  waitingOctets(group: number): number {
    return this.#groupOctets[group]!;
  }

  /** Packets and octets in a queue. */
  count(queue: number): number {
    return this.#count[queue]!;
  }

  octets(queue: number): number {
    return this.#octets[queue]!;
  }

  /** Queues the IP packet octets[at..at+length) of the arena; copied. @returns its handle, or -1: no room */
  add(queue: number, protocol: number, at: number, length: number): number {
    const handle = this.#held.keep(at, length);
    if (handle === NONE) return NONE;
    const group = this.#groupOf(queue);
    const count = this.#count[queue]!;
    this.#protocol[handle] = protocol;
    this.#next[handle] = NONE;
    if (count === 0) this.#head[queue] = handle;
    else this.#next[this.#tail[queue]!] = handle;
    if (this.#round[queue] === Round.Out) {
      this.#deficit[queue] = QUANTUM;
      this.#enter(group, Round.New, queue);
    }
    this.#tail[queue] = handle;
    this.#count[queue] = count + 1;
    this.#octets[queue] = this.#octets[queue]! + length;
    this.#waiting[group] = this.#waiting[group]! + 1;
    this.#groupOctets[group] = this.#groupOctets[group]! + length;
    return handle;
  }

  /** The packet whose turn it is in the group, as its handle (the caller releases it; see `queue` and `protocol`), or -1. */
  take(group: number): number {
    for (;;) {
      const round = this.#first[group * ROUNDS + Round.New] === 0 ? Round.Old : Round.New;
      const queue = this.#first[group * ROUNDS + round]! - 1;
      if (queue === NONE) return NONE;
      if (this.#count[queue] === 0) {
        this.#leave(group, round);
        // It might come back at once, and before the others again.
        if (round === Round.New) this.#enter(group, Round.Old, queue);
        continue;
      }
      const handle = this.#head[queue]!;
      const length = this.#held.length(handle);
      if (length > this.#deficit[queue]!) {
        this.#deficit[queue] = this.#deficit[queue]! + QUANTUM;
        this.#leave(group, round);
        this.#enter(group, Round.Old, queue);
        continue;
      }
      this.#deficit[queue] = this.#deficit[queue]! - length;
      this.#head[queue] = this.#next[handle]!;
      this.#forget(group, queue, 1, length);
      this.queue = queue;
      this.protocol = this.#protocol[handle]!;
      return handle;
    }
  }

  /** Drops what is in the queue; returns how many that was. */
  clear(queue: number): number {
    const dropped = this.#count[queue]!;
    if (dropped === 0) return 0;
    const group = this.#groupOf(queue);
    for (let handle = this.#head[queue]!; handle !== NONE; handle = this.#next[handle]!)
      this.#held.release(handle);
    this.#forget(group, queue, dropped, this.#octets[queue]!);
    return dropped;
  }

  #groupOf(queue: number): number {
    return Math.floor(queue / this.#perGroup);
  }

  #forget(group: number, queue: number, count: number, octets: number): void {
    this.#count[queue] = this.#count[queue]! - count;
    this.#octets[queue] = this.#octets[queue]! - octets;
    this.#waiting[group] = this.#waiting[group]! - count;
    this.#groupOctets[group] = this.#groupOctets[group]! - octets;
  }

  /** The queue goes to the end of the round. */
  #enter(group: number, round: number, queue: number): void {
    const at = group * ROUNDS + round;
    this.#round[queue] = round;
    this.#nextInRound[queue] = NONE;
    if (this.#first[at] === 0) this.#first[at] = queue + 1;
    else this.#nextInRound[this.#last[at]!] = queue;
    this.#last[at] = queue;
  }

  /** The first queue leaves the round. */
  #leave(group: number, round: number): void {
    const at = group * ROUNDS + round;
    const queue = this.#first[at]! - 1;
    this.#first[at] = this.#nextInRound[queue]! + 1;
    this.#round[queue] = Round.Out;
  }
}
