/**
 * What all servers and links of one daemon share: accounts, limits, lock-out, and who is logged in.
 */
import { losesCollision } from '../pptp/collision.ts';
import type { Cause } from '../wire/cause.ts';
import { Accounts } from './server/accounts.ts';
import { HalfOpen } from './server/half-open.ts';
import { Lockout } from './server/lockout.ts';
import type { Limits, User } from './options.ts';

export interface GatewayOptions {
  readonly users: readonly User[];
  readonly limits: Limits;
  /** Cryptographically secure. */
  readonly random: (length: number) => Uint8Array;
  /** ms since 1970 UTC, for the expiry of accounts only. */
  readonly wallClock: () => number;
  /** Input of a peer was tolerated. */
  readonly count: (counter: string) => void;
}

/** Somebody who is logged in, as those see it who must end the session. */
export interface LiveSession {
  readonly id: number;
  readonly username: string;
  readonly address: number;
  /** Where the address comes from. */
  readonly pool: object;
  /** Ends it: its address is free when this returns. */
  end(cause: Cause, now: number): void;
}

/** A link that has sent Start-Control-Connection-Request and waits for the reply (RFC 2637 §3.1.3). */
export interface Attempt {
  readonly peer: number;
  readonly local: number;
  /** The peer's own attempt wins. */
  lose(now: number): void;
}

export class Gateway {
  readonly lockout = new Lockout();
  readonly halfOpen = new HalfOpen();
  readonly random: (length: number) => Uint8Array;
  readonly wallClock: () => number;
  readonly count: (counter: string) => void;
  #accounts: Accounts;
  #users: readonly User[];
  #limits: Limits;
  readonly #sessions = new Map<string, LiveSession[]>();
  #callers = 0;
  #links = 0;
  #lastId = 0;
  readonly #attempts = new Set<Attempt>();
  readonly #standbyNumbers = new Set<number>();

  constructor({ users, limits, random, wallClock, count }: GatewayOptions) {
    this.random = random;
    this.wallClock = wallClock;
    this.count = count;
    this.#users = users;
    this.#accounts = new Accounts(users, random);
    this.#limits = limits;
  }

  get accounts(): Accounts {
    return this.#accounts;
  }

  get users(): readonly User[] {
    return this.#users;
  }

  get limits(): Limits {
    return this.#limits;
  }

  /** New accounts and limits. The `reconfigure` of the servers, called after it, applies them to live sessions. */
  reconfigure(users: readonly User[], limits: Limits): void {
    this.#users = users;
    this.#accounts = new Accounts(users, this.random);
    this.#limits = limits;
  }

  /** Session ids: 1, 2, ... while the daemon runs. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** Sessions and links that hold one of the `limits.maxSessions` places. */
  get occupied(): number {
    return this.#callers + this.#links;
  }

  /** The sessions of a user on all servers, the oldest first. */
  sessionsOf(username: string): readonly LiveSession[] {
    return this.#sessions.get(username) ?? [];
  }

  enter(session: LiveSession): void {
    this.#callers += 1;
    const others = this.#sessions.get(session.username) ?? [];
    this.#sessions.set(session.username, [...others, session]);
  }

  leave(session: LiveSession): void {
    const before = this.sessionsOf(session.username);
    const others = before.filter((other) => other !== session);
    if (others.length === before.length) throw new Error('a session left twice');
    this.#callers -= 1;
    if (others.length === 0) this.#sessions.delete(session.username);
    else this.#sessions.set(session.username, others);
  }

  /** A place for a link; false: all are taken. */
  enterLink(): boolean {
    if (this.occupied >= this.#limits.maxSessions) return false;
    this.#links += 1;
    return true;
  }

  leaveLink(): void {
    if (this.#links === 0) throw new Error('a link left twice');
    this.#links -= 1;
  }

  /** A number for a link that has addresses before it has a session: the smallest that is free. */
  takeStandbyNumber(): number {
    let number = 0;
    while (this.#standbyNumbers.has(number)) number++;
    this.#standbyNumbers.add(number);
    return number;
  }

  leaveStandbyNumber(number: number): void {
    this.#standbyNumbers.delete(number);
  }

  enterAttempt(attempt: Attempt): void {
    this.#attempts.add(attempt);
  }

  leaveAttempt(attempt: Attempt): void {
    this.#attempts.delete(attempt);
  }

  /**
   * The peer's Start-Control-Connection-Request has come. If a link of ours waits for the peer's reply at this moment, one
   * of the two gives way: ours here and now, or the peer (true).
   */
  winsCollision(peer: number, local: number, now: number): boolean {
    let wins = false;
    for (const attempt of [...this.#attempts]) {
      if (attempt.peer !== peer || attempt.local !== local) continue;
      if (losesCollision(local, peer)) attempt.lose(now);
      else wins ||= losesCollision(peer, local);
    }
    return wins;
  }
}
