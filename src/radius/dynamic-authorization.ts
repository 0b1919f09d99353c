/**
 * Dynamic authorization (RFC 5176): servers end live sessions and change what they may. This is the server of that protocol.
 *
 * Only configured addresses are heard, each with its own secret, and each so often a second: what is more is dropped before
 * anything is computed. What is not authentic gets no answer. A request that names several sessions is about all of them (§3).
 */
import { isMalformed, malformed } from '../wire/codec.ts';
import { takeFirst } from '../wire/queue.ts';
import { RADIUS_MAX_LENGTH, RadiusCode, type DecodedRadiusPacket } from '../wire/radius.ts';
import { radiusValue, type RadiusAttribute } from '../wire/radius-attributes.ts';
import {
  dynamicRequest,
  type DynamicRequest,
  ErrorCause,
  type LiveSession,
  type OwnIdentity,
  type Wanted,
} from './dynamic-request.ts';
import { ReplayGuard, type Remembered } from './replay-guard.ts';
import { openRequest, sealAnswer, type Opened, type Random } from './sealing.ts';
import type { SharedSecret } from './shared-secret.ts';

export type DynamicAuthorizationCounter =
  | 'unknown source'
  | 'too many'
  | 'malformed'
  | 'unexpected code'
  | 'bad authenticator'
  | 'bad Message-Authenticator'
  /** Event-Timestamp is not within the window. */
  | 'not current'
  /** It had come before, and was answered as then. */
  | 'again'
  | 'acknowledged'
  | 'refused';

export interface DynamicAuthorizationClient {
  /** For the log. */
  readonly name: string;
  readonly secret: SharedSecret;
}

export interface DynamicAuthorizationOptions {
  /** By address, as the socket tells it. */
  readonly clients: ReadonlyMap<string, DynamicAuthorizationClient>;
  readonly nas: OwnIdentity;
  /** What a request may be older or newer, by Event-Timestamp, than our clock says, ms. */
  readonly window: number;
  /** A request without Message-Authenticator is refused. */
  readonly needsMessageAuthenticator: boolean;
  /** A request without Event-Timestamp is refused; else it is done again when it comes again much later. */
  readonly needsEventTimestamp: boolean;
}

export interface DynamicAuthorizationPorts {
  readonly random: Random;
  readonly count: (what: DynamicAuthorizationCounter) => void;
  /** ms since 1970 */
  readonly wallClock: () => number;
  /** By Acct-Session-Id. */
  readonly session: (id: string) => LiveSession | undefined;
  readonly sessions: () => Iterable<LiveSession>;
}

export interface DatagramSource {
  readonly address: string;
  readonly port: number;
}

export type DynamicAuthorizationOutput =
  | { readonly kind: 'send'; readonly to: DatagramSource; readonly octets: Uint8Array }
  /** Do it for all of these sessions (Acct-Session-Ids), one at least, or for none. Answer: handleDone. */
  | {
      readonly kind: 'act';
      readonly request: number;
      /** Who wants it. */
      readonly client: string;
      readonly sessions: readonly string[];
      readonly wanted: Wanted;
    }
  /** Something that the owner should know; of one client and kind once a minute at most. */
  | { readonly kind: 'warning'; readonly client: string; readonly text: string };

interface Client {
  readonly guard: ReplayGuard;
  /** Requests that may be looked at now. */
  tokens: number;
  filledAt: number;
  /** When a text was last said. */
  readonly warned: Map<string, number>;
}

interface Pending {
  readonly to: DatagramSource;
  readonly packet: DecodedRadiusPacket;
  readonly client: DynamicAuthorizationClient;
  readonly remembered: Remembered;
}

