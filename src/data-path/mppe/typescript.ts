/**
 * The cipher of cipher.ts in TypeScript: the reference, and what works where there is neither the addon's nor WebAssembly.
 */
import { KeyChanger, type MppeBits, mppeKeyLength } from '../../crypto/mppe-keys.ts';
import { RC4_STATE_OCTETS, rc4Apply, rc4KeySchedule } from '../../crypto/rc4.ts';
import { type MppeCipher, PACKET_WORDS } from './cipher.ts';
import { KEY_SIZE, SESSION_KEY, STRENGTH } from './key-memory.ts';

export class TypeScriptCipher implements MppeCipher {
  readonly #octets: Uint8Array;
  readonly #words: Int32Array;
  readonly #stream = new Uint8Array(RC4_STATE_OCTETS);
  readonly #changer = new KeyChanger();

  /** @param octets the whole arena */
  constructor(octets: Uint8Array) {
    this.#octets = octets;
    this.#words = new Int32Array(octets.buffer);
  }

  crypt(packets: Int32Array, count: number, used: number): void {
    const octets = this.#octets;
    for (let n = 0; n < count; n++) {
      const word = n * PACKET_WORDS;
      const at = packets[word]!;
      const keys = packets[word + 2]!;
      const key = keys + SESSION_KEY;
      if (used !== -1) octets.copyWithin(used + n * KEY_SIZE, key, key + KEY_SIZE);
      rc4KeySchedule(this.#stream, octets, key, mppeKeyLength(this.#bits(keys)));
      this.change(keys);
      rc4Apply(this.#stream, octets, at, packets[word + 1]!, at);
    }
  }

  change(keys: number): void {
    this.#changer.nextKey(this.#octets, keys, this.#bits(keys), this.#octets, keys + SESSION_KEY);
  }

  #bits(keys: number): MppeBits {
    return this.#words[(keys + STRENGTH) >> 2] as MppeBits;
  }
}
