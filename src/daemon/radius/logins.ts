/** Logins that RADIUS servers decide on: a question of a caller becomes a request, the answer what the caller gets. */
import { WELCOME, type Evidence } from '../../ppp/authentication/evidence.ts';
import type { MppeKeySource } from '../../ppp/mppe-key-source.ts';
import type { Refusal } from '../../ppp/options.ts';
import { readAccessAnswer, type AccessAnswer } from '../../radius/access-answer.ts';
import { accessRequest, type RadiusCall, type RadiusLogin } from '../../radius/access-request.ts';
import type { RadiusRequest } from '../../radius/client-options.ts';
import type { SessionChange } from '../../radius/dynamic-request.ts';
import type { GivenKeys, Grant } from '../../radius/grant.ts';
import type {
  Authorization,
  CallFacts,
  LoginAnswer,
  LoginQuestion,
  Terms,
} from '../../session/authorization.ts';
import type { FilterSet } from '../../session/options.ts';
import { cause, type CauseCode } from '../../wire/cause.ts';
import { isMalformed } from '../../wire/codec.ts';
import {
  formatMsChapV2Success,
  MsChapError,
  msChapErrorWords,
  type MsChapFailure,
} from '../../wire/ms-chap.ts';
import { RadiusCode } from '../../wire/radius.ts';
import { textOf } from '../../wire/text.ts';
import type { Authority } from '../tunnels/runner-ports.ts';
import { ClientRunner, type ClientPorts, type Outcome } from './client-runner.ts';
import type { Nas } from './nas.ts';

interface LoginRequest extends RadiusRequest {
  readonly question: LoginQuestion;
  readonly answered: (answer: LoginAnswer) => void;
}

export interface LoginsPorts extends ClientPorts {
  /** A server said something that is of no use; whoever has it log in can make it say so often. */
  readonly doubt: (kind: string, text: string) => void;
}

/** No caller waits longer (session/server/login.ts); some time is left for the answer to get there, ms. */
const WITHIN = 8_500;

export class Logins implements Authority {
  readonly runner: ClientRunner<LoginRequest>;
  readonly #ports: LoginsPorts;
  readonly #nas: () => Nas;
  readonly #filterSets: (server: string) => readonly FilterSet[];
  readonly #requests = new Map<number, LoginRequest>();

  /** @param filterSets of a server of ours */
  constructor(
    ports: LoginsPorts,
    nas: () => Nas,
    filterSets: (server: string) => readonly FilterSet[],
  ) {
    this.#ports = ports;
    this.#nas = nas;
    this.#filterSets = filterSets;
    this.runner = new ClientRunner('auth', ports, (request, outcome) => {
      this.#requests.delete(request.question.id);
      request.answered(this.#answer(request.question, outcome));
    });
  }

  ask(question: LoginQuestion, answered: (answer: LoginAnswer) => void): void {
    const { attempt, call, continues } = question;
    const login = loginOf(attempt.evidence, continues?.state);
    const attributes =
      login &&
      accessRequest(textOf(attempt.username), login, radiusCall(call, this.#nas(), attempt.method));
    if (attributes === undefined || isMalformed(attributes)) {
      // No server could be asked this, and none would let it in.
      const detail = isMalformed(attributes) ? attributes.detail : 'an LM response alone';
      answered({ kind: 'refused', cause: cause('PEER_AUTH_FAILED', detail), told: undefined });
      return;
    }
    const request = {
      code: RadiusCode.AccessRequest,
      attributes,
      within: WITHIN,
      ...(continues === undefined ? {} : { server: continues.server }),
      question,
      answered,
    };
    this.#requests.set(question.id, request);
    this.runner.ask(request);
  }

  cancel(id: number): void {
    const request = this.#requests.get(id);
    if (request === undefined) return;
    this.#requests.delete(id);
    this.runner.abandon(request);
  }

  #answer({ attempt, call }: LoginQuestion, outcome: Outcome): LoginAnswer {
    if ('cause' in outcome) return { kind: 'unanswered', cause: outcome.cause };
    const answer = readAccessAnswer(outcome.answer, attempt.evidence);
    for (const fault of answer.faults)
      this.#ports.doubt(
        `RADIUS server ${outcome.server}: attribute`,
        `RADIUS server ${outcome.server}, login of ${attempt.username}: not understood: ${fault}`,
      );
    if (answer.kind === 'accept') this.#lookAtFilters(answer.grant, call, outcome.server);
    return loginAnswer(answer, attempt.evidence, outcome.server);
  }

  /** Where some have an effect, the others may be a slip of the pen. */
  #lookAtFilters({ filters = [] }: Grant, call: CallFacts, server: string): void {
    const sets = this.#filterSets(call.server);
    for (const filter of filters) {
      if (sets.length === 0 || sets.some((set) => set.filter === filter)) continue;
      this.#ports.count('radius: Filter-Id of no effect');
      this.#ports.doubt(
        `RADIUS server ${server}: Filter-Id`,
        `RADIUS server ${server}: Filter-Id '${filter}' has no effect: option filter_id of server ${call.server} does not have it`,
      );
    }
  }
}

