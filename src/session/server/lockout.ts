/**
 * Guessing passwords is slow and ends in a lock-out, without anybody being able to lock another one out.
 *
 * Failed logins count against the source address, kept apart by user name: a success forgives the source its own
 * failures with that name (a mistyped password), not those with other names (guessing). `after` failures within `time` ban
 * the source. A user name that fails, from wherever, is only answered more slowly: for right and wrong passwords alike.
 * All tables are bounded, the oldest entry goes first.
 */
import type { Ipv4 } from '../../wire/brand.ts';
import { BoundedMap } from './bounded-map.ts';

const TABLE_SIZE = 4096;
/** User names of one source that are counted apart; the failures of further ones count together. */
const NAMES_PER_SOURCE = 64;
const SLOW_WINDOW = 10 * 60_000;
const SLOWEST = 4_000;
const SLOW_STEP = 250;

/** `after` failures ban for `time` ms; after 0: never. */
export interface Ban {
  readonly after: number;
  readonly time: number;
}

interface Failures {
  count: number;
  /** The last failure, or for a source the first one of the running window. */
  at: number;
}

interface SourceFailures {
  readonly byUser: Map<string, number>;
  windowEnd: number;
}

export class Lockout {
  readonly #sources = new BoundedMap<Ipv4, SourceFailures>(TABLE_SIZE);
  readonly #banned = new BoundedMap<Ipv4, number>(TABLE_SIZE);
  readonly #users = new BoundedMap<string, Failures>(TABLE_SIZE);

  save() {
    return {
      sources: this.#sources
        .entries()
        .map(([source, { byUser, windowEnd }]) => ({ source, byUser: [...byUser], windowEnd })),
      banned: this.#banned.entries(),
      users: this.#users.entries(),
    };
  }

  restore({ sources, banned, users }: ReturnType<Lockout['save']>): void {
    for (const { source, byUser, windowEnd } of sources)
      this.#sources.set(source, { byUser: new Map(byUser), windowEnd });
    for (const [source, until] of banned) this.#banned.set(source, until);
    for (const [username, failures] of users) this.#users.set(username, failures);
  }

  isBanned(source: Ipv4, now: number): boolean {
    const until = this.#banned.get(source);
    if (until === undefined) return false;
    if (now < until) return true;
    this.#banned.delete(source);
    return false;
  }

  /** How long the answer to a login with this name waits, ms. Ask before `failed` or `succeeded`. */
  delay(username: string, now: number): number {
    const failures = this.#users.get(username);
    if (failures === undefined || now - failures.at >= SLOW_WINDOW) return 0;
    return Math.min(SLOW_STEP * 2 ** failures.count, SLOWEST);
  }

  failed(source: Ipv4, username: string, ban: Ban, now: number): void {
    this.#countUser(username, now);
    if (ban.after === 0) return;
    let failures = this.#sources.get(source);
    if (failures === undefined || now >= failures.windowEnd) {
      failures = { byUser: new Map(), windowEnd: now + ban.time };
    }
    const { byUser } = failures;
    const key = byUser.has(username) || byUser.size < NAMES_PER_SOURCE ? username : '';
    byUser.set(key, (byUser.get(key) ?? 0) + 1);
    let total = 0;
    for (const count of byUser.values()) total += count;
    if (total < ban.after) {
      this.#sources.set(source, failures);
    } else {
      this.#sources.delete(source);
      this.#banned.set(source, now + ban.time);
    }
  }

  succeeded(source: Ipv4, username: string): void {
    this.#sources.get(source)?.byUser.delete(username);
  }

  #countUser(username: string, now: number): void {
    const before = this.#users.get(username);
    const count = before === undefined || now - before.at >= SLOW_WINDOW ? 0 : before.count;
    this.#users.set(username, { count: Math.min(count + 1, 16), at: now });
  }
}
