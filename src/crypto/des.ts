/**
 * DES of single blocks (FIPS 46-3), for LmPasswordHash and ChallengeResponse only: OpenSSL 3
 * keeps single DES in a module that routers do not install.
 *
 * Bits are numbered as the standard does, 1 is the most significant.
 */

/**
 * DES encryption of one block of 8 octets.
 * @param key 7 octets, as MS-CHAP has them, or 8 whose parity bits are ignored
 * @throws TypeError on other lengths
 */
export function desEncrypt(key: Uint8Array, block: Uint8Array): Uint8Array {
  if (block.length !== 8) throw new TypeError('a DES block has 8 octets');
  if (key.length !== 7 && key.length !== 8) throw new TypeError('a DES key has 7 or 8 octets');
  const schedule = keySchedule(key.length === 7 ? expandDesKey(key) : key);
  const start = select(bits(block), INITIAL_PERMUTATION);
  let left = word(start, 0);
  let right = word(start, 32);
  for (let round = 0; round < 16; round++) {
    [left, right] = [right, left ^ cipherFunction(right, schedule, round * 8)];
  }
  const output = new Uint8Array(8);
  const view = new DataView(output.buffer);
  view.setInt32(0, right);
  view.setInt32(4, left);
  return octets(select(bits(output), FINAL_PERMUTATION));
}

/** A key of 7 octets spread over 8, with odd parity in the lowest bit of each. RFC 2759 §8.6 */
export function expandDesKey(key: Uint8Array): Uint8Array {
  const expanded = new Uint8Array(8);
  for (let at = 0; at < 8; at++) {
    // Seven bits from bit 7 * at on; they begin in octet at - 1 and end in octet at.
    const pair = ((key[at - 1] ?? 0) << 8) | (key[at] ?? 0);
    const seven = (pair >> (at + 1)) & 0x7f;
    expanded[at] = (seven << 1) | (1 ^ parity(seven));
  }
  return expanded;
}

// prettier-ignore
const INITIAL_PERMUTATION = [
  58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4,
  62, 54, 46, 38, 30, 22, 14, 6, 64, 56, 48, 40, 32, 24, 16, 8,
  57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3,
  61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7,
];

/** The inverse of the initial permutation. */
const FINAL_PERMUTATION = INITIAL_PERMUTATION.map(
  (_, index) => INITIAL_PERMUTATION.indexOf(index + 1) + 1,
);

/** PC-1: the halves C and D of the key without its parity bits. */
// prettier-ignore
const KEY_HALVES = [
  57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18,
  10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
  63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22,
  14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
];

/** PC-2: the 48 bits of C and D that make a round's key. */
// prettier-ignore
const ROUND_KEY = [
  14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10,
  23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
  41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48,
  44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];

/** Rotation of C and D in front of each round, as a running total. */
const ROTATIONS = [1, 2, 4, 6, 8, 10, 12, 14, 15, 17, 19, 21, 23, 25, 27, 28];

/** P: where the S-boxes' output goes. */
// prettier-ignore
const PERMUTATION = [
  16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
  2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
];

/** S1 to S8, four rows each. */
// prettier-ignore
const S_BOXES = [
  14, 4, 13, 1, 2, 15, 11, 8, 3, 10, 6, 12, 5, 9, 0, 7,
  0, 15, 7, 4, 14, 2, 13, 1, 10, 6, 12, 11, 9, 5, 3, 8,
  4, 1, 14, 8, 13, 6, 2, 11, 15, 12, 9, 7, 3, 10, 5, 0,
  15, 12, 8, 2, 4, 9, 1, 7, 5, 11, 3, 14, 10, 0, 6, 13,

  15, 1, 8, 14, 6, 11, 3, 4, 9, 7, 2, 13, 12, 0, 5, 10,
  3, 13, 4, 7, 15, 2, 8, 14, 12, 0, 1, 10, 6, 9, 11, 5,
  0, 14, 7, 11, 10, 4, 13, 1, 5, 8, 12, 6, 9, 3, 2, 15,
  13, 8, 10, 1, 3, 15, 4, 2, 11, 6, 7, 12, 0, 5, 14, 9,

  10, 0, 9, 14, 6, 3, 15, 5, 1, 13, 12, 7, 11, 4, 2, 8,
  13, 7, 0, 9, 3, 4, 6, 10, 2, 8, 5, 14, 12, 11, 15, 1,
  13, 6, 4, 9, 8, 15, 3, 0, 11, 1, 2, 12, 5, 10, 14, 7,
  1, 10, 13, 0, 6, 9, 8, 7, 4, 15, 14, 3, 11, 5, 2, 12,

  7, 13, 14, 3, 0, 6, 9, 10, 1, 2, 8, 5, 11, 12, 4, 15,
  13, 8, 11, 5, 6, 15, 0, 3, 4, 7, 2, 12, 1, 10, 14, 9,
  10, 6, 9, 0, 12, 11, 7, 13, 15, 1, 3, 14, 5, 2, 8, 4,
  3, 15, 0, 6, 10, 1, 13, 8, 9, 4, 5, 11, 12, 7, 2, 14,

  2, 12, 4, 1, 7, 10, 11, 6, 8, 5, 3, 15, 13, 0, 14, 9,
  14, 11, 2, 12, 4, 7, 13, 1, 5, 0, 15, 10, 3, 9, 8, 6,
  4, 2, 1, 11, 10, 13, 7, 8, 15, 9, 12, 5, 6, 3, 0, 14,
  11, 8, 12, 7, 1, 14, 2, 13, 6, 15, 0, 9, 10, 4, 5, 3,

  12, 1, 10, 15, 9, 2, 6, 8, 0, 13, 3, 4, 14, 7, 5, 11,
  10, 15, 4, 2, 7, 12, 9, 5, 6, 1, 13, 14, 0, 11, 3, 8,
  9, 14, 15, 5, 2, 8, 12, 3, 7, 0, 4, 10, 1, 13, 11, 6,
  4, 3, 2, 12, 9, 5, 15, 10, 11, 14, 1, 7, 6, 0, 8, 13,

  4, 11, 2, 14, 15, 0, 8, 13, 3, 12, 9, 7, 5, 10, 6, 1,
  13, 0, 11, 7, 4, 9, 1, 10, 14, 3, 5, 12, 2, 15, 8, 6,
  1, 4, 11, 13, 12, 3, 7, 14, 10, 15, 6, 8, 0, 5, 9, 2,
  6, 11, 13, 8, 1, 4, 10, 7, 9, 5, 0, 15, 14, 2, 3, 12,

  13, 2, 8, 4, 6, 15, 11, 1, 10, 9, 3, 14, 5, 0, 12, 7,
  1, 15, 13, 8, 10, 3, 7, 4, 12, 5, 6, 11, 0, 14, 9, 2,
  7, 11, 4, 1, 9, 12, 14, 2, 0, 6, 10, 13, 15, 3, 5, 8,
  2, 1, 14, 7, 4, 10, 8, 13, 15, 12, 9, 0, 3, 5, 6, 11,
];

