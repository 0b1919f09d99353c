/**
 * Which session owns an inner IPv6 address: longest prefix first, one table per device, as routes.ts. Hot path.
 *
 * One probe for each length that occurs: with a /64 for every caller that is one. Open addressing, linear probing, deletion by
 * moving followers back.
 */
import type { Slot } from '../../wire/brand.ts';
import type { Ipv6Prefix } from '../../wire/ipv6.ts';
import { readI32 } from './inner-packet.ts';

/** int32 of an address. */
const WORDS = 4;
/** And the length behind it. */
const KEY = WORDS + 1;
const LENGTHS = 129;
const INITIAL = 64;

export class Ipv6Routes {
  #keys = new Int32Array(INITIAL * KEY);
  /** slot + 1; 0 is free. */
  #slots = new Int32Array(INITIAL);
  #mask = INITIAL - 1;
  #size = 0;
  /** How many prefixes there are of each length. */
  readonly #prefixes = new Int32Array(LENGTHS);
  /** The lengths that occur, longest first, and their masks. */
  readonly #lengths = new Int32Array(LENGTHS);
  readonly #masks = new Int32Array(LENGTHS * WORDS);
  #count = 0;
  /** What is looked for. */
  readonly #wanted = new Int32Array(KEY);

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** A prefix that another session has goes over to this one: the newest login of an account has its addresses. */
  add(prefix: Ipv6Prefix, slot: Slot): void {
    this.#want(prefix);
    let at = this.#position();
    if (this.#slots[at] === 0) {
      if (2 * (this.#size + 1) > this.#slots.length) {
        this.#grow();
        this.#want(prefix);
        at = this.#position();
      }
      this.#size++;
      this.#keys.set(this.#wanted, at * KEY);
      this.#counted(prefix.length, 1);
    }
    this.#slots[at] = slot + 1;
  }

  /** Nothing happens if the prefix has gone over to another session. */
  remove(prefix: Ipv6Prefix, slot: Slot): void {
    this.#want(prefix);
    const hole = this.#position();
    if (this.#slots[hole] !== slot + 1) return;
    this.#delete(hole);
    this.#counted(prefix.length, -1);
  }

  /** The slot that owns the address at `at`, or -1. */
  find(octets: Uint8Array, at: number): Slot {
    for (let n = 0; n < this.#count; n++) {
      for (let word = 0; word < WORDS; word++)
        this.#wanted[word] = readI32(octets, at + 4 * word) & this.#masks[n * WORDS + word]!;
      this.#wanted[WORDS] = this.#lengths[n]!;
      const found = this.#slots[this.#position()]!;
      if (found !== 0) return found - 1;
    }
    return -1;
  }

  #want({ address, length }: Ipv6Prefix): void {
    for (let word = 0; word < WORDS; word++)
      this.#wanted[word] = readI32(address, 4 * word) & maskWord(length, word);
    this.#wanted[WORDS] = length;
  }

  /** Where #wanted is, or the free place where it would be. */
  #position(): number {
    const wanted = this.#wanted;
    let at = this.#home(wanted, 0);
    while (this.#slots[at] !== 0 && !this.#isWanted(at * KEY)) at = (at + 1) & this.#mask;
    return at;
  }

  #isWanted(key: number): boolean {
    for (let n = 0; n < KEY; n++) if (this.#keys[key + n] !== this.#wanted[n]) return false;
    return true;
  }

  #home(keys: Int32Array, key: number): number {
    let hash = 0;
    for (let n = 0; n < KEY; n++) {
      hash = Math.imul(hash ^ keys[key + n]!, 0x2c1b3c6d);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash, 0x297a2d39);
    return (hash ^ (hash >>> 16)) & this.#mask;
  }

  #delete(hole: number): void {
    this.#size--;
    this.#slots[hole] = 0;
    for (let at = (hole + 1) & this.#mask; this.#slots[at] !== 0; at = (at + 1) & this.#mask) {
      const home = this.#home(this.#keys, at * KEY);
      // A follower may move into the hole unless its home lies behind the hole.
      if (((at - home) & this.#mask) < ((at - hole) & this.#mask)) continue;
      this.#keys.copyWithin(hole * KEY, at * KEY, (at + 1) * KEY);
      this.#slots[hole] = this.#slots[at]!;
      this.#slots[at] = 0;
      hole = at;
    }
  }

  #grow(): void {
    const keys = this.#keys;
    const slots = this.#slots;
    this.#keys = new Int32Array(2 * keys.length);
    this.#slots = new Int32Array(2 * slots.length);
    this.#mask = 2 * slots.length - 1;
    for (const [at, slot] of slots.entries()) {
      if (slot === 0) continue;
      this.#wanted.set(keys.subarray(at * KEY, (at + 1) * KEY));
      const place = this.#position();
      this.#keys.set(this.#wanted, place * KEY);
      this.#slots[place] = slot;
    }
  }

  #counted(length: number, more: number): void {
    this.#prefixes[length] = this.#prefixes[length]! + more;
    this.#count = 0;
    for (let each = 128; each >= 0; each--) {
      if (this.#prefixes[each] === 0) continue;
      this.#lengths[this.#count] = each;
      for (let word = 0; word < WORDS; word++)
        this.#masks[this.#count * WORDS + word] = maskWord(each, word);
      this.#count++;
    }
  }
}

/** The mask of a prefix of `length` bits over the word of an address: 0..3. */
export function maskWord(length: number, word: number): number {
  const bits = Math.min(32, Math.max(0, length - 32 * word));
  return bits === 0 ? 0 : -1 << (32 - bits);
}
