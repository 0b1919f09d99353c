/**
 * GRE sequence numbers of the peers (RFC 2637 §4.3): which packet is new, which is a copy, which comes too late.
 *
 * Numbers are serial numbers of 32 bits. The first may be any: peers begin with 0 or 1, and the first packet may be lost.
 * A window of 128 behind the highest number tells a late packet from a copy. A number far from the window is dropped,
 * since anyone can forge one and would shut out the true peer; but FOLLOWERS such packets close together, with no other
 * between them, move the window there: a long gap, or a peer that starts again, does not stall the call for ever.
 */
import type { Slot } from '../../wire/brand.ts';
import { serialDifference } from '../../wire/gre.ts';
import { Drop } from '../drop.ts';

/** What a packet is that is not dropped: none of these is a Drop. */
export const Sequence = {
  /** The one after the highest. */
  Next: 0,
  /** Ahead of the highest: those between are missing. */
  Ahead: -1,
  /** Behind the highest, not seen before. */
  Reordered: -2,
} as const;

export const WINDOW = 128;
/** The farthest step ahead that one packet alone may take. */
export const MAX_JUMP = 1024;
/** Packets close together that make a far number credible. */
export const FOLLOWERS = 4;

const WORDS = WINDOW / 32;

export class SequenceWindow {
  readonly #started: Uint8Array;
  readonly #highest: Int32Array;
  /** One bit per number of the window, at the number modulo WINDOW. */
  readonly #seen: Int32Array;
  readonly #candidate: Int32Array;
  readonly #followers: Uint8Array;
  /** Numbers passed over by the last accept that answered Next or Ahead. */
  missing = 0;

  constructor(maxSessions: number) {
    this.#started = new Uint8Array(maxSessions);
    this.#highest = new Int32Array(maxSessions);
    this.#seen = new Int32Array(maxSessions * WORDS);
    this.#candidate = new Int32Array(maxSessions);
    this.#followers = new Uint8Array(maxSessions);
  }

  /** Not carried: missing, which is the last answer's. */
  save(slot: Slot) {
    return {
      started: this.#started[slot]!,
      highest: this.#highest[slot]!,
      seen: [...this.#seen.subarray(slot * WORDS, (slot + 1) * WORDS)],
      candidate: this.#candidate[slot]!,
      followers: this.#followers[slot]!,
    };
  }

  restore(slot: Slot, saved: ReturnType<SequenceWindow['save']>): void {
    this.#started[slot] = saved.started;
    this.#highest[slot] = saved.highest;
    this.#seen.set(saved.seen, slot * WORDS);
    this.#candidate[slot] = saved.candidate;
    this.#followers[slot] = saved.followers;
  }

  reset(slot: Slot): void {
    this.#started[slot] = 0;
    this.#followers[slot] = 0;
  }

  started(slot: Slot): boolean {
    return this.#started[slot] !== 0;
  }

  /** The highest number seen, as an int32. */
  highest(slot: Slot): number {
    return this.#highest[slot]!;
  }

  /** Judges a packet and, unless it is to be dropped, remembers it. @returns Drop, or Sequence */
  accept(slot: Slot, sequence: number): number {
    if (this.#started[slot] === 0) {
      this.#started[slot] = 1;
      return this.#restart(slot, sequence, 0);
    }
    const ahead = serialDifference(sequence, this.#highest[slot]!);
    if (ahead > MAX_JUMP || ahead <= -WINDOW) return this.#far(slot, sequence, ahead);
    if (ahead > 0) {
      if (ahead >= WINDOW) this.#clear(slot);
      else for (let n = 1; n < ahead; n++) this.#unmark(slot, sequence - n);
      this.#highest[slot] = sequence;
      this.#followers[slot] = 0;
      this.#mark(slot, sequence);
      this.missing = ahead - 1;
      return ahead === 1 ? Sequence.Next : Sequence.Ahead;
    }
    if (this.#isMarked(slot, sequence)) return Drop.duplicate;
    this.#followers[slot] = 0;
    this.#mark(slot, sequence);
    return Sequence.Reordered;
  }

  #far(slot: Slot, sequence: number, ahead: number): number {
    const refused = ahead > 0 ? Drop.farFuture : Drop.late;
    const step = serialDifference(sequence, this.#candidate[slot]!);
    if (this.#followers[slot] === 0 || step < -WINDOW || step > WINDOW) {
      this.#followers[slot] = 1;
      this.#candidate[slot] = sequence;
      return refused;
    }
    if (step === 0) return refused; // a copy proves nothing
    if (step > 0) this.#candidate[slot] = sequence;
    this.#followers[slot] = this.#followers[slot]! + 1;
    if (this.#followers[slot] < FOLLOWERS) return refused;
    // No more than one packet alone could claim: followers can be forged too, and a gap of 2^30 would be counted for good.
    return this.#restart(slot, sequence, Math.min(Math.max(0, ahead - 1), MAX_JUMP));
  }

  #restart(slot: Slot, sequence: number, missing: number): number {
    this.#clear(slot);
    this.#highest[slot] = sequence;
    this.#followers[slot] = 0;
    this.#mark(slot, sequence);
    this.missing = missing;
    return missing === 0 ? Sequence.Next : Sequence.Ahead;
  }

  #clear(slot: Slot): void {
    for (let word = slot * WORDS; word < (slot + 1) * WORDS; word++) this.#seen[word] = 0;
  }

  #isMarked(slot: Slot, sequence: number): boolean {
    return (this.#seen[this.#word(slot, sequence)]! & (1 << (sequence & 31))) !== 0;
  }

  #mark(slot: Slot, sequence: number): void {
    const word = this.#word(slot, sequence);
    this.#seen[word] = this.#seen[word]! | (1 << (sequence & 31));
  }

  #unmark(slot: Slot, sequence: number): void {
    const word = this.#word(slot, sequence);
    this.#seen[word] = this.#seen[word]! & ~(1 << (sequence & 31));
  }

  #word(slot: Slot, sequence: number): number {
    return slot * WORDS + ((sequence >>> 5) & (WORDS - 1));
  }
}
