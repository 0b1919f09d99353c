/**
 * What users and links have moved, by day, by month and in all. Bounded: of accounts the one that has moved nothing for longest
 * makes room, of days and months those that are long over.
 */
import { monthOf } from './calendar.ts';

/** Octets of IP packets inside the tunnel: rx from the other end, tx to it. */
export interface Traffic {
  readonly rx: number;
  readonly tx: number;
}

export type AccountKind = 'user' | 'link';

export interface Account {
  readonly kind: AccountKind;
  readonly name: string;
  total: Traffic;
  /** Of them, what is not known yet on which day it was. */
  undated: Traffic;
  /** Oldest first. */
  readonly days: Map<number, Traffic>;
  readonly months: Map<number, Traffic>;
  /** The first day of the period of which it was told that its quota is used up. */
  told: number | undefined;
}

export const nothing: Traffic = { rx: 0, tx: 0 };

/** Days and months that are kept: enough for any month, and for any period of a quota. */
const DAYS = 62;
const MONTHS = 25;
export const MOST_ACCOUNTS = 1_000;

export function sum(a: Traffic, b: Traffic): Traffic {
  return { rx: a.rx + b.rx, tx: a.tx + b.tx };
}

export function keyOf({ kind, name }: Pick<Account, 'kind' | 'name'>): string {
  return `${kind} ${name}`;
}

export class Book {
  /** Who has moved something last stands last. */
  readonly #accounts = new Map<string, Account>();
  readonly #most: number;

  constructor(accounts: readonly Account[] = [], most = MOST_ACCOUNTS) {
    this.#most = most;
    for (const account of accounts.slice(-most)) this.#accounts.set(keyOf(account), account);
  }

  get(kind: AccountKind, name: string): Account | undefined {
    return this.#accounts.get(keyOf({ kind, name }));
  }

  all(): IterableIterator<Account> {
    return this.#accounts.values();
  }

  /**
   * Makes it the last, too.
   * @param isKept for whom another one must go instead, while there is another
   * @returns and who had to go for it
   */
  open(
    kind: AccountKind,
    name: string,
    isKept: (account: Account) => boolean,
  ): { readonly account: Account; readonly gone: Account | undefined } {
    const key = keyOf({ kind, name });
    const known = this.#accounts.get(key);
    if (known !== undefined) this.#accounts.delete(key);
    const gone = known === undefined ? this.#makeRoom(isKept) : undefined;
    const account = known ?? newAccount(kind, name);
    this.#accounts.set(key, account);
    return { account, gone };
  }

  #makeRoom(isKept: (account: Account) => boolean): Account | undefined {
    if (this.#accounts.size < this.#most) return undefined;
    const all = [...this.#accounts.values()];
    const gone = all.find((account) => !isKept(account)) ?? all[0];
    if (gone !== undefined) this.#accounts.delete(keyOf(gone));
    return gone;
  }
}

export function newAccount(kind: AccountKind, name: string): Account {
  return {
    kind,
    name,
    total: nothing,
    undated: nothing,
    days: new Map(),
    months: new Map(),
    told: undefined,
  };
}

/** @param day undefined: nobody knows yet */
export function enter(account: Account, day: number | undefined, traffic: Traffic): void {
  account.total = sum(account.total, traffic);
  put(account, day, traffic);
}

/** What was entered for one day belongs to another one. */
export function redate(
  account: Account,
  from: number | undefined,
  to: number | undefined,
  traffic: Traffic,
): void {
  put(account, from, { rx: -traffic.rx, tx: -traffic.tx });
  put(account, to, traffic);
}

function put(account: Account, day: number | undefined, traffic: Traffic): void {
  if (day === undefined) account.undated = sum(account.undated, traffic);
  else {
    add(account.days, day, traffic, DAYS);
    add(account.months, monthOf(day), traffic, MONTHS);
  }
}

/** Never less than nothing: what has been forgotten cannot be taken away. */
function add(sums: Map<number, Traffic>, at: number, traffic: Traffic, most: number): void {
  const { rx, tx } = sum(sums.get(at) ?? nothing, traffic);
  if (rx <= 0 && tx <= 0) {
    sums.delete(at);
    return;
  }
  const isLast = sums.has(at) || [...sums.keys()].every((each) => each < at);
  sums.set(at, { rx: Math.max(0, rx), tx: Math.max(0, tx) });
  if (!isLast) sort(sums);
  for (const each of sums.keys()) {
    if (sums.size <= most) break;
    sums.delete(each);
  }
}

function sort(sums: Map<number, Traffic>): void {
  const all = [...sums].sort(([a], [b]) => a - b);
  sums.clear();
  for (const [at, traffic] of all) sums.set(at, traffic);
}
