/**
 * MD4 (RFC 1320), for the NT password hash only. OpenSSL 3 refuses it, so it is ours.
 */

/** MD4 digest (16 octets) of `octets`. RFC 1320 §3 */
export function md4(octets: Uint8Array): Uint8Array {
  const words = paddedWords(octets);
  let a = 0x67452301;
  let b = 0xefcdab89 | 0;
  let c = 0x98badcfe | 0;
  let d = 0x10325476;
  for (let at = 0; at < words.length; at += 16) {
    const [a0, b0, c0, d0] = [a, b, c, d];
    for (let step = 0; step < 48; step++) {
      const round = step >> 4;
      const mixed = (a + roundFunction(round, b, c, d) + words[at + ORDER[step]!]!) | 0;
      const next = rotateLeft((mixed + CONSTANTS[round]!) | 0, SHIFTS[round * 4 + (step & 3)]!);
      [a, b, c, d] = [d, next, b, c];
    }
    a = (a + a0) | 0;
    b = (b + b0) | 0;
    c = (c + c0) | 0;
    d = (d + d0) | 0;
  }
  const digest = new Uint8Array(16);
  const view = new DataView(digest.buffer);
  [a, b, c, d].forEach((word, index) => view.setInt32(index * 4, word, true));
  return digest;
}

/** RFC 1320 §3.4: the order in which a round takes the words of a block. */
// prettier-ignore
const ORDER = new Uint8Array([
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
  0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15,
  0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15,
]);

/** RFC 1320 §3.4: four shifts for each of the three rounds. */
// prettier-ignore
const SHIFTS = new Uint8Array([
  3, 7, 11, 19,
  3, 5, 9, 13,
  3, 9, 11, 15,
]);

const CONSTANTS = new Int32Array([0, 0x5a827999, 0x6ed9eba1]);

/** F, G and H of RFC 1320 §3.4. */
function roundFunction(round: number, x: number, y: number, z: number): number {
  if (round === 0) return (x & y) | (~x & z);
  if (round === 1) return (x & y) | (x & z) | (y & z);
  return x ^ y ^ z;
}

export function rotateLeft(word: number, count: number): number {
  return (word << count) | (word >>> (32 - count));
}

/** RFC 1320 §3.1, §3.2: `pieces` in a row, a one bit, zeros, the length in bits (64 bits); words are little-endian. */
export function paddedWords(...pieces: readonly Uint8Array[]): Int32Array {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const blocks = ((length + 8) >> 6) + 1;
  const padded = new Uint8Array(blocks * 64);
  let at = 0;
  for (const piece of pieces) {
    padded.set(piece, at);
    at += piece.length;
  }
  padded[length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(length) * 8n, true);
  return Int32Array.from({ length: blocks * 16 }, (_, index) => view.getInt32(index * 4, true));
}
