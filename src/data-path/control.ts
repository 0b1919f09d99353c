/**
 * What the packets have for the protocol machines. One thing at a time: what a machine does about a control frame (keys,
 * addresses, the end) concerns the very next packet, which is looked at when the daemon has dealt with it.
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

export class PendingControl {
  /** Of what take() gave: the call, and where the frame lies. Valid until the end of the batch, or sent(). */
  slot: Slot = -1;
  offset = 0;
  length = 0;
  #hasFrame = false;
  readonly #desynchronized: DeadlineList;

  constructor(maxSessions: number) {
    this.#desynchronized = new DeadlineList(maxSessions, 0);
  }

  /** There is something to take. */
  get waits(): boolean {
    return this.#hasFrame || this.#desynchronized.first() !== -1;
  }

  frame(slot: Slot, offset: number, length: number): void {
    this.#hasFrame = true;
    this.slot = slot;
    this.offset = offset;
    this.length = length;
  }

  desynchronized(slot: Slot): void {
    this.#desynchronized.arm(slot, 0);
  }

  synchronized(slot: Slot): void {
    this.#desynchronized.disarm(slot);
  }

  take(): Control {
    if (this.#hasFrame) {
      this.#hasFrame = false;
      return Control.Frame;
    }
    const slot = this.#desynchronized.first();
    if (slot === -1) return Control.None;
    this.#desynchronized.disarm(slot);
    this.slot = slot;
    return Control.Desynchronized;
  }
}
