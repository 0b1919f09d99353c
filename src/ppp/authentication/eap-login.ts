/**
 * The peer's side of EAP (RFC 3748): we log in to the peer by EAP-MSCHAPv2 (draft-kamath-pppext-eap-mschapv2), and name it
 * in a Nak where something else is asked.
 *
 * The server's proof, and not EAP's Success, is what we are let in by (§4.2): pppd 2.5 never sends one, nobody repeats one
 * that is lost, and anybody could send it.
 */
import { equalConstantTime } from '../../crypto/equal-constant-time.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { isMalformed } from '../../wire/codec.ts';
import {
  decodeEap,
  decodeEapMsChapV2Request,
  EapType,
  encodeEap,
  encodeEapMsChapV2Response,
  type EapExchange,
  type EapMsChapV2Request,
} from '../../wire/eap.ts';
import { MS_CHAP_V2_CHALLENGE_LENGTH } from '../../wire/ms-chap.ts';
import { encodePppFrame, PppProtocol } from '../../wire/ppp-frame.ts';
import { takeFirst } from '../../wire/queue.ts';
import { readable, textFromOctets, textOf } from '../../wire/text.ts';
import type { MppeKeySource } from '../mppe-key-source.ts';
import type { LinkOptions } from '../options.ts';
import type { Identity } from './login.ts';
import {
  answerMsChapV2,
  msChapFailureCause,
  provesSecret,
  type MsChapV2Answer,
} from './ms-chap-answer.ts';
import { MAX_ROUNDS, PATIENCE, type AuthenticationOutput } from './output.ts';

type State =
  /** RFC 3748 §4.3: the authenticator repeats its Requests, we repeat nothing. */
  | { readonly name: 'waiting'; readonly deadline: number; readonly rounds: number }
  | { readonly name: 'accepted' }
  | { readonly name: 'failed' };

export class EapLogin {
  readonly method = 'eap';
  readonly #identity: Identity;
  readonly #random: LinkOptions['random'];
  readonly #count: LinkOptions['count'];
  #state: State;
  /** Of the last Challenge: when it is repeated, it gets the same answer. */
  #answered: (MsChapV2Answer & { readonly challenge: Uint8Array }) | undefined;
  #keys: MppeKeySource | undefined;
  /** What the server wanted its user to read (RFC 3748 §5.2). */
  #notification: string | undefined;
  readonly #outputs: AuthenticationOutput[] = [];

  constructor(
    identity: Identity,
    { random, count }: Pick<LinkOptions, 'random' | 'count'>,
    now: number,
  ) {
    this.#identity = identity;
    this.#random = random;
    this.#count = count;
    this.#state = { name: 'waiting', deadline: now + PATIENCE, rounds: 0 };
  }

