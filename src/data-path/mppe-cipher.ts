/**
 * The arithmetic of stateless MPPE: key streams of packets and the keys after them. RFC 3078 §7, RFC 3079 §3.
 *
 * Two implementations, the same octets: WebAssembly (mppe-wasm/), and its twin in TypeScript (mppe-typescript.ts).
 */
import type { MppeBits } from '../crypto/mppe-keys.ts';

/** Lanes hold one key stream each, for one packet: two for each direction. */
export const SEND_LANE = 0;
export const RECEIVE_LANE = 2;
export const LANES = 4;

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
    lane: number,
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

  /** En- or decrypts octets[at..at+length) in place with the lane's key stream, which is used up then. */
  apply(lane: number, at: number, length: number): void;

  /** Two packets at once: one with SEND_LANE or RECEIVE_LANE, the other with the lane after it. */
  applyBoth(lane: number, at: number, length: number, at2: number, length2: number): void;
}
