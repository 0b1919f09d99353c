/**
 * Router advertisements to one caller: RFC 4861 §6.2, with the options of RFC 8106 and RFC 4191. On change the old is told with a
 * preferred lifetime of zero and what is left of its valid one, so that connections with old addresses end by themselves.
 */
import type { NeighborMessage, NeighborOption } from '../wire/icmpv6.ts';
import { neighborOptionLength, PrefixFlags, RouterFlags } from '../wire/icmpv6.ts';
import {
  ALL_NODES,
  isSameIpv6Address,
  isSameIpv6Prefix,
  UNSPECIFIED,
  type Ipv6Prefix,
} from '../wire/ipv6.ts';
import { Fading } from './fading.ts';
import { PREFERRED_LIFETIME, VALID_LIFETIME, type CallerIpv6Options } from './options.ts';
import { TokenBucket } from './token-bucket.ts';

/** RFC 4861 §6.2.1: MaxRtrAdvInterval and MinRtrAdvInterval, ms. */
const LONGEST_INTERVAL = 600_000;
const SHORTEST_INTERVAL = 200_000;
/** RFC 4861 §10, ms. */
const INITIAL_INTERVAL = 16_000;
const INITIAL_ADVERTISEMENTS = 3;
const LEAST_DELAY = 3_000;
const ANSWER_DELAY = 500;
/** AdvDefaultLifetime and what RFC 8106 §5.1 recommends: three of the longest intervals, seconds. */
const ROUTER_LIFETIME = 1_800;
/** Answers to one who asks: a host asks three times in 8 s (RFC 4861 §6.3.7). */
const ANSWER_BURST = 4;
const ANSWER_INTERVAL = 4_000;
const CUR_HOP_LIMIT = 64;
/** Octets of IPv6 header and advertisement before the options. */
const OVERHEAD = 40 + 16;

export interface Advertisement {
  readonly message: NeighborMessage;
  readonly destination: Uint8Array;
}

export class RouterAdvertiser {
  readonly #random: (length: number) => Uint8Array;
  readonly #answers = new TokenBucket(ANSWER_BURST, ANSWER_INTERVAL);
  readonly #prefixes: Fading<Ipv6Prefix>;
  readonly #routes: Fading<Ipv6Prefix>;
  readonly #dns: Fading<Uint8Array>;
  readonly #domains: Fading<string>;
  #options: CallerIpv6Options;
  /** Of the first ones, which come sooner, so many are left. */
  #initial = 0;
  /** To everybody on the link, which is the caller. */
  #next: number | undefined;
  #last: number | undefined;
  #answer: { readonly at: number; readonly destination: Uint8Array } | undefined;

  constructor(options: CallerIpv6Options, random: (length: number) => Uint8Array) {
    this.#options = options;
    this.#random = random;
    this.#prefixes = new Fading(options.prefixes, isSameIpv6Prefix);
    this.#routes = new Fading(options.networks, isSameIpv6Prefix);
    this.#dns = new Fading(options.dns, isSameIpv6Address);
    this.#domains = new Fading(options.domains, (a, b) => a === b);
  }

  /** Not carried: #random and #options, which are given anew. */
  save() {
    return {
      answers: this.#answers.save(),
      prefixes: this.#prefixes.save(),
      routes: this.#routes.save(),
      dns: this.#dns.save(),
      domains: this.#domains.save(),
      initial: this.#initial,
      next: this.#next,
      last: this.#last,
      answer: this.#answer,
    };
  }

  restore(saved: ReturnType<RouterAdvertiser['save']>): void {
    this.#answers.restore(saved.answers);
    this.#prefixes.restore(saved.prefixes);
    this.#routes.restore(saved.routes);
    this.#dns.restore(saved.dns);
    this.#domains.restore(saved.domains);
    this.#initial = saved.initial;
    this.#next = saved.next;
    this.#last = saved.last;
    this.#answer = saved.answer;
  }

  start(now: number): void {
    this.#initial = INITIAL_ADVERTISEMENTS;
    this.#next = now;
  }

  /** @returns prefixes that the caller has no longer */
  change(options: CallerIpv6Options, now: number): readonly Ipv6Prefix[] {
    this.#options = options;
    this.#routes.change(options.networks, now);
    this.#dns.change(options.dns, now);
    this.#domains.change(options.domains, now);
    this.#initial = INITIAL_ADVERTISEMENTS;
    this.#next = Math.max(now, this.#earliest);
    return this.#prefixes.change(options.prefixes, now);
  }

