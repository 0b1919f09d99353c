/**
 * GRE that comes before its call is connected: the peer may begin LCP before its reply on TCP has reached us. A few
 * packets a call wait briefly (facts of real peers; RFC 2637 has no rule for it).
 */
import type { Slot } from '../../wire/brand.ts';
import type { HeldPackets } from './held-packets.ts';

export const MAX_EARLY = 16;

export class EarlyQueue {
  readonly #held: HeldPackets;
  readonly #handles: Int32Array;
  readonly #count: Uint8Array;
  readonly #taken: Uint8Array;

  constructor(maxSessions: number, held: HeldPackets) {
    this.#held = held;
    this.#handles = new Int32Array(maxSessions * MAX_EARLY);
    this.#count = new Uint8Array(maxSessions);
    this.#taken = new Uint8Array(maxSessions);
  }

  /** Keeps octets[at..at+length) of the arena. @returns false: no room */
  hold(slot: Slot, at: number, length: number): boolean {
    const count = this.#count[slot]!;
    if (count === MAX_EARLY) return false;
    const handle = this.#held.keep(at, length);
    if (handle === -1) return false;
    this.#handles[slot * MAX_EARLY + count] = handle;
    this.#count[slot] = count + 1;
    return true;
  }

  waiting(slot: Slot): number {
    return this.#count[slot]! - this.#taken[slot]!;
  }

  /** The next in order of arrival, as its handle (the caller releases it), or -1: none is left. */
  take(slot: Slot): number {
    const taken = this.#taken[slot]!;
    if (taken === this.#count[slot]) {
      this.#count[slot] = 0;
      this.#taken[slot] = 0;
      return -1;
    }
    this.#taken[slot] = taken + 1;
    return this.#handles[slot * MAX_EARLY + taken]!;
  }

  /** Drops what is left; returns how many that was. */
  clear(slot: Slot): number {
    let dropped = 0;
    for (let handle = this.take(slot); handle !== -1; handle = this.take(slot)) {
      this.#held.release(handle);
      dropped++;
    }
    return dropped;
  }
}
