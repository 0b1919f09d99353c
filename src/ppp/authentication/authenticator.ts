/**
 * The authenticator's side: the peer logs in to us. CHAP (RFC 1994 §4), MS-CHAP (RFC 2433, RFC 2759), PAP (RFC 1334).
 */
import { cause } from '../../wire/cause.ts';
import { decodeChap, encodeChap, type ChapPacket } from '../../wire/chap.ts';
import { isMalformed } from '../../wire/codec.ts';
import {
  decodeMsChapResponse,
  decodeMsChapV2Change,
  decodeMsChapV2Response,
  formatMsChapFailure,
  MS_CHAP_CHALLENGE_LENGTH,
  MS_CHAP_V2_CHALLENGE_LENGTH,
  MsChapError,
} from '../../wire/ms-chap.ts';
import { decodePap, encodePap } from '../../wire/pap.ts';
import { encodePppFrame, PppProtocol } from '../../wire/ppp-frame.ts';
import { textOf, type Text } from '../../wire/text.ts';
import { takeFirst } from '../../wire/queue.ts';
import type { MppeKeySource } from '../mppe-key-source.ts';
import type { AuthMethod, Grant, LinkOptions, Refusal } from '../options.ts';
import type { Evidence } from './evidence.ts';
import { LoginAttempt } from './login-attempt.ts';
import {
  MAX_REPEATS,
  PATIENCE,
  REPEAT_TIME,
  RETRY_PATIENCE,
  type AuthenticationOutput,
} from './output.ts';

type Method = Exclude<AuthMethod, 'eap'>;

/** What the login has brought the peer. */
export interface Admitted {
  readonly grant: Grant;
  readonly keys: MppeKeySource | undefined;
}

type State =
  /** PAP: the peer has the first word. CHAP: our Challenge was sent `sent` times. */
  | {
      readonly name: 'asking';
      readonly identifier: number;
      readonly challenge: Uint8Array;
      readonly sent: number;
      readonly deadline: number;
    }
  /** `identifier` is the one that the answer will carry. */
  | {
      readonly name: 'deciding';
      readonly identifier: number;
      readonly attempt: LoginAttempt;
      /** What the peer calls itself. */
      readonly peer: Text;
      /** As it came. */
      readonly payload: Uint8Array;
      readonly deadline: number;
    }
  /** A repeated Response gets the same answer (RFC 1994 §4.2, RFC 1334 §2.2.2). */
  | {
      readonly name: 'decided';
      readonly identifier: number;
      /** undefined: it was refused. */
      readonly admitted: Admitted | undefined;
      readonly message: string;
    }
  /** MS-CHAPv2: the peer was refused, and may try again (RFC 2759 §6). */
  | {
      readonly name: 'retrying';
      readonly identifier: number;
      /** Who tries: a Change-Password has no name. */
      readonly peer: Text;
      /** What was refused: repeated, it gets the same answer. */
      readonly refused: Uint8Array;
      readonly message: string;
      readonly challenge: Uint8Array;
      readonly mayChange: boolean;
      readonly deadline: number;
    }
  | { readonly name: 'failed' };

export class Authenticator {
  readonly method: Method;
  readonly #name: string;
  readonly #random: LinkOptions['random'];
  readonly #count: LinkOptions['count'];
  #state: State;
  readonly #outputs: AuthenticationOutput[] = [];

  /** @param name who we are, in CHAP's Challenge */
  constructor(
    method: Method,
    name: string,
    { random, count }: Pick<LinkOptions, 'random' | 'count'>,
    now: number,
  ) {
    this.method = method;
    this.#name = name;
    this.#random = random;
    this.#count = count;
    if (method === 'pap') {
      const challenge = new Uint8Array(0);
      this.#state = { name: 'asking', identifier: 0, challenge, sent: 0, deadline: now + PATIENCE };
    } else {
      const [identifier = 0] = random(1);
      const challenge = random(challengeLength(method)).slice();
      this.#state = this.#challenge(identifier, challenge, 1, now);
    }
  }

