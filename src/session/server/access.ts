/** Who may log in, on all servers of the daemon together: accounts, lock-out, places before the login, and who is in. */
import type { Ipv4 } from '../../wire/brand.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import type { Allowance } from '../allowance.ts';
import type { Gateway } from '../gateway.ts';
import type { User } from '../options.ts';
import type { SessionEvent } from '../ports.ts';
import { accountFault, Accounts, type WallTime } from './accounts.ts';
import { HalfOpen } from './half-open.ts';
import { Lockout } from './lockout.ts';

export interface AccessOptions {
  readonly users: readonly User[];
  /** For the expiry of accounts and their hours only. */
  readonly wallTime: () => WallTime;
  /** Of a user, by name. */
  readonly allowance: (username: string) => Allowance;
  readonly report: (event: SessionEvent) => void;
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
  readonly lockout: Lockout;
  readonly halfOpen = new HalfOpen();
  readonly wallTime: () => WallTime;
  readonly allowance: (username: string) => Allowance;
  #users: readonly User[];
  #accounts: Accounts;
  readonly #sessions = new Map<string, LiveSession[]>();

  constructor(gateway: Gateway, { users, wallTime, allowance, report }: AccessOptions) {
    this.gateway = gateway;
    this.wallTime = wallTime;
    this.allowance = allowance;
    this.lockout = new Lockout(report);
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

  /** Why this user may not use this server now, whatever its password. @param methods that it has logged in by */
  fault(user: User, server: string, methods: readonly string[]): Cause | undefined {
    return accountFault(user, server, this.wallTime(), methods) ?? this.quotaFault(user);
  }

  quotaFault({ username }: { readonly username: string }): Cause | undefined {
    return this.allowance(username) === 0 ? cause('QUOTA_USED_UP') : undefined;
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
