/**
 * Batches as the addon gives and takes them: Int32Arrays of positions in the arena, several numbers a packet. And the slots
 * for packets that the data path makes itself, valid until its batch has gone out.
 */
import type { Arena, SlotRange } from './arena.ts';

/** GRE from the socket: offset, length, source, destination. */
export const GRE_IN_WORDS = 4;
/** IP from a device: offset, length. */
export const TUN_IN_WORDS = 2;
/** GRE to the socket: offset, length, destination, source. */
export const GRE_OUT_WORDS = 4;
/** IP to the devices: device, offset, length. */
export const TUN_OUT_WORDS = 3;

export class OutBatch {
  readonly gre: Int32Array;
  greCount = 0;
  /** The socket is full: IP packets wait in the backlog, and acknowledgments are not sent alone. */
  blocked = false;
  readonly tun: Int32Array;
  tunCount = 0;
  readonly #capacity: number;
  readonly #slots: SlotRange;
  #slotsUsed = 0;

  constructor(arena: Arena) {
    // Every queued packet lies in a slot of its own.
    const { greSlots, tunSlots, outSlots, heldSlots, backlogSlots, shapedSlots } = arena;
    const rows = [greSlots, tunSlots, outSlots, heldSlots, backlogSlots, shapedSlots];
    this.#capacity = rows.reduce((sum, { count }) => sum + count, 0);
    this.gre = new Int32Array(this.#capacity * GRE_OUT_WORDS);
    this.tun = new Int32Array(this.#capacity * TUN_OUT_WORDS);
    this.#slots = outSlots;
  }

  get greFull(): boolean {
    return this.greCount === this.#capacity;
  }

  /** There must be room: see greFull. */
  pushGre(offset: number, length: number, destination: number, source: number): void {
    const at = this.greCount++ * GRE_OUT_WORDS;
    this.gre[at] = offset;
    this.gre[at + 1] = length;
    this.gre[at + 2] = destination;
    this.gre[at + 3] = source;
  }

  /** @returns false: the queue is full */
  pushTun(device: number, offset: number, length: number): boolean {
    if (this.tunCount === this.#capacity) return false;
    const at = this.tunCount++ * TUN_OUT_WORDS;
    this.tun[at] = device;
    this.tun[at + 1] = offset;
    this.tun[at + 2] = length;
    return true;
  }

  /** Offset of a free slot, behind its headroom, or -1. */
  takeSlot(): number {
    if (this.#slotsUsed === this.#slots.count) return -1;
    return this.#slots.base + this.#slotsUsed++ * this.#slots.size + this.#slots.headroom;
  }

  /** Octets that fit behind the offset of takeSlot. */
  get slotCapacity(): number {
    return this.#slots.size - this.#slots.headroom;
  }

  /** Forgets the packets for a device that is going away. */
  dropDevice(device: number): void {
    let kept = 0;
    for (let n = 0; n < this.tunCount; n++) {
      const at = n * TUN_OUT_WORDS;
      if (this.tun[at] === device) continue;
      this.tun.copyWithin(kept * TUN_OUT_WORDS, at, at + TUN_OUT_WORDS);
      kept++;
    }
    this.tunCount = kept;
  }

  /** Everything was sent: the queues are empty, the slots free. */
  reset(): void {
    this.greCount = 0;
    this.tunCount = 0;
    this.#slotsUsed = 0;
  }
}
