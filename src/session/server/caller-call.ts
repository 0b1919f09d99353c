/* eslint max-lines: ['error', { max: 450, skipBlankLines: true, skipComments: true }] -- one machine, with what of it goes on */
/**
 * One call of a caller: from the request over login and addresses to the session, and its end.
 *
 * Until the login is right it holds a call path and nothing else: no address, no place, no record. The peer gets one
 * attempt, or a few (login.ts), and one and the same answer to whatever speaks against it, unless its password was right (refusals.ts).
 */
import type { LoginAttempt } from '../../ppp/authentication/login-attempt.ts';
import { RETRY_PATIENCE } from '../../ppp/authentication/output.ts';
import type { CallId, Ipv4 } from '../../wire/brand.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { formatPrefix, prefixContains } from '../../wire/ip.ts';
import { MsChapError } from '../../wire/ms-chap.ts';
import { toHex } from '../../wire/octets.ts';
import type { CallFacts, LoginAnswer, Terms } from '../authorization.ts';
import { within } from '../allowance.ts';
import type { Claims } from '../claims.ts';
import { Deadlines, earliest } from '../deadlines.ts';
import type { ServerOptions } from '../options.ts';
import type {
  CallerOutput,
  CallPath,
  SessionAccount,
  SessionEvent,
  SessionStatus,
  Tunnel,
} from '../ports.ts';
import { Session, type SessionNews, type SessionOwner, type SessionSettings } from '../session.ts';
import type { Access, LiveSession } from './access.ts';
import { groupsOf, ratesOf, timesOf, type Account } from './account.ts';
import type { Admission, Admissions, Wait } from './admissions.ts';
import { Progress } from './half-open.ts';
import { Login, type Verdict } from './login.ts';
import { refusalOf } from './refusals.ts';
import { SessionLimits } from './session-limits.ts';
import { sessionSettings } from './session-settings.ts';

interface LoggedIn {
  readonly session: Session;
  readonly account: Account;
  readonly admission: Admission;
  /** The peer has restarted LCP, and logs in again. */
  readonly again: Login | undefined;
  /** Gives address and place back. */
  readonly release: () => void;
}

type State =
  /** The call is not up yet. */
  | { readonly name: 'accepted' }
  /** The peer has not tried to log in. */
  | { readonly name: 'unproven'; readonly session: Session }
  /** It has tried; the answer is not known yet, or held back. */
  | { readonly name: 'judged'; readonly session: Session; readonly login: Login }
  | (LoggedIn & { readonly name: 'admitted' })
  /** IP has flowed. */
  | (LoggedIn & { readonly name: 'established'; readonly limits: SessionLimits })
  /** The login was refused; PPP says so and ends. */
  | { readonly name: 'refused'; readonly session: Session }
  /** We end it after the login: nothing is held any more. */
  | { readonly name: 'ending'; readonly session: Session; readonly wasEstablished: boolean }
  | { readonly name: 'over' };

/** What a call needs of its server. */
export interface CallPorts {
  readonly options: () => ServerOptions;
  readonly access: Access;
  /**
   * Lets somebody in whose password was right: an address and a place, for which older sessions of the same user may be
   * ended (on_duplicate). A Cause: what speaks against it. Wait: the LAN is asked for the address; try again then.
   */
  readonly admit: (
    account: Account,
    method: string,
    end: LiveSession['end'],
    now: number,
  ) => Admission | Cause | Wait;
  readonly readmit: Admissions['readmit'];
  /** Whether the peer of another call has this interface identifier. */
  readonly isIdentifierTaken: (identifier: Uint8Array, own: CallPath) => boolean;
}

/** What a call tells its caller. */
export interface CallOwner {
  readonly peer: Ipv4;
  /** Our address that it has called. */
  readonly local: Ipv4;
  readonly claims: Claims;
  output(output: CallerOutput): void;
  /** It gets on with its login. */
  advanced(progress: Progress, now: number): void;
  /** Its login may take so much longer, ms: a person has to type. */
  waits(time: number, now: number): void;
  /** The first login on this call was right. */
  admitted(now: number): void;
  /** Nothing uses the path any more: it is freed, and the control connection clears the call. */
  finished(call: CallerCall, cause: Cause, now: number): void;
  /** What a frame has brought was told. */
  settled(now: number): void;
  /** Does what somebody else wants, outside the caller's own verbs. */
  outside(act: () => void, now: number): void;
}