  /** A router solicitation. RFC 4861 §6.2.6. @returns false: too many of them */
  solicited(source: Uint8Array, now: number): boolean {
    const at = now + this.#below(ANSWER_DELAY);
    if (isSameIpv6Address(source, UNSPECIFIED)) {
      this.#next = Math.min(this.#next ?? Infinity, Math.max(at, this.#earliest));
      return true;
    }
    // One answer is enough for all who ask meanwhile.
    if (this.#answer !== undefined) return true;
    if (!this.#answers.take(now)) return false;
    this.#answer = { at, destination: source };
    return true;
  }

  nextTimeout(): number | undefined {
    const all = [
      this.#next,
      this.#answer?.at,
      this.#prefixes.nextTimeout(),
      this.#routes.nextTimeout(),
      this.#dns.nextTimeout(),
      this.#domains.nextTimeout(),
    ].filter((at) => at !== undefined);
    return all.length === 0 ? undefined : Math.min(...all);
  }

  /** @returns prefixes that the caller has no longer */
  expire(now: number): readonly Ipv6Prefix[] {
    this.#routes.expire(now);
    this.#dns.expire(now);
    this.#domains.expire(now);
    return this.#prefixes.expire(now);
  }

  /** What is to be sent now. */
  due(now: number): readonly Advertisement[] {
    const destinations: Uint8Array[] = [];
    if (this.#answer !== undefined && now >= this.#answer.at) {
      destinations.push(this.#answer.destination);
      this.#answer = undefined;
    }
    if (this.#next !== undefined && now >= this.#next) {
      destinations.push(ALL_NODES);
      this.#schedule(now);
    }
    return destinations.map((destination) => ({ destination, message: this.#advertise(now) }));
  }

  /** RFC 4861 §6.2.4 */
  #schedule(now: number): void {
    this.#initial = Math.max(0, this.#initial - 1);
    const usual = SHORTEST_INTERVAL + this.#below(LONGEST_INTERVAL - SHORTEST_INTERVAL);
    this.#last = now;
    this.#next = now + (this.#initial > 0 ? INITIAL_INTERVAL : usual);
  }

  /** When the next one to everybody may be sent: RFC 4861 §6.2.6. */
  get #earliest(): number {
    return (this.#last ?? -LEAST_DELAY) + LEAST_DELAY;
  }

  #below(most: number): number {
    const [high = 0, low = 0] = this.#random(2);
    return Math.floor((((high << 8) | low) * most) / 0x10000);
  }

  #advertise(now: number): NeighborMessage {
    const { mode, isDefault, prefixes, mtu } = this.#options;
    // RFC 7084 G-3, ULA-3: without global addresses nobody can reach the rest of the world.
    const leadsOut = isDefault && prefixes.some(({ address }) => !isUniqueLocal(address));
    const options: NeighborOption[] = [];
    let room = mtu - OVERHEAD;
    for (const option of this.#tell(now)) {
      const length = neighborOptionLength(option);
      if (length > room) continue;
      room -= length;
      options.push(option);
    }
    return {
      name: 'router-advertisement',
      hopLimit: CUR_HOP_LIMIT,
      flags: RouterFlags.Other | (mode === 'shared' ? RouterFlags.Managed : 0),
      lifetime: leadsOut ? ROUTER_LIFETIME : 0,
      reachableTime: 0,
      retransmitTimer: 0,
      options,
    };
  }

  /** The most important first, for those that do not fit are left out. */
  #tell(now: number): readonly NeighborOption[] {
    const routerUntil = now + 1000 * ROUTER_LIFETIME;
    this.#prefixes.told(now + 1000 * VALID_LIFETIME);
    this.#routes.told(routerUntil);
    this.#dns.told(routerUntil);
    this.#domains.told(routerUntil);
    return [
      ...this.#prefixes.current.map((prefix) =>
        prefixOption(prefix, PREFERRED_LIFETIME, VALID_LIFETIME),
      ),
      ...this.#prefixes.faded.map(({ item, until }) =>
        prefixOption(item, 0, Math.ceil((until - now) / 1000)),
      ),
      { name: 'mtu', value: { mtu: this.#options.mtu } },
      ...serversOption(this.#dns.current, ROUTER_LIFETIME),
      ...this.#routes.current.map((prefix) => routeOption(prefix, ROUTER_LIFETIME)),
      ...searchOption(this.#domains.current, ROUTER_LIFETIME),
      ...serversOption(itemsOf(this.#dns), 0),
      ...itemsOf(this.#routes).map((prefix) => routeOption(prefix, 0)),
      ...searchOption(itemsOf(this.#domains), 0),
    ];
  }
}

function itemsOf<T>({ faded }: Fading<T>): readonly T[] {
  return faded.map(({ item }) => item);
}

/** Not on-link: other callers are reached through us. */
function prefixOption(
  { address, length }: Ipv6Prefix,
  preferredLifetime: number,
  validLifetime: number,
): NeighborOption {
  const flags = PrefixFlags.Autonomous;
  return { name: 'prefix', value: { length, flags, validLifetime, preferredLifetime, address } };
}

function routeOption({ address, length }: Ipv6Prefix, lifetime: number): NeighborOption {
  return { name: 'route', value: { length, flags: 0, lifetime, address } };
}

function serversOption(
  addresses: readonly Uint8Array[],
  lifetime: number,
): readonly NeighborOption[] {
  return addresses.length === 0 ? [] : [{ name: 'name-servers', value: { lifetime, addresses } }];
}

function searchOption(names: readonly string[], lifetime: number): readonly NeighborOption[] {
  return names.length === 0 ? [] : [{ name: 'search-list', value: { lifetime, names } }];
}

/** fc00::/7: RFC 4193 §3.1 */
function isUniqueLocal(address: Uint8Array): boolean {
  return (address[0]! & 0xfe) === 0xfc;
}
