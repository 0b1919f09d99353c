/** EAP: our two ends with each other, and each with packets that no good peer sends. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import { Secret } from '../../../src/crypto/secret.ts';
import { EapAuthenticator } from '../../../src/ppp/authentication/eap-authenticator.ts';
import { EapLogin } from '../../../src/ppp/authentication/eap-login.ts';
import type { LoginAttempt } from '../../../src/ppp/authentication/login-attempt.ts';
import { MAX_ROUNDS, type AuthenticationOutput } from '../../../src/ppp/authentication/output.ts';
import { startKeys } from '../../../src/ppp/mppe-key-source.ts';
import { isMalformed } from '../../../src/wire/codec.ts';
import {
  decodeEap,
  decodeEapMsChapV2Request,
  decodeEapMsChapV2Response,
  EapType,
  encodeEap,
  encodeEapMsChapV2Request,
  encodeEapMsChapV2Response,
  type EapMsChapV2Request,
  type EapPacket,
} from '../../../src/wire/eap.ts';
import { decodePppFrame, PppProtocol } from '../../../src/wire/ppp-frame.ts';
import { textOf } from '../../../src/wire/text.ts';
import {
  clientOptions,
  GRANT,
  Pair,
  PASSWORD,
  seededOctets,
  serverOptions,
  type PairOptions,
} from '../../support/link.ts';
import { PeerScript } from '../../support/peer-script.ts';
import { hex } from '../../wire/sample.ts';

const { Chap, Eap } = PppProtocol;
const secret = Secret.fromPassword(PASSWORD);
const nothing: Uint8Array = new Uint8Array(0);

/** One of the two ends, its outputs and what it has counted. */
class End<Side extends EapAuthenticator | EapLogin> {
  readonly side: Side;
  readonly #counted: string[];