  /** undefined: nobody is let in. Not carried: #name, #random, #count; #outputs, of which there are none. */
  save() {
    const state = this.#state;
    if (state.name !== 'decided' || state.admitted === undefined) return undefined;
    if (this.#outputs.length > 0) return undefined;
    const { identifier, admitted, message } = state;
    return { method: this.method, identifier, admitted, message };
  }

  /** What was begun is not. */
  restore({ identifier, admitted, message }: NonNullable<ReturnType<Authenticator['save']>>): this {
    this.#state = { name: 'decided', identifier, admitted, message };
    this.#outputs.length = 0;
    return this;
  }

  get admitted(): Admitted | undefined {
    return this.#state.name === 'decided' ? this.#state.admitted : undefined;
  }

  /** A frame of protocol CHAP (a Response) or PAP (an Authenticate-Request). */
  handlePayload(protocol: number, payload: Uint8Array, now: number): void {
    const ours = this.method === 'pap' ? PppProtocol.Pap : PppProtocol.Chap;
    if (protocol !== ours) {
      this.#count('unexpected-authentication');
      return;
    }
    if (this.method === 'pap') this.#handlePap(payload, now);
    else this.#handleChap(payload, now);
  }

  /**
   * The attempt was verified and is let in. Ignored when none waits for the decision.
   * @throws Error unless the attempt was verified or vouched for
   */
  admit(grant: Grant): void {
    const state = this.#state;
    if (state.name !== 'deciding') return;
    const { proof } = state.attempt;
    if (proof === undefined) throw new Error('admit without a verified login');
    this.#decide(state.identifier, { grant, keys: proof.keys }, proof.success);
  }

  /**
   * @param told why, for a peer that has proved its password; to another the answer is the same whatever the reason, unless
   * `told` is for anybody
   * @returns false: no attempt waits for the decision
   */
  refuse(told: Refusal | undefined): boolean {
    const state = this.#state;
    if (state.name !== 'deciding') return false;
    const refusal = toldOf(state.attempt, told);
    this.#decide(state.identifier, undefined, this.#failureMessage(refusal));
    return true;
  }

  /**
   * The attempt is refused, but the peer may try again: another 'login' follows, or AUTH_TIMEOUT.
   * @param told as in `refuse`, with its retry
   * @returns false: the method cannot do that, or no attempt waits for the decision
   */
  retry(told: Refusal, now: number): boolean {
    const state = this.#state;
    if (state.name !== 'deciding' || this.method !== 'mschap-v2') return false;
    const { identifier, peer, payload: refused } = state;
    const { errorCode, message: words, retry } = told;
    const given = retry?.challenge;
    const hasChallenge = given?.length === MS_CHAP_V2_CHALLENGE_LENGTH;
    const challenge = hasChallenge ? given : this.#random(MS_CHAP_V2_CHALLENGE_LENGTH).slice();
    const message = formatMsChapFailure({
      errorCode,
      retry: true,
      challenge,
      version: 3,
      message: words,
    });
    const mayChange = errorCode === MsChapError.PasswordExpired;
    const deadline = now + RETRY_PATIENCE;
    this.#state = {
      name: 'retrying',
      identifier,
      peer,
      refused,
      message,
      challenge,
      mayChange,
      deadline,
    };
    this.#answer(identifier, undefined, message);
    return true;
  }

  nextTimeout(): number | undefined {
    return 'deadline' in this.#state ? this.#state.deadline : undefined;
  }

  handleTimeout(now: number): void {
    const state = this.#state;
    const deadline = this.nextTimeout();
    if (deadline === undefined || now < deadline) return;
    if (state.name === 'asking' && this.method !== 'pap' && state.sent < MAX_REPEATS) {
      this.#state = this.#challenge(state.identifier, state.challenge, state.sent + 1, now);
      return;
    }
    this.#state = { name: 'failed' };
    this.#outputs.push({ kind: 'failed', cause: cause('AUTH_TIMEOUT') });
  }

