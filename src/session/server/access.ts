/** Who may log in, on all servers of the daemon together: accounts, lock-out, places before the login, and who is in. */
import type { Ipv4 } from '../../wire/brand.ts';
import type { Cause } from '../../wire/cause.ts';
import type { Gateway } from '../gateway.ts';
import type { User } from '../options.ts';
import { Accounts } from './accounts.ts';
import { HalfOpen } from './half-open.ts';
import { Lockout } from './lockout.ts';

export interface AccessOptions {
  readonly users: readonly User[];
  /** ms since 1970 UTC, for the expiry of accounts only. */
  readonly wallClock: () => number;
}

/** Somebody who is logged in, as those see it who must end the session. */
export interface LiveSession {
  readonly id: number;
  readonly username: string;
  readonly address: Ipv4;
  /** Where the address comes from. */
  readonly pool: object;
  /** Ends it: its address is free when this returns. */
  end(cause: Cause, now: number): void;
}

export class Access {
  readonly gateway: Gateway;
  readonly lockout = new Lockout();
  readonly halfOpen = new HalfOpen();
  readonly wallClock: () => number;
  #users: readonly User[];
  #accounts: Accounts;
  readonly #sessions = new Map<string, LiveSession[]>();

  constructor(gateway: Gateway, { users, wallClock }: AccessOptions) {
    this.gateway = gateway;
    this.wallClock = wallClock;
    this.#users = users;
    this.#accounts = new Accounts(users, gateway.random);
  }

  /** Not carried: gateway, wallClock; #users and #accounts, which are of the options; #sessions, which enter anew. */
  save() {
    return { lockout: this.lockout.save(), halfOpen: this.halfOpen.save() };
  }

  restore({ lockout, halfOpen }: ReturnType<Access['save']>): void {
    this.lockout.restore(lockout);
    this.halfOpen.restore(halfOpen);
  }

  get accounts(): Accounts {
    return this.#accounts;
  }

  get users(): readonly User[] {
    return this.#users;
  }

  /** New accounts. The `reconfigure` of the servers, called after it, applies them to live sessions. */
  reconfigure(users: readonly User[]): void {
    this.#users = users;
    this.#accounts = new Accounts(users, this.gateway.random);
  }

  /** The sessions of a user on all servers, the oldest first. */
  sessionsOf(username: string): readonly LiveSession[] {
    return this.#sessions.get(username) ?? [];
  }

  /** Somebody is in, and has a place. @returns lets it out, once */
  enter(session: LiveSession): () => void {
    const { username } = session;
    const leavePlace = this.gateway.occupy();
    this.#sessions.set(username, [...this.sessionsOf(username), session]);
    return () => {
      leavePlace();
      const others = this.sessionsOf(username).filter((other) => other !== session);
      if (others.length === 0) this.#sessions.delete(username);
      else this.#sessions.set(username, others);
    };
  }
}
