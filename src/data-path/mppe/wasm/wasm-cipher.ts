/**
 * The cipher of ../cipher.ts in WebAssembly: keys go into the program's memory and out of it, packets are there already.
 * It is compiled when the first keys come: a gateway that waits for its first call has no use for it.
 */
import { type MppeCipher, PACKET_WORDS } from '../cipher.ts';
import { copyKey, KEY_WORDS, SESSION_KEY, STRENGTH } from '../key-memory.ts';
import { instantiateMppe, type MppeExports, type WasmMemory } from './web-assembly.ts';

export class WasmCipher implements MppeCipher {
  readonly #memory: WasmMemory;
  readonly #words: Int32Array;
  #exports: MppeExports | undefined;
  /** Where the words of start key, session key and next key lie. */
  #startKey = 0;
  #sessionKey = 0;
  #nextKey = 0;

  /** @param memory the arena's */
  constructor(memory: WasmMemory) {
    this.#memory = memory;
    this.#words = new Int32Array(memory.buffer);
  }

  /** Two packets together take less time than one after the other. */
  crypt(packets: Int32Array, count: number, used: number): void {
    const exports = this.#exports ?? this.#compile();
    for (let n = 0; n < count; n += 2) {
      const word = n * PACKET_WORDS;
      const at = packets[word]!;
      const length = packets[word + 1]!;
      const bits = this.#load(packets[word + 2]!, used, n);
      exports.prepareFirst(bits);
      this.#store(packets[word + 2]!);
      if (n + 1 === count) {
        exports.apply(at, length);
        return;
      }
      const other = word + PACKET_WORDS;
      const bits2 = this.#load(packets[other + 2]!, used, n + 1);
      exports.prepareSecond(bits2);
      this.#store(packets[other + 2]!);
      exports.applyBoth(at, length, packets[other]!, packets[other + 1]!);
    }
  }

  change(keys: number): void {
    const exports = this.#exports ?? this.#compile();
    exports.change(this.#load(keys, -1, 0));
    this.#store(keys);
  }

  /** Hands the program the keys, and leaves the session key where it is wanted. @returns their strength */
  #load(keys: number, used: number, n: number): number {
    const words = this.#words;
    const session = (keys + SESSION_KEY) >> 2;
    copyKey(words, keys >> 2, words, this.#startKey);
    copyKey(words, session, words, this.#sessionKey);
    if (used !== -1) copyKey(words, session, words, (used >> 2) + n * KEY_WORDS);
    return words[(keys + STRENGTH) >> 2]!;
  }

  #store(keys: number): void {
    copyKey(this.#words, this.#nextKey, this.#words, (keys + SESSION_KEY) >> 2);
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
