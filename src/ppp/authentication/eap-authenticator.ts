/**
 * The authenticator's side of EAP (RFC 3748): the peer logs in to us by EAP-MSCHAPv2 (draft-kamath-pppext-eap-mschapv2).
 */
import { cause, type Cause } from '../../wire/cause.ts';
import { isMalformed } from '../../wire/codec.ts';
import {
  decodeEap,
  decodeEapMsChapV2Response,
  EapType,
  encodeEap,
  encodeEapMsChapV2Request,
  nakTypes,
  type EapExchange,
  type EapMsChapV2Request,
  type EapMsChapV2Response,
} from '../../wire/eap.ts';
import {
  decodeMsChapV2Response,
  formatMsChapFailure,
  MS_CHAP_V2_CHALLENGE_LENGTH,
} from '../../wire/ms-chap.ts';
import { encodePppFrame, PppProtocol } from '../../wire/ppp-frame.ts';
import { takeFirst } from '../../wire/queue.ts';
import { textOf } from '../../wire/text.ts';
import type { Grant, LinkOptions, Refusal } from '../options.ts';
import { toldOf, type Admitted } from './authenticator.ts';
import { LoginAttempt } from './login-attempt.ts';
import { MAX_REPEATS, PATIENCE, REPEAT_TIME } from './output.ts';
import type { AuthenticationOutput } from './output.ts';

/** A Request that waits for its Response, and is repeated until then: RFC 3748 §4.3. */
interface Question {
  readonly identifier: number;
  /** The packet. */
  readonly request: Uint8Array;
  readonly sent: number;
  readonly deadline: number;
}

type State =
  | (Question & { readonly name: 'identity' })
  | (Question & { readonly name: 'challenge'; readonly challenge: Uint8Array })
  /** `identifier` is that of the Response. */
  | {
      readonly name: 'deciding';
      readonly identifier: number;
      readonly attempt: LoginAttempt;
      readonly deadline: number;
    }
  /** EAP-MSCHAPv2's Success or Failure Request, before EAP's. */
  | (Question & { readonly name: 'telling'; readonly admitted: Admitted | undefined })
  /** Nobody repeats a Success or Failure, unless the last Response is (RFC 3748 §4.2). */
  | {
      readonly name: 'decided';
      readonly identifier: number;
      /** undefined: it was refused. */
      readonly admitted: Admitted | undefined;
    }
  | { readonly name: 'failed' };

export class EapAuthenticator {
  readonly method = 'eap';
  readonly #name: string;
  readonly #random: LinkOptions['random'];
  readonly #count: LinkOptions['count'];
  #identifier: number;
  #state: State;
  readonly #outputs: AuthenticationOutput[] = [];

  /** @param name who we are, in EAP-MSCHAPv2's Challenge */
  constructor(name: string, { random, count }: Pick<LinkOptions, 'random' | 'count'>, now: number) {
    this.#name = name;
    this.#random = random;
    this.#count = count;
    const [first = 0] = random(1);
    this.#identifier = first;
    const request = this.#request(EapType.Identity, new Uint8Array(0));
    this.#state = { name: 'identity', ...this.#ask(request, now) };
  }

  get admitted(): Admitted | undefined {
    return this.#state.name === 'decided' ? this.#state.admitted : undefined;
  }

  /** A frame of protocol EAP: a Response. */
  handlePayload(protocol: number, payload: Uint8Array, now: number): void {
    if (protocol !== PppProtocol.Eap) {
      this.#count('unexpected-authentication');
      return;
    }
    const packet = decodeEap(payload);
    if (isMalformed(packet)) this.#count('malformed-authentication');
    else if (packet.kind !== 'response') this.#count('unexpected-authentication');
    else this.#handleResponse(packet, now);
  }

  /**
   * The attempt was verified and is let in. Ignored when none waits for the decision.
   * @throws Error unless the attempt was verified or vouched for
   */
  admit(grant: Grant, now: number): void {
    const state = this.#state;
    if (state.name !== 'deciding') return;
    const { proof } = state.attempt;
    if (proof === undefined) throw new Error('admit without a verified login');
    const { success, keys } = proof;
    this.#tell(state, 'success', success, { grant, keys }, now);
  }

  /**
   * @param told as in Authenticator
   * @returns false: no attempt waits for the decision
   */
  refuse(told: Refusal | undefined, now: number): boolean {
    const state = this.#state;
    if (state.name !== 'deciding') return false;
    const { errorCode, message } = toldOf(state.attempt, told);
    // RFC 2759 §6; never with a retry on this challenge.
    const challenge = this.#random(MS_CHAP_V2_CHALLENGE_LENGTH);
    const text = formatMsChapFailure({ errorCode, retry: false, challenge, version: 3, message });
    this.#tell(state, 'failure', text, undefined, now);
    return true;
  }

  nextTimeout(): number | undefined {
    return 'deadline' in this.#state ? this.#state.deadline : undefined;
  }

  handleTimeout(now: number): void {
    const state = this.#state;
    if (!('deadline' in state) || now < state.deadline) return;
    if ('request' in state && state.sent < MAX_REPEATS) {
      this.#state = { ...state, sent: state.sent + 1, deadline: now + REPEAT_TIME };
      this.#transmit(state.request);
    } else this.#fail(cause('AUTH_TIMEOUT'));
  }

