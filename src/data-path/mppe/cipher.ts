/**
 * The arithmetic of stateless MPPE: key streams of packets and the keys after them. RFC 3078 §7, RFC 3079 §3.
 *
 * Two implementations, the same octets: WebAssembly (wasm/), and its twin in TypeScript (typescript.ts).
 */
import type { MppeBits } from '../../crypto/mppe-keys.ts';

/** A lane holds the key stream of one packet, from prepare() until it is applied: at once. */
export const Lane = { First: 0, Second: 1 } as const;
export type Lane = (typeof Lane)[keyof typeof Lane];

export interface MppeCipher {
  /** The memory in which the packets lie. */
  readonly octets: Uint8Array;
  /** Two packets together take less time than one after the other. */
  readonly worthPairing: boolean;

  /**
   * Starts the key stream of `keys[keyAt..]` in the lane, and writes the session key after it to `next[nextAt..]`, which
   * may be the same place. Positions in words.
   */
  prepare(
    lane: Lane,
    bits: MppeBits,
    startKeys: Int32Array,
    startAt: number,
    keys: Int32Array,
    keyAt: number,
    next: Int32Array,
    nextAt: number,
  ): void;

  /** Replaces the session key by the one after it. */
  change(
    bits: MppeBits,
    startKeys: Int32Array,
    startAt: number,
    keys: Int32Array,
    keyAt: number,
  ): void;

  /** En- or decrypts octets[at..at+length) in place with the first lane's key stream, which is used up then. */
  apply(at: number, length: number): void;

  /** Two packets at once: the first with the first lane, the other with the second. */
  applyBoth(at: number, length: number, at2: number, length2: number): void;
}
