/**
 * The peer's side in the RFCs' words: we log in to the peer. CHAP (RFC 1994 §4), MS-CHAP (RFC 2433, RFC 2759), PAP
 * (RFC 1334).
 */
import { chapMd5Response } from '../../crypto/chap-md5.ts';
import { equalConstantTime } from '../../crypto/equal-constant-time.ts';
import { generateMsChapV1NtResponse } from '../../crypto/ms-chap-v1.ts';
import type { Secret } from '../../crypto/secret.ts';
import { cause, type Cause, type CauseCode } from '../../wire/cause.ts';
import { decodeChap, encodeChap } from '../../wire/chap.ts';
import { isMalformed } from '../../wire/codec.ts';
import {
  encodeMsChapResponse,
  MS_CHAP_CHALLENGE_LENGTH,
  MS_CHAP_V2_CHALLENGE_LENGTH,
} from '../../wire/ms-chap.ts';
import { decodePap, encodePap } from '../../wire/pap.ts';
import { encodePppFrame, PppProtocol } from '../../wire/ppp-frame.ts';
import { readable, textOf } from '../../wire/text.ts';
import { takeFirst } from '../../wire/queue.ts';
import type { MppeKeySource } from '../mppe-key-source.ts';
import type { AuthMethod, LinkOptions } from '../options.ts';
import { msChapKeys } from './evidence.ts';
import { answerMsChapV2, msChapFailureCause, provesSecret } from './ms-chap-answer.ts';
import { MAX_REPEATS, PATIENCE, REPEAT_TIME, type AuthenticationOutput } from './output.ts';

type Method = Exclude<AuthMethod, 'eap'>;

export interface Identity {
  readonly username: string;
  readonly secret: Secret;
}

/** What we answered to one Challenge, and what must come back. */
interface Answer {
  readonly identifier: number;
  readonly challenge: Uint8Array;
  /** The Response or Authenticate-Request. */
  readonly payload: Uint8Array;
  readonly keys: MppeKeySource | undefined;
  /** What a Success must prove; undefined where the method proves nothing. */
  readonly proof: Uint8Array | undefined;
}

type State =
  | { readonly name: 'waiting'; readonly deadline: number }
  | {
      readonly name: 'answered';
      readonly answer: Answer;
      readonly sent: number;
      readonly deadline: number;
    }
  /** Kept to answer a repeated Challenge with the same Response. */
  | { readonly name: 'accepted'; readonly answer: Answer }
  | { readonly name: 'failed' };

export class Login {
  readonly method: Method;
  readonly #identity: Identity;
  readonly #random: LinkOptions['random'];
  readonly #count: LinkOptions['count'];
  #state: State;
  #wasAccepted = false;
  #keys: MppeKeySource | undefined;
  readonly #outputs: AuthenticationOutput[] = [];

  constructor(
    method: Method,
    identity: Identity,
    { random, count }: Pick<LinkOptions, 'random' | 'count'>,
    now: number,
  ) {
    this.method = method;
    this.#identity = identity;
    this.#random = random;
    this.#count = count;
    this.#state = { name: 'waiting', deadline: now + PATIENCE };
    if (method === 'pap') this.#answer(this.#papRequest(random(1)[0] ?? 0), now);
  }