  poll(): AuthenticationOutput | undefined {
    return takeFirst(this.#outputs);
  }

  #challenge(identifier: number, challenge: Uint8Array, sent: number, now: number): State {
    this.#send({ kind: 'challenge', identifier, value: challenge, name: textOf(this.#name) });
    return { name: 'asking', identifier, challenge, sent, deadline: now + REPEAT_TIME };
  }

  #handleChap(payload: Uint8Array, now: number): void {
    const packet = decodeChap(payload);
    if (isMalformed(packet)) {
      this.#count('malformed-authentication');
      return;
    }
    const state = this.#state;
    if (state.name === 'retrying' && this.#retried(state, packet, payload, now)) return;
    if (packet.kind !== 'response') {
      this.#count('unexpected-authentication');
      return;
    }
    switch (state.name) {
      case 'asking': {
        if (packet.identifier !== state.identifier) {
          this.#count('stale-answer');
          return;
        }
        const evidence = this.#evidence(packet, state.challenge);
        if (evidence === undefined) {
          this.#count('malformed-authentication');
          return;
        }
        this.#consider(packet.identifier, packet.name, evidence, payload, now);
        return;
      }
      case 'decided':
        if (packet.identifier !== state.identifier) {
          this.#count('stale-answer');
          return;
        }
        {
          this.#answer(state.identifier, state.admitted, state.message);
          return;
        }
      case 'deciding': // A repetition: the decision will answer it, too.
      case 'retrying': // not with CHAP
      case 'failed':
        return;
    }
  }

