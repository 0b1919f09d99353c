/**
 * One login, from the attempt to the verdict: the password, the lock-out and the slow-down, here or by an authority elsewhere.
 *
 * An unknown user, a wrong password and a banned source take the same path and the same time: the password is always
 * verified, against a secret nobody knows where there is none. The answer is held back as long as the lock-out says, whoever
 * has decided. While an authority is asked, everything else goes on; it has AUTHORITY_TIME.
 */
import { equalConstantTime } from '../../crypto/equal-constant-time.ts';
import type { Secret } from '../../crypto/secret.ts';
import type { LoginAttempt } from '../../ppp/authentication/login-attempt.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { MsChapError } from '../../wire/ms-chap.ts';
import type { Refusal } from '../../ppp/options.ts';
import type { CallFacts, Continuation, LoginAnswer, LoginQuestion } from '../authorization.ts';
import type { ServerOptions, User } from '../options.ts';
import { accountFrom, accountOf, type Account } from './account.ts';
import type { Access } from './access.ts';
import { mustChange } from './refusals.ts';

/** Peers give up a login after 10 s and more (pppd: 3 s between ten tries, Windows: 3 s between four). */
const AUTHORITY_TIME = 9_000;
/** A peer that restarts LCP has its new attempt asked about, but not so as to guess at the authority's speed. */
const MAX_QUESTIONS = 3;
/** On one call, after the first try. */
const MAX_RETRIES = 2;
/** For a new password to be written and in force. */
const STORE_TIME = 9_000;

/** Who proved to be whom, or why not. */
export type Verdict =
  | { readonly account: Account }
  /** @param told what an authority wants told, if not what a wrong password gets */
  | { readonly refused: Cause; readonly told: Refusal | undefined };

export interface LoginPorts {
  readonly options: () => ServerOptions;
  readonly access: Access;
  /** Answer: Login.handleAnswer. */
  readonly ask: (question: LoginQuestion) => void;
  /** Asks the peer by EAP; its answer is the next attempt. As in PppLink. */
  readonly challenge: (request: Uint8Array | 'mschap-v2', now: number) => void;
  /** Nobody waits for the answer any more. */
  readonly forget: (id: number) => void;
  /** A user of the configuration has a new password. Answer: Login.handlePasswordStored. */
  readonly store: (id: number, section: string, secret: Secret) => void;
}

type State =
  | { readonly name: 'new' }
  | { readonly name: 'asking'; readonly id: number; readonly by: number }
  /** An authority has asked the peer something. */
  | { readonly name: 'challenged'; readonly continuation: Continuation }
  /** We have: its EAP ends here. */
  | { readonly name: 'asked-here' }
  /** A new password is being written. */
  | { readonly name: 'storing'; readonly id: number; readonly secret: Secret; readonly by: number }
  /** It was refused, knows it, and may try again. */
  | { readonly name: 'retrying' }
  | { readonly name: 'decided'; readonly verdict: Verdict };

export class Login {
  readonly #ports: LoginPorts;
  readonly #call: CallFacts;
  readonly #isIn: boolean;
  #attempt: LoginAttempt | undefined;
  #state: State = { name: 'new' };
  #questions = 0;
  #retries = 0;
  /** No answer before. */
  #notBefore = 0;

  /** @param isIn it is logged in already, and renegotiates: a ban, and the slow-down, are for those who are not */
  constructor(ports: LoginPorts, call: CallFacts, isIn: boolean) {
    this.#ports = ports;
    this.#call = call;
    this.#isIn = isIn;
  }

  /** The one that the verdict is about; there is one after the first `consider`. */
  get attempt(): LoginAttempt {
    return this.#attempt!;
  }

  /** undefined: not known yet, or not to be told yet. */
  verdict(now: number): Verdict | undefined {
    return this.#state.name === 'decided' && now >= this.#notBefore
      ? this.#state.verdict
      : undefined;
  }

  /** Wrong, whether it may be told already or not. */
  get refused(): Cause | undefined {
    const state = this.#state;
    return state.name === 'decided' && 'refused' in state.verdict
      ? state.verdict.refused
      : undefined;
  }

  /** Whether somebody who was refused may try again on this call. */
  get mayRetry(): boolean {
    return this.#retries < MAX_RETRIES;
  }

