/** What ends an established session by itself: that it is quiet, that its time is over, the expiry of its account. */
import { cause, type Cause } from '../../wire/cause.ts';
import { Deadlines } from '../deadlines.ts';
import { IdleWatch } from '../idle-watch.ts';
import type { ServerOptions } from '../options.ts';
import type { CallPath } from '../ports.ts';

/** The expiry of an account is looked at again after this time at the latest: the wall clock may be set, ms. */
const EXPIRY_CHECK = 3_600_000;

/** ms; 0: never. */
export type SessionTimes = Pick<ServerOptions, 'idleTimeout' | 'sessionTimeout'>;

export class SessionLimits {
  readonly #path: CallPath;
  readonly #wallClock: () => number;
  #since: number;
  #idle: IdleWatch | undefined;
  readonly #deadlines = new Deadlines<'idle' | 'lifetime' | 'expiry'>();
  #expires: number | undefined;

  constructor(times: SessionTimes, path: CallPath, wallClock: () => number, now: number) {
    this.#path = path;
    this.#wallClock = wallClock;
    this.#since = now;
    this.setTimes(times, now);
  }

  /** Other times from now on; the session's is counted from its start, what is quiet from now. */
  setTimes({ idleTimeout, sessionTimeout }: SessionTimes, now: number): void {
    if (sessionTimeout > 0) this.#deadlines.set('lifetime', this.#since + sessionTimeout);
    else this.#deadlines.clear('lifetime');
    this.#idle = idleTimeout === 0 ? undefined : new IdleWatch(this.#path, idleTimeout);
    if (this.#idle === undefined) this.#deadlines.clear('idle');
    else this.#deadlines.set('idle', this.#idle.next(now));
  }

  /** Not carried: #path, #wallClock. */
  save() {
    return {
      since: this.#since,
      idle: this.#idle?.save(),
      deadlines: this.#deadlines.save(),
      expires: this.#expires,
    };
  }

  /** A session that has begun before, with the times that it was made with. */
  restore(saved: ReturnType<SessionLimits['save']>): this {
    this.#since = saved.since;
    if (saved.idle !== undefined) this.#idle?.restore(saved.idle);
    this.#deadlines.clearAll();
    this.#deadlines.restore(saved.deadlines);
    this.#expires = saved.expires;
    return this;
  }

  nextTimeout(): number | undefined {
    return this.#deadlines.next();
  }

  /** @returns why the session must end now */
  handleTimeout(now: number): Cause | undefined {
    for (let due = this.#deadlines.due(now); due !== undefined; due = this.#deadlines.due(now)) {
      const why = this.#reach(due, now);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  /** @param expires of the account, as User has it. @returns why the session must end now */
  setExpiry(expires: number | undefined, now: number): Cause | undefined {
    this.#expires = expires;
    this.#deadlines.clear('expiry');
    return this.#checkExpiry(now);
  }

  #reach(limit: 'idle' | 'lifetime' | 'expiry', now: number): Cause | undefined {
    switch (limit) {
      case 'idle':
        if (this.#idle?.look() === true) return cause('IDLE_TIMEOUT');
        if (this.#idle !== undefined) this.#deadlines.set('idle', this.#idle.next(now));
        return undefined;
      case 'lifetime':
        return cause('CONNECT_TIME');
      case 'expiry':
        return this.#checkExpiry(now);
    }
  }

  #checkExpiry(now: number): Cause | undefined {
    if (this.#expires === undefined) return undefined;
    const left = this.#expires - this.#wallClock();
    if (left < 0) return cause('ACCOUNT_EXPIRED');
    this.#deadlines.set('expiry', now + Math.min(left + 1, EXPIRY_CHECK));
    return undefined;
  }
}
