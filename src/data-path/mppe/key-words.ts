/**
 * Keys on the packet path: rows of four words, 16 octets in the order of memory, whatever their strength.
 */
export const KEY_WORDS = 4;
/** Octets of a row. */
export const KEY_SIZE = 4 * KEY_WORDS;

/** Copies a row; positions in words. Four assignments cost less than a typed array's own copy. */
export function copyKey(from: Int32Array, at: number, to: Int32Array, toAt: number): void {
  to[toAt] = from[at]!;
  to[toAt + 1] = from[at + 1]!;
  to[toAt + 2] = from[at + 2]!;
  to[toAt + 3] = from[at + 3]!;
}
