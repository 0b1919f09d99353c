/**
 * The cipher of ../cipher.ts in WebAssembly: keys go into the program's memory and out of it, packets are there already.
 * It is compiled when the first keys come: a gateway that waits for its first call has no use for it.
 */
import type { MppeBits } from '../../../crypto/mppe-keys.ts';
import { copyKey, KEY_WORDS } from '../key-words.ts';
import { Lane, type MppeCipher } from '../cipher.ts';
import { instantiateMppe, type MppeExports, type WasmMemory } from './web-assembly.ts';

export class WasmCipher implements MppeCipher {
  readonly octets: Uint8Array;
  readonly worthPairing = true;
  readonly #memory: WasmMemory;
  readonly #words: Int32Array;
  #exports: MppeExports | undefined;
  /** Where the words of start key, session key and next key lie. */
  #startKey = 0;
  #sessionKey = 0;
  #nextKey = 0;

  constructor(memory: WasmMemory) {
    this.octets = new Uint8Array(memory.buffer);
    this.#memory = memory;
    this.#words = new Int32Array(memory.buffer);
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
    const exports = this.#exports ?? this.#compile();
    copyKey(startKeys, startAt, this.#words, this.#startKey);
    copyKey(keys, keyAt, this.#words, this.#sessionKey);
    if (lane === Lane.First) exports.prepareFirst(bits);
    else exports.prepareSecond(bits);
    copyKey(this.#words, this.#nextKey, next, nextAt);
  }

  change(
    bits: MppeBits,
    startKeys: Int32Array,
    startAt: number,
    keys: Int32Array,
    keyAt: number,
  ): void {
    const exports = this.#exports ?? this.#compile();
    copyKey(startKeys, startAt, this.#words, this.#startKey);
    copyKey(keys, keyAt, this.#words, this.#sessionKey);
    exports.change(bits);
    copyKey(this.#words, this.#nextKey, keys, keyAt);
  }

  apply(at: number, length: number): void {
    this.#exports!.apply(at, length); // a lane was prepared
  }

  applyBoth(at: number, length: number, at2: number, length2: number): void {
    this.#exports!.applyBoth(at, length, at2, length2);
  }

  #compile(): MppeExports {
    const exports = instantiateMppe(this.#memory);
    this.#exports = exports;
    this.#startKey = exports.keysAt() >> 2;
    this.#sessionKey = this.#startKey + KEY_WORDS;
    this.#nextKey = this.#sessionKey + KEY_WORDS;
    return exports;
  }
}
