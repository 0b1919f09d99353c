/**
 * Keys of MPPE for one direction of every session: what CCP and the login settled, and the session key of the moment.
 */
import { KeyChanger, mppeKeyLength, type MppeBits, type MppeKeys } from '../../crypto/mppe-keys.ts';
import type { Slot } from '../../wire/brand.ts';
import { KEY_SIZE, KEYS_SIZE, SESSION_KEY, STRENGTH } from './key-memory.ts';

/** One key changer serves all sessions and both directions. */
const changer = new KeyChanger();

/** Start key, session key and strength of each slot, as key-memory.ts has them. */
export class KeySlab {
  /** The memory that they lie in. */
  readonly octets: Uint8Array;
  readonly #base: number;
  readonly #words: Int32Array;

  /** @param octets from octet `base` on it has KEYS_SIZE for each slot */
  constructor(octets: Uint8Array, base: number) {
    this.octets = octets;
    this.#base = base;
    this.#words = new Int32Array(octets.buffer, octets.byteOffset, octets.byteLength >> 2);
  }

  /** Where the keys of the slot lie. */
  at(slot: Slot): number {
    return this.#base + slot * KEYS_SIZE;
  }

  /** And its session key. */
  sessionAt(slot: Slot): number {
    return this.at(slot) + SESSION_KEY;
  }

  /** Takes the start key and makes the initial session key. RFC 3079 §3.4 */
  start(slot: Slot, { strength, startKey }: MppeKeys): void {
    if (startKey.length !== mppeKeyLength(strength)) {
      throw new RangeError(`MPPE-${strength} start key of ${startKey.length} octets`);
    }
    this.clear(slot);
    this.#setBits(slot, strength);
    this.octets.set(startKey, this.at(slot));
    changer.initialKey(startKey, 0, strength, this.octets, this.sessionAt(slot));
  }

  /** Not carried: octets, #base and #words, which are where they lie. */
  save(slot: Slot) {
    const key = (at: number) => this.octets.slice(at, at + KEY_SIZE);
    return {
      bits: this.#bits(slot),
      key: key(this.sessionAt(slot)),
      startKey: key(this.at(slot)),
    };
  }

  restore(slot: Slot, { bits, key, startKey }: ReturnType<KeySlab['save']>): void {
    this.#setBits(slot, bits);
    this.octets.set(key, this.sessionAt(slot));
    this.octets.set(startKey, this.at(slot));
  }

  /** Leaves no key behind. */
  clear(slot: Slot): void {
    this.octets.fill(0, this.at(slot), this.at(slot) + KEYS_SIZE);
  }

  /** Octets in a key of this slot. */
  length(slot: Slot): number {
    return mppeKeyLength(this.#bits(slot));
  }

  /** The key change of RFC 3078 §7.3 on the key at `at` of `keys`, which may be the slot's own or a copy of it. */
  change(slot: Slot, keys: Uint8Array, at: number): void {
    changer.nextKey(this.octets, this.at(slot), this.#bits(slot), keys, at);
  }

  #bits(slot: Slot): MppeBits {
    return this.#words[(this.at(slot) + STRENGTH) >> 2] as MppeBits;
  }

  #setBits(slot: Slot, bits: MppeBits): void {
    this.#words[(this.at(slot) + STRENGTH) >> 2] = bits;
  }
}