const ACCOUNTING_ID_OCTETS = 8;

type SavedCall = NonNullable<ReturnType<CallerCall['save']>>;

export class CallerCall implements SessionOwner {
  readonly path: CallPath;
  readonly #ports: CallPorts;
  readonly #owner: CallOwner;
  #facts: CallFacts;
  readonly #deadlines = new Deadlines<'login' | 'answer' | 'tunnel'>();
  #state: State = { name: 'accepted' };

  constructor(ports: CallPorts, owner: CallOwner, path: CallPath, now: number) {
    this.#ports = ports;
    this.#owner = owner;
    this.path = path;
    this.#facts = {
      accountingId: toHex(ports.access.gateway.random(ACCOUNTING_ID_OCTETS)),
      server: ports.options().name,
      peer: owner.peer,
      called: owner.local,
      port: path.slot,
    };
    this.#deadlines.set('login', now + ports.access.gateway.limits.loginTimeout);
  }

  /**
   * What another call goes on with. undefined: it is not established, or something is being negotiated.
   * Not carried: path, #ports, #owner, #end.
   */
  save() {
    const state = this.#state;
    if (state.name !== 'established' || state.again !== undefined) return undefined;
    const session = state.session.save();
    if (session === undefined) return undefined;
    const { user, ...account } = state.account;
    return {
      facts: this.#facts,
      deadlines: this.#deadlines.save(),
      session,
      limits: state.limits.save(),
      account,
      /** Of a user of the configuration, the key of its section. */
      userKey: user?.keys.session,
      admission: state.admission.save(),
    };
  }

  /** Instead of connect. @throws Error it does not fit what the configuration has now */
  restore(saved: SavedCall, now: number): void {
    const { access, options } = this.#ports;
    const { username } = saved.account;
    const user =
      saved.userKey === undefined
        ? undefined
        : access.accounts.find(username, username, options().name);
    if (user?.keys.session !== saved.userKey) throw new Error(`user ${username} is another now`);
    const account: Account = { ...saved.account, user };
    const admission = this.#ports.readmit(account, saved.admission, this.#end);
    const release = this.#owner.claims.add(() => admission.release());
    this.#facts = saved.facts;
    this.#deadlines.clearAll();
    this.#deadlines.restore(saved.deadlines);
    const settings = this.#settings();
    const { peerCallId } = saved.session;
    const session = new Session(this.path, peerCallId, settings, undefined, this, now);
    const times = timesOf(account, options());
    const limits = new SessionLimits(times, this.path, access.wallTime, now);
    limits.restore(saved.limits);
    const again = undefined;
    const state = { session, account, admission, release, again, limits };
    this.#state = { name: 'established', ...state };
    session.restore(saved.session, now, admission.ipv6);
  }

  get tunnel(): Tunnel | undefined {
    return this.#session?.tunnel;
  }

  /** Who is logged in on this call, and holds a place. */
  get loggedIn(): Pick<LoggedIn, 'account' | 'admission'> | undefined {
    return 'admission' in this.#state ? this.#state : undefined;
  }

  /** The method it has logged in with; before, those that it may choose from. */
  get methods(): readonly string[] {
    return this.#session?.methods ?? [];
  }

  /** The account, its allowance or the server has changed in what does not end this session: expiry, rates and the like hold at once. */
  renew(account: Account, now: number): void {
    const state = this.#state;
    if (!('admission' in state)) return;
    this.#state = { ...state, account };
    state.session.renew(this.#how(account), now);
    this.#setRates(state.session, account, now);
    if (state.name === 'established') this.#endIf(state.limits.setAccount(account, now), now);
  }

  /** An authority wants something to be otherwise of a session that lives. */
  changeTerms(change: Partial<Terms>, now: number): void {
    const state = this.#state;
    if (state.name !== 'established') return;
    const account = { ...state.account, terms: { ...state.account.terms, ...change } };
    const admission = { ...state.admission, account };
    this.#state = { ...state, account, admission };
    state.session.renew(this.#how(account), now);
    if (change.rates !== undefined) this.#setRates(state.session, account, now);
    if (change.idleTimeout !== undefined || change.sessionTimeout !== undefined)
      state.limits.setTimes(timesOf(account, this.#ports.options()), now);
  }

  /** See Session. */
  handleTunnelReady(now: number): void {
    this.#session?.handleTunnelReady(now);
  }

  /** See Session. */
  askEcho(now: number): void {
    if (this.#state.name === 'established') this.#state.session.askEcho(now);
  }

  connect(peerCallId: CallId, now: number): void {
    if (this.#state.name !== 'accepted') return;
    const session = new Session(this.path, peerCallId, this.#settings(), undefined, this, now);
    this.#state = { name: 'unproven', session };
    session.start(now);
  }

  nextTimeout(): number | undefined {
    const limits = this.#state.name === 'established' ? this.#state.limits : undefined;
    return earliest(this.#deadlines.next(), limits?.nextTimeout(), this.#session?.nextTimeout());
  }

  handleTimeout(now: number): void {
    for (let due = this.#deadlines.due(now); due !== undefined; due = this.#deadlines.due(now)) {
      switch (due) {
        case 'login':
          this.end(cause('HANDSHAKE_TIMEOUT'), now);
          break;
        case 'answer':
          this.#lookAtLogin(now);
          break;
        case 'tunnel':
          this.end(cause('IPCP_TIMEOUT'), now);
          break;
      }
    }
    if (this.#state.name === 'established') this.#endIf(this.#state.limits.handleTimeout(now), now);
    const session = this.#session;
    const next = session?.nextTimeout();
    if (next !== undefined && next <= now) session?.handleTimeout(now);
  }

  /** Ends it in order; IP, address and place are free when this returns. */
  end(why: Cause, now: number): void {
    const session = this.#session;
    if (session === undefined) this.#over(why, now);
    else session.end(why, now);
    const state = this.#state;
    if (!('admission' in state)) return;
    const wasEstablished = state.name === 'established';
    state.again?.cancel();
    this.#state = { name: 'ending', session: state.session, wasEstablished };
    state.release();
  }

  /** The call is gone. */
  lost(why: Cause, now: number): void {
    const session = this.#session;
    if (session === undefined) this.#over(why, now);
    else session.lost(why, now);
  }

  /** What an authority says to a question of this call. */
  handleAnswer(id: number, answer: LoginAnswer, now: number): void {
    this.#login?.handleAnswer(id, answer, now);
    this.#lookAtLogin(now);
  }

  /** See Caller. */
  handlePasswordStored(id: number, failure: string | undefined, now: number): void {
    this.#login?.handlePasswordStored(id, failure);
    this.#lookAtLogin(now);
  }

  status(): SessionStatus | undefined {
    return this.#session?.status();
  }

  tell(news: SessionNews, now: number): void {
    switch (news.kind) {
      case 'gre':
        this.#owner.advanced(Progress.gre, now);
        break;
      case 'lcp-up':
        this.#owner.advanced(Progress.lcp, now);
        break;
      case 'login':
        this.#owner.advanced(Progress.login, now);
        this.#judge(news.attempt, now);
        break;
      case 'tunnel-up':
        this.#owner.output(news);
        this.#deadlines.clear('tunnel');
        this.#establish(now);
        break;
      case 'tunnel-down':
        this.#owner.output(news);
        this.#deadlines.set('tunnel', now + this.#ports.access.gateway.limits.loginTimeout);
        break;
      case 'event':
      case 'tunnel-changed':
        this.#owner.output(news);
        break;
      case 'authenticated': // it is the peer that logs in
      case 'closing': // an established session tells its end itself
        break;
      case 'down':
        this.#over(news.cause, now);
        break;
    }
  }

  settled(now: number): void {
    this.#owner.settled(now);
  }

  get #session(): Session | undefined {
    return 'session' in this.#state ? this.#state.session : undefined;
  }

  get #login(): Login | undefined {
    const state = this.#state;
    return 'login' in state ? state.login : 'again' in state ? state.again : undefined;
  }

  #judge(attempt: LoginAttempt, now: number): void {
    const state = this.#state;
    switch (state.name) {
      case 'unproven':
        this.#state = { name: 'judged', session: state.session, login: this.#newLogin(false) };
        break;
      case 'admitted':
      case 'established':
        if (state.again === undefined) this.#state = { ...state, again: this.#newLogin(true) };
        break;
      case 'judged':
        break;
      case 'accepted':
      case 'refused':
      case 'ending':
      case 'over':
        return;
    }
    this.#login?.consider(attempt, now);
    this.#lookAtLogin(now);
  }

  #newLogin(isIn: boolean): Login {
    const { options, access } = this.#ports;
    const output = this.#owner.output.bind(this.#owner);
    return new Login(
      {
        options,
        access,
        ask: (question) => output({ kind: 'authorize', question }),
        challenge: (request, now) => this.#session?.challenge(request, now),
        forget: (id) => output({ kind: 'authorize-cancel', id }),
        store: (id, section, secret) => output({ kind: 'store-password', id, section, secret }),
      },
      this.#facts,
      isIn,
    );
  }

  /** Time has passed, or an authority has answered. */
  #lookAtLogin(now: number): void {
    const login = this.#login;
    if (login === undefined) return;
    login.handleTimeout(now);
    const verdict = login.verdict(now);
    const state = this.#state;
    const next = login.nextTimeout();
    if (verdict === undefined && next === undefined) this.#deadlines.clear('answer');
    else if (verdict === undefined) this.#deadlines.set('answer', next!);
    else if (state.name === 'judged') this.#answer(state, verdict, now);
    else if ('again' in state) this.#answerAgain(state, login.attempt, verdict, now);
  }

  /** The peer restarted LCP, so it logs in again: as the same user. */
  #answerAgain(
    state: Extract<State, LoggedIn>,
    attempt: LoginAttempt,
    verdict: Verdict,
    now: number,
  ): void {
    const { session, account, admission } = state;
    this.#deadlines.clear('answer');
    this.#state = { ...state, again: undefined };
    if ('refused' in verdict) this.#refuse(attempt, verdict.refused, now, verdict.told);
    else if (verdict.account.username !== account.username)
      this.#refuse(attempt, cause('PEER_AUTH_FAILED', 'another user on the same call'), now);
    else this.#admit(session, admission, attempt, now);
  }

  #answer({ session, login }: State & { name: 'judged' }, verdict: Verdict, now: number): void {
    const { attempt } = login;
    const admission = this.#admission(verdict, attempt.method, now);
    if ('wait' in admission) {
      this.#deadlines.set('answer', now + admission.wait); // the login has its deadline all the same
      return;
    }
    this.#deadlines.clear('answer');
    if ('refused' in verdict && this.#retry(session, login, verdict, now)) return;
    this.#deadlines.clear('login');
    if ('code' in admission) {
      this.#refuse(attempt, admission, now, 'refused' in verdict ? verdict.told : undefined);
      return;
    }
    const release = this.#owner.claims.add(() => admission.release());
    const { account } = admission;
    this.#state = { name: 'admitted', session, account, admission, release, again: undefined };
    this.#deadlines.set('tunnel', now + this.#ports.access.gateway.limits.loginTimeout);
    this.#owner.admitted(now);
    this.#setRates(session, account, now);
    this.#admit(session, admission, attempt, now);
  }

  /** It is told why it is not let in, and may try again, if that is so. */
  #retry(
    session: Session,
    login: Login,
    { refused, told }: Extract<Verdict, { readonly refused: Cause }>,
    now: number,
  ): boolean {
    if (told?.retry === undefined || !login.mayRetry || !session.retry(told, now)) return false;
    login.retry();
    this.#reportRefusal(login.attempt, refused);
    if (told.errorCode === MsChapError.PasswordExpired) {
      this.#deadlines.set('login', now + RETRY_PATIENCE);
      this.#owner.waits(RETRY_PATIENCE, now);
    }
    return true;
  }

  #admit(
    session: Session,
    { account, identity, grant, ipv6 }: Admission,
    attempt: LoginAttempt,
    now: number,
  ): void {
    session.admit({ ...identity, account: this.#how(account) }, attempt.method, grant, now, ipv6);
  }

  #settings(): SessionSettings {
    const { options, access, isIdentifierTaken } = this.#ports;
    return sessionSettings(options(), this.#owner.peer, access.gateway, (identifier) =>
      isIdentifierTaken(identifier, this.path),
    );
  }

  #how(account: Account): SessionAccount {
    const { user, terms } = account;
    return {
      source: user === undefined ? 'radius' : 'local',
      call: this.#facts,
      terms,
      groups: groupsOf(account, this.#ports.options().filterSets),
      note: user?.note,
    };
  }

  #admission(verdict: Verdict, method: string, now: number): Admission | Cause | Wait {
    if ('refused' in verdict) return verdict.refused;
    const { account } = verdict;
    const circle = account.routes.find((prefix) => prefixContains(prefix, this.#owner.peer));
    if (circle !== undefined) return cause('ROUTE_LOOP', formatPrefix(circle));
    return this.#ports.admit(account, method, this.#end, now);
  }

  /** Somebody else ends it. */
  readonly #end = (why: Cause, now: number): void => {
    this.#owner.outside(() => this.end(why, now), now);
  };

  /** The log gets the cause, the peer what refusals.ts has for it; else what a wrong password gets. */
  #refuse(attempt: LoginAttempt, why: Cause, now: number, told = refusalOf(why)): void {
    const state = this.#state;
    if (!('session' in state)) return;
    this.#state = { name: 'refused', session: state.session };
    this.#reportRefusal(attempt, why);
    state.session.refuse(told === undefined ? cause('PEER_AUTH_FAILED') : why, now, told);
    if ('release' in state) state.release();
  }

  #setRates(session: Session, account: Account, now: number): void {
    const allowance = this.#ports.access.allowance(account.username);
    session.setRates(within(allowance, ratesOf(account, this.#ports.options().rates)), now);
  }

  #establish(now: number): void {
    const state = this.#state;
    if (state.name !== 'admitted') return;
    const session = state.session.establish(now);
    if (session === undefined) return;
    const { options, access } = this.#ports;
    const times = timesOf(state.account, options());
    const limits = new SessionLimits(times, this.path, access.wallTime, now);
    this.#state = { ...state, name: 'established', limits };
    this.#event({ what: 'session-up', session });
    this.#endIf(limits.setAccount(state.account, now), now);
  }

  #endIf(why: Cause | undefined, now: number): void {
    if (why !== undefined) this.end(why, now);
  }

  #over(why: Cause, now: number): void {
    const state = this.#state;
    if (state.name === 'over') return;
    this.#login?.cancel();
    this.#state = { name: 'over' };
    this.#deadlines.clearAll();
    if ('release' in state) state.release();
    this.#reportEnd(state, why);
    this.#owner.finished(this, why, now);
  }

  /** The end of a call on which there was no session, unless it was reported. */
  #reportEnd(state: State, why: Cause): void {
    const wasEstablished = state.name === 'ending' && state.wasEstablished;
    if (state.name === 'established' || state.name === 'refused' || wasEstablished) return;
    if (state.name === 'judged' && state.login.isRetrying) return;
    if (state.name === 'judged' && state.login.refused !== undefined) {
      // It did not wait for the answer; it was wrong all the same.
      this.#reportRefusal(state.login.attempt, state.login.refused);
      return;
    }
    const { name: server } = this.#ports.options();
    this.#event({ what: 'caller-refused', server, peer: this.#owner.peer, cause: why });
  }

  #reportRefusal({ username }: LoginAttempt, why: Cause): void {
    const { name: server } = this.#ports.options();
    this.#event({ what: 'auth-failed', server, peer: this.#owner.peer, username, cause: why });
  }

  #event(event: SessionEvent): void {
    this.#owner.output({ kind: 'event', event });
  }
}
