/**
 * Guessing passwords is slow and ends in a lock-out, without anybody being able to lock another one out.
 *
 * Failed logins count against the source address, kept apart by user name: a success forgives the source its own
 * failures with that name (a mistyped password), not those with other names (guessing). `after` failures within `time` ban
 * the source. A user name that fails, from wherever, is only answered more slowly: for right and wrong passwords alike.
 * All tables are bounded, the oldest entry goes first. What becomes of a ban is reported; its owner may lift it.
 */
import type { Ipv4 } from '../../wire/brand.ts';
import type { Ban, SessionEvent } from '../ports.ts';
import { BoundedMap } from './bounded-map.ts';

const TABLE_SIZE = 4096;
/** User names of one source that are counted apart; the failures of further ones count together. */
const NAMES_PER_SOURCE = 64;
const SLOW_WINDOW = 10 * 60_000;
const SLOWEST = 4_000;
const SLOW_STEP = 250;

/** `after` failures ban for `time` ms; after 0: never. */
export interface BanRule {
  readonly after: number;
  readonly time: number;
}

/** Whose login has failed: `username` is what failures are counted by. */
export interface FailedLogin {
  readonly server: string;
  readonly source: Ipv4;
  readonly username: string;
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
  readonly #banned = new BoundedMap<Ipv4, Ban>(TABLE_SIZE);
  readonly #users = new BoundedMap<string, Failures>(TABLE_SIZE);
  readonly #report: (event: SessionEvent) => void;

  constructor(report: (event: SessionEvent) => void) {
    this.#report = report;
  }

  /** Not carried: #report. */
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
    const ban = this.#banned.get(source);
    return ban !== undefined && now < ban.until;
  }

  /** Those that hold. */
  bans(now: number): readonly Ban[] {
    return [...this.#banned.values()].filter(({ until }) => now < until);
  }

  /** Bans whose time is over are reported; call it every few seconds. */
  watch(now: number): void {
    for (const ban of [...this.#banned.values()]) if (now >= ban.until) this.#end(ban, 'expired');
  }

  /** The source may try again at once, and as often as anybody. @returns false: it was not banned */
  lift(source: Ipv4, now: number): boolean {
    this.#sources.delete(source);
    const ban = this.#banned.get(source);
    if (ban === undefined) return false;
    this.#users.delete(ban.username);
    this.#end(ban, now < ban.until ? 'lifted' : 'expired');
    return now < ban.until;
  }

  /** All failures are forgotten. @returns how many bans there were */
  liftAll(now: number): number {
    const lifted = [...this.#banned.values()].filter(({ address }) => this.lift(address, now));
    this.#sources.clear();
    this.#users.clear();
    return lifted.length;
  }

  /** How long the answer to a login with this name waits, ms. Ask before `failed` or `succeeded`. */
  delay(username: string, now: number): number {
    const failures = this.#users.get(username);
    if (failures === undefined || now - failures.at >= SLOW_WINDOW) return 0;
    return Math.min(SLOW_STEP * 2 ** failures.count, SLOWEST);
  }

  failed({ server, source, username }: FailedLogin, rule: BanRule, now: number): void {
    this.#countUser(username, now);
    // An authority may answer when others of its calls have had it banned already.
    if (rule.after === 0 || this.isBanned(source, now)) return;
    let failures = this.#sources.get(source);
    if (failures === undefined || now >= failures.windowEnd) {
      failures = { byUser: new Map(), windowEnd: now + rule.time };
    }
    const { byUser } = failures;
    const key = byUser.has(username) || byUser.size < NAMES_PER_SOURCE ? username : '';
    byUser.set(key, (byUser.get(key) ?? 0) + 1);
    let total = 0;
    for (const count of byUser.values()) total += count;
    if (total < rule.after) {
      this.#sources.set(source, failures);
      return;
    }
    this.#sources.delete(source);
    const until = now + rule.time;
    this.#begin({ address: source, server, since: now, until, tries: total, username }, now);
  }

  succeeded(source: Ipv4, username: string): void {
    this.#sources.get(source)?.byUser.delete(username);
  }

  #begin(ban: Ban, now: number): void {
    const before = this.#banned.get(ban.address);
    if (before !== undefined && now >= before.until) this.#end(before, 'expired');
    const displaced = this.#banned.set(ban.address, ban);
    if (displaced !== undefined)
      this.#report({ what: 'unbanned', ban: displaced, why: 'displaced' });
    this.#report({ what: 'banned', ban });
  }

  #end(ban: Ban, why: 'expired' | 'lifted'): void {
    this.#banned.delete(ban.address);
    this.#report({ what: 'unbanned', ban, why });
  }

  #countUser(username: string, now: number): void {
    const before = this.#users.get(username);
    const count = before === undefined || now - before.at >= SLOW_WINDOW ? 0 : before.count;
    this.#users.set(username, { count: Math.min(count + 1, 16), at: now });
  }
}