/** The same in all requests about a call. */
export function radiusCall(call: CallFacts, nas: Nas, method: string): RadiusCall {
  const { accountingId, server, peer, called, port } = call;
  return {
    nasIdentifier: nas.identifier,
    nasAddress: nas.address ?? called,
    port,
    portId: server,
    sessionId: accountingId,
    peer,
    local: called,
    peerHostName: '',
    tunnelId: accountingId,
    connectInfo: `PPTP ${method}`,
  };
}

/** undefined: nothing that a server could check. @param state of the challenge that it answers */
function loginOf(evidence: Evidence, state: Uint8Array | undefined): RadiusLogin | undefined {
  switch (evidence.method) {
    case 'pap':
    case 'chap':
      return evidence;
    case 'mschap':
      return evidence.hasNtResponse ? evidence : undefined;
    case 'mschap-v2': {
      const { method, identifier, ntResponse, exchange, change } = evidence;
      const { authenticatorChallenge: challenge, peerChallenge } = exchange;
      const response = { identifier, challenge, peerChallenge, ntResponse };
      return change === undefined
        ? { method, ...response }
        : { method: 'mschap-v2-change', ...response, ...change };
    }
    case 'eap':
      return { method: 'eap', packet: evidence.message, state, mtu: evidence.peerMru };
  }
}

const refusals: ReadonlyMap<number, CauseCode> = new Map([
  [MsChapError.PasswordExpired, 'PASSWORD_EXPIRED'],
  [MsChapError.ChangingPassword, 'PASSWORD_NOT_STORED'],
]);

/** What a server's answer means to a caller. @param server its name */
export function loginAnswer(answer: AccessAnswer, evidence: Evidence, server: string): LoginAnswer {
  switch (answer.kind) {
    case 'accept': {
      const { grant, success } = answer;
      const message = grant.message === '' ? WELCOME : grant.message;
      const told =
        evidence.method !== 'mschap-v2'
          ? message
          : formatMsChapV2Success({ ...success!, message: evidence.takesMessage ? message : '' });
      const proof = { success: told, keys: keySource(grant.keys, evidence) };
      return { kind: 'accepted', proof, authorization: authorization(grant) };
    }
    case 'reject': {
      const { failure, message } = answer;
      const errorCode = failure?.errorCode ?? MsChapError.AuthenticationFailure;
      const words = message || failure?.message || '';
      const meaning = msChapErrorWords.get(errorCode) ?? `error ${errorCode}`;
      const why = cause(
        refusals.get(errorCode) ?? 'PEER_AUTH_FAILED',
        `RADIUS server ${server}: ${words === '' ? meaning : `${meaning}: ${words}`}`,
      );
      const retry = retryOf(failure, evidence);
      const isOrdinary =
        errorCode === MsChapError.AuthenticationFailure && message === '' && retry === undefined;
      const told = {
        errorCode,
        message: words || 'Authentication failed',
        isForAnybody: true,
        ...(retry === undefined ? {} : { retry }),
      } as const;
      return { kind: 'refused', cause: why, told: isOrdinary ? undefined : told };
    }
    case 'challenge':
      return {
        kind: 'challenge',
        request: answer.eap,
        continuation: { server, state: answer.state },
      };
    case 'unusable':
      return { kind: 'unanswered', cause: answer.cause };
  }
}

