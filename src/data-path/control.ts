/**
 * What the packets have for the protocol machines. One thing at a time: what a machine does about a control frame (keys,
 * addresses, the end) concerns the very next packet, which is looked at when the daemon has dealt with it. Packets that were
 * received before it, and are decrypted or put in order only now, may be frames, too (IPv6 of the session's own): they wait in line.
 */
import type { Slot } from '../wire/brand.ts';
import { DeadlineList } from './deadline-list.ts';

export const Control = {
  None: 0,
  /** A PPP frame: slot, offset, length. */
  Frame: 1,
  /** Stateful MPPE lost a packet: the call in `slot` needs a CCP Reset-Request. */
  Desynchronized: 2,
} as const;
export type Control = (typeof Control)[keyof typeof Control];

/** More than what is put in order or decrypted with one packet. */
const MOST_FRAMES = 128;
const WORDS = 3;

export class PendingControl {
  /** Of what take() gave: the call, and where the frame lies. Valid until the end of the batch, or sent(). */
  slot: Slot = -1;
  offset = 0;
  length = 0;
  /** Slot, offset and length of each frame, in order. */
  readonly #frames = new Int32Array(MOST_FRAMES * WORDS);
  #first = 0;
  #count = 0;
  readonly #desynchronized: DeadlineList;

  constructor(maxSessions: number) {
    this.#desynchronized = new DeadlineList(maxSessions, 0);
  }

  /** There is something to take. */
  get waits(): boolean {
    return this.#count > 0 || this.#desynchronized.first() !== -1;
  }

  /** @returns false: no room */
  frame(slot: Slot, offset: number, length: number): boolean {
    if (this.#count === MOST_FRAMES) return false;
    const at = ((this.#first + this.#count++) % MOST_FRAMES) * WORDS;
    this.#frames[at] = slot;
    this.#frames[at + 1] = offset;
    this.#frames[at + 2] = length;
    return true;
  }

  desynchronized(slot: Slot): void {
    this.#desynchronized.arm(slot, 0);
  }

  synchronized(slot: Slot): void {
    this.#desynchronized.disarm(slot);
  }

  take(): Control {
    if (this.#count > 0) {
      const at = this.#first * WORDS;
      this.slot = this.#frames[at]!;
      this.offset = this.#frames[at + 1]!;
      this.length = this.#frames[at + 2]!;
      this.#first = (this.#first + 1) % MOST_FRAMES;
      this.#count--;
      return Control.Frame;
    }
    const slot = this.#desynchronized.first();
    if (slot === -1) return Control.None;
    this.#desynchronized.disarm(slot);
    this.slot = slot;
    return Control.Desynchronized;
  }
}
