/** Prefixes of which none overlaps another: finds out in a few look-ups what a prefix meets among thousands. */
import { toHex } from '../wire/octets.ts';
import type { Ipv6Prefix } from '../wire/ipv6.ts';

const BITS = 128;

export class PrefixSet {
  /** By length: the leading bits of those in the set. */
  readonly #members = new Map<number, Set<bigint>>();
  /** By length: how many members lie within these leading bits. */
  readonly #within = new Map<number, Map<bigint, number>>();
  readonly #shortest: number;

  /** @param shortest length of the shortest prefix that is asked about */
  constructor(shortest: number) {
    this.#shortest = shortest;
  }

  /** @returns false: it overlaps another one, and is not added */
  add(prefix: Ipv6Prefix): boolean {
    if (this.overlaps(prefix)) return false;
    const members = this.#members.get(prefix.length) ?? new Set();
    this.#members.set(prefix.length, members.add(leadingBits(prefix)));
    this.#count(prefix, 1);
    return true;
  }

  delete(prefix: Ipv6Prefix): void {
    const members = this.#members.get(prefix.length);
    if (members?.delete(leadingBits(prefix)) !== true) return;
    if (members.size === 0) this.#members.delete(prefix.length);
    this.#count(prefix, -1);
  }

  overlaps(prefix: Ipv6Prefix): boolean {
    return (
      this.#within.get(prefix.length)?.has(leadingBits(prefix)) === true ||
      this.coveringLength(prefix) !== -1
    );
  }

  /** Of the member that is the prefix or contains it; -1: there is none. */
  coveringLength(prefix: Ipv6Prefix): number {
    const bits = leadingBits(prefix);
    for (const [length, members] of this.#members)
      if (length <= prefix.length && members.has(bits >> BigInt(prefix.length - length)))
        return length;
    return -1;
  }

  #count(prefix: Ipv6Prefix, change: number): void {
    let bits = leadingBits(prefix);
    for (let length = prefix.length - 1; length >= this.#shortest; length--) {
      bits >>= 1n;
      const counts = this.#within.get(length) ?? new Map<bigint, number>();
      this.#within.set(length, counts);
      const count = (counts.get(bits) ?? 0) + change;
      if (count === 0) counts.delete(bits);
      else counts.set(bits, count);
    }
  }
}

function leadingBits({ address, length }: Ipv6Prefix): bigint {
  return BigInt(`0x${toHex(address)}`) >> BigInt(BITS - length);
}
