/**
 * Both directions of authentication on one link (RFC 1661 §3.5): the peer logs in to us, we log in to the peer.
 */
import type { MppeKeySource } from '../mppe-key-source.ts';
import type { AuthMethod, LinkOptions, Refusal } from '../options.ts';
import { PppProtocol } from '../../wire/ppp-frame.ts';
import { Authenticator } from './authenticator.ts';
import { Login } from './login.ts';
import type { AuthenticationOutput } from './output.ts';

export interface Methods {
  /** How the peer logs in; undefined: it does not. */
  readonly peer: AuthMethod | undefined;
  /** How we log in; undefined: we do not. */
  readonly own: AuthMethod | undefined;
}

export class Authentication {
  readonly #authenticator: Authenticator | undefined;
  readonly #login: Login | undefined;

  constructor(methods: Methods, options: LinkOptions, now: number) {
    const { authenticatePeer, identity } = options;
    if (methods.peer !== undefined && authenticatePeer !== undefined)
      this.#authenticator = new Authenticator(methods.peer, authenticatePeer.name, options, now);
    if (methods.own !== undefined && identity !== undefined)
      this.#login = new Login(methods.own, identity, options, now);
  }

  get methods(): Methods {
    return { peer: this.#authenticator?.method, own: this.#login?.method };
  }

  get isComplete(): boolean {
    return (this.#authenticator?.isAdmitted ?? true) && !this.isLoggingIn;
  }

  /** Our own login has not been accepted yet. */
  get isLoggingIn(): boolean {
    return this.#login?.isAccepted === false;
  }

  /** The owner of the link has an attempt to decide on. */
  get isDeciding(): boolean {
    return this.#authenticator?.isDeciding ?? false;
  }

  /**
   * Where MPPE's keys come from. As with pppd MS-CHAP must have run in exactly one direction: with two nobody knows
   * whose count.
   */
  get keys(): MppeKeySource | undefined {
    const peers = this.#authenticator?.keys;
    const own = this.#login?.keys;
    return peers !== undefined && own !== undefined ? undefined : (peers ?? own);
  }

  /** A frame of protocol CHAP or PAP. Returns false if there is nobody to take it. */
  handlePayload(protocol: number, payload: Uint8Array, now: number): boolean {
    // Responses and Authenticate-Requests are for the authenticator, everything else for our login.
    const isRequest = payload[0] === (protocol === PppProtocol.Pap ? 1 : 2);
    const side = isRequest ? this.#authenticator : this.#login;
    side?.handlePayload(protocol, payload, now);
    return side !== undefined;
  }

  /** @throws Error unless the attempt was verified */
  admit(): void {
    this.#authenticator?.admit();
  }

  refuse(told: Refusal | undefined): void {
    this.#authenticator?.refuse(told);
  }

  nextTimeout(): number | undefined {
    const authenticator = this.#authenticator?.nextTimeout();
    const login = this.#login?.nextTimeout();
    if (authenticator === undefined || login === undefined) return authenticator ?? login;
    return Math.min(authenticator, login);
  }

  handleTimeout(now: number): void {
    this.#authenticator?.handleTimeout(now);
    this.#login?.handleTimeout(now);
  }

  poll(): AuthenticationOutput | undefined {
    return this.#authenticator?.poll() ?? this.#login?.poll();
  }
}