/** S-boxes and P in one: 8 tables of 64 words, indexed by the six bits that enter a box. */
const SUBSTITUTION = substitutionTables();

function substitutionTables(): Int32Array {
  const tables = new Int32Array(8 * 64);
  for (let box = 0; box < 8; box++) {
    for (let six = 0; six < 64; six++) {
      // The outer two bits choose the row, the inner four the column.
      const row = ((six >> 4) & 2) | (six & 1);
      const nibble = S_BOXES[box * 64 + row * 16 + ((six >> 1) & 15)]!;
      const output = Array.from({ length: 32 }, (_, bit) =>
        bit >> 2 === box ? (nibble >> (3 - (bit & 3))) & 1 : 0,
      );
      tables[box * 64 + six] = word(select(output, PERMUTATION), 0);
    }
  }
  return tables;
}

/** f(R, K): `at` is the place of the round's key in the schedule. */
function cipherFunction(right: number, schedule: Uint8Array, at: number): number {
  let result = 0;
  for (let box = 0; box < 8; box++) {
    // E: a box takes bits 4 * box to 4 * box + 5, where bit 0 is bit 32: rotate them to the top.
    const six = rotateLeft(right, (4 * box + 31) & 31) >>> 26;
    result |= SUBSTITUTION[box * 64 + (six ^ schedule[at + box]!)]!;
  }
  return result;
}

/** KS: sixteen keys of eight times six bits. */
function keySchedule(key: Uint8Array): Uint8Array {
  const halves = select(bits(key), KEY_HALVES);
  const schedule = new Uint8Array(16 * 8);
  ROTATIONS.forEach((rotation, round) => {
    const rotated = halves.map((_, index) => {
      const half = index < 28 ? 0 : 28;
      return halves[half + ((index - half + rotation) % 28)]!;
    });
    select(rotated, ROUND_KEY).forEach((bit, index) => {
      const at = round * 8 + Math.floor(index / 6);
      schedule[at] = (schedule[at]! << 1) | bit;
    });
  });
  return schedule;
}

function bits(source: Uint8Array): number[] {
  return Array.from({ length: source.length * 8 }, (_, bit) => {
    return (source[bit >> 3]! >> (7 - (bit & 7))) & 1;
  });
}

function octets(source: readonly number[]): Uint8Array {
  const packed = new Uint8Array(source.length / 8);
  source.forEach((bit, index) => (packed[index >> 3] = (packed[index >> 3]! << 1) | bit));
  return packed;
}

/** The bits that a table of the standard (counting from 1) names, in its order. */
function select(source: readonly number[], table: readonly number[]): number[] {
  return table.map((bit) => source[bit - 1]!);
}

/** 32 bits from `at` on as a word. */
function word(source: readonly number[], at: number): number {
  return source.slice(at, at + 32).reduce((sum, bit) => (sum << 1) | bit, 0);
}

function rotateLeft(value: number, count: number): number {
  return (value << count) | (value >>> (32 - count));
}

function parity(value: number): number {
  let ones = 0;
  for (let rest = value; rest !== 0; rest >>= 1) ones ^= rest & 1;
  return ones;
}
