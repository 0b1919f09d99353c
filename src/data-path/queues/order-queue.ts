/**
 * Brings the packets of stateful MPPE into the order of their GRE sequence numbers. Nothing else waits: control frames pass
 * at once and are only remembered as having come.
 *
 * Up to 64 packets of a session wait for a missing one; how long is the data path's affair (50 ms).
 */
import type { Slot } from '../../wire/brand.ts';
import { serialDifference } from '../../wire/gre.ts';
import type { HeldPackets } from './held-packets.ts';

export const MAX_HELD = 64;

/** What a place holds, besides handle + 1 of a held packet. */
const NOTHING = 0;
const PASSED = -1;

export class OrderQueue {
  readonly #held: HeldPackets;
  /** By sequence number modulo MAX_HELD: numbers from #expected up to MAX_HELD - 1 beyond. */
  readonly #places: Int32Array;
  readonly #expected: Int32Array;
  readonly #started: Uint8Array;
  /** Held packets of each session. */
  readonly #count: Uint8Array;
  /** Sequence number of the packet that the last take() gave. */
  taken = 0;

  constructor(maxSessions: number, held: HeldPackets) {
    this.#held = held;
    this.#places = new Int32Array(maxSessions * MAX_HELD);
    this.#expected = new Int32Array(maxSessions);
    this.#started = new Uint8Array(maxSessions);
    this.#count = new Uint8Array(maxSessions);
  }

  /** Forgets everything. The next packet to come, whatever its number, is in order. */
  reset(slot: Slot): void {
    if (this.#started[slot] === 0) return; // nothing was written: the row may cost no memory yet
    for (let place = slot * MAX_HELD; place < (slot + 1) * MAX_HELD; place++) {
      if (this.#places[place]! > 0) this.#held.release(this.#places[place]! - 1);
      this.#places[place] = NOTHING;
    }
    this.#started[slot] = 0;
    this.#count[slot] = 0;
  }

  /** The number that comes next; undefined: any. Not carried: #held, taken; #places and #count, for no packet may wait. */
  save(slot: Slot): number | undefined {
    return this.#started[slot] === 0 ? undefined : this.#expected[slot]!;
  }

  /** As after reset, but this number comes next. */
  startAt(slot: Slot, sequence: number): void {
    this.#started[slot] = 1;
    this.#expected[slot] = sequence;
  }

  waiting(slot: Slot): number {
    return this.#count[slot]!;
  }

  /** How far the number lies beyond the expected one: 0 is its turn, negative comes too late, MAX_HELD or more is too far. */
  distance(slot: Slot, sequence: number): number {
    if (this.#started[slot] === 0) this.startAt(slot, sequence);
    return serialDifference(sequence, this.#expected[slot]!);
  }

  /** The expected packet is dealt with. */
  step(slot: Slot): void {
    this.#places[this.#place(slot, this.#expected[slot]!)] = NOTHING;
    this.#expected[slot] = this.#expected[slot]! + 1;
  }

  /** Number `sequence`, at a distance of 1 to MAX_HELD - 1, needs no waiting for. */
  pass(slot: Slot, sequence: number): void {
    this.#places[this.#place(slot, sequence)] = PASSED;
  }

  /** Holds octets[at..at+length) of the arena as number `sequence`, at a distance of 1 to MAX_HELD - 1. @returns false: no room */
  hold(slot: Slot, sequence: number, at: number, length: number): boolean {
    const handle = this.#held.keep(at, length);
    if (handle === -1) return false;
    this.#places[this.#place(slot, sequence)] = handle + 1;
    this.#count[slot] = this.#count[slot]! + 1;
    return true;
  }

  /** The held packet whose turn it is, as its handle (see `taken`; the caller releases it), or -1. Passes over those dealt with. */
  take(slot: Slot): number {
    for (;;) {
      const content = this.#places[this.#place(slot, this.#expected[slot]!)]!;
      if (content === NOTHING) return -1;
      this.taken = this.#expected[slot]!;
      this.step(slot);
      if (content === PASSED) continue;
      this.#count[slot] = this.#count[slot]! - 1;
      return content - 1;
    }
  }

  /** Gives up the missing numbers before the first held packet, if there is one. */
  skip(slot: Slot): void {
    if (this.#count[slot] === 0) return;
    while (this.#places[this.#place(slot, this.#expected[slot]!)]! <= 0) this.step(slot);
  }

  #place(slot: Slot, sequence: number): number {
    return slot * MAX_HELD + (sequence & (MAX_HELD - 1));
  }
}