  constructor(make: (count: (what: string) => void) => Side) {
    this.#counted = [];
    this.side = make((what) => this.#counted.push(what));
  }

  outputs(): AuthenticationOutput[] {
    const outputs: AuthenticationOutput[] = [];
    for (let output; (output = this.side.poll()) !== undefined;) outputs.push(output);
    return outputs;
  }

  give(packet: EapPacket | Uint8Array, now = 0): this {
    this.side.handlePayload(Eap, 'kind' in packet ? encodeEap(packet) : packet, now);
    return this;
  }

  /** The next output must be a packet. */
  sent(): EapPacket {
    const output = this.side.poll();
    assert.equal(output?.kind, 'transmit');
    const frame = decodePppFrame(output.frame);
    assert.ok(!isMalformed(frame) && frame.protocol === Eap);
    const packet = decodeEap(frame.payload);
    assert.ok(!isMalformed(packet));
    return packet;
  }

  /** Packets as `request 26`, other outputs as their kind and cause, then what was counted. */
  said(): string[] {
    const said: string[] = [];
    for (const output of this.outputs()) {
      if (output.kind === 'transmit') {
        const frame = decodePppFrame(output.frame);
        const packet = isMalformed(frame) ? frame : decodeEap(frame.payload);
        assert.ok(!isMalformed(packet));
        said.push('type' in packet ? `${packet.kind} ${packet.type}` : packet.kind);
      } else if (output.kind === 'failed')
        said.push([output.cause.code, output.cause.detail].filter(Boolean).join(': '));
      else said.push(output.kind);
    }
    return [...said, ...this.#counted.splice(0)];
  }
}

const random = seededOctets(1);

function server(eap: 'local' | 'pass-through' = 'local'): End<EapAuthenticator> {
  return new End(
    (count) => new EapAuthenticator({ name: 'gateway', eap, peerMru: 1400, random, count }, 0),
  );
}

function client(password = PASSWORD, username = 'User'): End<EapLogin> {
  const identity = { username, secret: Secret.fromPassword(password) };
  return new End((count) => new EapLogin(identity, { random: seededOctets(2), count }, 0));
}

/** What both have to say to each other, until neither has anything to send. */
function talk(
  authenticator: End<EapAuthenticator>,
  login: End<EapLogin>,
  decide: (attempt: LoginAttempt) => void,
): string[] {
  const log: string[] = [];
  for (let isQuiet = false; !isQuiet;) {
    isQuiet = true;
    for (const [from, to] of [
      [authenticator, login],
      [login, authenticator],
    ] as const)
      for (const output of from.outputs()) {
        isQuiet = false;
        if (output.kind === 'transmit') {
          const frame = decodePppFrame(output.frame);
          assert.ok(!isMalformed(frame));
          to.give(frame.payload);
          const packet = decodeEap(frame.payload);
          log.push(isMalformed(packet) ? 'malformed' : describe(packet));
        } else if (output.kind === 'login') decide(output.attempt);
        else if (output.kind === 'failed') log.push(output.cause.code);
        else log.push(output.kind);
      }
  }
  return log;
}

function describe(packet: EapPacket): string {
  if (!('type' in packet)) return packet.kind;
  const { kind, type, data } = packet;
  if (type !== EapType.MsChapV2) return `${kind} ${type}`;
  const inner =
    kind === 'request' ? decodeEapMsChapV2Request(data) : decodeEapMsChapV2Response(data);
  return `${kind} ${isMalformed(inner) ? 'malformed' : inner.kind}`;
}

const identityResponse = (identifier: number, name = 'User'): EapPacket => ({
  kind: 'response',
  identifier,
  type: EapType.Identity,
  data: textOf(name).octets,
});

const request = (identifier: number, type: number, data = nothing): EapPacket => ({
  kind: 'request',
  identifier,
  type,
  data,
});

const msChapV2 = (identifier: number, inner: EapMsChapV2Request): EapPacket =>
  request(identifier, EapType.MsChapV2, encodeEapMsChapV2Request(inner));

const challenge = (identifier: number, octet = 1): EapPacket =>
  msChapV2(identifier, {
    kind: 'challenge',
    msChapV2Id: 9,
    challenge: new Uint8Array(16).fill(octet),
    name: textOf('server'),
  });

test('EAP-MSCHAPv2: each proves the password to the other, and both have the same keys', () => {
  const authenticator = server();
  const login = client(PASSWORD, 'OFFICE\\User');
  const log = talk(authenticator, login, (attempt) => {
    assert.equal(attempt.method, 'eap');
    assert.equal(attempt.username, 'OFFICE\\User');
    assert.equal(attempt.bareUsername, 'User');
    assert.equal(attempt.verify(Secret.fromPassword('another')), false);
    assert.equal(attempt.verify(secret), true);
    assert.equal(inspect(attempt, { depth: 9 }).includes(PASSWORD), false);
    authenticator.side.admit(GRANT, 0);
    assert.equal(authenticator.side.admitted, undefined, 'not before the peer has agreed');
  });
  assert.deepEqual(log, [
    'request 1',
    'response 1',
    'request challenge',
    'response response',
    'request success',
    'response success',
    'authenticated',
    'success',
  ]);
  const { admitted } = authenticator.side;
  assert.equal(login.side.isAccepted, true);
  assert.equal(admitted?.grant, GRANT);
  const ours = startKeys(admitted.keys!, 128);
  const theirs = startKeys(login.side.keys!, 128);
  assert.deepEqual(ours, { send: theirs?.receive, receive: theirs?.send });
  assert.equal(authenticator.side.nextTimeout(), undefined);
  assert.equal(login.side.nextTimeout(), undefined);
});

test('EAP-MSCHAPv2: a wrong password and an unknown user are told the same in the same steps', () => {
  const told = new Set<string>();
  for (const [password, username] of [
    ['wrong', 'User'],
    [PASSWORD, 'Nobody'],
  ] as const) {
    const authenticator = server();
    const login = client(password, username);
    const log = talk(authenticator, login, (attempt) => {
      const right = attempt.verify(secret);
      assert.equal(right, username === 'Nobody');
      // For an unknown user a secret that nobody knows is tried, as session/server/login.ts does.
      if (right) attempt.verify(Secret.fromPassword('stand-in'));
      authenticator.side.refuse({ errorCode: 649, message: 'The server is full' }, 0);
    });
    told.add(log.join(', '));
    assert.equal(authenticator.side.admitted, undefined);
    assert.equal(login.side.isAccepted, false);
  }
  const steps = 'request 1, response 1, request challenge, response response, request failure';
  assert.deepEqual([...told], [`${steps}, response failure, AUTH_TOPEER_FAILED, failure`]);
});

test('only who has proved the password learns why he is refused', () => {
  for (const [password, detail] of [
    [PASSWORD, 'LOGIN_DENIED: error 649, no permission to dial in: Full'],
    ['guess', 'AUTH_TOPEER_FAILED: error 691, wrong user name or password: Authentication failed'],
  ] as const) {
    const authenticator = server();
    const login = client(password);
    login.give(authenticator.sent());
    authenticator.give(login.sent());
    login.give(authenticator.sent());
    authenticator.give(login.sent());
    const [output] = authenticator.outputs();
    assert.equal(output?.kind, 'login');
    output.attempt.verify(secret);
    assert.equal(authenticator.side.refuse({ errorCode: 649, message: 'Full' }, 0), true);
    assert.equal(authenticator.side.refuse(undefined, 0), false);
    const failure = authenticator.sent();
    login.give(failure).give(failure);
    assert.deepEqual(login.said(), ['response 26', detail]);
  }
});

test('authenticator: what does not fit is counted and changes nothing', () => {
  const side = server();
  const { identifier } = side.sent();
  side.side.handlePayload(Chap, encodeEap(identityResponse(identifier)), 0);
  side
    .give(Uint8Array.of(2, identifier, 0, 9, 1))
    .give(Uint8Array.of(9, identifier, 0, 4))
    .give({ kind: 'success', identifier })
    .give(request(identifier, EapType.Identity))
    .give(identityResponse(identifier ^ 1))
    // RFC 3748 §5.3.1: a Nak is no answer to an Identity Request.
    .give({ kind: 'response', identifier, type: EapType.Nak, data: Uint8Array.of(13) });
  side.side.admit(GRANT, 0);
  assert.equal(side.side.refuse(undefined, 0), false);
  assert.deepEqual(side.said(), [
    'unexpected-authentication',
    'malformed-authentication',
    'malformed-authentication',
    'unexpected-authentication',
    'unexpected-authentication',
    'stale-answer',
    'unexpected-authentication',
  ]);

  side.give(identityResponse(identifier));
  const asked = side.sent();
  const answer = (data: Uint8Array, type: number = EapType.MsChapV2): EapPacket => ({
    kind: 'response',
    identifier: asked.identifier,
    type,
    data,
  });
  const value = new Uint8Array(49);
  side
    .give(identityResponse(identifier)) // late, or repeated
    .give(answer(nothing))
    .give(answer(hex('02 01 0006 31 00')))
    .give(answer(hex('07 01 0004')))
    .give(answer(encodeEapMsChapV2Response({ kind: 'success' })))
    .give(answer(hex('10'), EapType.Md5Challenge))
    .give(identityResponse(asked.identifier));
  assert.deepEqual(side.said(), [
    'stale-answer',
    'malformed-authentication',
    'malformed-authentication',
    'malformed-authentication',
    'unexpected-authentication',
    'unexpected-authentication',
    'unexpected-authentication',
  ]);

  const response = answer(
    encodeEapMsChapV2Response({ kind: 'response', msChapV2Id: 200, value, name: textOf('User') }),
  );
  side.give(response).give(response);
  assert.deepEqual(side.said(), ['login']);
  assert.throws(() => {
    side.side.admit(GRANT, 0);
  }, /without a verified login/);
  side.side.refuse(undefined, 0);
  const failure = side.sent();
  side.give({ ...response, identifier: failure.identifier });
  assert.deepEqual(side.said(), ['unexpected-authentication']);
  const agreed = { ...answer(hex('04')), identifier: failure.identifier } as EapPacket;
  // Nobody repeats the Failure but the Response that it answers: RFC 3748 §4.2.
  side.give(agreed).give(agreed);
  assert.deepEqual(side.said(), ['failure', 'failure']);
});

test('authenticator: the name in the Response counts, whatever the Identity was', () => {
  const side = server();
  side.give(identityResponse(side.sent().identifier, ''));
  const asked = side.sent();
  const login = client(PASSWORD, 'User');
  login.give(asked);
  side.give(login.sent());
  const [output] = side.outputs();
  assert.ok(output?.kind === 'login');
  assert.equal(output.attempt.username, 'User');
});

test('authenticator: each Request is repeated every 3 s, ten times, then AUTH_TIMEOUT', () => {
  for (const stage of ['identity', 'challenge']) {
    const side = server();
    const login = client();
    if (stage === 'challenge') {
      login.give(side.sent());
      side.give(login.sent());
    }
    const first = side.sent();
    const times: number[] = [];
    for (let now; (now = side.side.nextTimeout()) !== undefined;) {
      side.side.handleTimeout(now - 1);
      side.side.handleTimeout(now);
      times.push(now);
      if (side.side.nextTimeout() !== undefined) assert.deepEqual(side.sent(), first);
    }
    const every = Array.from({ length: 10 }, (_, i) => (i + 1) * 3000);
    assert.deepEqual(times, every, stage);
    assert.deepEqual(side.said(), ['AUTH_TIMEOUT']);
    side.give(identityResponse(first.identifier));
    assert.deepEqual(side.said(), []);
  }
});

test('authenticator: a decision is waited for 30 s, and an acknowledgment asked for ten times', () => {
  const undecided = server();
  const caller = client();
  caller.give(undecided.sent());
  undecided.give(caller.sent());
  caller.give(undecided.sent());
  undecided.give(caller.sent(), 500);
  undecided.side.handleTimeout(30_499);
  assert.deepEqual(undecided.said(), ['login']);
  undecided.side.handleTimeout(30_500);
  assert.deepEqual(undecided.said(), ['AUTH_TIMEOUT']);

  const side = server();
  const login = client();
  login.give(side.sent());
  side.give(login.sent());
  login.give(side.sent());
  side.give(login.sent());
  const [output] = side.outputs();
  assert.ok(output?.kind === 'login' && output.attempt.verify(secret));
  side.side.admit(GRANT, 0);
  let count = 0;
  for (let now; (now = side.side.nextTimeout()) !== undefined; count++)
    side.side.handleTimeout(now);
  assert.equal(count, 10);
  assert.equal(side.said().at(-1), 'AUTH_TIMEOUT');
  assert.equal(side.side.admitted, undefined);
});

test('authenticator: a Nak of EAP-MSCHAPv2 ends it, and says what the caller wants', () => {
  for (const [data, wants] of [
    [hex('0d 19'), ', but the EAP methods 13, 25'],
    [hex('00'), ''],
  ] as const) {
    const side = server();
    side.give(identityResponse(side.sent().identifier));
    const { identifier } = side.sent();
    side.give({ kind: 'response', identifier, type: EapType.Nak, data });
    assert.deepEqual(side.said(), [
      'failure',
      `AUTH_METHOD_REFUSED: the caller does not take EAP-MSCHAPv2 (26)${wants}`,
    ]);
  }
});

test('authenticator: Success and Failure have the MS-CHAPv2-ID of the Challenge, as pppd wants it', () => {
  for (const isRight of [true, false]) {
    const side = server();
    const login = client();
    login.give(side.sent());
    side.give(login.sent());
    const asked = side.sent();
    login.give(asked);
    side.give(login.sent());
    const [output] = side.outputs();
    assert.ok(output?.kind === 'login' && output.attempt.verify(secret));
    if (isRight) side.side.admit(GRANT, 0);
    else side.side.refuse(undefined, 0);
    const told = side.sent();
    assert.ok('data' in asked && 'data' in told);
    assert.equal(told.data[1], asked.data[1]);
    assert.notEqual(told.identifier, asked.identifier);
  }
});

test('authenticator: a caller that does not take our proof is not let in', () => {
  const side = server();
  const login = client();
  login.give(side.sent());
  side.give(login.sent());
  login.give(side.sent());
  side.give(login.sent());
  const [output] = side.outputs();
  assert.ok(output?.kind === 'login' && output.attempt.verify(secret));
  side.side.admit(GRANT, 0);
  const { identifier } = side.sent();
  side.give({ kind: 'response', identifier, type: EapType.MsChapV2, data: hex('04') });
  assert.deepEqual(side.said(), [
    'failure',
    'PEER_TERMINATED: the caller does not take our proof of the password',
  ]);
  assert.equal(side.side.admitted, undefined);
});

test('pass-through: whatever the method, Responses go out and Requests come back', () => {
  const side = server('pass-through');
  const first = identityResponse(side.sent().identifier, 'OFFICE\\anna');
  const attempts: LoginAttempt[] = [];
  const take = (): void => {
    for (const output of side.outputs()) {
      assert.ok(output.kind === 'login');
      attempts.push(output.attempt);
    }
  };
  side.give(first);
  take();
  side.side.challenge(encodeEap(request(77, EapType.Tls, hex('20'))), 0);
  assert.deepEqual(side.sent(), request(77, EapType.Tls, hex('20')));
  side.give(first); // repeated: it says nothing new
  const nak: EapPacket = { kind: 'response', identifier: 77, type: EapType.Nak, data: hex('19') };
  side.give(nak).give(nak);
  take();
  assert.equal(attempts.length, 2);
  for (const [i, packet] of [first, nak].entries()) {
    const attempt = attempts[i]!;
    assert.equal(attempt.username, 'OFFICE\\anna');
    assert.equal(attempt.method, 'eap');
    assert.equal(attempt.verify(secret), false, 'nobody here can tell');
    assert.deepEqual(attempt.evidence, {
      method: 'eap',
      message: encodeEap(packet),
      round: i,
      peerMru: 1400,
    });
  }
  const keys = { method: 'given', send: hex('0*32'), receive: hex('0*32') } as const;
  attempts[1]!.vouch({ success: '', keys });
  side.side.admit(GRANT, 0);
  assert.deepEqual(side.sent(), { kind: 'success', identifier: 77 });
  assert.deepEqual(side.side.admitted, { grant: GRANT, keys });
  side.give(nak);
  assert.deepEqual(side.said(), ['success', 'stale-answer']);
});

test('pass-through: a refusal is a Failure', () => {
  const side = server('pass-through');
  const { identifier } = side.sent();
  side.give(identityResponse(identifier));
  assert.equal(side.side.refuse({ errorCode: 649, message: 'Full' }, 0), true);
  assert.deepEqual(side.said(), ['login', 'failure']);
  assert.equal(side.side.admitted, undefined);
});

test('pass-through: an account that is here after all is asked by EAP-MSCHAPv2', () => {
  const side = server('pass-through');
  const login = client();
  const log = talk(side, login, (attempt) => {
    if (attempt.verify(secret)) side.side.admit(GRANT, 0);
    else side.side.challenge('mschap-v2', 0);
  });
  assert.deepEqual(log.slice(-3), ['response success', 'authenticated', 'success']);
});

test('pass-through: what is no Request, does not fit, or has no end, ends the login', () => {
  const cases: readonly [Uint8Array, string][] = [
    [hex('01 01 0004'), 'what it asks is no EAP Request'],
    [hex(''), 'what it asks is no EAP Request'],
    [encodeEap({ kind: 'success', identifier: 1 }), 'what it asks is no EAP Request'],
    [
      encodeEap(request(1, EapType.Tls, new Uint8Array(1396))),
      'its EAP Request has 1401 octets, the caller takes 1400',
    ],
  ];
  for (const [packet, detail] of cases) {
    const side = server('pass-through');
    const { identifier } = side.sent();
    side.give(identityResponse(identifier));
    side.side.challenge(packet, 0);
    side.side.challenge(encodeEap(request(2, EapType.Tls)), 0);
    assert.deepEqual(side.said(), ['login', 'failure', `EAP_NOT_PASSED_ON: ${detail}`]);
  }
  const side = server('pass-through');
  side.give(identityResponse(side.sent().identifier));
  let rounds = 0;
  for (let said; (said = side.said()).at(-1) === 'login'; rounds++) {
    side.side.challenge(encodeEap(request(rounds, EapType.Tls)), 0);
    side.give({ kind: 'response', identifier: rounds, type: EapType.Tls, data: nothing });
    assert.ok(said.length <= 2);
  }
  assert.equal(rounds, MAX_ROUNDS + 1);
});

test('login: a Nak names EAP-MSCHAPv2, Identity and Notification are answered', () => {
  const side = client();
  for (const type of [EapType.Md5Challenge, EapType.Tls, EapType.Peap, 254, 6])
    side.give(request(1, type, hex('10 00')));
  for (let i = 0; i < 5; i++)
    assert.deepEqual(side.sent(), {
      kind: 'response',
      identifier: 1,
      type: EapType.Nak,
      data: Uint8Array.of(EapType.MsChapV2),
    });
  side.give(request(2, EapType.Identity, textOf('Who?').octets)).give(request(2, 1));
  assert.deepEqual(side.sent(), identityResponse(2));
  assert.deepEqual(side.sent(), identityResponse(2));
  side.give(request(3, EapType.Notification, textOf('Expires\u0007 soon').octets));
  assert.deepEqual(side.sent(), {
    kind: 'response',
    identifier: 3,
    type: EapType.Notification,
    data: nothing,
  });
  side.give({ kind: 'failure', identifier: 3 });
  assert.deepEqual(side.said(), ['AUTH_TOPEER_FAILED: Expires  soon']);
  side.give(request(4, EapType.Identity));
  assert.deepEqual(side.said(), []);
});

test('login: what does not fit is counted and not answered', () => {
  const side = client();
  side.side.handlePayload(Chap, encodeEap(request(1, EapType.Identity)), 0);
  side
    .give(Uint8Array.of(1, 1, 0, 4))
    .give(identityResponse(1))
    .give(request(1, EapType.Nak, hex('04')))
    .give(request(1, EapType.MsChapV2, hex('01 01 0005 10')))
    .give(request(1, EapType.MsChapV2, hex('02 01 0004')))
    .give(msChapV2(1, { kind: 'success', msChapV2Id: 1, message: textOf('S=') }))
    .give(msChapV2(1, { kind: 'failure', msChapV2Id: 1, message: textOf('E=691') }))
    // RFC 3748 §4.2: a Success before the method has come to its end.
    .give({ kind: 'success', identifier: 1 });
  assert.deepEqual(side.said(), [
    'unexpected-authentication',
    'malformed-authentication',
    'unexpected-authentication',
    'unexpected-authentication',
    'malformed-authentication',
    'malformed-authentication',
    'stale-answer',
    'stale-answer',
    'unexpected-authentication',
  ]);
  assert.equal(side.side.isAccepted, false);
});

test('login: a repeated Challenge gets the same Response, another one another', () => {
  const side = client();
  side.give(challenge(1)).give(challenge(1)).give(challenge(2, 2));
  const [first, again, other] = [side.sent(), side.sent(), side.sent()];
  assert.deepEqual(first, again);
  assert.notDeepEqual({ ...other, identifier: 1 }, first);
  assert.ok('data' in first);
  assert.equal(first.data[1], 9, 'the MS-CHAPv2-ID of the Challenge');
});

test('login: a server that cannot prove the password is not trusted', () => {
  for (const message of [`S=${'00'.repeat(20)} M=Welcome`, 'M=Welcome', '']) {
    const side = client();
    side.give(challenge(1));
    side.sent();
    side.give(msChapV2(2, { kind: 'success', msChapV2Id: 9, message: textOf(message) }));
    side.give({ kind: 'success', identifier: 2 });
    assert.deepEqual(side.said(), ['SERVER_NOT_TRUSTED']);
    assert.equal(side.side.keys, undefined);
  }
});

test('login: once accepted, late packets change nothing, and a new login counts', () => {
  const authenticator = server();
  const login = client();
  const admit = (attempt: LoginAttempt): void => {
    assert.ok(attempt.verify(secret));
    authenticator.side.admit(GRANT, 0);
  };
  talk(authenticator, login, admit);
  const { keys } = login.side;
  login.give({ kind: 'failure', identifier: 1 }).give({ kind: 'success', identifier: 1 });
  assert.deepEqual(login.said(), ['stale-answer']);
  const again = server();
  const log = talk(again, login, (attempt) => {
    assert.ok(attempt.verify(secret));
    again.side.admit(GRANT, 0);
  });
  assert.equal(log.at(-1), 'success');
  assert.equal(log.includes('authenticated'), false, 'told twice');
  assert.equal(login.side.keys, keys);
  assert.equal(login.side.nextTimeout(), undefined);
  const refusing = server();
  talk(refusing, login, () => refusing.side.refuse(undefined, 0));
  assert.deepEqual(login.side.isAccepted, true);
  login.give(challenge(1));
  assert.deepEqual(login.said(), [], 'it has failed');
});

test('login: the next Request is waited for 30 s, and not for ever', () => {
  const side = client();
  side.give(request(1, EapType.Identity), 20_000);
  side.side.handleTimeout(49_999);
  assert.deepEqual(side.said(), ['response 1']);
  side.side.handleTimeout(50_000);
  assert.deepEqual(side.said(), ['AUTH_TIMEOUT']);

  const endless = client();
  for (let i = 0; i <= MAX_ROUNDS + 1; i++) endless.give(request(i, EapType.Notification));
  const said = endless.said();
  assert.equal(said.length, MAX_ROUNDS + 1);
  assert.equal(said.at(-1), 'AUTH_TOPEER_FAILED: its questions do not end');
});

const byEap: PairOptions = {
  server: { authenticatePeer: { methods: ['eap'], name: 'gateway' } },
  client: { identity: { ...clientOptions().identity!, methods: ['eap'] } },
};

test('links: they come up over a line that loses, repeats and reorders frames', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const faults = { loss: 0.1, repetition: 0.2, jitter: 1000 };
    const pair = new Pair({ ...byEap, faults, seed }).start().advance(90_000);
    assert.ok(pair.areUp, `seed ${seed}`);
    assert.equal(pair.client.all('authenticated').length, 1);
  }
});

