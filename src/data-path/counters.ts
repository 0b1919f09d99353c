/**
 * Accounting per session: a row of numbers in a slab while it lives, an object only when somebody looks.
 */

/** Packets dropped, by reason. The order is that of the slab's columns. */
export const dropReasons = [
  'malformed',
  'unknownCall',
  'duplicate',
  'late',
  'farFuture',
  'notAttached',
  'notEncrypted',
  'notNegotiated',
  'desynchronized',
  'undecryptable',
  'rekeyLimit',
  'badSource',
  'isolated',
  'ipv6',
  'multicast',
  'noRoute',
  'loop',
  'tooBig',
  'notConnected',
  'holdExpired',
  'full',
] as const;

export type DropReason = (typeof dropReasons)[number];

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

const FIRST_DROP = 8;
const WIDTH = FIRST_DROP + dropReasons.length;

/** Columns of the drop reasons, by name. */
export const Drop = Object.fromEntries(
  dropReasons.map((reason, index) => [reason, FIRST_DROP + index]),
) as Readonly<Record<DropReason, number>>;

/** Counters of `maxSessions` slots, and one row more for what belongs to none and for those that ended. */
export class CounterSlab {
  readonly #values: Float64Array;
  readonly #rest: number;

  constructor(maxSessions: number) {
    this.#values = new Float64Array((maxSessions + 1) * WIDTH);
    this.#rest = maxSessions;
  }

  /** `slot` -1: belongs to no session. */
  add(slot: number, column: number, amount: number): void {
    const at = (slot < 0 ? this.#rest : slot) * WIDTH + column;
    this.#values[at] = this.#values[at]! + amount;
  }

  /** Takes back one lost packet, if one was counted. */
  found(slot: number): void {
    const at = slot * WIDTH + Column.Lost;
    if (this.#values[at]! > 0) this.#values[at] = this.#values[at]! - 1;
  }

  /** The session of `slot` ended: its numbers stay in the totals, the row starts at 0. */
  retire(slot: number): void {
    for (let column = 0; column < WIDTH; column++) {
      this.add(-1, column, this.#values[slot * WIDTH + column]!);
    }
    this.#values.fill(0, slot * WIDTH, (slot + 1) * WIDTH);
  }

  read(slot: number): Counters {
    return toCounters(this.#values.subarray(slot * WIDTH, (slot + 1) * WIDTH));
  }

  totals(): Counters {
    const sums = new Float64Array(WIDTH);
    for (let at = 0; at < this.#values.length; at++) sums[at % WIDTH]! += this.#values[at]!;
    return toCounters(sums);
  }
}

function toCounters(row: Float64Array): Counters {
  const drops: Partial<Record<DropReason, number>> = {};
  for (const reason of dropReasons) {
    const count = row[Drop[reason]]!;
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
    duplicates: row[Drop.duplicate]!,
    drops,
  };
}
