/**
 * Keys on the packet path. A key has four words, 16 octets in the order of memory, whatever its strength. What a cipher has to
 * know of a session and direction lies together: start key, session key, and the strength as a word.
 */
export const KEY_WORDS = 4;
/** Octets of a key. */
export const KEY_SIZE = 4 * KEY_WORDS;
/** Octets of the keys of a session and direction, and where in them session key and strength are. */
export const KEYS_SIZE = 3 * KEY_SIZE;
export const SESSION_KEY = 4 * KEY_WORDS;
export const STRENGTH = 2 * KEY_SIZE;

/** Copies a key; positions in words. Four assignments cost less than a typed array's own copy. */
export function copyKey(from: Int32Array, at: number, to: Int32Array, toAt: number): void {
  to[toAt] = from[at]!;
  to[toAt + 1] = from[at + 1]!;
  to[toAt + 2] = from[at + 2]!;
  to[toAt + 3] = from[at + 3]!;
}
