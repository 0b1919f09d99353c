/**
 * The places of those that have connected and not logged in yet.
 *
 * Places are won by progress and by modesty. When all are taken, the weakest goes, and that may be the newcomer: one of the
 * network (/24), and in it of the address, that has most, where those count too that came to nothing lately; of that
 * address one that is stuck, then one that has come least far, of equals the oldest. Addresses from which somebody has
 * logged in before are spared as long as there are others. What is remembered of addresses is bounded.
 */
import type { Ipv4 } from '../../wire/brand.ts';
import { BoundedMap } from './bounded-map.ts';
import type { Limits } from '../options.ts';

/** How far somebody has come. */
export const Progress = { none: 0, call: 1, gre: 2, lcp: 3, login: 4 } as const;
export type Progress = (typeof Progress)[keyof typeof Progress];

/** Whoever logs in takes less for each step: answers come after a round trip, or repeated after 3 s; ms. */
const PATIENCE = 5_000;
const STUCK = -1;

/** Addresses, and as many networks, of which failures are remembered, and addresses that have logged in. */
const TABLE_SIZE = 4096;
/** What came to nothing counts half after this time, ms, and no more than so often. */
const HALF_LIFE = 60_000;
const MOST_FAILURES = 1_000;

export type HalfOpenLimits = Pick<Limits, 'maxHalfOpen' | 'maxHalfOpenPerSource'>;

export class HalfOpen {
  readonly #places = new Set<Place>(); // the oldest first
  readonly #addresses = new Greed();
  readonly #networks = new Greed();
  readonly #known = new BoundedMap<Ipv4, true>(TABLE_SIZE);

  get size(): number {
    return this.#places.size;
  }

  /** Not carried: #places, for whoever has not logged in connects again. */
  save() {
    return {
      addresses: this.#addresses.save(),
      networks: this.#networks.save(),
      known: this.#known.entries().map(([source]) => source),
    };
  }

  restore({ addresses, networks, known }: ReturnType<HalfOpen['save']>): void {
    this.#addresses.restore(addresses);
    this.#networks.restore(networks);
    for (const source of known) this.#known.set(source, true);
  }

  /**
   * A place for somebody who has connected just now, of which another one may be robbed.
   *
   * @param giveWay the place has gone to another one
   * @returns undefined: there is none for it
   */
  enter(
    source: Ipv4,
    limits: HalfOpenLimits,
    giveWay: (now: number) => void,
    now: number,
  ): Place | undefined {
    const place: Place = new Place(source, giveWay, now, (isProved, at) =>
      this.#leave(place, isProved, at),
    );
    this.#places.add(place);
    this.#addresses.add(source, 1);
    this.#networks.add(networkOf(source), 1);
    if (this.#addresses.count(source) > limits.maxHalfOpenPerSource)
      this.#rob(place, (other) => other.source === source, now);
    while (this.#places.size > limits.maxHalfOpen) this.#rob(place, () => true, now);
    return this.#places.has(place) ? place : undefined;
  }

  #leave(place: Place, isProved: boolean, now: number): void {
    const { source } = place;
    if (!this.#places.delete(place)) throw new Error('a caller left twice');
    this.#addresses.add(source, -1);
    this.#networks.add(networkOf(source), -1);
    if (isProved) {
      this.#known.set(source, true);
      this.#addresses.forgive(source);
    } else {
      this.#addresses.failed(source, now);
      this.#networks.failed(networkOf(source), now);
    }
  }

  /** Takes the place of the weakest among some; the newcomer learns it otherwise. */
  #rob(newcomer: Place, isAmong: (place: Place) => boolean, now: number): void {
    let weakest: Place | undefined;
    for (const place of this.#places)
      if (isAmong(place) && (weakest === undefined || this.#isWeaker(place, weakest, now)))
        weakest = place;
    if (weakest === undefined) return;
    weakest.leave(false, now);
    if (weakest !== newcomer) weakest.giveWay(now);
  }

  /** Whether `a`, which is younger, goes before `b`. */
  #isWeaker(a: Place, b: Place, now: number): boolean {
    const order =
      this.#knows(a) - this.#knows(b) ||
      this.#networks.of(networkOf(b.source), now) - this.#networks.of(networkOf(a.source), now) ||
      this.#addresses.of(b.source, now) - this.#addresses.of(a.source, now) ||
      a.strength(now) - b.strength(now);
    return order < 0;
  }

  #knows({ source }: Place): 0 | 1 {
    return this.#known.get(source) === undefined ? 0 : 1;
  }
}

export class Place {
  readonly source: Ipv4;
  readonly giveWay: (now: number) => void;
  /** Gives it back: somebody has logged in (`isProved`), or it has come to nothing. Once. */
  readonly leave: (isProved: boolean, now: number) => void;
  #progress: Progress = Progress.none;
  #since: number;

  constructor(source: Ipv4, giveWay: Place['giveWay'], now: number, leave: Place['leave']) {
    this.source = source;
    this.giveWay = giveWay;
    this.leave = leave;
    this.#since = now;
  }

  /** Makes who has the place: where that throws, nobody has it. */
  occupy<T>(make: () => T, now: number): T {
    try {
      return make();
    } catch (error) {
      this.leave(false, now);
      throw error;
    }
  }

  advance(progress: Progress, now: number): void {
    if (progress === this.#progress) return;
    this.#progress = progress;
    this.#since = now;
  }

  strength(now: number): number {
    return now - this.#since >= PATIENCE ? STUCK : this.#progress;
  }
}

/** What each address, or each network, has: places now, and what came to nothing lately. */
class Greed {
  readonly #counts = new Map<number, number>();
  readonly #failures = new BoundedMap<number, { readonly count: number; readonly at: number }>(
    TABLE_SIZE,
  );

  /** Not carried: #counts, of places. */
  save() {
    return this.#failures.entries();
  }

  restore(failures: ReturnType<Greed['save']>): void {
    for (const [key, failure] of failures) this.#failures.set(key, failure);
  }

  count(key: number): number {
    return this.#counts.get(key) ?? 0;
  }

  of(key: number, now: number): number {
    return this.count(key) + this.#failed(key, now);
  }

  add(key: number, difference: 1 | -1): void {
    const count = this.count(key) + difference;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
  }

  failed(key: number, now: number): void {
    const count = Math.min(this.#failed(key, now) + 1, MOST_FAILURES);
    this.#failures.set(key, { count, at: now });
  }

  forgive(key: number): void {
    this.#failures.delete(key);
  }

  #failed(key: number, now: number): number {
    const failures = this.#failures.get(key);
    return failures === undefined ? 0 : failures.count * 2 ** ((failures.at - now) / HALF_LIFE);
  }
}

function networkOf(address: Ipv4): number {
  return address >>> 8;
}
