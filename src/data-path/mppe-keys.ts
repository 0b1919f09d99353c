/**
 * Keys of MPPE for one direction of every session: what CCP and the login settled, and the session key of the moment.
 */
import { KeyChanger, mppeKeyLength, type MppeBits } from '../crypto/mppe-keys.ts';

export interface MppeKeys {
  readonly strength: MppeBits;
  /** RFC 3078 §2.1: the H bit clear. */
  readonly stateful: boolean;
  /** 16 octets for 128 bits, else 8. RFC 3079 §3 */
  readonly startKey: Uint8Array;
}

/** Octets that a key takes in the slab, whatever its strength. */
export const KEY_SIZE = 16;

/** One key changer serves all sessions and both directions. */
const changer = new KeyChanger();

/** Start key and session key of each slot. */
export class KeySlab {
  /** Session keys, KEY_SIZE octets each. */
  readonly keys: Uint8Array;
  readonly #startKeys: Uint8Array;
  readonly #bits: MppeBits[];

  constructor(maxSessions: number) {
    this.keys = new Uint8Array(maxSessions * KEY_SIZE);
    this.#startKeys = new Uint8Array(maxSessions * KEY_SIZE);
    this.#bits = new Array<MppeBits>(maxSessions).fill(128);
  }

  /** Takes the start key and makes the initial session key. RFC 3079 §3.4 */
  start(slot: number, { strength, startKey }: MppeKeys): void {
    if (startKey.length !== mppeKeyLength(strength)) {
      throw new RangeError(`MPPE-${strength} start key of ${startKey.length} octets`);
    }
    this.#bits[slot] = strength;
    this.#startKeys.set(startKey, slot * KEY_SIZE);
    changer.initialKey(startKey, 0, strength, this.keys, slot * KEY_SIZE);
  }

  /** Leaves no key behind. */
  clear(slot: number): void {
    this.keys.fill(0, slot * KEY_SIZE, (slot + 1) * KEY_SIZE);
    this.#startKeys.fill(0, slot * KEY_SIZE, (slot + 1) * KEY_SIZE);
  }

  /** Octets in a key of this slot. */
  length(slot: number): number {
    return mppeKeyLength(this.#bits[slot]!);
  }

  /** The key change of RFC 3078 §7.3 on the key at `at` of `keys`, which may be the slot's own or a copy of it. */
  change(slot: number, keys: Uint8Array, at: number): void {
    changer.nextKey(this.#startKeys, slot * KEY_SIZE, this.#bits[slot]!, keys, at);
  }
}
