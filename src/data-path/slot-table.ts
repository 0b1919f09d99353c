/**
 * A map from a pair of 32-bit keys to a slot, without allocation per look-up: open addressing, linear probing, deletion by
 * moving followers back. It holds the calls by (peer address, call id) and the routes by (prefix, its length).
 *
 * A Map would need one number for the pair, which is beyond 31 bits and so an object of its own at every look-up.
 */
import type { Slot } from '../wire/brand.ts';

export class SlotTable {
  #first: Int32Array;
  #second: Int32Array;
  /** slot + 1; 0 is free. */
  #slots: Int32Array;
  #mask: number;
  #size = 0;

  constructor(expected: number) {
    let capacity = 16;
    while (capacity < 2 * expected) capacity *= 2;
    this.#first = new Int32Array(capacity);
    this.#second = new Int32Array(capacity);
    this.#slots = new Int32Array(capacity);
    this.#mask = capacity - 1;
  }

  get size(): number {
    return this.#size;
  }

  /** The slot of the pair, or -1. Keys are compared in their low 32 bits. */
  find(first: number, second: number): Slot {
    return this.#slots[this.#position(first | 0, second | 0)]! - 1;
  }

  /** Replaces what the pair had. */
  set(first: number, second: number, slot: Slot): void {
    if (2 * (this.#size + 1) > this.#slots.length) this.#grow();
    const at = this.#position(first | 0, second | 0);
    if (this.#slots[at] === 0) this.#size++;
    this.#first[at] = first;
    this.#second[at] = second;
    this.#slots[at] = slot + 1;
  }

  /** @returns whether the pair was there */
  delete(first: number, second: number): boolean {
    let hole = this.#position(first | 0, second | 0);
    if (this.#slots[hole] === 0) return false;
    this.#size--;
    this.#slots[hole] = 0;
    for (let at = (hole + 1) & this.#mask; this.#slots[at] !== 0; at = (at + 1) & this.#mask) {
      const home = this.#hash(this.#first[at]!, this.#second[at]!);
      // A follower may move into the hole unless its home lies behind the hole.
      if (((at - home) & this.#mask) < ((at - hole) & this.#mask)) continue;
      this.#first[hole] = this.#first[at]!;
      this.#second[hole] = this.#second[at]!;
      this.#slots[hole] = this.#slots[at]!;
      this.#slots[at] = 0;
      hole = at;
    }
    return true;
  }

  /** Where the pair is, or the free place where it would be. */
  #position(first: number, second: number): number {
    let at = this.#hash(first, second);
    while (this.#slots[at] !== 0 && (this.#first[at] !== first || this.#second[at] !== second)) {
      at = (at + 1) & this.#mask;
    }
    return at;
  }

  #hash(first: number, second: number): number {
    let hash = Math.imul(first ^ (first >>> 15), 0x2c1b3c6d) ^ Math.imul(second, 0x297a2d39);
    hash = Math.imul(hash ^ (hash >>> 13), 0x45d9f3b);
    return (hash ^ (hash >>> 16)) & this.#mask;
  }

  #grow(): void {
    const first = this.#first;
    const second = this.#second;
    const slots = this.#slots;
    const capacity = 2 * slots.length;
    this.#first = new Int32Array(capacity);
    this.#second = new Int32Array(capacity);
    this.#slots = new Int32Array(capacity);
    this.#mask = capacity - 1;
    this.#size = 0;
    for (let at = 0; at < slots.length; at++) {
      if (slots[at] !== 0) this.set(first[at]!, second[at]!, slots[at]! - 1);
    }
  }
}
