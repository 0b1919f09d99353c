/**
 * Deadlines of sessions, at most one a session, whatever their order (deadline-list.ts is for those that all have the same
 * delay): a binary heap, the earliest first.
 */
import type { Slot } from '../wire/brand.ts';

export class DeadlineHeap {
  readonly #due: Float64Array;
  /** The heap, and where in it each session is: its place + 1; 0, nowhere. */
  readonly #heap: Int32Array;
  readonly #place: Int32Array;
  #size = 0;

  constructor(maxSessions: number) {
    this.#due = new Float64Array(maxSessions);
    this.#heap = new Int32Array(maxSessions);
    this.#place = new Int32Array(maxSessions);
  }

  /** Sets or moves the deadline. */
  set(slot: Slot, due: number): void {
    this.#due[slot] = due;
    const place = this.#place[slot]!;
    if (place === 0) this.#up(slot, this.#size++);
    else this.#settle(slot, place - 1);
  }

  remove(slot: Slot): void {
    const place = this.#place[slot]! - 1;
    if (place === -1) return;
    this.#place[slot] = 0;
    const last = this.#heap[--this.#size]!;
    if (last !== slot) this.#settle(last, place);
  }

  /** The earliest deadline, or Infinity. */
  earliest(): number {
    return this.#size === 0 ? Infinity : this.#due[this.#heap[0]!]!;
  }

  /** Whose it is, or -1. */
  first(): Slot {
    return this.#size === 0 ? -1 : this.#heap[0]!;
  }

  /** The place is free, or the session's own: it belongs there, above or below. */
  #settle(slot: Slot, place: number): void {
    if (place > 0 && this.#due[this.#heap[(place - 1) >> 1]!]! > this.#due[slot]!)
      this.#up(slot, place);
    else this.#down(slot, place);
  }

  #up(slot: Slot, place: number): void {
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#due[this.#heap[parent]!]! <= this.#due[slot]!) break;
      this.#put(this.#heap[parent]!, place);
      place = parent;
    }
    this.#put(slot, place);
  }

  #down(slot: Slot, place: number): void {
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#size) break;
      const other = child + 1;
      if (other < this.#size && this.#due[this.#heap[other]!]! < this.#due[this.#heap[child]!]!)
        child = other;
      if (this.#due[this.#heap[child]!]! >= this.#due[slot]!) break;
      this.#put(this.#heap[child]!, place);
      place = child;
    }
    this.#put(slot, place);
  }

  #put(slot: Slot, place: number): void {
    this.#heap[place] = slot;
    this.#place[slot] = place + 1;
  }
}
