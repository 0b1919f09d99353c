/**
 * One call of a caller: from the request over login and addresses to the session, and its end.
 *
 * Until the login is right it holds a call path and nothing else: no address, no place, no record. The peer gets one
 * attempt, and one and the same answer to whatever speaks against it, unless its password was right (refusals.ts).
 */
import { cause as because, type Cause } from '../../wire/cause.ts';
import { formatPrefix, prefixContains } from '../../wire/ip.ts';
import type { Claims } from '../claims.ts';
import { Deadlines, earliest } from '../deadlines.ts';
import { Progress } from './half-open.ts';
import { IdleWatch } from '../idle-watch.ts';
import { judgeLogin, type Judgement } from './login.ts';
import type { User } from '../options.ts';
import { OWN_NAME } from '../own-name.ts';
import {
  SERVER_INTERFACE_IDENTIFIER,
  type CallPath,
  type SessionOutput,
  type SessionStatus,
} from '../ports.ts';
import type { Admission, Reception } from './reception.ts';
import { refusalOf } from './refusals.ts';
import { Session, type SessionStage } from '../session.ts';

/** The expiry of an account is looked at again after this time at the latest: the wall clock may be set, ms. */
const EXPIRY_CHECK = 3_600_000;

type LoginAttempt = Extract<SessionStage, { kind: 'login' }>['attempt'];

type Stage =
  /** Accepted; the call is not up yet. */
  | { readonly name: 'accepted' }
  /** The peer has not tried to log in. */
  | { readonly name: 'unproven' }
  /** The answer to the login is held back. */
  | {
      readonly name: 'judged';
      readonly attempt: LoginAttempt;
      readonly verdict: Judgement['verdict'];
    }
  | { readonly name: 'admitted'; readonly user: User; readonly admission: Admission }
  /** The login was refused; PPP says so and ends. */
  | { readonly name: 'refused' }
  | { readonly name: 'over' };

/** What a call tells its caller. */
export interface CallOwner {
  readonly peer: number;
  readonly claims: Claims;
  output(output: SessionOutput): void;
  /** It gets on with its login. */
  advanced(progress: Progress, now: number): void;
  /** The first login on this call was right. */
  admitted(now: number): void;
  /** Nothing uses the path any more: it is freed, and the control connection clears the call. */
  finished(call: CallerCall, cause: Cause, now: number): void;
  /** Does what somebody else wants, outside the caller's own verbs. */
  outside(act: () => void, now: number): void;
}

export class CallerCall {
  readonly path: CallPath;
  readonly #reception: Reception;
  readonly #owner: CallOwner;
  readonly #deadlines = new Deadlines<
    'login' | 'answer' | 'tunnel' | 'idle' | 'lifetime' | 'expiry'
  >();
  #session: Session | undefined;
  #progress: Stage = { name: 'accepted' };
  /** What must be given back. */
  #held: Admission | undefined;
  #giveBack: () => void = () => undefined;
  #established = false;
  #idle: IdleWatch | undefined;

  constructor(reception: Reception, owner: CallOwner, path: CallPath, now: number) {
    this.#reception = reception;
    this.#owner = owner;
    this.path = path;
    this.#deadlines.set('login', now + reception.gateway.limits.loginTimeout);
  }

  /** Who is logged in on this call. */
  get user(): User | undefined {
    return this.#progress.name === 'admitted' ? this.#progress.user : undefined;
  }

  /** Number and address of the session; undefined before the login and after the end. */
  get id(): number | undefined {
    return this.#held?.identity.id;
  }

  get address(): number | undefined {
    return this.#held?.grant.peerAddress;
  }