test('links: LCP begins anew in the middle of EAP, and after it', () => {
  for (const duration of [60, 75, 85, 95, 105, 500]) {
    const pair = new Pair(byEap).start().advance(duration);
    const before = pair.client.all('authenticated').length;
    assert.equal(pair.areUp, duration === 500);
    // A Configure-Request while LCP is open: both go back to the beginning (RFC 1661 §4.3).
    pair.server.link.handleFrame(hex('ff03 c021 01 63 0004'), pair.clock.now);
    pair.advance(20_000);
    assert.equal(pair.areUp, true, `after ${duration} ms`);
    assert.ok(pair.client.all('authenticated').length > 0 && before <= 1);
    assert.deepEqual(pair.server.mppe('send'), pair.client.mppe('receive'), `${duration} ms`);
  }
});

test('links: a peer that refuses the protocol after all, and one that says nothing', () => {
  const peer = new PeerScript({ ...serverOptions(), ...byEap.server });
  peer.openLcp('0506aabbccdd').expect(Eap, 1);
  peer.send(PppProtocol.Lcp, 8, 1, 'c227 01000005 01').wait(3000);
  assert.equal(peer.cause?.code, 'AUTH_METHOD_REFUSED');

  const silent = new PeerScript({ ...clientOptions(), ...byEap.client });
  silent.openLcp('0304c227').wait(40_000);
  assert.equal(silent.cause?.code, 'AUTH_TIMEOUT');
});
