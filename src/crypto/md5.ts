/**
 * MD5 (RFC 1321), for CHAP and RADIUS. Ours, because the floors have no built-ins, and a runtime's own takes half a megabyte with it.
 */
import { paddedWords, rotateLeft } from './md4.ts';

/** MD5 digest (16 octets) of the concatenation of `pieces`. RFC 1321 §3 */
export function md5(...pieces: readonly Uint8Array[]): Uint8Array {
  const words = paddedWords(...pieces);
  let a = 0x67452301;
  let b = 0xefcdab89 | 0;
  let c = 0x98badcfe | 0;
  let d = 0x10325476;
  for (let at = 0; at < words.length; at += 16) {
    const [a0, b0, c0, d0] = [a, b, c, d];
    for (let step = 0; step < 64; step++) {
      const round = step >> 4;
      const word = words[at + ((STRIDES[round]! * step + OFFSETS[round]!) & 15)]!;
      const mixed = (a + roundFunction(round, b, c, d) + word + CONSTANTS[step]!) | 0;
      const next = (b + rotateLeft(mixed, SHIFTS[round * 4 + (step & 3)]!)) | 0;
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

/** RFC 1321 §3.4: where a round begins in a block, and how far it goes on with each step. */
const OFFSETS = [0, 1, 5, 0];
const STRIDES = [1, 5, 3, 7];

/** RFC 1321 §3.4: four shifts for each of the four rounds. */
// prettier-ignore
const SHIFTS = new Uint8Array([
  7, 12, 17, 22,
  5, 9, 14, 20,
  4, 11, 16, 23,
  6, 10, 15, 21,
]);

/** RFC 1321 §3.4: the table T, from the sine. */
const CONSTANTS = Int32Array.from({ length: 64 }, (_, step) =>
  Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32),
);

/** F, G, H and I of RFC 1321 §3.4. */
function roundFunction(round: number, x: number, y: number, z: number): number {
  if (round === 0) return (x & y) | (~x & z);
  if (round === 1) return (x & z) | (y & ~z);
  if (round === 2) return x ^ y ^ z;
  return y ^ (x | ~z);
}
