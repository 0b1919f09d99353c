/**
 * The cipher of cipher.ts in TypeScript: the reference, and what works where WebAssembly is off.
 */
import { KeyChanger, type MppeBits, mppeKeyLength } from '../../crypto/mppe-keys.ts';
import { RC4_STATE_OCTETS, rc4Apply, rc4KeySchedule } from '../../crypto/rc4.ts';
import { copyKey, KEY_SIZE, KEY_WORDS } from './key-words.ts';
import { Lane, type MppeCipher } from './cipher.ts';

export class TypeScriptCipher implements MppeCipher {
  readonly octets: Uint8Array;
  readonly worthPairing = false;
  readonly #lanes = [new Uint8Array(RC4_STATE_OCTETS), new Uint8Array(RC4_STATE_OCTETS)] as const;
  readonly #changer = new KeyChanger();
  readonly #words = new Int32Array(2 * KEY_WORDS);
  readonly #keys = new Uint8Array(this.#words.buffer);

  constructor(octets: Uint8Array) {
    this.octets = octets;
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
    this.#load(startKeys, startAt, keys, keyAt);
    rc4KeySchedule(this.#lanes[lane], this.#keys, KEY_SIZE, mppeKeyLength(bits));
    this.#step(bits, next, nextAt);
  }

  change(
    bits: MppeBits,
    startKeys: Int32Array,
    startAt: number,
    keys: Int32Array,
    keyAt: number,
  ): void {
    this.#load(startKeys, startAt, keys, keyAt);
    this.#step(bits, keys, keyAt);
  }

  apply(at: number, length: number): void {
    rc4Apply(this.#lanes[Lane.First], this.octets, at, length, at);
  }

  applyBoth(at: number, length: number, at2: number, length2: number): void {
    this.apply(at, length);
    rc4Apply(this.#lanes[Lane.Second], this.octets, at2, length2, at2);
  }

  #load(startKeys: Int32Array, startAt: number, keys: Int32Array, keyAt: number): void {
    copyKey(startKeys, startAt, this.#words, 0);
    copyKey(keys, keyAt, this.#words, KEY_WORDS);
  }

  #step(bits: MppeBits, next: Int32Array, nextAt: number): void {
    this.#changer.nextKey(this.#keys, 0, bits, this.#keys, KEY_SIZE);
    copyKey(this.#words, KEY_WORDS, next, nextAt);
  }
}
