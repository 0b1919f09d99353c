/**
 * Keys of MPPE for one direction of every session: what CCP and the login settled, and the session key of the moment.
 */
import { KeyChanger, mppeKeyLength, type MppeBits, type MppeKeys } from '../../crypto/mppe-keys.ts';
import type { Slot } from '../../wire/brand.ts';
import { KEY_SIZE, KEY_WORDS } from './key-words.ts';
import type { Lane, MppeCipher } from './cipher.ts';

/** One key changer serves all sessions and both directions. */
const changer = new KeyChanger();

/** Start key and session key of each slot. */
export class KeySlab {
  /** Session keys, KEY_SIZE octets each; and the same memory in words. */
  readonly keys: Uint8Array;
  readonly words: Int32Array;
  readonly #startKeys: Uint8Array;
  readonly #startWords: Int32Array;
  readonly #bits: MppeBits[];

  constructor(maxSessions: number) {
    this.keys = new Uint8Array(maxSessions * KEY_SIZE);
    this.words = new Int32Array(this.keys.buffer);
    this.#startKeys = new Uint8Array(maxSessions * KEY_SIZE);
    this.#startWords = new Int32Array(this.#startKeys.buffer);
    this.#bits = new Array<MppeBits>(maxSessions).fill(128);
  }

  /** Takes the start key and makes the initial session key. RFC 3079 §3.4 */
  start(slot: Slot, { strength, startKey }: MppeKeys): void {
    if (startKey.length !== mppeKeyLength(strength)) {
      throw new RangeError(`MPPE-${strength} start key of ${startKey.length} octets`);
    }
    this.#bits[slot] = strength;
    this.#startKeys.set(startKey, slot * KEY_SIZE);
    changer.initialKey(startKey, 0, strength, this.keys, slot * KEY_SIZE);
  }

  /** Not carried: words and #startWords, which are the same memory. */
  save(slot: Slot) {
    const row = (keys: Uint8Array) => keys.slice(slot * KEY_SIZE, (slot + 1) * KEY_SIZE);
    return { bits: this.#bits[slot]!, key: row(this.keys), startKey: row(this.#startKeys) };
  }

  restore(slot: Slot, { bits, key, startKey }: ReturnType<KeySlab['save']>): void {
    this.#bits[slot] = bits;
    this.keys.set(key, slot * KEY_SIZE);
    this.#startKeys.set(startKey, slot * KEY_SIZE);
  }

  /** Leaves no key behind. */
  clear(slot: Slot): void {
    this.keys.fill(0, slot * KEY_SIZE, (slot + 1) * KEY_SIZE);
    this.#startKeys.fill(0, slot * KEY_SIZE, (slot + 1) * KEY_SIZE);
  }

  /** Octets in a key of this slot. */
  length(slot: Slot): number {
    return mppeKeyLength(this.#bits[slot]!);
  }

  /** The key change of RFC 3078 §7.3 on the key at `at` of `keys`, which may be the slot's own or a copy of it. */
  change(slot: Slot, keys: Uint8Array, at: number): void {
    changer.nextKey(this.#startKeys, slot * KEY_SIZE, this.#bits[slot]!, keys, at);
  }

  /** The same by a cipher, with positions in words. */
  changeWith(cipher: MppeCipher, slot: Slot, keys: Int32Array, at: number): void {
    cipher.change(this.#bits[slot]!, this.#startWords, slot * KEY_WORDS, keys, at);
  }

  /** Starts the key stream of a key of this slot in a lane of the cipher, and writes the key after it to `next`. */
  prepare(
    cipher: MppeCipher,
    lane: Lane,
    slot: Slot,
    keys: Int32Array,
    at: number,
    next: Int32Array,
    nextAt: number,
  ): void {
    const bits = this.#bits[slot]!;
    cipher.prepare(lane, bits, this.#startWords, slot * KEY_WORDS, keys, at, next, nextAt);
  }
}
