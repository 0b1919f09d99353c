/**
 * Packets with headers that the socket had no room for. Their numbers are given, so they keep their order and come before
 * everything else; what is queued without headers is in backlog.ts.
 */
import type { HeldPackets } from './held-packets.ts';
import { GRE_OUT_WORDS, type OutBatch } from './batch.ts';

export class Unsent {
  readonly #held: HeldPackets;
  readonly #output: OutBatch;
  /** A ring of handles. */
  readonly #ring: Int32Array;
  #first = 0;
  #count = 0;
  /** By handle, what the output queue says of the packet. */
  readonly #meta: Int32Array;
  /** The output queue holds packets of ours, and no others. */
  #offered = false;

  constructor(slots: number, held: HeldPackets, output: OutBatch) {
    this.#held = held;
    this.#output = output;
    this.#ring = new Int32Array(slots);
    this.#meta = new Int32Array(slots * GRE_OUT_WORDS);
  }

  get waiting(): number {
    return this.#count;
  }

  /** Puts the first packets into the output queue, which is empty. All that it holds until settle() lies in our slots. */
  offer(limit: number): void {
    this.#offered = true;
    while (this.#count > 0 && this.#output.greCount < limit) {
      const at = this.#ring[this.#first]! * GRE_OUT_WORDS;
      this.#first = (this.#first + 1) % this.#ring.length;
      this.#count--;
      const meta = this.#meta;
      this.#output.pushGre(meta[at]!, meta[at + 1]!, meta[at + 2]!, meta[at + 3]!);
    }
  }

  /** The socket took the first `taken` of the output queue; keeps the others. @returns how many found no room and are lost */
  settle(taken: number): number {
    const { greCount } = this.#output;
    let lost = 0;
    if (this.#offered) {
      for (let n = 0; n < taken; n++) this.#held.release(this.#handle(n));
      for (let n = greCount - 1; n >= taken; n--) {
        this.#first = (this.#first + this.#ring.length - 1) % this.#ring.length;
        this.#put(this.#first, this.#handle(n), n);
      }
    } else {
      for (let n = taken; n < greCount; n++) if (!this.#copy(n)) lost++;
    }
    this.#offered = false;
    return lost;
  }

  #copy(n: number): boolean {
    const { gre } = this.#output;
    const at = n * GRE_OUT_WORDS;
    const handle = this.#held.keep(gre[at]!, gre[at + 1]!);
    if (handle === -1) return false;
    this.#put((this.#first + this.#count) % this.#ring.length, handle, n);
    this.#meta[handle * GRE_OUT_WORDS] = this.#held.offset(handle);
    return true;
  }

  #put(place: number, handle: number, n: number): void {
    const { gre } = this.#output;
    this.#ring[place] = handle;
    this.#count++;
    for (let word = 0; word < GRE_OUT_WORDS; word++)
      this.#meta[handle * GRE_OUT_WORDS + word] = gre[n * GRE_OUT_WORDS + word]!;
  }

  #handle(n: number): number {
    return this.#held.at(this.#output.gre[n * GRE_OUT_WORDS]!);
  }
}
