/**
 * The addresses a server may give to its callers: ranges without the reserved ones, one holder each.
 *
 * A user gets the last address again if it is free, otherwise the lowest free one. The ranges are never spelled out: the
 * pool remembers only what is held, what was given back, and how far it has counted.
 */
import type { Ipv4 } from '../../wire/brand.ts';
import type { AddressRange, Prefix } from '../../wire/ip.ts';
import { BoundedMap } from './bounded-map.ts';
import { MinHeap } from './min-heap.ts';

/** Users whose last address is remembered. */
const REMEMBERED = 4096;

export interface PoolOptions {
  readonly ranges: readonly AddressRange[];
  /** Never taken from the ranges: the server's own address, fixed addresses of users. */
  readonly reserved: Iterable<Ipv4>;
  /** Lead elsewhere: never taken from the ranges either. */
  readonly kept?: readonly AddressRange[];
  /** Its first and last address (network and broadcast) are not for callers. */
  readonly network: Prefix;
}

export class AddressPool {
  #ranges: readonly AddressRange[] = [];
  #reserved: ReadonlySet<Ipv4> = new Set();
  readonly #held = new Set<Ipv4>();
  /** Given back, below the counter. May contain addresses that were taken again since. */
  #returned = new MinHeap();
  readonly #inReturned = new Set<Ipv4>();
  readonly #lastOf = new BoundedMap<string, Ipv4>(REMEMBERED);
  #range = 0;
  /** The first address of the current range that was never given out. */
  #next = 0;

  constructor(options: PoolOptions) {
    this.reconfigure(options);
  }

  /** Other addresses from now on; who holds one keeps it, and is remembered with it. */
  reconfigure({ ranges, reserved, kept = [], network }: PoolOptions): void {
    this.#ranges = without(mergeRanges(ranges), kept);
    const never = new Set(reserved);
    if (network.length <= 30) {
      const size = 2 ** (32 - network.length);
      const first = Math.floor(network.address / size) * size;
      never.add(first).add(first + size - 1);
    }
    this.#reserved = never;
    this.#returned = new MinHeap();
    this.#inReturned.clear();
    this.#range = 0;
    this.#next = this.#ranges[0]?.first ?? 0;
  }

  /**
   * Who had which address last. Not carried: #ranges and #reserved, which are of the options; #held, which is taken anew; #returned,
   * #inReturned, #range and #next, which only say how far it has counted.
   */
  save() {
    return this.#lastOf.entries();
  }

  restore(lastOf: ReturnType<AddressPool['save']>): void {
    for (const [user, address] of lastOf) this.#lastOf.set(user, address);
  }

  /** The address that `user` had last, or the lowest free one, if it is usable; undefined: none is left. */
  allocate(user: string, isUsable: (address: Ipv4) => boolean = () => true): Ipv4 | undefined {
    const [address] = this.candidates(user, 1, isUsable);
    if (address === undefined) return undefined;
    this.#held.add(address);
    this.#lastOf.set(user, address);
    return address;
  }

  /** The usable ones among those that `allocate` would look at, in its order; at most so many. */
  candidates(user: string, most: number, isUsable: (address: Ipv4) => boolean): Ipv4[] {
    const last = this.#lastIfFree(user);
    const found = last !== undefined && isUsable(last) ? [last] : [];
    const seen: Ipv4[] = [];
    while (found.length < most) {
      const address = this.#lowest();
      if (address === undefined) break;
      seen.push(address);
      if (address !== last && isUsable(address)) found.push(address);
    }
    for (const address of seen) this.#giveBack(address);
    return found;
  }

  /** Holds exactly this address, also outside the ranges (a fixed address). False: somebody has it. */
  take(address: Ipv4): boolean {
    if (this.#held.has(address)) return false;
    this.#held.add(address);
    return true;
  }

  /** Gives an address back. @throws Error when nobody holds it */
  release(address: Ipv4): void {
    if (!this.#held.delete(address)) throw new Error('an address was released twice');
    if (this.#given(address)) this.#giveBack(address);
  }

  isHeld(address: Ipv4): boolean {
    return this.#held.has(address);
  }

  /** Whether callers without a fixed address may have this one. */
  covers(address: Ipv4): boolean {
    return (
      !this.#reserved.has(address) &&
      this.#ranges.some(({ first, last }) => first <= address && address <= last)
    );
  }

  /** Whether `allocate` would find one. */
  hasFree(): boolean {
    const address = this.#lowest();
    if (address === undefined) return false;
    this.#giveBack(address);
    return true;
  }

  #giveBack(address: Ipv4): void {
    if (this.#inReturned.has(address)) return;
    this.#inReturned.add(address);
    this.#returned.push(address);
  }

  #lastIfFree(user: string): Ipv4 | undefined {
    const last = this.#lastOf.get(user);
    return last !== undefined && this.covers(last) && !this.#held.has(last) ? last : undefined;
  }

  #lowest(): Ipv4 | undefined {
    for (;;) {
      const returned = this.#returned.pop();
      if (returned !== undefined) this.#inReturned.delete(returned);
      const address = returned ?? this.#count();
      if (address === undefined) return undefined;
      if (!this.#held.has(address) && !this.#reserved.has(address)) return address;
    }
  }

  /** The next address that was never given out. */
  #count(): Ipv4 | undefined {
    const range = this.#ranges[this.#range];
    if (range === undefined) return undefined;
    const address = this.#next;
    if (address < range.last) {
      this.#next = address + 1;
    } else {
      this.#range += 1;
      this.#next = this.#ranges[this.#range]?.first ?? 0;
    }
    return address;
  }

  /** Whether the counter has passed this address: it will not come to it again. */
  #given(address: Ipv4): boolean {
    if (!this.covers(address)) return false;
    return this.#range >= this.#ranges.length || address < this.#next;
  }
}

/** Ascending and without overlap, so that "lowest" and the counter mean the same. */
function mergeRanges(ranges: readonly AddressRange[]): AddressRange[] {
  const merged: AddressRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before !== undefined && range.first <= before.last + 1) {
      merged[merged.length - 1] = {
        first: before.first,
        last: Math.max(before.last, range.last),
      };
    } else {
      merged.push(range);
    }
  }
  return merged;
}

/** @param ranges ascending and without overlap */
function without(
  ranges: readonly AddressRange[],
  kept: readonly AddressRange[],
): readonly AddressRange[] {
  return kept.reduce<readonly AddressRange[]>(
    (left, { first, last }) =>
      left.flatMap((range) =>
        last < range.first || range.last < first
          ? [range]
          : [
              { first: range.first, last: first - 1 },
              { first: last + 1, last: range.last },
            ].filter((part) => part.first <= part.last),
      ),
    ranges,
  );
}
