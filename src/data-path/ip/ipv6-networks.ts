/**
 * The IPv6 addresses and prefixes that the peer of a link gave: what is ours there. Hot path.
 */
import type { Ipv6Prefix } from '../../wire/ipv6.ts';
import { readI32 } from './inner-packet.ts';
import { maskWord } from './ipv6-routes.ts';

/** int32 of an address. */
const WORDS = 4;
/** More than a DHCPv6 client ever takes; each costs a few comparisons a packet. */
const MOST = 64;

export class Ipv6Networks {
  readonly #count: number;
  /** Four words of each prefix, and of its mask. */
  readonly #words: Int32Array;
  readonly #masks: Int32Array;

  constructor(prefixes: readonly Ipv6Prefix[]) {
    const kept = prefixes.slice(0, MOST);
    this.#count = kept.length;
    this.#masks = Int32Array.from(
      kept.flatMap(({ length }) => [0, 1, 2, 3].map((word) => maskWord(length, word))),
    );
    this.#words = Int32Array.from(
      kept.flatMap(({ address }) => [0, 4, 8, 12].map((at) => readI32(address, at))),
    );
    for (let n = 0; n < this.#words.length; n++) this.#words[n]! &= this.#masks[n]!;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Whether the address at `at` is one of them. */
  has(octets: Uint8Array, at: number): boolean {
    for (let n = 0; n < this.#count; n++) if (this.#matches(n * WORDS, octets, at)) return true;
    return false;
  }

  #matches(prefix: number, octets: Uint8Array, at: number): boolean {
    for (let n = 0; n < WORDS; n++) {
      const masked = readI32(octets, at + 4 * n) & this.#masks[prefix + n]!;
      if (masked !== this.#words[prefix + n]) return false;
    }
    return true;
  }
}
