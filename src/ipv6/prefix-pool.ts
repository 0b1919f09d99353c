/**
 * The IPv6 prefixes that a server gives to its callers: out of each of its own a /64 for a caller itself, and one for the networks
 * behind it that asks for it.
 *
 * A user has the same ones again where they are free, for the place follows from the name. Own ones lie in the lower half of a
 * network, delegated ones in the upper half, so that single /64s do not break all of the large blocks; when a half is full, the
 * other one is used. The first /64 is the server's own.
 */
import { readU32, writeU32 } from '../wire/octets.ts';
import {
  addressInPrefix,
  ipv6PrefixCovers,
  ipv6PrefixOf,
  isSameIpv6Prefix,
  type Ipv6Prefix,
} from '../wire/ipv6.ts';
import { PrefixSet } from './prefix-set.ts';

export interface PrefixPoolOptions {
  /** The server's; none within another, of 64 bits at most. */
  readonly networks: readonly Ipv6Prefix[];
  /** Nobody has them but by `take`: fixed ones of users. */
  readonly reserved: readonly Ipv6Prefix[];
}

/** A session. */
type Holder = number;

type Purpose = 'own' | 'delegated' | 'taken';
interface Claim {
  readonly prefix: Ipv6Prefix;
  readonly purpose: Purpose;
}

export type SavedClaims = readonly Claim[];

const OWN_LENGTH = 64;
/** Nobody is delegated more than this, nor more than a sixteenth of a network. */
const SHORTEST_DELEGATED = 56;
const SHARE_BITS = 4;
/** Who does not say what it wants: sixteen networks. */
const USUAL_DELEGATED = 60;
/** Of a network as many places are used, 2^n: more than any machine has callers. */
const MOST_PLACE_BITS = 20;
/** So many claims a session has at most; of networks that have been replaced the oldest go. */
const MOST_CLAIMS = 32;

export class PrefixPool {
  #networks: readonly Ipv6Prefix[] = [];
  #reserved = new PrefixSet(0);
  readonly #held = new PrefixSet(0);
  readonly #claims = new Map<Holder, Claim[]>();

  constructor(options: PrefixPoolOptions) {
    this.reconfigure(options);
  }

  /** Other networks from now on. What sessions hold they keep until they end, and have it again if its network comes back. */
  reconfigure({ networks, reserved }: PrefixPoolOptions): void {
    this.#networks = networks;
    this.#reserved = new PrefixSet(0);
    for (const { address } of networks) this.#reserved.add({ address, length: OWN_LENGTH });
    for (const prefix of reserved) this.#reserved.add(prefix);
  }

  /** A /64 out of each network that has one left. */
  own(holder: Holder, user: string): readonly Ipv6Prefix[] {
    return this.#outOfEach(holder, 'own', user, [OWN_LENGTH]);
  }

  /** One of `length` bits (0: of any) out of each network, or of the nearest that there is. What the holder has it keeps, whatever the length. */
  delegate(holder: Holder, user: string, length: number): readonly Ipv6Prefix[] {
    return this.#outOfEach(holder, 'delegated', user, lengthsFrom(length));
  }

  /**
   * The address with this interface identifier in the first /64 of each network, which all callers share; none where another one has
   * it.
   */
  shared(holder: Holder, identifier: Uint8Array): readonly Ipv6Prefix[] {
    return this.#networks
      .map((network) => ({ address: addressInPrefix(network, identifier), length: 128 }))
      .filter((address) => this.take(holder, address));
  }

  /** Holds exactly this one. False: another session has it, or a part of it. */
  take(holder: Holder, prefix: Ipv6Prefix): boolean {
    const has = this.#claims.get(holder)?.some((claim) => isSameIpv6Prefix(claim.prefix, prefix));
    return has === true || this.#claim(holder, { prefix, purpose: 'taken' });
  }