  /** It was told of the verdict, and that it may try again. */
  retry(): void {
    this.#retries++;
    this.#state = { name: 'retrying' };
  }

  /** Nobody need be told of a refusal any more. */
  get isRetrying(): boolean {
    return this.#state.name === 'retrying';
  }

  /**
   * An attempt of the peer: the first, another try, or by EAP the answer to a challenge. Else the peer has restarted LCP instead of waiting: the
   * link asks about the new one now; a wrong one stays wrong.
   */
  consider(attempt: LoginAttempt, now: number): void {
    const { lockout } = this.#ports.access;
    // EAP's identity need not be the name that is logged in with.
    const isNew = this.#attempt?.bareUsername !== attempt.bareUsername || this.isRetrying;
    if (isNew && !this.#isIn)
      this.#notBefore = Math.max(this.#notBefore, now + lockout.delay(attempt.bareUsername, now));
    this.#attempt = attempt;
    this.cancel();
    const state = this.#state;
    if (this.refused !== undefined) attempt.verify(this.#ports.access.accounts.dummy);
    else if (state.name === 'challenged' && isContinuation(attempt))
      this.#ask(attempt, state.continuation, now);
    else this.#judge(attempt, state.name === 'asked-here', now);
  }

  /** What an authority says. Ignored unless it was asked so last. */
  handleAnswer(id: number, answer: LoginAnswer, now: number): void {
    if (this.#state.name === 'asking' && this.#state.id === id) this.#answered(answer, now);
  }

  /** The new password stands in the file and in the accounts in force; or why not, in words. Ignored unless that was the last. */
  handlePasswordStored(id: number, failure: string | undefined): void {
    const state = this.#state;
    if (state.name !== 'storing' || state.id !== id) return;
    const user = this.#local(this.attempt);
    const isKept = user !== undefined && equalConstantTime(user.secret.ntHash, state.secret.ntHash);
    if (failure === undefined && isKept) this.#decide({ account: accountOf(user) });
    else this.#notStored(failure ?? 'another one is in force');
  }

  nextTimeout(): number | undefined {
    if ('by' in this.#state) return this.#state.by;
    return this.#state.name === 'decided' ? this.#notBefore : undefined;
  }

  handleTimeout(now: number): void {
    const state = this.#state;
    if (!('by' in state) || now < state.by) return;
    if (state.name === 'storing') {
      this.#notStored('not in time');
      return;
    }
    this.cancel();
    const why = cause('RADIUS_NO_ANSWER', 'not in time');
    this.#answered({ kind: 'unanswered', cause: why }, now);
  }

  /** Nobody waits for an answer any more. */
  cancel(): void {
    const state = this.#state;
    if (state.name === 'asking') this.#ports.forget(state.id);
    if ('by' in state) this.#state = { name: 'new' };
  }

  /** @param isOurs nobody else is asked */
  #judge(attempt: LoginAttempt, isOurs: boolean, now: number): void {
    const { access, options } = this.#ports;
    const { accounts, lockout } = access;
    const isBanned = !this.#isIn && lockout.isBanned(this.#call.peer, now);
    const isKnown = this.#local(attempt) !== undefined;
    const isLocal = options().accounts.includes('local');
    const isElsewhere = !isOurs && options().accounts.includes('radius');
    const isAsked = isElsewhere && (options().accounts[0] === 'radius' || !(isLocal && isKnown));
    if (attempt.evidence.method === 'eap' && (isBanned || !isAsked)) this.#askHere(now);
    else if (isBanned) {
      attempt.verify(accounts.dummy);
      this.#decide({ refused: cause('SOURCE_BANNED'), told: undefined });
    } else if (!isAsked) this.#judgeHere(attempt, now);
    else if (this.#questions === MAX_QUESTIONS)
      this.#wrong(cause('PEER_AUTH_FAILED', 'too many attempts on one call'), undefined, now); // prettier-ignore
    else this.#ask(attempt, undefined, now);
  }

  #local({ username, bareUsername }: LoginAttempt) {
    return this.#ports.access.accounts.find(username, bareUsername, this.#ports.options().name);
  }

  #judgeHere(attempt: LoginAttempt, now: number): void {
    const user = this.#ports.options().accounts.includes('local')
      ? this.#local(attempt)
      : undefined;
    const right = attempt.verify(user?.secret ?? this.#ports.access.accounts.dummy);
    if (right && user !== undefined) this.#rightHere(attempt, user, now);
    else this.#wrong(cause('PEER_AUTH_FAILED'), undefined, now);
  }

  /** The password of a user of the configuration was right, but it may be time for another. */
  #rightHere({ proof, method }: LoginAttempt, user: User, now: number): void {
    const { access, options } = this.#ports;
    const newSecret = proof?.newSecret;
    this.#right(accountOf(user));
    // What else speaks against it is told when it is to be admitted.
    if (access.fault(user, options().name, [method]) !== undefined) return;
    if (newSecret === undefined) {
      if (user.mustChange && !this.#isIn)
        this.#decide({ refused: cause('PASSWORD_EXPIRED'), told: mustChange });
    } else if (!user.mustChange) this.#notStored('the user need not change it here');
    else if (equalConstantTime(newSecret.ntHash, user.secret.ntHash))
      this.#notStored('it is the old one');
    else {
      const id = access.gateway.nextId();
      this.#state = { name: 'storing', id, secret: newSecret, by: now + STORE_TIME };
      this.#ports.store(id, user.section, newSecret);
    }
  }

  #notStored(detail: string): void {
    this.#decide({ refused: cause('PASSWORD_NOT_STORED', detail), told: undefined });
  }

  /** By EAP-MSCHAPv2; so a banned source sees what others see who have an account here. */
  #askHere(now: number): void {
    this.#state = { name: 'asked-here' };
    this.#ports.challenge('mschap-v2', now);
  }

  #ask(attempt: LoginAttempt, continues: Continuation | undefined, now: number): void {
    if (continues === undefined) this.#questions++;
    const id = this.#ports.access.gateway.nextId();
    this.#state = { name: 'asking', id, by: now + AUTHORITY_TIME };
    this.#ports.ask({ id, call: this.#call, attempt, continues });
  }

