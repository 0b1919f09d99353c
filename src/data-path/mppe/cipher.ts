/**
 * The arithmetic of stateless MPPE: key streams of packets and the keys after them. RFC 3078 §7, RFC 3079 §3.
 *
 * Packets and keys lie in the arena. Three implementations, the same octets: the addon's (native/mppe.c, three packets side by
 * side), WebAssembly (wasm/, two), and their twin in TypeScript (typescript.ts).
 */

/** A packet: where it lies, how many octets (at least 1) and where the keys of its session and direction are (key-memory.ts). */
export const PACKET_WORDS = 3;

export interface MppeCipher {
  /**
   * En- or decrypts in place the first `count` packets (PACKET_WORDS each), one as after the other: each with the session key
   * as the one before has left it, and leaves there the key after it. The more at once, the less time each takes.
   * @param used where the keys that they had are left, KEY_SIZE octets each; -1: nowhere
   */
  crypt(packets: Int32Array, count: number, used: number): void;

  /** Replaces the session key at `keys` by the one after it. */
  change(keys: number): void;
}

/** Writes packet n. */
export function putPacket(
  packets: Int32Array,
  n: number,
  at: number,
  length: number,
  keys: number,
): void {
  const word = n * PACKET_WORDS;
  packets[word] = at;
  packets[word + 1] = length;
  packets[word + 2] = keys;
}
