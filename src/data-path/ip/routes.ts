/**
 * Which session owns an inner address: longest prefix first, one table per device.
 *
 * It routes packets to callers and checks the sources of what they send. A device has few different prefix lengths, so a
 * look-up is one probe for each of them, longest first; with pool addresses alone it is one.
 */
import type { Slot } from '../../wire/brand.ts';
import type { Prefix } from '../../wire/ip.ts';
import { netmask } from '../../wire/ip.ts';
import { SlotTable } from '../slot-table.ts';

export class Routes {
  readonly #table = new SlotTable(64);
  /** How many prefixes there are of each length. */
  readonly #prefixes = new Int32Array(33);
  /** The lengths that occur, longest first, and their masks. */
  readonly #lengths = new Int32Array(33);
  readonly #masks = new Int32Array(33);
  #count = 0;

  /** A prefix that another session has goes over to this one: the newest login of an account has its addresses. */
  add({ address, length }: Prefix, slot: Slot): void {
    if (this.#table.find(address & netmask(length), length) === -1) {
      this.#prefixes[length] = this.#prefixes[length]! + 1;
    }
    this.#table.set(address & netmask(length), length, slot);
    this.#collect();
  }

  /** Nothing happens if the prefix has gone over to another session. */
  remove({ address, length }: Prefix, slot: Slot): void {
    if (this.#table.find(address & netmask(length), length) !== slot) return;
    this.#table.delete(address & netmask(length), length);
    this.#prefixes[length] = this.#prefixes[length]! - 1;
    this.#collect();
  }

  /** The slot that owns `address` (its low 32 bits), or -1. */
  find(address: number): Slot {
    for (let n = 0; n < this.#count; n++) {
      const slot = this.#table.find(address & this.#masks[n]!, this.#lengths[n]!);
      if (slot !== -1) return slot;
    }
    return -1;
  }

  #collect(): void {
    this.#count = 0;
    for (let length = 32; length >= 0; length--) {
      if (this.#prefixes[length] === 0) continue;
      this.#lengths[this.#count] = length;
      this.#masks[this.#count] = netmask(length);
      this.#count++;
    }
  }
}