  /** undefined: it is not accepted. Not carried: #identity, #random, #count; #outputs, of which there are none. */
  save() {
    if (this.#state.name !== 'accepted' || this.#outputs.length > 0) return undefined;
    return {
      method: this.method,
      answered: this.#answered,
      keys: this.#keys,
      notification: this.#notification,
    } as const;
  }

  restore({ answered, keys, notification }: NonNullable<ReturnType<EapLogin['save']>>): this {
    this.#state = { name: 'accepted' };
    this.#answered = answered;
    this.#keys = keys;
    this.#notification = notification;
    return this;
  }

  /** Another login in between does not undo it; failing that one ends the link. */
  get isAccepted(): boolean {
    return this.#keys !== undefined;
  }

  /** Keys of the first login: a later one leaves encryption as it is. */
  get keys(): MppeKeySource | undefined {
    return this.#keys;
  }

  /** A frame of protocol EAP: Request, Success, Failure. */
  handlePayload(protocol: number, payload: Uint8Array, now: number): void {
    if (protocol !== PppProtocol.Eap) {
      this.#count('unexpected-authentication');
      return;
    }
    if (this.#state.name === 'failed') return;
    const packet = decodeEap(payload);
    if (isMalformed(packet)) {
      this.#count('malformed-authentication');
      return;
    }
    switch (packet.kind) {
      case 'request':
        this.#handleRequest(packet, now);
        break;
      case 'failure':
        // RFC 3748 §4.2: once both ends have said that it is a success, it is one.
        if (this.#state.name === 'accepted') this.#count('stale-answer');
        else this.#fail(cause('AUTH_TOPEER_FAILED', this.#notification));
        break;
      case 'success':
        if (this.#state.name !== 'accepted') this.#count('unexpected-authentication');
        break;
      case 'response':
        this.#count('unexpected-authentication');
        break;
    }
  }

  nextTimeout(): number | undefined {
    return this.#state.name === 'waiting' ? this.#state.deadline : undefined;
  }

  handleTimeout(now: number): void {
    const deadline = this.nextTimeout();
    if (deadline !== undefined && now >= deadline) this.#fail(cause('AUTH_TIMEOUT'));
  }

  poll(): AuthenticationOutput | undefined {
    return takeFirst(this.#outputs);
  }

  #handleRequest(request: EapExchange, now: number): void {
    const { type, data } = request;
    switch (type) {
      case EapType.Identity:
        if (this.#goOn(now)) this.#respond(request, textOf(this.#identity.username).octets);
        break;
      case EapType.Notification:
        this.#notification = readable(textFromOctets(data).text);
        if (this.#goOn(now)) this.#respond(request, new Uint8Array(0));
        break;
      case EapType.MsChapV2: {
        const asked = decodeEapMsChapV2Request(data);
        if (isMalformed(asked)) this.#count('malformed-authentication');
        else if (asked.kind !== 'challenge' && this.#answered === undefined)
          this.#count('stale-answer');
        else if (this.#goOn(now)) this.#handleMsChapV2(request, asked);
        break;
      }
      case EapType.Nak: // RFC 3748 §5.3: in Responses only
        this.#count('unexpected-authentication');
        break;
      default:
        if (this.#goOn(now)) this.#respond(request, Uint8Array.of(EapType.MsChapV2), EapType.Nak);
    }
  }

  /** A Request that makes sense has come. @returns false: that was one too many */
  #goOn(now: number): boolean {
    if (this.#state.name !== 'waiting') return true;
    const rounds = this.#state.rounds + 1;
    if (rounds > MAX_ROUNDS) {
      this.#fail(cause('AUTH_TOPEER_FAILED', 'its questions do not end'));
      return false;
    }
    this.#state = { name: 'waiting', deadline: now + PATIENCE, rounds };
    return true;
  }

  #handleMsChapV2(request: EapExchange, asked: EapMsChapV2Request): void {
    if (asked.kind === 'challenge') {
      this.#handleChallenge(request, asked);
      return;
    }
    const { kind } = asked;
    const { text } = asked.message;
    if (kind === 'success') {
      const answered = this.#answered!;
      if (!provesSecret(text, answered.proof)) {
        this.#fail(cause('SERVER_NOT_TRUSTED'));
        return;
      }
      this.#respond(request, encodeEapMsChapV2Response({ kind }));
      this.#accept(answered.keys);
      return;
    }
    this.#respond(request, encodeEapMsChapV2Response({ kind }));
    this.#fail(msChapFailureCause(text));
  }

  #handleChallenge(
    request: EapExchange,
    { msChapV2Id, challenge }: EapMsChapV2Request & { kind: 'challenge' },
  ): void {
    const { secret, username } = this.#identity;
    const name = textOf(username);
    if (!this.#answered || !equalConstantTime(this.#answered.challenge, challenge)) {
      const peerChallenge = this.#random(MS_CHAP_V2_CHALLENGE_LENGTH).slice();
      const exchange = {
        authenticatorChallenge: challenge,
        peerChallenge,
        userName: name.octets,
      };
      this.#answered = { challenge, ...answerMsChapV2(exchange, secret) };
    }
    const { value } = this.#answered;
    this.#respond(
      request,
      encodeEapMsChapV2Response({ kind: 'response', msChapV2Id, value, name }),
    );
  }

  #accept(keys: MppeKeySource): void {
    this.#state = { name: 'accepted' };
    if (this.#keys !== undefined) return;
    this.#keys = keys;
    this.#outputs.push({ kind: 'authenticated', method: this.method });
  }

  #respond({ identifier, type }: EapExchange, data: Uint8Array, as = type): void {
    const packet = encodeEap({ kind: 'response', identifier, type: as, data });
    this.#outputs.push({ kind: 'transmit', frame: encodePppFrame(PppProtocol.Eap, packet) });
  }

  #fail(why: Cause): void {
    this.#state = { name: 'failed' };
    this.#outputs.push({ kind: 'failed', cause: why });
  }
}