  #answered(answer: LoginAnswer, now: number): void {
    const { attempt } = this;
    switch (answer.kind) {
      case 'accepted':
        attempt.vouch(answer.proof);
        this.#right(
          accountFrom(
            answer.authorization,
            attempt.bareUsername,
            this.#ports.options(),
            this.#call.peer,
          ),
        );
        break;
      case 'refused': {
        const { cause: refused, told } = answer;
        // The password was right, but is too old.
        if (told?.errorCode === MsChapError.PasswordExpired) this.#decide({ refused, told });
        else this.#wrong(refused, told && this.#retryable(told), now);
        break;
      }
      case 'challenge':
        this.#state = { name: 'challenged', continuation: answer.continuation };
        this.#ports.challenge(answer.request, now);
        break;
      case 'unanswered': {
        // Whom the configuration knows gets in without RADIUS, where it says so.
        const isLocal = this.#ports.options().accounts.includes('local');
        if (!isLocal || this.#local(attempt) === undefined || isContinuation(attempt))
          this.#decide({ refused: answer.cause, told: undefined });
        else if (attempt.evidence.method === 'eap') this.#askHere(now);
        else this.#judgeHere(attempt, now);
        break;
      }
    }
  }

  /** Whose account is here gets one try: where others got more, that would tell which names are known here. */
  #retryable({ retry, ...told }: Refusal): Refusal {
    const isLocal = this.#ports.options().accounts.includes('local');
    return retry === undefined || isLocal ? told : { ...told, retry };
  }

  #right(account: Account): void {
    this.#ports.access.lockout.succeeded(this.#call.peer, this.attempt.bareUsername);
    this.#decide({ account });
  }

  #wrong(why: Cause, told: Refusal | undefined, now: number): void {
    const { server, peer: source } = this.#call;
    const { bareUsername: username } = this.attempt;
    const { access, options } = this.#ports;
    access.lockout.failed({ server, source, username }, options().ban, now);
    this.#decide({ refused: why, told });
  }

  #decide(verdict: Verdict): void {
    this.#state = { name: 'decided', verdict };
  }
}

/** The answer to an authority's challenge, and no new login. */
function isContinuation({ evidence }: LoginAttempt): boolean {
  return evidence.method === 'eap' && evidence.round > 0;
}
