/**
 * Accounting per session: a row of numbers in a slab while it lives, an object only when somebody looks.
 */

import type { Slot } from '../wire/brand.ts';
import { Drop, type DropReason, dropReasons } from './drop.ts';

/** IP packets and their octets: rx from the peer, tx to the peer. */
export interface Counters {
  readonly rxPackets: number;
  readonly rxOctets: number;
  readonly txPackets: number;
  readonly txOctets: number;
  /** PPP frames other than IP. */
  readonly rxControl: number;
  readonly txControl: number;
  /** GRE packets of the peer that never came (yet). */
  readonly lost: number;
  /** GRE packets that came late, but in time. */
  readonly reordered: number;
  readonly duplicates: number;
  /** Only reasons that occurred. */
  readonly drops: Readonly<Partial<Record<DropReason, number>>>;
}

/** Columns of the slab; the drop reasons follow. */
export const Column = {
  RxPackets: 0,
  RxOctets: 1,
  TxPackets: 2,
  TxOctets: 3,
  RxControl: 4,
  TxControl: 5,
  Lost: 6,
  Reordered: 7,
} as const;

/** Drop n is column DROPS + n. */
const DROPS = Column.Reordered;
const WIDTH = DROPS + 1 + dropReasons.length;

/** Counters of `maxSessions` slots, and one row more for what belongs to none and for those that ended. */
export class CounterSlab {
  readonly #values: Float64Array;
  readonly #rest: number;

  constructor(maxSessions: number) {
    this.#values = new Float64Array((maxSessions + 1) * WIDTH);
    this.#rest = maxSessions;
  }

  /** `slot` -1: belongs to no session. */
  add(slot: Slot, column: number, amount: number): void {
    const at = (slot < 0 ? this.#rest : slot) * WIDTH + column;
    this.#values[at] = this.#values[at]! + amount;
  }

  /** `count` packets are dropped. */
  drop(slot: Slot, reason: number, count = 1): void {
    this.add(slot, DROPS + reason, count);
  }

  /** Takes back one lost packet, if one was counted. */
  found(slot: Slot): void {
    const at = slot * WIDTH + Column.Lost;
    if (this.#values[at]! > 0) this.#values[at] = this.#values[at]! - 1;
  }

  /** The session of `slot` ended: its numbers stay in the totals, the row starts at 0. */
  retire(slot: Slot): void {
    for (let column = 0; column < WIDTH; column++) {
      this.add(-1, column, this.#values[slot * WIDTH + column]!);
    }
    this.#values.fill(0, slot * WIDTH, (slot + 1) * WIDTH);
  }

  read(slot: Slot): Counters {
    return toCounters(this.#row(slot));
  }

  /** By their names, which other programs know, too: #values of a row. @param slot -1: what belongs to no session. Not carried: #rest. */
  save(slot: Slot): Counters {
    return toCounters(this.#row(slot));
  }

  /** What it does not know is left out. */
  restore(slot: Slot, saved: Counters): void {
    const row = this.#row(slot);
    row[Column.RxPackets] = saved.rxPackets;
    row[Column.RxOctets] = saved.rxOctets;
    row[Column.TxPackets] = saved.txPackets;
    row[Column.TxOctets] = saved.txOctets;
    row[Column.RxControl] = saved.rxControl;
    row[Column.TxControl] = saved.txControl;
    row[Column.Lost] = saved.lost;
    row[Column.Reordered] = saved.reordered;
    for (const [reason, number] of dropReasons) row[DROPS + number] = saved.drops[reason] ?? 0;
  }

  #row(slot: Slot): Float64Array {
    const at = (slot < 0 ? this.#rest : slot) * WIDTH;
    return this.#values.subarray(at, at + WIDTH);
  }

  totals(): Counters {
    const sums = new Float64Array(WIDTH);
    for (let at = 0; at < this.#values.length; at++) sums[at % WIDTH]! += this.#values[at]!;
    return toCounters(sums);
  }
}

function toCounters(row: Float64Array): Counters {
  const drops: Partial<Record<DropReason, number>> = {};
  for (const [reason, number] of dropReasons) {
    const count = row[DROPS + number]!;
    if (count > 0) drops[reason] = count;
  }
  return {
    rxPackets: row[Column.RxPackets]!,
    rxOctets: row[Column.RxOctets]!,
    txPackets: row[Column.TxPackets]!,
    txOctets: row[Column.TxOctets]!,
    rxControl: row[Column.RxControl]!,
    txControl: row[Column.TxControl]!,
    lost: row[Column.Lost]!,
    reordered: row[Column.Reordered]!,
    duplicates: row[DROPS + Drop.duplicate]!,
    drops,
  };
}