/** Requests of one client that are looked at in a second, and at once. */
const RATE = 200;
const BURST = 400;
/** Requests that are being done. */
const MOST_PENDING = 256;
const WARNING_PAUSE = 60_000;
/** An answer repeats what a request has, and has a Message-Authenticator and an Error-Cause besides. */
const LONGEST_REQUEST = RADIUS_MAX_LENGTH - 18 - 6;
const REQUESTS: readonly number[] = [RadiusCode.DisconnectRequest, RadiusCode.CoaRequest];

export class DynamicAuthorization {
  readonly #ports: DynamicAuthorizationPorts;
  readonly #clients = new Map<string, Client>();
  readonly #pending = new Map<number, Pending>();
  readonly #outputs: DynamicAuthorizationOutput[] = [];
  #options: DynamicAuthorizationOptions;
  #request = 0;

  constructor(options: DynamicAuthorizationOptions, ports: DynamicAuthorizationPorts) {
    this.#options = options;
    this.#ports = ports;
  }

  /** What is being done goes on. */
  reconfigure(options: DynamicAuthorizationOptions): void {
    this.#options = options;
    for (const address of this.#clients.keys())
      if (!options.clients.has(address)) this.#clients.delete(address);
  }

  handleDatagram(octets: Uint8Array, from: DatagramSource, now: number): void {
    const client = this.#options.clients.get(from.address);
    if (client === undefined) {
      this.#ports.count('unknown source');
      return;
    }
    const state = this.#stateOf(from.address, now);
    if (!mayAsk(state, now)) {
      this.#ports.count('too many');
      this.#warn(client, state, `more than ${RATE} requests a second: some are dropped`, now);
      return;
    }
    const opened = this.#open(octets, client, state, now);
    if (opened !== undefined) this.#take(opened, from, client, state, now);
  }

  /** @param refusal undefined: it is done; else it is not done for any of the sessions */
  handleDone(request: number, refusal: ErrorCause | undefined): void {
    const pending = this.#pending.get(request);
    if (pending === undefined) return;
    this.#pending.delete(request);
    this.#answer(pending, refusal);
  }

  nextTimeout(): number | undefined {
    return undefined;
  }

  handleTimeout(): void {
    // There is nothing to wait for.
  }

  poll(): DynamicAuthorizationOutput | undefined {
    return takeFirst(this.#outputs);
  }

  #stateOf(address: string, now: number): Client {
    const known = this.#clients.get(address);
    if (known !== undefined) return known;
    const state = { guard: new ReplayGuard(), tokens: BURST, filledAt: now, warned: new Map() };
    this.#clients.set(address, state);
    return state;
  }

  /** An authentic request; undefined: it is none, and gets no answer. */
  #open(
    octets: Uint8Array,
    client: DynamicAuthorizationClient,
    state: Client,
    now: number,
  ): Opened | undefined {
    const { count } = this.#ports;
    const code = octets[0];
    if (code !== undefined && !REQUESTS.includes(code)) {
      count('unexpected code');
      return undefined;
    }
    const opened =
      octets.length > LONGEST_REQUEST
        ? malformed('too-long', 'no room for an answer')
        : openRequest(octets, client.secret);
    if (isMalformed(opened)) count('malformed');
    else if (opened === 'bad-message-authenticator') count('bad Message-Authenticator');
    else if (opened === 'bad-authenticator') {
      count('bad authenticator');
      this.#warn(client, state, 'wrong secret: it has another one than we', now);
    } else return opened;
    return undefined;
  }

