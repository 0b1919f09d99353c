/**
 * The authenticator's side of EAP (RFC 3748): the peer logs in to us by EAP-MSCHAPv2 (draft-kamath-pppext-eap-mschapv2), or
 * we pass on what it and a server behind us have to say to each other (§2.3), whatever the method.
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
import { textFromOctets, textOf } from '../../wire/text.ts';
import type { Grant, LinkOptions, Refusal } from '../options.ts';
import { toldOf, type Admitted } from './authenticator.ts';
import { LoginAttempt } from './login-attempt.ts';
import { MAX_REPEATS, MAX_ROUNDS, PATIENCE, REPEAT_TIME } from './output.ts';
import type { AuthenticationOutput } from './output.ts';

/** A Request that waits for its Response, and is repeated until then: RFC 3748 §4.3. */
interface Question {
  readonly identifier: number;
  /** The packet. */
  readonly request: Uint8Array;
  readonly sent: number;
  readonly deadline: number;
}

interface Relay {
  readonly identity: string;
  /** Requests so far, that for the identity not counted. */
  readonly round: number;
}

type State =
  | (Question & { readonly name: 'identity' })
  | (Question & { readonly name: 'challenge'; readonly challenge: Uint8Array })
  /** In pass-through: what the server behind us wants to know. */
  | (Question & Relay & { readonly name: 'relayed' })
  /** `identifier` is that of the Response. */
  | {
      readonly name: 'deciding';
      readonly identifier: number;
      readonly attempt: LoginAttempt;
      /** undefined: EAP-MSCHAPv2, and the attempt has all that there is. */
      readonly relay: Relay | undefined;
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

export interface EapAuthenticatorOptions extends Pick<LinkOptions, 'random' | 'count'> {
  /** Who we are, in EAP-MSCHAPv2's Challenge. */
  readonly name: string;
  readonly eap: 'local' | 'pass-through';
  /** Octets of the longest Request that the peer takes. */
  readonly peerMru: number;
}

export class EapAuthenticator {
  readonly method = 'eap';
  readonly #options: EapAuthenticatorOptions;
  #identifier: number;
  #state: State;
  readonly #outputs: AuthenticationOutput[] = [];

  constructor(options: EapAuthenticatorOptions, now: number) {
    this.#options = options;
    const [first = 0] = options.random(1);
    this.#identifier = first;
    const request = this.#request(EapType.Identity, new Uint8Array(0));
    this.#state = { name: 'identity', ...this.#question(request, now) };
  }

  /** undefined: nobody is let in. Not carried: #options; #outputs, of which there are none. */
  save() {
    const state = this.#state;
    if (state.name !== 'decided' || state.admitted === undefined) return undefined;
    if (this.#outputs.length > 0) return undefined;
    const { identifier, admitted } = state;
    return { method: this.method, next: this.#identifier, identifier, admitted } as const;
  }

  /** What was begun is not. */
  restore({ next, identifier, admitted }: NonNullable<ReturnType<EapAuthenticator['save']>>): this {
    this.#identifier = next;
    this.#state = { name: 'decided', identifier, admitted };
    this.#outputs.length = 0;
    return this;
  }

  get admitted(): Admitted | undefined {
    return this.#state.name === 'decided' ? this.#state.admitted : undefined;
  }

  /** A frame of protocol EAP: a Response. */
  handlePayload(protocol: number, payload: Uint8Array, now: number): void {
    if (protocol !== PppProtocol.Eap) {
      this.#options.count('unexpected-authentication');
      return;
    }
    const packet = decodeEap(payload);
    if (isMalformed(packet)) this.#options.count('malformed-authentication');
    else if (packet.kind !== 'response') this.#options.count('unexpected-authentication');
    else this.#handleResponse(packet, now);
  }

  /**
   * The server behind us wants to know more before it decides. Ignored when no attempt waits for that.
   * @param request an EAP Request, whole; 'mschap-v2', after the identity: we ask by EAP-MSCHAPv2
   */
  challenge(request: Uint8Array | 'mschap-v2', now: number): void {
    const state = this.#state;
    if (state.name !== 'deciding' || state.relay === undefined) return;
    if (request === 'mschap-v2') this.#challenge(now);
    else this.#passOn(request, state.relay, now);
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
    if (state.relay === undefined) this.#tell(state, 'success', success, { grant, keys }, now);
    else this.#decide(state.identifier, { grant, keys });
  }

  /**
   * @param told as in Authenticator
   * @returns false: no attempt waits for the decision
   */
  refuse(told: Refusal | undefined, now: number): boolean {
    const state = this.#state;
    if (state.name !== 'deciding') return false;
    if (state.relay !== undefined) {
      this.#decide(state.identifier, undefined);
      return true;
    }
    const { errorCode, message } = toldOf(state.attempt, told);
    // RFC 2759 §6; never with a retry on this challenge.
    const challenge = this.#options.random(MS_CHAP_V2_CHALLENGE_LENGTH);
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
      this.#options.count('stale-answer');
      return;
    }
    switch (state.name) {
      case 'identity':
        this.#handleIdentity(response, now);
        break;
      case 'challenge':
        this.#handleMethod(response, state.challenge, now);
        break;
      case 'relayed':
        this.#relay(response, state, now);
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

  /** RFC 3748 §5.1. With EAP-MSCHAPv2 the name that counts is the one in its Response. */
  #handleIdentity(response: EapExchange, now: number): void {
    if (response.type !== EapType.Identity) this.#options.count('unexpected-authentication');
    else if (this.#options.eap === 'local') this.#challenge(now);
    else this.#relay(response, { identity: textFromOctets(response.data).text, round: 0 }, now);
  }

  #relay(response: EapExchange, { identity, round }: Relay, now: number): void {
    const { peerMru } = this.#options;
    const message = encodeEap(response);
    const attempt = new LoginAttempt(identity, { method: 'eap', message, round, peerMru });
    this.#consider(response.identifier, attempt, { identity, round }, now);
  }

  #passOn(request: Uint8Array, { identity, round }: Relay, now: number): void {
    const packet = decodeEap(request);
    const { length } = request;
    const { peerMru } = this.#options;
    if (isMalformed(packet) || packet.kind !== 'request')
      this.#failRelay('what it asks is no EAP Request');
    else if (length > peerMru)
      this.#failRelay(`its EAP Request has ${length} octets, the caller takes ${peerMru}`);
    else if (round >= MAX_ROUNDS) this.#failRelay(`there is no end after ${round} rounds`);
    else {
      this.#identifier = packet.identifier;
      const question = this.#question(encodeEap(packet), now);
      this.#state = { name: 'relayed', identity, round: round + 1, ...question };
    }
  }

  #challenge(now: number): void {
    const challenge = this.#options.random(MS_CHAP_V2_CHALLENGE_LENGTH).slice();
    const name = textOf(this.#options.name);
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
      this.#options.count('unexpected-authentication');
      return;
    }
    const fields = decodeMsChapV2Response(answer.value);
    if (isMalformed(fields)) {
      this.#options.count('malformed-authentication');
      return;
    }
    const { peerChallenge, ntResponse } = fields;
    const exchange = {
      authenticatorChallenge: challenge,
      peerChallenge,
      userName: answer.name.octets,
    };
    const evidence = {
      method: 'mschap-v2',
      identifier: answer.msChapV2Id,
      exchange,
      ntResponse,
      takesMessage: true,
    } as const;
    const attempt = new LoginAttempt(answer.name.text, evidence, this.method);
    this.#consider(response.identifier, attempt, undefined, now);
  }

  #consider(
    identifier: number,
    attempt: LoginAttempt,
    relay: Relay | undefined,
    now: number,
  ): void {
    this.#state = { name: 'deciding', identifier, attempt, relay, deadline: now + PATIENCE };
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
    if (answer.kind === 'response') this.#options.count('unexpected-authentication');
    else if (admitted === undefined) this.#decide(response.identifier, undefined);
    else if (answer.kind === 'success') this.#decide(response.identifier, admitted);
    else this.#fail(cause('PEER_TERMINATED', 'the caller does not take our proof of the password'));
  }

  #msChapV2Response({ type, data }: EapExchange): EapMsChapV2Response | undefined {
    if (type !== EapType.MsChapV2) {
      this.#options.count('unexpected-authentication');
      return undefined;
    }
    const answer = decodeEapMsChapV2Response(data);
    if (!isMalformed(answer)) return answer;
    this.#options.count('malformed-authentication');
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
    return this.#question(this.#request(EapType.MsChapV2, data), now);
  }

  #request(type: number, data: Uint8Array): Uint8Array {
    return encodeEap({ kind: 'request', identifier: this.#identifier, type, data });
  }

  #question(request: Uint8Array, now: number): Question {
    this.#transmit(request);
    return { identifier: this.#identifier, request, sent: 1, deadline: now + REPEAT_TIME };
  }

  #transmit(packet: Uint8Array): void {
    this.#outputs.push({ kind: 'transmit', frame: encodePppFrame(PppProtocol.Eap, packet) });
  }

  #failRelay(detail: string): void {
    this.#fail(cause('EAP_NOT_PASSED_ON', detail));
  }

  #fail(why: Cause): void {
    const state = this.#state;
    if ('identifier' in state && why.code !== 'AUTH_TIMEOUT')
      this.#conclude(state.identifier, false);
    this.#state = { name: 'failed' };
    this.#outputs.push({ kind: 'failed', cause: why });
  }
}
