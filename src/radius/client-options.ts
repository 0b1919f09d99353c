/** What a client of RADIUS servers is told: its servers and the requests. */
import type { RadiusAttribute } from '../wire/radius-attributes.ts';
import type { Random } from './sealing.ts';
import type { SharedSecret } from './shared-secret.ts';

/** A server of the group that requests go to. Times in ms. */
export interface RadiusServerOptions {
  /** Unique in the group. */
  readonly name: string;
  /** Datagrams, or a stream (RadSec, RFC 6614), where nothing is sent twice. */
  readonly transport: 'udp' | 'tls';
  /** All that its sockets depend on (addresses, ports, certificates), as one text: another one means other sockets. */
  readonly endpoint: string;
  readonly secret: SharedSecret;
  /** The lowest is asked first. */
  readonly priority: number;
  /** Share of the requests among those of one priority, 1 at least. */
  readonly weight: number;
  /** Until a request is sent again for the first time; the times after that double (RFC 5080 §2.2.1). */
  readonly timeout: number;
  /** How often a request is sent before another server is asked; over a stream, on as many connections. */
  readonly tries: number;
  /** Over UDP: how many requests may wait for it at a time, to begin with; absent: 96. */
  readonly window?: number;
  /** How long one that is silent is left in peace. */
  readonly deadTime: number;
  /** Whether answers need a Message-Authenticator; auto: once one has had it. With EAP they always do (RFC 3579 §3.2). */
  readonly messageAuthenticator: 'auto' | 'always' | 'never';
}

/** A request; the object itself comes back with its outcome. */
export interface RadiusRequest {
  /** AccessRequest, AccountingRequest or StatusServer of RadiusCode. */
  readonly code: number;
  /** Without Message-Authenticator and Acct-Delay-Time, which are made here. */
  readonly attributes: readonly RadiusAttribute[];
  /** Accounting: when it happened, on the client's clock: Acct-Delay-Time is counted from there. */
  readonly happened?: number;
  /** For how long an answer is of use, ms; absent: until all servers have been asked. */
  readonly within?: number;
  /** Name of the only server that may be asked: one that sent a State, or that is being tested. */
  readonly server?: string;
}

/** What came, was of no use, and was dropped; or how a request went. */
export type RadiusCounter =
  | 'sent'
  | 'sent-again'
  | 'answered'
  | 'no-answer'
  | 'malformed'
  /** The secret differs, or a stranger sent it. */
  | 'bad-authenticator'
  | 'bad-message-authenticator'
  | 'no-message-authenticator'
  /** An answer of a kind that the request does not have. */
  | 'unexpected-code'
  /** Nobody had asked. */
  | 'unasked'
  /** Nobody waits for it any more. */
  | 'late'
  /** It has been answered already. */
  | 'duplicate'
  | 'died'
  | 'revived';

export interface RadiusClientOptions {
  readonly random: Random;
  readonly count: (what: RadiusCounter, server: string) => void;
  /** Who we are, in the requests that we make on our own: NAS-Identifier or NAS-IP-Address (RFC 5997 §3). */
  readonly identity: () => readonly RadiusAttribute[];
}
