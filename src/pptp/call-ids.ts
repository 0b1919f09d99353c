/**
 * The call ids that this machine gives: to calls of its own, and to relayed ends instead of those that the other end chose.
 * Random, so that nobody can guess one from another, and unique on this machine. An id that was given back rests: packets
 * of its last call may still be on their way, and must not reach the next one.
 */
import type { CallId } from '../wire/brand.ts';

/** Ids in use at a time; with those that rest, more would make finding one a matter of luck. */
const MOST = 32_768;
const RESTING = 8_192;

export class CallIds {
  readonly #random: (length: number) => Uint8Array;
  readonly #used = new Set<CallId>();
  /** In the order in which they were given back. */
  readonly #resting = new Set<CallId>();

  constructor(random: (length: number) => Uint8Array) {
    this.#random = random;
  }

  /** undefined: there are as many calls as can be told apart. */
  take(): CallId | undefined {
    if (this.#used.size >= MOST) return undefined;
    for (;;) {
      const [high, low] = this.#random(2);
      const callId = (high! << 8) | low!;
      // 0 means "none" to some.
      if (callId === 0 || this.isUsed(callId) || this.#resting.has(callId)) continue;
      this.#used.add(callId);
      return callId;
    }
  }

  /** One that a call of the program before has. */
  claim(callId: CallId): void {
    this.#used.add(callId);
  }

  /** Ids that rest. Not carried: #used, which calls claim; #random. */
  save(): readonly CallId[] {
    return [...this.#resting];
  }

  restore(resting: readonly CallId[]): void {
    for (const callId of resting) this.#resting.add(callId);
  }

  release(callId: CallId): void {
    if (!this.#used.delete(callId)) return;
    this.#resting.add(callId);
    if (this.#resting.size <= RESTING) return;
    const oldest = this.#resting.values().next();
    if (oldest.done !== true) this.#resting.delete(oldest.value);
  }

  /** Some call has it, or may have it next. */
  isUsed(callId: CallId): boolean {
    return this.#used.has(callId);
  }
}