  /** undefined: it is not accepted. Not carried: #identity, #random, #count; #outputs, of which there are none; #wasAccepted, which it was. */
  save() {
    const state = this.#state;
    if (state.name !== 'accepted' || this.#outputs.length > 0) return undefined;
    return { method: this.method, answer: state.answer, keys: this.#keys };
  }

  /** What was begun is not. */
  restore({ answer, keys }: NonNullable<ReturnType<Login['save']>>): this {
    this.#state = { name: 'accepted', answer };
    this.#wasAccepted = true;
    this.#keys = keys;
    this.#outputs.length = 0;
    return this;
  }

  /** A challenge in between (RFC 1994 §2) does not undo it; failing that one ends the link. */
  get isAccepted(): boolean {
    return this.#wasAccepted;
  }

  /** Keys of the first login: a later one leaves encryption as it is. */
  get keys(): MppeKeySource | undefined {
    return this.#keys;
  }

  /** A frame of protocol CHAP (Challenge, Success, Failure) or PAP (Authenticate-Ack, -Nak). */
  handlePayload(protocol: number, payload: Uint8Array, now: number): void {
    const ours = this.method === 'pap' ? PppProtocol.Pap : PppProtocol.Chap;
    if (protocol !== ours) {
      this.#count('unexpected-authentication');
      return;
    }
    if (this.method === 'pap') this.#handlePap(payload);
    else this.#handleChap(payload, now);
  }

  nextTimeout(): number | undefined {
    const state = this.#state;
    return state.name === 'waiting' || state.name === 'answered' ? state.deadline : undefined;
  }

  handleTimeout(now: number): void {
    const deadline = this.nextTimeout();
    if (deadline === undefined || now < deadline) return;
    const state = this.#state;
    if (state.name !== 'answered' || state.sent >= MAX_REPEATS) {
      this.#fail('AUTH_TIMEOUT');
      return;
    }
    // RFC 1334 §2.2.1: each repetition has an identifier of its own.
    const answer =
      this.method === 'pap' ? this.#papRequest((state.answer.identifier + 1) & 0xff) : state.answer;
    this.#state = { ...state, answer, sent: state.sent + 1, deadline: now + REPEAT_TIME };
    this.#transmit(answer);
  }

  poll(): AuthenticationOutput | undefined {
    return takeFirst(this.#outputs);
  }

  #handleChap(payload: Uint8Array, now: number): void {
    if (this.#state.name === 'failed') return;
    const packet = decodeChap(payload);
    if (isMalformed(packet)) {
      this.#count('malformed-authentication');
      return;
    }
    const { identifier } = packet;
    switch (packet.kind) {
      case 'challenge': {
        this.#handleChallenge(identifier, packet.value, now);
        return;
      }
      case 'success': {
        this.#handleSuccess(identifier, packet.message.text);
        return;
      }
      case 'failure':
        if (!this.#expects(identifier)) {
          this.#count('stale-answer');
          return;
        }
        {
          this.#handleFailure(packet.message.text);
          return;
        }
      case 'change-password':
      case 'response': {
        this.#count('unexpected-authentication');
        return;
      }
    }
  }

  /** A peer may challenge again at any time (RFC 1994 §2). A repeated Challenge gets the same Response. */
  #handleChallenge(identifier: number, challenge: Uint8Array, now: number): void {
    const state = this.#state;
    if (state.name === 'answered' || state.name === 'accepted') {
      const { answer } = state;
      if (identifier === answer.identifier && equalConstantTime(challenge, answer.challenge)) {
        this.#transmit(answer);
        return;
      }
    }
    const answer = this.#respond(identifier, challenge);
    if (answer === undefined) {
      this.#count('malformed-authentication');
      return;
    }
    this.#answer(answer, now);
  }

  #respond(identifier: number, challenge: Uint8Array): Answer | undefined {
    const { secret, username } = this.#identity;
    const name = textOf(username);
    const answer = (value: Uint8Array, keys?: MppeKeySource, proof?: Uint8Array): Answer => {
      const payload = encodeChap({ kind: 'response', identifier, value, name });
      return { identifier, challenge, payload, keys, proof };
    };
    switch (this.method) {
      case 'mschap-v2': {
        if (challenge.length !== MS_CHAP_V2_CHALLENGE_LENGTH) return undefined;
        const peerChallenge = this.#random(MS_CHAP_V2_CHALLENGE_LENGTH).slice();
        const { value, keys, proof } = answerMsChapV2(
          { authenticatorChallenge: challenge, peerChallenge, userName: name.octets },
          secret,
        );
        return answer(value, keys, proof);
      }
      case 'mschap': {
        if (challenge.length !== MS_CHAP_CHALLENGE_LENGTH) return undefined;
        const ntResponse = generateMsChapV1NtResponse(challenge, secret.ntHash);
        // RFC 2433 §4: the LM response, which gives the password away, may be left out.
        const lmResponse = new Uint8Array(ntResponse.length);
        const value = encodeMsChapResponse({ lmResponse, ntResponse, useNtResponse: 1 });
        return answer(value, msChapKeys(challenge, secret));
      }
      case 'chap': {
        if (challenge.length === 0) return undefined;
        const password = new TextEncoder().encode(secret.password ?? '');
        return answer(chapMd5Response(identifier, password, challenge));
      }
      case 'pap':
        return undefined;
    }
  }

  #papRequest(identifier: number): Answer {
    const { secret, username } = this.#identity;
    const payload = encodePap({
      kind: 'authenticate-request',
      identifier,
      peerId: textOf(username),
      password: new TextEncoder().encode(secret.password ?? ''),
    });
    const challenge = new Uint8Array(0);
    return { identifier, challenge, payload, keys: undefined, proof: undefined };
  }

  #handleSuccess(identifier: number, message: string): void {
    const state = this.#state;
    if (!this.#expects(identifier) || state.name !== 'answered') {
      if (state.name !== 'accepted') this.#count('stale-answer');
      return;
    }
    const { proof } = state.answer;
    if (proof !== undefined && !provesSecret(message, proof)) {
      this.#fail('SERVER_NOT_TRUSTED');
      return;
    }
    this.#accept(state.answer);
  }

  #handlePap(payload: Uint8Array): void {
    const packet = decodePap(payload);
    if (isMalformed(packet)) {
      this.#count('malformed-authentication');
      return;
    }
    if (packet.kind === 'authenticate-request') {
      this.#count('unexpected-authentication');
      return;
    }
    const state = this.#state;
    if (state.name !== 'answered') return;
    // An answer to one of the requests before the last is one, too.
    if (((state.answer.identifier - packet.identifier) & 0xff) >= state.sent) {
      this.#count('stale-answer');
      return;
    }
    if (packet.kind === 'authenticate-ack') {
      this.#accept(state.answer);
      return;
    }
    this.#fail('AUTH_TOPEER_FAILED', readable(packet.message.text));
  }

  #expects(identifier: number): boolean {
    return this.#state.name === 'answered' && this.#state.answer.identifier === identifier;
  }

  #answer(answer: Answer, now: number): void {
    this.#state = { name: 'answered', answer, sent: 1, deadline: now + REPEAT_TIME };
    this.#transmit(answer);
  }

  #accept(answer: Answer): void {
    this.#state = { name: 'accepted', answer };
    if (this.#wasAccepted) return;
    this.#wasAccepted = true;
    this.#keys = answer.keys;
    this.#outputs.push({ kind: 'authenticated', method: this.method });
  }

  #transmit({ payload }: Answer): void {
    const protocol = this.method === 'pap' ? PppProtocol.Pap : PppProtocol.Chap;
    this.#outputs.push({ kind: 'transmit', frame: encodePppFrame(protocol, payload) });
  }

  #handleFailure(text: string): void {
    this.#end(
      this.method === 'chap'
        ? cause('AUTH_TOPEER_FAILED', readable(text))
        : msChapFailureCause(text),
    );
  }

  #fail(code: CauseCode, detail?: string): void {
    this.#end(cause(code, detail));
  }

  #end(why: Cause): void {
    this.#state = { name: 'failed' };
    this.#outputs.push({ kind: 'failed', cause: why });
  }
}