  /** What a session holds. Not carried: the pool itself, #networks, #reserved, #held and #claims, of which this is a part. */
  save(holder: Holder): SavedClaims {
    return this.#claims.get(holder) ?? [];
  }

  /** What a session held with the program before; what another one has by now it does not get. */
  restore(holder: Holder, claims: SavedClaims): void {
    for (const claim of claims) this.#claim(holder, claim);
  }

  /** Gives back all that a session holds. */
  release(holder: Holder): void {
    for (const { prefix } of this.#claims.get(holder) ?? []) this.#held.delete(prefix);
    this.#claims.delete(holder);
  }

  #outOfEach(
    holder: Holder,
    purpose: Purpose,
    user: string,
    lengths: readonly number[],
  ): readonly Ipv6Prefix[] {
    return this.#networks.flatMap((network) => {
      const had = this.#claims
        .get(holder)
        ?.find((claim) => claim.purpose === purpose && ipv6PrefixCovers(network, claim.prefix));
      const prefix = had?.prefix ?? this.#find(network, purpose, user, lengths);
      if (prefix === undefined) return [];
      if (had === undefined) this.#claim(holder, { prefix, purpose });
      return [prefix];
    });
  }

  #claim(holder: Holder, claim: Claim): boolean {
    if (!this.#held.add(claim.prefix)) return false;
    const claims = this.#claims.get(holder) ?? [];
    this.#claims.set(holder, claims);
    claims.push(claim);
    if (claims.length > MOST_CLAIMS) this.#held.delete(claims.shift()!.prefix);
    return true;
  }

  #find(
    network: Ipv6Prefix,
    purpose: Purpose,
    user: string,
    lengths: readonly number[],
  ): Ipv6Prefix | undefined {
    for (const length of lengths) {
      const bits = length - network.length;
      const least = purpose === 'own' || length === OWN_LENGTH ? 0 : SHARE_BITS;
      if (bits < least) continue;
      const places = 2 ** Math.min(bits, MOST_PLACE_BITS);
      const half = Math.max(1, places / 2);
      const halves = [
        { from: 0, size: half },
        { from: half, size: places - half },
      ];
      if (purpose === 'delegated') halves.reverse();
      for (const { from, size } of halves) {
        const found = this.#free(network, length, from, size, hash(user));
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  /** The first free place from `start` on, round the places from..from+size-1. */
  #free(
    network: Ipv6Prefix,
    length: number,
    from: number,
    size: number,
    start: number,
  ): Ipv6Prefix | undefined {
    for (let n = 0; n < size;) {
      const place = from + ((start + n) % size);
      const prefix = placeIn(network, length, place);
      const taken = [this.#held, this.#reserved].filter((set) => set.overlaps(prefix));
      if (taken.length === 0) return prefix;
      // All of a block that somebody has is passed over at once.
      const covering = Math.max(...taken.map((set) => set.coveringLength(prefix)));
      const block = covering === -1 ? 1 : 2 ** (length - covering);
      n += block - (place % block);
    }
    return undefined;
  }
}

/** The one asked for, then longer ones. 0: any will do (RFC 8168 §3.1). */
function lengthsFrom(length: number): readonly number[] {
  const wanted = length === 0 ? USUAL_DELEGATED : length;
  const first = Math.min(OWN_LENGTH, Math.max(SHORTEST_DELEGATED, wanted));
  return Array.from({ length: OWN_LENGTH - first + 1 }, (_, n) => first + n);
}

function placeIn(network: Ipv6Prefix, length: number, place: number): Ipv6Prefix {
  const { address } = ipv6PrefixOf(network.address, network.length);
  writeU32(address, 4, readU32(address, 4) | (place << (OWN_LENGTH - length)));
  return { address, length };
}

/** FNV-1a */
function hash(user: string): number {
  let value = 0x811c9dc5;
  for (let n = 0; n < user.length; n++) value = Math.imul(value ^ user.charCodeAt(n), 0x01000193);
  return value >>> 0;
}
