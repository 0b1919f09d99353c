/**
 * Packets that wait, in groups of queues. The queues of a group are served by deficit round robin (Shreedhar and Varghese
 * 1995): equal octets for all that have something to send.
 */
import type { HeldPackets } from './held-packets.ts';

/** Octets of a queue in each round. */
const QUANTUM = 1500;

const NONE = -1;

export class FairQueues {
  readonly #held: HeldPackets;
  readonly #perGroup: number;
  /** By handle. */
  readonly #next: Int32Array;
  readonly #protocol: Uint16Array;
  /** By queue; it is in its group's round while it is not empty. */
  readonly #head: Int32Array;
  readonly #tail: Int32Array;
  readonly #count: Uint16Array;
  readonly #octets: Int32Array;
  readonly #deficit: Int32Array;
  readonly #nextActive: Int32Array;
  /** By group; the first of its round is queue + 1: 0, there is none. */
  readonly #firstActive: Int32Array;
  readonly #lastActive: Int32Array;
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
    this.#nextActive = new Int32Array(queues);
    this.#firstActive = new Int32Array(groups);
    this.#lastActive = new Int32Array(groups);
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
    if (count === 0) {
      this.#head[queue] = handle;
      this.#deficit[queue] = QUANTUM;
      this.#activate(group, queue);
    } else {
      this.#next[this.#tail[queue]!] = handle;
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
      const queue = this.#firstActive[group]! - 1;
      if (queue === NONE) return NONE;
      const handle = this.#head[queue]!;
      const length = this.#held.length(handle);
      if (length > this.#deficit[queue]!) {
        this.#deficit[queue] = this.#deficit[queue]! + QUANTUM;
        this.#firstActive[group] = this.#nextActive[queue]! + 1;
        this.#activate(group, queue);
        continue;
      }
      this.#deficit[queue] = this.#deficit[queue]! - length;
      this.#head[queue] = this.#next[handle]!;
      this.#forget(group, queue, 1, length);
      if (this.#count[queue] === 0) this.#firstActive[group] = this.#nextActive[queue]! + 1;
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
    this.#deactivate(group, queue);
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

  /** To the end of the round. */
  #activate(group: number, queue: number): void {
    this.#nextActive[queue] = NONE;
    if (this.#firstActive[group] === 0) this.#firstActive[group] = queue + 1;
    else this.#nextActive[this.#lastActive[group]!] = queue;
    this.#lastActive[group] = queue;
  }

  #deactivate(group: number, queue: number): void {
    let before = NONE;
    for (let at = this.#firstActive[group]! - 1; at !== queue; at = this.#nextActive[at]!)
      before = at;
    const after = this.#nextActive[queue]!;
    if (before === NONE) this.#firstActive[group] = after + 1;
    else this.#nextActive[before] = after;
    if (this.#lastActive[group] === queue) this.#lastActive[group] = before;
  }
}
