/** What ends an established session by itself: that it is quiet, that its time is over, its account's expiry and hours. */
import { cause, type Cause } from '../../wire/cause.ts';
import { Deadlines } from '../deadlines.ts';
import { IdleWatch } from '../idle-watch.ts';
import type { ServerOptions, User } from '../options.ts';
import type { CallPath } from '../ports.ts';
import type { WallTime } from './accounts.ts';
import { isWithin, toNextMinute } from './hours.ts';

/** The expiry of an account is looked at again after this time at the latest: the wall clock may be set, ms. */
const EXPIRY_CHECK = 3_600_000;

/** ms; 0: never. */
export type SessionTimes = Pick<ServerOptions, 'idleTimeout' | 'sessionTimeout'>;

export type AccountTimes = Pick<User, 'expires' | 'hours'>;
type Limit = 'idle' | 'lifetime' | 'expiry' | 'hours';

export class SessionLimits {
  readonly #path: CallPath;
  readonly #wallTime: () => WallTime;
  #since: number;
  #idle: IdleWatch | undefined;
  readonly #deadlines = new Deadlines<Limit>();
  #account: AccountTimes = { expires: undefined, hours: undefined };

  constructor(times: SessionTimes, path: CallPath, wallTime: () => WallTime, now: number) {
    this.#path = path;
    this.#wallTime = wallTime;
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

  /** Not carried: #path, #wallTime. */
  save() {
    return {
      since: this.#since,
      idle: this.#idle?.save(),
      deadlines: this.#deadlines.save(),
      account: this.#account,
    };
  }

  /** A session that has begun before, with the times that it was made with. */
  restore(saved: ReturnType<SessionLimits['save']>): this {
    this.#since = saved.since;
    if (saved.idle !== undefined) this.#idle?.restore(saved.idle);
    this.#deadlines.clearAll();
    this.#deadlines.restore(saved.deadlines);
    this.#account = saved.account;
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

  /** The account's times from now on. @returns why the session must end now */
  setAccount(account: AccountTimes, now: number): Cause | undefined {
    this.#account = account;
    this.#deadlines.clear('expiry');
    this.#deadlines.clear('hours');
    return this.#checkExpiry(now) ?? this.#checkHours(now);
  }

  #reach(limit: Limit, now: number): Cause | undefined {
    switch (limit) {
      case 'idle':
        if (this.#idle?.look() === true) return cause('IDLE_TIMEOUT');
        if (this.#idle !== undefined) this.#deadlines.set('idle', this.#idle.next(now));
        return undefined;
      case 'lifetime':
        return cause('CONNECT_TIME');
      case 'expiry':
        return this.#checkExpiry(now);
      case 'hours':
        return this.#checkHours(now);
    }
  }

  #checkExpiry(now: number): Cause | undefined {
    const { expires } = this.#account;
    if (expires === undefined) return undefined;
    const left = expires - this.#wallTime().utc;
    if (left < 0) return cause('ACCOUNT_EXPIRED');
    this.#deadlines.set('expiry', now + Math.min(left + 1, EXPIRY_CHECK));
    return undefined;
  }

  /** Each minute, whatever becomes of the clock meanwhile. */
  #checkHours(now: number): Cause | undefined {
    const { hours } = this.#account;
    if (hours === undefined) return undefined;
    const { local } = this.#wallTime();
    if (!isWithin(hours, local)) return cause('OUTSIDE_HOURS', hours.text);
    this.#deadlines.set('hours', now + toNextMinute(local));
    return undefined;
  }
}