/** With MS-CHAPv2 whoever was refused may try again where the server says so, and change a password that has expired in any case. */
function retryOf(failure: MsChapFailure | undefined, { method }: Evidence): Refusal['retry'] {
  if (method !== 'mschap-v2' || failure === undefined) return undefined;
  const { errorCode, retry, challenge } = failure;
  if (!retry && errorCode !== MsChapError.PasswordExpired) return undefined;
  return challenge === undefined ? {} : { challenge };
}

/** RFC 3079 §3.4 wants 16 octets; of what EAP methods make those are the first. */
const START_KEY = 16;

function keySource(keys: GivenKeys | undefined, evidence: Evidence): MppeKeySource | undefined {
  if (keys === undefined) return undefined;
  if (keys.kind === 'mschap')
    return evidence.method !== 'mschap'
      ? undefined
      : {
          method: 'mschap',
          ntHashHash: keys.ntHashHash,
          challenge: evidence.challenge,
          lmHash: keys.lmKey,
        };
  const { send, receive } = keys;
  return { method: 'given', send: send.slice(0, START_KEY), receive: receive.slice(0, START_KEY) };
}

const KBIT = 1000;

export function authorization(grant: Grant): Authorization {
  const { address, routes, rates, encryption } = grant;
  return {
    username: grant.userName,
    address: typeof address === 'number' ? address : undefined,
    pool: grant.pool,
    routes: routes.map(({ destination }) => destination),
    ip6: {
      // In each of them the caller makes itself addresses: RFC 4862 §5.5.3 wants 64 bits.
      prefixes: grant.ipv6.prefixes.filter(({ length }) => length === 64),
      routes: grant.ipv6.delegated.filter(({ length }) => length >= 16 && length <= 64),
      dns: grant.ipv6.dns.length === 0 ? undefined : grant.ipv6.dns,
      ...(grant.ipv6.interfaceId === undefined
        ? {}
        : { interfaceIdentifier: grant.ipv6.interfaceId }),
    },
    prefixLength: 32 - Math.log2((~(grant.netmask ?? ~0) >>> 0) + 1),
    maxSessions: grant.portLimit,
    terms: {
      sessionTimeout: grant.sessionTimeout,
      idleTimeout: grant.idleTimeout,
      mtu: grant.mtu,
      dns: grant.dns.length === 0 ? undefined : grant.dns,
      nbns: grant.nbns.length === 0 ? undefined : grant.nbns,
      mppe: encryption && {
        policy: encryption.isRequired ? 'required' : 'optional',
        strengths: encryption.strengths,
      },
      rates: { up: kbits(rates?.up), down: kbits(rates?.down) },
      filters: grant.filters ?? [],
      classes: grant.classes,
      interimInterval: grant.interimInterval,
    },
  };
}

/** What a CoA-Request changes. */
export function termsChange(change: SessionChange): Partial<Terms> {
  const { sessionTimeout, idleTimeout, rates, filters, classes, interimInterval } = change;
  return {
    ...(sessionTimeout === undefined ? {} : { sessionTimeout }),
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
    ...(rates === undefined ? {} : { rates: { up: kbits(rates.up), down: kbits(rates.down) } }),
    ...(filters === undefined ? {} : { filters }),
    ...(classes === undefined ? {} : { classes }),
    ...(interimInterval === undefined ? {} : { interimInterval }),
  };
}

/** @param rate bit/s */
function kbits(rate: number | undefined): number | undefined {
  return rate === undefined ? undefined : Math.max(1, Math.round(rate / KBIT));
}
