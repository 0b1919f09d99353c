/**
 * Packets that must outlive their batch: copies in slots of the arena that all sessions share.
 */
import type { Arena, SlotRange } from './arena.ts';

export class HeldPackets {
  readonly #octets: Uint8Array;
  readonly #slots: SlotRange;
  readonly #lengths: Int32Array;
  /** Free ones are #stack[0..#free); those whose packet may still lie in an output queue, #stack[#waiting..). */
  readonly #stack: Int32Array;
  #free: number;
  #waiting: number;

  constructor({ octets, heldSlots }: Arena) {
    this.#octets = octets;
    this.#slots = heldSlots;
    this.#lengths = new Int32Array(heldSlots.count);
    this.#stack = Int32Array.from({ length: heldSlots.count }, (_, index) => index);
    this.#free = heldSlots.count;
    this.#waiting = heldSlots.count;
  }

  /** Copies octets[at..at+length). @returns its handle, or -1: too long, or no slot is free */
  keep(at: number, length: number): number {
    if (this.#free === 0 || length > this.#slots.size - this.#slots.headroom) return -1;
    const handle = this.#stack[--this.#free]!;
    this.#octets.copyWithin(this.offset(handle), at, at + length);
    this.#lengths[handle] = length;
    return handle;
  }

  offset(handle: number): number {
    return this.#slots.base + handle * this.#slots.size + this.#slots.headroom;
  }

  length(handle: number): number {
    return this.#lengths[handle]!;
  }

  /** The slot is free after the next flush of the output queues: its octets may lie in one. */
  release(handle: number): void {
    this.#stack[--this.#waiting] = handle;
  }

  /** The output queues were flushed. */
  recycle(): void {
    while (this.#waiting < this.#slots.count)
      this.#stack[this.#free++] = this.#stack[this.#waiting++]!;
  }
}
