/**
 * The cipher of mppe-cipher.ts in WebAssembly: keys go into the program's memory and out of it, packets are there already.
 */
import type { MppeBits } from '../../crypto/mppe-keys.ts';
import { copyKey, KEY_WORDS } from '../key-words.ts';
import { Lane, type MppeCipher } from '../mppe-cipher.ts';
import { instantiateMppe, type MppeExports, type WasmMemory } from './web-assembly.ts';

export class WasmCipher implements MppeCipher {
  readonly octets: Uint8Array;
  readonly worthPairing = true;
  readonly #exports: MppeExports;
  readonly #words: Int32Array;
  /** Where the words of start key, session key and next key lie. */
  readonly #startKey: number;
  readonly #sessionKey: number;
  readonly #nextKey: number;

  constructor(memory: WasmMemory) {
    this.octets = new Uint8Array(memory.buffer);
    this.#words = new Int32Array(memory.buffer);
    this.#exports = instantiateMppe(memory);
    this.#startKey = this.#exports.keysAt() >> 2;
    this.#sessionKey = this.#startKey + KEY_WORDS;
    this.#nextKey = this.#sessionKey + KEY_WORDS;
  }

  prepare(
    lane: Lane,
    bits: MppeBits,
    startKeys: Int32Array,
    startAt: number,
    keys: Int32Array,
    keyAt: number,
    next: Int32Array,
    nextAt: number,
  ): void {
    copyKey(startKeys, startAt, this.#words, this.#startKey);
    copyKey(keys, keyAt, this.#words, this.#sessionKey);
    if (lane === Lane.First) this.#exports.prepareFirst(bits);
    else this.#exports.prepareSecond(bits);
    copyKey(this.#words, this.#nextKey, next, nextAt);
  }

  change(
    bits: MppeBits,
    startKeys: Int32Array,
    startAt: number,
    keys: Int32Array,
    keyAt: number,
  ): void {
    copyKey(startKeys, startAt, this.#words, this.#startKey);
    copyKey(keys, keyAt, this.#words, this.#sessionKey);
    this.#exports.change(bits);
    copyKey(this.#words, this.#nextKey, keys, keyAt);
  }

  apply(at: number, length: number): void {
    this.#exports.apply(at, length);
  }

  applyBoth(at: number, length: number, at2: number, length2: number): void {
    this.#exports.applyBoth(at, length, at2, length2);
  }
}