  /** The next Response has the next identifier (RFC 2759 §7), or the same. @returns whether it was one */
  #retried(
    state: State & { name: 'retrying' },
    packet: ChapPacket,
    payload: Uint8Array,
    now: number,
  ): boolean {
    const { identifier, challenge, peer, mayChange } = state;
    if (packet.kind !== 'response' && packet.kind !== 'change-password') return false;
    if (((packet.identifier - identifier) & 0xff) > 1) {
      this.#count('stale-answer');
      return true;
    }
    if (equalOctets(payload, state.refused)) {
      this.#answer(identifier, undefined, state.message);
      return true;
    }
    if (packet.kind === 'change-password' && !mayChange) return false;
    const evidence =
      packet.kind === 'change-password'
        ? changeEvidence(packet, challenge, peer)
        : this.#evidence(packet, challenge);
    if (evidence === undefined) this.#count('malformed-authentication');
    else {
      const name = packet.kind === 'change-password' ? peer : packet.name;
      this.#consider(packet.identifier, name, evidence, payload, now);
    }
    return true;
  }

  #evidence(
    { identifier, name, value }: ChapPacket & { kind: 'challenge' | 'response' },
    challenge: Uint8Array,
  ): Evidence | undefined {
    if (this.method === 'chap') return { method: 'chap', identifier, challenge, response: value };
    if (this.method === 'mschap') {
      const response = decodeMsChapResponse(value);
      if (isMalformed(response)) return undefined;
      const { ntResponse, useNtResponse } = response;
      const hasNtResponse = useNtResponse === 1;
      return { method: 'mschap', identifier, challenge, ntResponse, hasNtResponse };
    }
    const response = decodeMsChapV2Response(value);
    if (isMalformed(response)) return undefined;
    const { peerChallenge, ntResponse, flags } = response;
    return {
      method: 'mschap-v2',
      identifier,
      exchange: { authenticatorChallenge: challenge, peerChallenge, userName: name.octets },
      ntResponse,
      takesMessage: flags !== WINDOWS_98_FLAGS,
    };
  }

  #handlePap(payload: Uint8Array, now: number): void {
    const packet = decodePap(payload);
    if (isMalformed(packet)) {
      this.#count('malformed-authentication');
      return;
    }
    if (packet.kind !== 'authenticate-request') {
      this.#count('unexpected-authentication');
      return;
    }
    const { identifier } = packet;
    const state = this.#state;
    switch (state.name) {
      case 'asking': {
        const evidence: Evidence = { method: 'pap', password: packet.password };
        this.#consider(identifier, packet.peerId, evidence, payload, now);
        return;
      }
      case 'deciding':
        // RFC 1334 §2.2.1: each repetition has an identifier of its own.
        this.#state = { ...state, identifier };
        return;
      case 'retrying': // not with PAP
        return;
      case 'decided': {
        this.#answer(identifier, state.admitted, state.message);
        return;
      }
      case 'failed':
        return;
    }
  }

  #consider(
    identifier: number,
    peer: Text,
    evidence: Evidence,
    payload: Uint8Array,
    now: number,
  ): void {
    const attempt = new LoginAttempt(peer.text, evidence);
    const deadline = now + PATIENCE;
    this.#state = { name: 'deciding', identifier, attempt, peer, payload, deadline };
    this.#outputs.push({ kind: 'login', attempt });
  }

  #decide(identifier: number, admitted: Admitted | undefined, message: string): void {
    this.#state = { name: 'decided', identifier, admitted, message };
    this.#answer(identifier, admitted, message);
  }

  #answer(identifier: number, admitted: Admitted | undefined, text: string): void {
    const message = textOf(text);
    if (this.method !== 'pap') {
      this.#send({ kind: admitted === undefined ? 'failure' : 'success', identifier, message });
      return;
    }
    const kind = admitted === undefined ? 'authenticate-nak' : 'authenticate-ack';
    this.#transmit(PppProtocol.Pap, encodePap({ kind, identifier, message }));
  }

  /** RFC 2759 §6, RFC 2433 §6; never with a retry on this challenge. */
  #failureMessage({ errorCode, message }: Refusal): string {
    if (this.method !== 'mschap-v2' && this.method !== 'mschap') return message;
    return formatMsChapFailure({
      errorCode,
      retry: false,
      challenge: this.#random(challengeLength(this.method)),
      version: this.method === 'mschap-v2' ? 3 : 2,
      message,
    });
  }

  #send(packet: ChapPacket): void {
    this.#transmit(PppProtocol.Chap, encodeChap(packet));
  }

  #transmit(protocol: number, payload: Uint8Array): void {
    this.#outputs.push({ kind: 'transmit', frame: encodePppFrame(protocol, payload) });
  }
}

const WINDOWS_98_FLAGS = 4;

function changeEvidence(
  { identifier, data }: ChapPacket & { kind: 'change-password' },
  authenticatorChallenge: Uint8Array,
  peer: Text,
): Evidence | undefined {
  const packet = decodeMsChapV2Change(data);
  if (isMalformed(packet)) return undefined;
  const { encryptedPassword, encryptedHash, peerChallenge, ntResponse } = packet;
  return {
    method: 'mschap-v2',
    exchange: { authenticatorChallenge, peerChallenge, userName: peer.octets },
    identifier,
    ntResponse,
    takesMessage: true,
    change: { encryptedPassword, encryptedHash },
  };
}

function equalOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, at) => octet === b[at]);
}

/** What the peer learns of a refusal. */
export function toldOf({ proof }: LoginAttempt, told: Refusal | undefined): Refusal {
  const mayKnow = proof !== undefined || told?.isForAnybody === true;
  return mayKnow && told !== undefined ? told : WRONG_PASSWORD;
}

const WRONG_PASSWORD: Refusal = {
  errorCode: MsChapError.AuthenticationFailure,
  message: 'Authentication failed',
};

function challengeLength(method: Exclude<Method, 'pap'>): number {
  return method === 'mschap' ? MS_CHAP_CHALLENGE_LENGTH : MS_CHAP_V2_CHALLENGE_LENGTH;
}
