/**
 * SHA-1 (FIPS 180-4 §6.1), without allocation after construction: the packet path hashes two
 * blocks for every MPPE key change (RFC 3078 §7.3), too many to make an object for each.
 */

export const SHA1_OCTETS = 20;

const BLOCK_OCTETS = 64;

/** SHA-1 digest (20 octets) of the concatenation of `pieces`; for use outside the packet path. */
export function sha1(...pieces: Uint8Array[]): Uint8Array {
  const hash = new Sha1();
  for (const piece of pieces) hash.update(piece, 0, piece.length);
  const digest = new Uint8Array(SHA1_OCTETS);
  hash.digestInto(digest, 0, SHA1_OCTETS);
  return digest;
}

/**
 * A reusable SHA-1 computation: any number of `update`s, then `digestInto`, which also makes it
 * ready for the next message. No method allocates.
 */
export class Sha1 {
  readonly #state = new Int32Array(5);
  readonly #schedule = new Int32Array(80);
  readonly #block = new Uint8Array(BLOCK_OCTETS);
  #filled = 0;
  /** Octets hashed so far; a message here is always shorter than 2^29 octets. */
  #length = 0;

  constructor() {
    this.reset();
  }

  /** Forgets what was hashed. */
  reset(): void {
    const state = this.#state;
    state[0] = 0x67452301;
    state[1] = 0xefcdab89;
    state[2] = 0x98badcfe;
    state[3] = 0x10325476;
    state[4] = 0xc3d2e1f0;
    this.#filled = 0;
    this.#length = 0;
  }

  /** Appends `length` octets of `octets` from offset `from` to the message. */
  update(octets: Uint8Array, from: number, length: number): void {
    const block = this.#block;
    let filled = this.#filled;
    for (let at = from; at < from + length; at++) {
      block[filled++] = octets[at]!;
      if (filled === BLOCK_OCTETS) {
        this.#compress();
        filled = 0;
      }
    }
    this.#filled = filled;
    this.#length += length;
  }

  /** Writes the first `length` (at most 20) octets of the digest at offset `at`, then resets. */
  digestInto(octets: Uint8Array, at: number, length: number): void {
    const block = this.#block;
    block[this.#filled] = 0x80;
    block.fill(0, this.#filled + 1);
    if (this.#filled >= BLOCK_OCTETS - 8) {
      this.#compress();
      block.fill(0);
    }
    const bits = this.#length << 3;
    block[60] = bits >>> 24;
    block[61] = bits >>> 16;
    block[62] = bits >>> 8;
    block[63] = bits;
    this.#compress();
    for (let index = 0; index < length; index++) {
      octets[at + index] = this.#state[index >> 2]! >>> (24 - 8 * (index & 3));
    }
    this.reset();
  }

  /** FIPS 180-4 §6.1.2: the hash of one block. */
  #compress(): void {
    const w = this.#schedule;
    const block = this.#block;
    for (let t = 0, at = 0; t < 16; t++, at += 4) {
      w[t] = (block[at]! << 24) | (block[at + 1]! << 16) | (block[at + 2]! << 8) | block[at + 3]!;
    }
    for (let t = 16; t < 80; t++) {
      const word = w[t - 3]! ^ w[t - 8]! ^ w[t - 14]! ^ w[t - 16]!;
      w[t] = (word << 1) | (word >>> 31);
    }
    const state = this.#state;
    let a = state[0]!;
    let b = state[1]!;
    let c = state[2]!;
    let d = state[3]!;
    let e = state[4]!;
    // Four loops, not one with a choice inside: half the time per block.
    for (let t = 0; t < 20; t++) {
      const next = rotate5(a) + ((b & c) | (~b & d)) + e + 0x5a827999 + w[t]!;
      e = d;
      d = c;
      c = (b << 30) | (b >>> 2);
      b = a;
      a = next | 0;
    }
    for (let t = 20; t < 40; t++) {
      const next = rotate5(a) + (b ^ c ^ d) + e + 0x6ed9eba1 + w[t]!;
      e = d;
      d = c;
      c = (b << 30) | (b >>> 2);
      b = a;
      a = next | 0;
    }
    for (let t = 40; t < 60; t++) {
      const next = rotate5(a) + ((b & c) | (b & d) | (c & d)) + e + 0x8f1bbcdc + w[t]!;
      e = d;
      d = c;
      c = (b << 30) | (b >>> 2);
      b = a;
      a = next | 0;
    }
    for (let t = 60; t < 80; t++) {
      const next = rotate5(a) + (b ^ c ^ d) + e + 0xca62c1d6 + w[t]!;
      e = d;
      d = c;
      c = (b << 30) | (b >>> 2);
      b = a;
      a = next | 0;
    }
    state[0] = state[0]! + a;
    state[1] = state[1]! + b;
    state[2] = state[2]! + c;
    state[3] = state[3]! + d;
    state[4] = state[4]! + e;
  }
}

function rotate5(word: number): number {
  return (word << 5) | (word >>> 27);
}