  poll(): AuthenticationOutput | undefined {
    return takeFirst(this.#outputs);
  }

  #handleResponse(response: EapExchange, now: number): void {
    const state = this.#state;
    if (state.name === 'failed') return;
    if (response.identifier !== state.identifier) {
      this.#count('stale-answer');
      return;
    }
    switch (state.name) {
      case 'identity':
        this.#handleIdentity(response, now);
        break;
      case 'challenge':
        this.#handleMethod(response, state.challenge, now);
        break;
      case 'telling':
        this.#handleAgreement(response, state);
        break;
      case 'deciding': // A repetition: the decision will answer it, too.
        break;
      case 'decided':
        this.#conclude(state.identifier, state.admitted !== undefined);
        break;
    }
  }

  /** RFC 3748 §5.1. The name that counts is the one in EAP-MSCHAPv2's Response. */
  #handleIdentity(response: EapExchange, now: number): void {
    if (response.type !== EapType.Identity) this.#count('unexpected-authentication');
    else this.#challenge(now);
  }

  #challenge(now: number): void {
    const challenge = this.#random(MS_CHAP_V2_CHALLENGE_LENGTH).slice();
    const name = textOf(this.#name);
    const msChapV2Id = this.#nextIdentifier();
    const question = this.#askMsChapV2({ kind: 'challenge', msChapV2Id, challenge, name }, now);
    this.#state = { name: 'challenge', challenge, ...question };
  }

  #handleMethod(response: EapExchange, challenge: Uint8Array, now: number): void {
    if (response.type === EapType.Nak) {
      const wanted = nakTypes(response.data).join(', ');
      this.#fail(
        cause(
          'AUTH_METHOD_REFUSED',
          `the caller does not take EAP-MSCHAPv2 (26)${wanted === '' ? '' : `, but the EAP methods ${wanted}`}`,
        ),
      );
      return;
    }
    const answer = this.#msChapV2Response(response);
    if (answer === undefined) return;
    if (answer.kind !== 'response') {
      this.#count('unexpected-authentication');
      return;
    }
    const fields = decodeMsChapV2Response(answer.value);
    if (isMalformed(fields)) {
      this.#count('malformed-authentication');
      return;
    }
    const { peerChallenge, ntResponse } = fields;
    const exchange = {
      authenticatorChallenge: challenge,
      peerChallenge,
      userName: answer.name.octets,
    };
    const { identifier } = response;
    const evidence = {
      method: 'mschap-v2',
      identifier: answer.msChapV2Id,
      exchange,
      ntResponse,
      takesMessage: true,
    } as const;
    const attempt = new LoginAttempt(answer.name.text, evidence, this.method);
    this.#state = { name: 'deciding', identifier, attempt, deadline: now + PATIENCE };
    this.#outputs.push({ kind: 'login', attempt });
  }

  #tell(
    { identifier: msChapV2Id }: State & { name: 'deciding' },
    kind: 'success' | 'failure',
    text: string,
    admitted: Admitted | undefined,
    now: number,
  ): void {
    const message = textOf(text);
    this.#nextIdentifier();
    const question = this.#askMsChapV2({ kind, msChapV2Id, message }, now);
    this.#state = { name: 'telling', admitted, ...question };
  }

  /** The peer has read how it ended. */
  #handleAgreement(response: EapExchange, { admitted }: State & { name: 'telling' }): void {
    const answer = this.#msChapV2Response(response);
    if (answer === undefined) return;
    if (answer.kind === 'response') this.#count('unexpected-authentication');
    else if (admitted === undefined) this.#decide(response.identifier, undefined);
    else if (answer.kind === 'success') this.#decide(response.identifier, admitted);
    else this.#fail(cause('PEER_TERMINATED', 'the caller does not take our proof of the password'));
  }

  #msChapV2Response({ type, data }: EapExchange): EapMsChapV2Response | undefined {
    if (type !== EapType.MsChapV2) {
      this.#count('unexpected-authentication');
      return undefined;
    }
    const answer = decodeEapMsChapV2Response(data);
    if (!isMalformed(answer)) return answer;
    this.#count('malformed-authentication');
    return undefined;
  }

  #decide(identifier: number, admitted: Admitted | undefined): void {
    this.#state = { name: 'decided', identifier, admitted };
    this.#conclude(identifier, admitted !== undefined);
  }

  /** RFC 3748 §4.2: the identifier is that of the Response. */
  #conclude(identifier: number, isSuccess: boolean): void {
    this.#transmit(encodeEap({ kind: isSuccess ? 'success' : 'failure', identifier }));
  }

  #nextIdentifier(): number {
    this.#identifier = (this.#identifier + 1) & 0xff;
    return this.#identifier;
  }

  #askMsChapV2(request: EapMsChapV2Request, now: number): Question {
    const data = encodeEapMsChapV2Request(request);
    return this.#ask(this.#request(EapType.MsChapV2, data), now);
  }

  #request(type: number, data: Uint8Array): Uint8Array {
    return encodeEap({ kind: 'request', identifier: this.#identifier, type, data });
  }

  #ask(request: Uint8Array, now: number): Question {
    this.#transmit(request);
    return { identifier: this.#identifier, request, sent: 1, deadline: now + REPEAT_TIME };
  }

  #transmit(packet: Uint8Array): void {
    this.#outputs.push({ kind: 'transmit', frame: encodePppFrame(PppProtocol.Eap, packet) });
  }

  #fail(why: Cause): void {
    const state = this.#state;
    if ('identifier' in state && why.code !== 'AUTH_TIMEOUT')
      this.#conclude(state.identifier, false);
    this.#state = { name: 'failed' };
    this.#outputs.push({ kind: 'failed', cause: why });
  }
}
