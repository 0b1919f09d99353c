/**
 * Usage: what users and links move, counted from their sessions, kept over the death of the daemon, and held against quotas.
 *
 * While there are sessions their counters are read every ten seconds, and when a day ends. What is new is written down within 40 s
 * where writing costs nothing, so that a kill loses less than a minute; where it wears flash, every six hours and at the end.
 * Whose quota is used up is told once in its period, and whose allowance changes each time.
 */
import type { Quota } from '../session/options.ts';
import type { SessionStatus } from '../session/ports.ts';
import {
  Book,
  enter,
  keyOf,
  nothing,
  type Account,
  type AccountKind,
  type Traffic,
} from './book.ts';
import type { Zone } from './calendar.ts';
import { Dates } from './dates.ts';
import { periodOf, usedOf, type Period } from './quota.ts';
import { accountLine, usageText, type Saved } from './usage-text.ts';

export interface UsagePorts {
  /** ms since 1970 */
  readonly wallClock: () => number;
  readonly zone: Zone;
  /** Those that go on. */
  readonly sessions: () => readonly CountedSession[];
  /** Of the configuration. */
  readonly quota: (kind: AccountKind, name: string) => Quota | undefined;
  /** The account that had to go, of somebody who has moved nothing for long, for there are too many. */
  readonly forgotten: (account: Account) => void;
}

export type CountedSession = Pick<SessionStatus, 'id' | 'kind' | 'name' | 'username'> & {
  readonly counters: Pick<SessionStatus['counters'], 'rxOctets' | 'txOctets'>;
};

export type UsageOutput =
  /** The book is to be kept: where a kill leaves it alone, and if `isLasting` also where a power failure does. */
  | { readonly kind: 'keep'; readonly text: string; readonly isLasting: boolean }
  | { readonly kind: 'event'; readonly event: QuotaEvent }
  /** `allowance` answers something else from now on. */
  | { readonly kind: 'allowance'; readonly of: AccountKind; readonly name: string };

/** A quota is used up. Told once in a period. */
export type QuotaEvent = QuotaState & {
  readonly what: 'quota';
  readonly of: AccountKind;
  readonly name: string;
};

export interface QuotaState {
  readonly quota: Quota;
  readonly period: Period;
  /** Octets. */
  readonly used: number;
}

interface Reading {
  readonly traffic: Traffic;
  readonly at: number;
}

const LOOK = 10_000;
/** While a quota is used up: whether it is still so, though there are no sessions. */
const LOOK_AGAIN = 60_000;
const KEEP = 40_000;
const KEEP_LASTING = 6 * 3_600_000;

export class Usage {
  readonly #ports: UsagePorts;
  readonly #book: Book;
  readonly #dates: Dates;
  /** What was read of each session that goes on. */
  readonly #read = new Map<number, Reading>();
  /** Whose allowance is not all. */
  readonly #short = new Map<string, Pick<Account, 'kind' | 'name'> & { allowance: number }>();
  /** Of accounts that have not changed since. */
  readonly #lines = new Map<Account, string>();
  readonly #outputs: UsageOutput[] = [];
  #serial: number;
  #lookAt: number | undefined;
  #keepAt: number | undefined;
  #keepLastingAt: number | undefined;

  /** @param saved of an earlier daemon @param isLasting it stands there where a power failure leaves it */
  constructor(ports: UsagePorts, saved: Saved | undefined, isLasting: boolean, now: number) {
    this.#ports = ports;
    this.#book = new Book(saved?.accounts);
    this.#serial = saved?.serial ?? 0;
    this.#dates = new Dates(ports.zone, saved?.seen ?? 0, ports.wallClock(), now);
    if (!isLasting) this.#keepLastingAt = now + KEEP_LASTING;
    this.#lookAtClock(now);
  }

  get today(): number {
    return this.#dates.today;
  }

  /** False: the clock is not set, as far as can be told. */
  get isClockSet(): boolean {
    return this.#dates.isBelieved;
  }

  /** Who has moved something last stands last. Look first. */
  accounts(): IterableIterator<Account> {
    return this.#book.all();
  }

  account(kind: AccountKind, name: string): Account | undefined {
    return this.#book.get(kind, name);
  }

  /** undefined: there is none. */
  quotaState(kind: AccountKind, name: string): QuotaState | undefined {
    const quota = this.#ports.quota(kind, name);
    if (quota === undefined) return undefined;
    const period = periodOf(quota, this.today);
    const account = this.#book.get(kind, name);
    return { quota, period, used: account === undefined ? 0 : usedOf(account, period) };
  }

  /** kbit/s that its quota leaves: Infinity: all there are, 0: nothing. */
  allowance(kind: AccountKind, name: string): number {
    const state = this.quotaState(kind, name);
    if (state === undefined || state.used < state.quota.octets) return Infinity;
    const { action } = state.quota;
    return action.kind === 'deny' ? 0 : action.kind === 'slow' ? action.rate : Infinity;
  }

  /** It is up, or something else about it is known. */
  handleSession(session: CountedSession, now: number): void {
    this.#lookAtClock(now);
    this.#count(session, now);
    this.#schedule(now);
  }

  /** Its last counters. */
  handleEnd(session: CountedSession, now: number): void {
    this.#lookAtClock(now);
    this.#count(session, now);
    this.#read.delete(session.id);
    this.#schedule(now);
  }