  #take(
    { packet, hasMessageAuthenticator }: Opened,
    to: DatagramSource,
    client: DynamicAuthorizationClient,
    state: Client,
    now: number,
  ): void {
    const { window, needsMessageAuthenticator, needsEventTimestamp } = this.#options;
    const { identifier, authenticator, attributes } = packet;
    const wall = this.#ports.wallClock();
    const seconds = radiusValue(attributes, 'Event-Timestamp');
    const sentAt = seconds === undefined ? undefined : 1000 * seconds;
    const age = wall - (sentAt ?? wall);
    const before = state.guard.find(identifier, authenticator);
    const isOld = sentAt !== undefined && before === undefined && state.guard.isForgotten(sentAt);
    if (Math.abs(age) > window || isOld) {
      this.#ports.count('not current');
      this.#warn(client, state, 'old request: do the clocks differ, or is it a replay?', now);
      return;
    }
    if (before !== undefined) {
      this.#ports.count('again');
      if (before.answer !== undefined)
        this.#outputs.push({ kind: 'send', to, octets: before.answer });
      return;
    }
    const remembered = state.guard.remember(identifier, authenticator, sentAt, window, wall);
    const pending = { to, packet, client, remembered };
    const missing =
      needsMessageAuthenticator && !hasMessageAuthenticator
        ? 'Message-Authenticator'
        : needsEventTimestamp && sentAt === undefined
          ? 'Event-Timestamp'
          : undefined;
    if (missing === undefined) this.#act(pending);
    else {
      this.#warn(client, state, `refused, for a request without ${missing}`, now);
      this.#answer(pending, ErrorCause.MissingAttribute);
    }
  }

  #act(pending: Pending): void {
    const asked = dynamicRequest(pending.packet, this.#options.nas);
    if (typeof asked === 'number') {
      this.#answer(pending, asked);
      return;
    }
    const sessions = this.#sessionsOf(asked);
    if (sessions.length === 0) this.#answer(pending, ErrorCause.SessionContextNotFound);
    else if (this.#pending.size >= MOST_PENDING)
      this.#answer(pending, ErrorCause.ResourcesUnavailable);
    else {
      const request = ++this.#request;
      this.#pending.set(request, pending);
      const { wanted } = asked;
      this.#outputs.push({ kind: 'act', request, client: pending.client.name, sessions, wanted });
    }
  }

  #sessionsOf({ sessionId, matches }: DynamicRequest): string[] {
    const { session, sessions } = this.#ports;
    const found: string[] = [];
    const only = sessionId === undefined ? undefined : session(sessionId);
    const candidates = sessionId === undefined ? sessions() : only === undefined ? [] : [only];
    for (const one of candidates) if (matches(one)) found.push(one.call.sessionId);
    return found;
  }

  #answer({ to, packet, client, remembered }: Pending, refusal: ErrorCause | undefined): void {
    const { code, identifier, authenticator, attributes } = packet;
    this.#ports.count(refusal === undefined ? 'acknowledged' : 'refused');
    const isDisconnect = code === RadiusCode.DisconnectRequest;
    const [ack, nak] = isDisconnect
      ? [RadiusCode.DisconnectAck, RadiusCode.DisconnectNak]
      : [RadiusCode.CoaAck, RadiusCode.CoaNak];
    // §3.1, §3.3: they go back as they came.
    const repeated = attributes.filter(
      ({ name }) => name === 'Proxy-State' || (name === 'State' && !isDisconnect),
    );
    const errorCause: RadiusAttribute[] =
      refusal === undefined ? [] : [{ name: 'Error-Cause', value: refusal }];
    remembered.answer = sealAnswer(
      {
        code: refusal === undefined ? ack : nak,
        identifier,
        attributes: [...errorCause, ...repeated],
      },
      authenticator,
      client.secret,
      this.#ports.random,
    );
    this.#outputs.push({ kind: 'send', to, octets: remembered.answer });
  }

  #warn({ name }: DynamicAuthorizationClient, { warned }: Client, text: string, now: number): void {
    if (now - (warned.get(text) ?? -Infinity) < WARNING_PAUSE) return;
    warned.set(text, now);
    this.#outputs.push({ kind: 'warning', client: name, text });
  }
}

function mayAsk(client: Client, now: number): boolean {
  client.tokens = Math.min(BURST, client.tokens + ((now - client.filledAt) * RATE) / 1000);
  client.filledAt = now;
  if (client.tokens < 1) return false;
  client.tokens--;
  return true;
}
