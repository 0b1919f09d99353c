/**
 * `radius-test`: whether one RADIUS server answers, and what it says to a login, step by step. Its requests go over sockets of
 * their own: what the daemon knows of the server, and what waits for it, stays as it is.
 */
import { equalConstantTime } from '../../crypto/equal-constant-time.ts';
import {
  generateAuthenticatorResponse,
  generateNtResponse,
  type MsChapV2Exchange,
} from '../../crypto/ms-chap-v2.ts';
import { Secret } from '../../crypto/secret.ts';
import { randomOctets } from '../../native/random.ts';
import type { Timer } from '../../platform/clock.ts';
import { errorText } from '../../platform/errors.ts';
import { clock } from '../../platform/platform.ts';
import type { PeerCertificate } from '../../platform/sockets.ts';
import type { RadiusRequest } from '../../radius/client-options.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { isMalformed } from '../../wire/codec.ts';
import { parseMsChapV2Success } from '../../wire/ms-chap.ts';
import { RadiusCode, type DecodedRadiusPacket } from '../../wire/radius.ts';
import { radiusValue, type RadiusAttribute } from '../../wire/radius-attributes.ts';
import { textOf } from '../../wire/text.ts';
import type { RadiusOptions, RadiusRole } from '../configuration/radius.ts';
import type { Drive } from '../engine/drive.ts';
import type { Faults } from '../engine/faults.ts';
import { inWords, refusalCause } from './answer-words.ts';
import { ClientRunner, type Outcome } from './client-runner.ts';
import { addressOf, openServerSocket } from './sockets.ts';

const basics = ['name', 'socket', 'status', 'secret'] as const;
const withLogin = [...basics, 'login', 'answer'] as const;
type TestStep = (typeof withLogin)[number];

/** How long a connection may take, ms. */
const CONNECT_TIME = 10_000;

export interface TestLogin {
  readonly username: string;
  readonly secret: Secret;
}

export interface TestPorts {
  readonly drive: Drive;
  readonly faults: Faults;
}

/** How far a test has come: it changes until it is done. */
export interface ServerTest {
  readonly name: string;
  readonly steps: readonly TestStep[];
  /** Steps with their details. */
  readonly passed: ReadonlyMap<TestStep, string>;
  readonly done: boolean;
  readonly cause?: Cause;
}

/**
 * Starts a test, which ends by itself.
 * @param identity who we are: NAS-Identifier, NAS-IP-Address
 */
export function testServer(
  options: RadiusOptions,
  identity: readonly RadiusAttribute[],
  login: TestLogin | undefined,
  ports: TestPorts,
): ServerTest {
  const test = new RunningTest(options, identity, login, ports);
  void test.run();
  return test;
}

class RunningTest implements ServerTest {
  readonly name: string;
  readonly steps: readonly TestStep[];
  readonly passed = new Map<TestStep, string>();
  done = false;
  cause?: Cause;
  readonly #options: RadiusOptions;
  readonly #identity: readonly RadiusAttribute[];
  readonly #login: TestLogin | undefined;
  readonly #faults: Faults;
  readonly #role: RadiusRole;
  readonly #runner: ClientRunner<RadiusRequest>;
  #finished: (outcome: Outcome) => void = () => undefined;

  constructor(
    options: RadiusOptions,
    identity: readonly RadiusAttribute[],
    login: TestLogin | undefined,
    { drive, faults }: TestPorts,
  ) {
    this.name = options.name;
    this.steps = login === undefined ? basics : withLogin;
    this.#options = options;
    this.#identity = identity;
    this.#login = login;
    this.#faults = faults;
    this.#role = options.roles.includes('auth') ? 'auth' : 'acct';
    // What is found is shown to who asked, and is neither logged nor counted.
    const ports = { drive, log: { line: () => undefined }, count: () => undefined };
    this.#runner = new ClientRunner(this.#role, ports, (_, outcome) => this.#finished(outcome));
    // The client finds out about the secret when a login has to be repeated.
    this.#runner.configure([{ ...options, tries: Math.max(2, options.tries) }], identity);
  }

  async run(): Promise<void> {
    try {
      const why = await this.#goOn();
      if (why !== undefined) this.cause = why;
    } catch (error) {
      this.cause = this.#faults.note(`test of RADIUS server ${this.name}`, error);
    }
    this.#runner.close();
    this.done = true;
  }

  /** @returns why it ended before its last step */
  async #goOn(): Promise<Cause | undefined> {
    const unreached = (await this.#resolve()) ?? (await this.#connect());
    if (unreached !== undefined) return unreached;
    const status = await this.#ask({ code: RadiusCode.StatusServer, attributes: this.#identity });
    if ('answer' in status) this.#believe(status.answer, 'Status-Server was answered');
    else if (status.cause.code !== 'RADIUS_NO_ANSWER' || this.#role === 'acct')
      return this.#distrust(status.cause);
    else return this.#logIn(this.#login ?? nobody(), 'a login was answered, Status-Server is not'); // RFC 5997 §4: it need not be
    return this.#login && this.#logIn(this.#login, undefined);
  }

  async #resolve(): Promise<Cause | undefined> {
    const { server, source } = this.#options;
    try {
      this.passed.set('name', await addressOf(server, source));
      return undefined;
    } catch (error) {
      return cause('RESOLVE_FAILED', errorText(error));
    }
  }