  /** A reload changed the account in what does not matter to this session, but for its expiry. */
  renew(user: User, now: number): void {
    if (this.#progress.name !== 'admitted') return;
    this.#progress = { ...this.#progress, user };
    if (!this.#established) return;
    this.#deadlines.clear('expiry');
    this.#checkExpiry(now);
  }

  /** The login method, "none" before. */
  get auth(): string {
    return this.#session?.auth ?? 'none';
  }

  connect(peerCallId: number, now: number): void {
    if (this.#progress.name !== 'accepted') return;
    this.#progress = { name: 'unproven' };
    const { options, gateway } = this.#reception;
    const { keepalive } = options;
    this.#session = new Session(
      this.path,
      peerCallId,
      {
        kind: 'caller',
        name: options.name,
        device: options.device,
        peer: this.#owner.peer,
        mtu: options.mtu,
        defaultRoute: false,
        metric: 0,
        peerDns: false,
        proxyArp: options.proxyArp,
        ipv6Client: undefined,
        link: {
          mru: options.mtu,
          authenticatePeer: { methods: options.auth, name: OWN_NAME },
          mppe: options.mppe,
          ip: { localAddress: options.localAddress, requestDns: false },
          ipv6: options.ipv6,
          interfaceIdentifier: SERVER_INTERFACE_IDENTIFIER,
          ...(keepalive === undefined ? {} : { keepalive }),
          random: gateway.random,
          count: (what) => gateway.count(`ppp: ${what}`),
        },
      },
      undefined,
      now,
    );
    this.drain(now);
  }

  handleFrame(frame: Uint8Array, now: number): void {
    this.#session?.handleFrame(frame, now);
    this.drain(now);
  }

  handleDesynchronized(now: number): void {
    this.#session?.handleDesynchronized(now);
    this.drain(now);
  }

  nextTimeout(): number | undefined {
    if (this.#progress.name === 'over') return undefined;
    return earliest(this.#deadlines.next(), this.#session?.nextTimeout());
  }

  handleTimeout(now: number): void {
    for (let due = this.#deadlines.due(now); due !== undefined; due = this.#deadlines.due(now)) {
      switch (due) {
        case 'login':
          this.end(because('HANDSHAKE_TIMEOUT'), now);
          break;
        case 'answer':
          this.#answer(now);
          break;
        case 'tunnel':
          this.end(because('IPCP_TIMEOUT'), now);
          break;
        case 'idle':
          this.#checkIdle(now);
          break;
        case 'lifetime':
          this.end(because('CONNECT_TIME'), now);
          break;
        case 'expiry':
          this.#checkExpiry(now);
          break;
      }
    }
    const session = this.#session?.nextTimeout();
    if (session !== undefined && session <= now) this.#session?.handleTimeout(now);
    this.drain(now);
  }

  /** Ends it in order; IP, address and place are free when this returns. */
  end(cause: Cause, now: number): void {
    if (this.#session === undefined) this.#over(cause, now);
    else this.#session.end(cause, now);
    this.drain(now);
    this.#release();
  }

  /** The call is gone. */
  lost(cause: Cause, now: number): void {
    if (this.#session === undefined) this.#over(cause, now);
    else this.#session.lost(cause, now);
    this.drain(now);
  }

  status(): SessionStatus | undefined {
    return this.#session?.status();
  }

  drain(now: number): void {
    for (let stage = this.#session?.poll(); stage; stage = this.#session?.poll()) {
      this.#act(stage, now);
    }
  }

  #act(stage: SessionStage, now: number): void {
    const { path } = this;
    switch (stage.kind) {
      case 'gre':
        this.#owner.advanced(Progress.gre, now);
        break;
      case 'lcp-up':
        this.#owner.advanced(Progress.lcp, now);
        break;
      case 'authenticated':
        break;
      case 'login':
        this.#owner.advanced(Progress.login, now);
        this.#judge(stage.attempt, now);
        break;
      case 'tunnel-up':
        this.#owner.output({ kind: 'tunnel-up', path, tunnel: stage.tunnel });
        this.#deadlines.clear('tunnel');
        this.#establish(now);
        break;
      case 'tunnel-down':
        this.#owner.output({ kind: 'tunnel-down', path, tunnel: stage.tunnel });
        this.#deadlines.set('tunnel', now + this.#reception.gateway.limits.loginTimeout);
        break;
      case 'ended':
        this.#event({ what: 'session-down', session: stage.session, cause: stage.cause });
        break;
      case 'closing':
        // A session tells its end itself.
        break;
      case 'down':
        this.#over(stage.cause, now);
        break;
    }
  }

  #judge(attempt: LoginAttempt, now: number): void {
    const before = this.#progress;
    const { options, gateway } = this.#reception;
    const isIn = before.name === 'admitted';
    const judge = () => judgeLogin(attempt, this.#owner.peer, options, gateway, isIn, now);
    switch (before.name) {
      case 'unproven': {
        const { verdict, delay } = judge();
        this.#progress = { name: 'judged', attempt, verdict };
        if (delay === 0) this.#answer(now);
        else this.#deadlines.set('answer', now + delay);
        break;
      }
      case 'judged': {
        // The peer restarted LCP instead of waiting. The link asks about the new attempt now; a wrong one stays wrong.
        const { verdict } = judge();
        const isWrong = 'refused' in before.verdict;
        this.#progress = { name: 'judged', attempt, verdict: isWrong ? before.verdict : verdict };
        break;
      }
      case 'admitted':
        this.#judgeAgain(before, attempt, judge().verdict, now);
        break;
      case 'accepted':
      case 'refused':
      case 'over':
        break;
    }
  }

  /** The peer restarted LCP, so it logs in again: as the same user. */
  #judgeAgain(
    { user, admission }: Extract<Stage, { name: 'admitted' }>,
    attempt: LoginAttempt,
    verdict: Judgement['verdict'],
    now: number,
  ): void {
    if ('refused' in verdict) this.#refuse(attempt, verdict.refused, now);
    else if (verdict.user.username !== user.username) {
      this.#refuse(attempt, because('PEER_AUTH_FAILED', 'another user on the same call'), now);
    } else {
      this.#session?.admit(admission.identity, attempt.method, admission.grant, now);
    }
  }

  #answer(now: number): void {
    if (this.#progress.name !== 'judged') return;
    const { attempt, verdict } = this.#progress;
    if ('refused' in verdict) {
      this.#deadlines.clear('login');
      this.#refuse(attempt, verdict.refused, now);
      return;
    }
    const { user } = verdict;
    const circle = user.routes.find((prefix) => prefixContains(prefix, this.#owner.peer));
    if (circle !== undefined) {
      this.#deadlines.clear('login');
      this.#refuse(attempt, because('ROUTE_LOOP', formatPrefix(circle)), now);
      return;
    }
    const end = (cause: Cause, at: number): void => {
      this.#owner.outside(() => this.end(cause, at), at);
    };
    const admission = this.#reception.admit(user, end, now);
    if ('wait' in admission) {
      this.#deadlines.set('answer', now + admission.wait); // the login has its deadline all the same
      return;
    }
    this.#deadlines.clear('login');
    if ('code' in admission) {
      this.#refuse(attempt, admission, now);
      return;
    }
    this.#progress = { name: 'admitted', user, admission };
    this.#held = admission;
    this.#giveBack = this.#owner.claims.add(() => admission.release());
    this.#deadlines.set('tunnel', now + this.#reception.gateway.limits.loginTimeout);
    this.#owner.admitted(now);
    this.#session?.admit(admission.identity, attempt.method, admission.grant, now);
  }

  /** The log gets the cause, the peer what refusals.ts has for it; else what a wrong password gets. */
  #refuse(attempt: LoginAttempt, cause: Cause, now: number): void {
    this.#progress = { name: 'refused' };
    this.#reportRefusal(attempt, cause);
    const told = refusalOf(cause);
    this.#session?.refuse(told === undefined ? because('PEER_AUTH_FAILED') : cause, now, told);
  }

  #reportRefusal({ username }: LoginAttempt, cause: Cause): void {
    const { name: server } = this.#reception.options;
    this.#event({ what: 'auth-failed', server, peer: this.#owner.peer, username, cause });
  }

  #establish(now: number): void {
    const session = this.#session?.establish(now);
    if (session === undefined || this.#established) return;
    this.#established = true;
    this.#event({ what: 'session-up', session });
    const { idleTimeout, sessionTimeout } = this.#reception.options;
    if (sessionTimeout > 0) this.#deadlines.set('lifetime', now + sessionTimeout);
    if (idleTimeout > 0) {
      this.#idle = new IdleWatch(this.path, idleTimeout);
      this.#deadlines.set('idle', this.#idle.next(now));
    }
    this.#checkExpiry(now);
  }

  #checkIdle(now: number): void {
    if (this.#idle === undefined) return;
    if (this.#idle.look()) this.end(because('IDLE_TIMEOUT'), now);
    else this.#deadlines.set('idle', this.#idle.next(now));
  }

  #checkExpiry(now: number): void {
    const expires = this.user?.expires;
    if (expires === undefined) return;
    const left = expires - this.#reception.gateway.wallClock();
    if (left < 0) this.end(because('ACCOUNT_EXPIRED'), now);
    else this.#deadlines.set('expiry', now + Math.min(left + 1, EXPIRY_CHECK));
  }

  #over(cause: Cause, now: number): void {
    if (this.#progress.name === 'over') return;
    const progress = this.#progress;
    this.#release();
    this.#progress = { name: 'over' };
    this.#deadlines.clearAll();
    if (progress.name === 'judged' && 'refused' in progress.verdict) {
      // He did not wait for the answer; it was wrong all the same.
      this.#reportRefusal(progress.attempt, progress.verdict.refused);
    } else if (progress.name !== 'refused' && !this.#established) {
      const { name: server } = this.#reception.options;
      this.#event({ what: 'caller-refused', server, peer: this.#owner.peer, cause });
    }
    this.#owner.finished(this, cause, now);
  }

  #release(): void {
    this.#held = undefined;
    this.#giveBack();
  }

  #event(event: Extract<SessionOutput, { kind: 'event' }>['event']): void {
    this.#owner.output({ kind: 'event', event });
  }
}
