/**
 * Packets that must outlive their batch: copies in slots of the arena that all sessions share.
 */
import type { SlotRange } from './arena.ts';

export class HeldPackets {
  readonly #octets: Uint8Array;
  readonly #slots: SlotRange;
  readonly #lengths: Int32Array;
  /** Free ones are #stack[0..#free); those whose packet may still lie in an output queue, #stack[#waiting..). */
  readonly #stack: Int32Array;
  #free: number;
  #waiting: number;

  constructor(octets: Uint8Array, slots: SlotRange) {
    this.#octets = octets;
    this.#slots = slots;
    this.#lengths = new Int32Array(slots.count);
    this.#stack = Int32Array.from({ length: slots.count }, (_, index) => index);
    this.#free = slots.count;
    this.#waiting = slots.count;
  }

  /** Slots that are free now. */
  get free(): number {
    return this.#free;
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

  /** The handle of the packet in whose slot the offset lies. */
  at(offset: number): number {
    return Math.floor((offset - this.#slots.base) / this.#slots.size);
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
