/**
 * The deadlines of one kind for all sessions, at most one a session. All have the same delay, so a list in the order of
 * arming is sorted: arming, disarming and the next deadline cost the same whatever the number of sessions.
 */
import type { Slot } from '../wire/brand.ts';

const NONE = -1;

export class DeadlineList {
  readonly #delay: number;
  readonly #due: Float64Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #armed: Uint8Array;
  #head = NONE;
  #tail = NONE;

  /** @param delay ms */
  constructor(maxSessions: number, delay: number) {
    this.#delay = delay;
    this.#due = new Float64Array(maxSessions);
    this.#next = new Int32Array(maxSessions);
    this.#previous = new Int32Array(maxSessions);
    this.#armed = new Uint8Array(maxSessions);
  }

  /** Due `delay` from now; an armed one keeps its earlier deadline. */
  arm(slot: Slot, now: number): void {
    if (this.#armed[slot] !== 0) return;
    this.#armed[slot] = 1;
    this.#due[slot] = now + this.#delay;
    this.#next[slot] = NONE;
    this.#previous[slot] = this.#tail;
    if (this.#tail === NONE) this.#head = slot;
    else this.#next[this.#tail] = slot;
    this.#tail = slot;
  }

  disarm(slot: Slot): void {
    if (this.#armed[slot] === 0) return;
    this.#armed[slot] = 0;
    const next = this.#next[slot]!;
    const previous = this.#previous[slot]!;
    if (previous === NONE) this.#head = next;
    else this.#next[previous] = next;
    if (next === NONE) this.#tail = previous;
    else this.#previous[next] = previous;
  }

  /** The slot that was armed first, or -1. */
  first(): Slot {
    return this.#head;
  }

  /** The earliest deadline, or Infinity. */
  earliest(): number {
    return this.#head === NONE ? Infinity : this.#due[this.#head]!;
  }

  /** Disarms and returns a slot whose deadline has come, or -1. */
  take(now: number): Slot {
    const slot = this.#head;
    if (slot === NONE || this.#due[slot]! > now) return NONE;
    this.disarm(slot);
    return slot;
  }
}