  /** Quotas may be others. */
  handleQuotas(now: number): void {
    this.handleLook(now);
    for (const account of [...this.#book.all(), ...this.#short.values()]) this.#hold(account);
    this.#schedule(now);
  }

  /**
   * What is counted already of each session, and the book is to be kept: another program goes on.
   * Not carried: #ports; #book, #dates and #serial, which the book that is kept has; #short, #lines, #outputs, #lookAt, #keepAt and
   * #keepLastingAt, which follow.
   */
  handOver(now: number) {
    this.handleLook(now);
    this.#keep(false);
    return [...this.#read];
  }

  /** Sessions of the program before. */
  takeOver(read: ReturnType<Usage['handOver']>, now: number): void {
    for (const [id, reading] of read) this.#read.set(id, reading);
    this.#schedule(now);
  }

  /** Somebody wants to know how it is now. */
  handleLook(now: number): void {
    this.#lookAtClock(now);
    for (const session of this.#ports.sessions()) this.#count(session, now);
    this.#schedule(now);
  }

  /** It is to be kept at once, and lastingly: the system may be about to go. */
  handleKeep(now: number): void {
    this.handleLook(now);
    if (this.#keepLastingAt !== undefined) this.#keep(true);
  }

  nextTimeout(): number | undefined {
    const all = [this.#lookAt, this.#keepAt, this.#keepLastingAt].filter((at) => at !== undefined);
    return all.length === 0 ? undefined : Math.min(...all);
  }

  handleTimeout(now: number): void {
    if (isDue(this.#lookAt, now)) {
      this.handleLook(now);
      for (const short of [...this.#short.values()]) this.#hold(short);
      this.#schedule(now);
    }
    const isLasting = isDue(this.#keepLastingAt, now);
    if (isLasting || isDue(this.#keepAt, now)) this.#keep(isLasting);
  }

  poll(): UsageOutput | undefined {
    return this.#outputs.shift();
  }

  #lookAtClock(now: number): void {
    const { wallClock } = this.#ports;
    if (this.#dates.look(wallClock(), now, () => this.#book.all())) {
      this.#lines.clear();
      this.#changed(now);
    }
  }

  #count({ id, kind, name, username, counters }: CountedSession, now: number): void {
    const read = { rx: counters.rxOctets, tx: counters.txOctets };
    const before = this.#read.get(id) ?? { traffic: nothing, at: now };
    const rx = Math.max(0, read.rx - before.traffic.rx);
    const tx = Math.max(0, read.tx - before.traffic.tx);
    this.#read.set(id, { traffic: read, at: now });
    if (rx + tx === 0) return;
    const { account, gone } =
      kind === 'caller' ? this.#open('user', username) : this.#open('link', name);
    if (gone !== undefined) this.#ports.forgotten(gone);
    // Half of it before the middle, as far as is known: at midnight it is the last day's.
    const day = this.#dates.note(account, { rx, tx }, (before.at + now) / 2);
    enter(account, day, { rx, tx });
    this.#lines.delete(account);
    this.#changed(now);
    this.#hold(account);
  }

  /** Who has a quota stays. */
  #open(kind: AccountKind, name: string): ReturnType<Book['open']> {
    const { quota } = this.#ports;
    return this.#book.open(kind, name, (other) => quota(other.kind, other.name) !== undefined);
  }

  #hold({ kind, name }: Pick<Account, 'kind' | 'name'>): void {
    const key = keyOf({ kind, name });
    const account = this.#book.get(kind, name);
    const state = this.quotaState(kind, name);
    const isUsedUp = state !== undefined && state.used >= state.quota.octets;
    const first = isUsedUp ? state.period.first : undefined;
    if (account !== undefined && account.told !== first) {
      account.told = first;
      this.#lines.delete(account);
      if (isUsedUp)
        this.#outputs.push({ kind: 'event', event: { what: 'quota', of: kind, name, ...state } });
    }
    const allowance = this.allowance(kind, name);
    if (allowance === (this.#short.get(key)?.allowance ?? Infinity)) return;
    if (allowance === Infinity) this.#short.delete(key);
    else this.#short.set(key, { kind, name, allowance });
    this.#outputs.push({ kind: 'allowance', of: kind, name });
  }

  #changed(now: number): void {
    this.#keepAt ??= now + KEEP;
    this.#keepLastingAt ??= now + KEEP_LASTING;
  }

  #keep(isLasting: boolean): void {
    const lines = [...this.#book.all()].map((account) => {
      const line = this.#lines.get(account) ?? accountLine(account);
      this.#lines.set(account, line);
      return line;
    });
    const text = usageText({ serial: ++this.#serial, seen: this.#dates.seen }, lines);
    this.#outputs.push({ kind: 'keep', text, isLasting });
    this.#keepAt = undefined;
    if (isLasting) this.#keepLastingAt = undefined;
  }

  #schedule(now: number): void {
    const next =
      this.#read.size > 0
        ? Math.min(now + LOOK, this.#dates.midnight)
        : this.#short.size > 0
          ? now + LOOK_AGAIN
          : undefined;
    const isPast = this.#lookAt === undefined || this.#lookAt <= now;
    if (isPast || (next !== undefined && next < this.#lookAt!)) this.#lookAt = next;
  }
}

function isDue(at: number | undefined, now: number): boolean {
  return at !== undefined && now >= at;
}
