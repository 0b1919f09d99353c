/**
 * Token buckets, one per session: what a peer can make us do without limit is limited here.
 */
import type { Slot } from '../../wire/brand.ts';

export class RateLimit {
  readonly #perMillisecond: number;
  readonly #burst: number;
  readonly #tokens: Float64Array;
  readonly #filled: Float64Array;

  constructor(maxSessions: number, perSecond: number, burst: number) {
    this.#perMillisecond = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = new Float64Array(maxSessions).fill(burst);
    this.#filled = new Float64Array(maxSessions);
  }

  /** A full bucket for a new session. */
  reset(slot: Slot, now: number): void {
    this.#tokens[slot] = this.#burst;
    this.#filled[slot] = now;
  }

  /** Takes as many of `wanted` tokens as there are and returns how many: a whole number. */
  take(slot: Slot, wanted: number, now: number): number {
    const filled =
      this.#tokens[slot]! + Math.max(0, now - this.#filled[slot]!) * this.#perMillisecond;
    const tokens = Math.min(this.#burst, filled);
    const taken = Math.min(wanted, Math.floor(tokens));
    this.#tokens[slot] = tokens - taken;
    this.#filled[slot] = now;
    return taken;
  }
}