  /** A socket for nothing else. */
  #connect(): Promise<Cause | undefined> {
    const { transport } = this.#options;
    return new Promise((resolve) => {
      let timer: Timer | undefined = undefined;
      const ended = (why: Cause | undefined) => {
        clock.cancel(timer);
        socket.close();
        resolve(why);
      };
      const unreachable = (detail: string) => ended(cause('RADIUS_UNREACHABLE', detail));
      const socket = openServerSocket(this.#options, this.#role, {
        opened: (certificate) => {
          const port = transport.kind === 'tls' ? transport.port : this.#role === 'auth' ? transport.authPort : transport.acctPort; // prettier-ignore
          const way = `${transport.kind.toUpperCase()} port ${port}`;
          const shown = certificate === undefined ? '' : `; ${certificateInWords(certificate)}`;
          this.passed.set('socket', way + shown);
          ended(undefined);
        },
        octets: () => undefined,
        trouble: () => undefined,
        closed: unreachable,
      });
      timer = clock.after(CONNECT_TIME, () => unreachable('no connection in time'));
    });
  }

  #ask(request: RadiusRequest): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#finished = resolve;
      this.#runner.ask(request);
    });
  }

  /** @param seen what its answer means for the step before; undefined: that is known */
  async #logIn(login: TestLogin, seen: string | undefined): Promise<Cause | undefined> {
    const { exchange, ntResponse, attributes } = msChapV2(login);
    const outcome = await this.#ask({
      code: RadiusCode.AccessRequest,
      attributes: [...this.#identity, ...framed, ...attributes],
    });
    if ('cause' in outcome) return this.#distrust(outcome.cause);
    const { answer } = outcome;
    this.#believe(answer, seen);
    if (this.#login === undefined) return undefined;
    if (answer.code !== RadiusCode.AccessAccept) return refusalCause(answer);
    const success = radiusValue(answer.attributes, 'MS-CHAP2-Success');
    const proof = success && parseMsChapV2Success(success.value.text);
    const expected = generateAuthenticatorResponse(exchange, login.secret.ntHash, ntResponse);
    if (
      proof === undefined ||
      isMalformed(proof) ||
      !equalConstantTime(proof.authenticatorResponse, expected)
    )
      return cause('RADIUS_NOT_PROVEN', `MS-CHAP2-Success is ${proof ? 'wrong' : 'missing'}`);
    this.passed.set('login', 'accepted; the server has proved that it knows the password');
    this.passed.set('answer', inWords(answer));
    return undefined;
  }

  /** An answer that verifies. */
  #believe({ attributes }: DecodedRadiusPacket, seen: string | undefined): void {
    const time = this.#runner.status()[0]?.roundTrip;
    if (seen !== undefined)
      this.passed.set('status', time === undefined ? seen : `${seen} (${time.toFixed(1)} ms)`);
    const isSigned = radiusValue(attributes, 'Message-Authenticator') !== undefined;
    const isSafe = isSigned || this.#options.transport.kind === 'tls';
    this.passed.set(
      'secret',
      isSafe
        ? `the answer verifies${isSigned ? ', with Message-Authenticator' : ''}`
        : 'the answer verifies, but has no Message-Authenticator: it could be forged (CVE-2024-3596)',
    );
  }

  /** Something came, where the cause is about what came. */
  #distrust(why: Cause): Cause {
    if (['RADIUS_WRONG_SECRET', 'RADIUS_UNSIGNED'].includes(why.code) && !this.passed.has('status'))
      this.passed.set('status', 'it answers');
    return why;
  }
}

/** RFC 2865 §5.6, §5.7, §5.41 */
const framed: readonly RadiusAttribute[] = [
  { name: 'Service-Type', value: 2 },
  { name: 'Framed-Protocol', value: 1 },
  { name: 'NAS-Port-Type', value: 5 },
];

/** A login that nobody has: any answer to it will do. */
function nobody(): TestLogin {
  const password = String.fromCharCode(...randomOctets(16));
  return { username: 'pptp-gateway-test', secret: Secret.fromPassword(password) };
}

/** RFC 2548 §2.1.2, §2.3.2 */
function msChapV2({ username, secret }: TestLogin): {
  readonly exchange: MsChapV2Exchange;
  readonly ntResponse: Uint8Array;
  readonly attributes: readonly RadiusAttribute[];
} {
  const name = textOf(username);
  const exchange: MsChapV2Exchange = {
    authenticatorChallenge: randomOctets(16),
    peerChallenge: randomOctets(16),
    userName: name.octets,
  };
  const ntResponse = generateNtResponse(exchange, secret.ntHash);
  const { authenticatorChallenge, peerChallenge } = exchange;
  return {
    exchange,
    ntResponse,
    attributes: [
      { name: 'User-Name', value: name },
      { name: 'MS-CHAP-Challenge', value: authenticatorChallenge },
      { name: 'MS-CHAP2-Response', value: { identifier: 1, flags: 0, peerChallenge, ntResponse } },
    ],
  };
}

function certificateInWords({ subject, validTo }: PeerCertificate): string {
  return `certificate of ${subject}, valid until ${validTo.toISOString().slice(0, 10)}`;
}
