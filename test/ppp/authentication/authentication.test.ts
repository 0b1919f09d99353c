import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import { generateMsChapV1NtResponse } from '../../../src/crypto/ms-chap-v1.ts';
import { Secret } from '../../../src/crypto/secret.ts';
import { Authenticator } from '../../../src/ppp/authentication/authenticator.ts';
import { checkEvidence } from '../../../src/ppp/authentication/evidence.ts';
import { Login } from '../../../src/ppp/authentication/login.ts';
import type { AuthenticationOutput } from '../../../src/ppp/authentication/output.ts';
import { decodeChap, encodeChap } from '../../../src/wire/chap.ts';
import { decodePap, encodePap } from '../../../src/wire/pap.ts';
import { decodePppFrame, PppProtocol } from '../../../src/wire/ppp-frame.ts';
import { textOf } from '../../../src/wire/text.ts';
import { GRANT, seededOctets } from '../../support/link.ts';

const { Chap, Pap } = PppProtocol;
const identity = { username: 'User', secret: Secret.fromPassword('clientPass') };
type Method = Authenticator['method'];
const methods: Method[] = ['mschap-v2', 'mschap', 'chap'];

function drain(side: Authenticator | Login): AuthenticationOutput[] {
  const outputs: AuthenticationOutput[] = [];
  for (let output; (output = side.poll()) !== undefined;) outputs.push(output);
  return outputs;
}

const counted: string[] = [];
const count = (what: string) => counted.push(what);

/** Kinds of outputs, then what was counted. */
const kinds = (side: Authenticator | Login): string[] => [
  ...drain(side).map(({ kind }) => kind),
  ...counted.splice(0),
];

function payloadOf(frame: Uint8Array): Uint8Array {
  const decoded = decodePppFrame(frame);
  assert.ok('payload' in decoded);
  return decoded.payload;
}

function sent(side: Authenticator | Login): Uint8Array {
  const [frame] = drain(side).flatMap((output) =>
    output.kind === 'transmit' ? [output.frame] : [],
  );
  assert.notEqual(frame, undefined);
  return payloadOf(frame!);
}

const authenticator = (method: Method): Authenticator =>
  new Authenticator(method, 'gateway', { random: seededOctets(1), count }, 0);
const login = (method: Method): Login =>
  new Login(method, identity, { random: seededOctets(2), count }, 0);

test('authenticator: what it did not ask for is counted', () => {
  for (const method of methods) {
    const side = authenticator(method);
    const challenge = decodeChap(sent(side));
    assert.equal('kind' in challenge && challenge.kind, 'challenge');
    const { identifier } = challenge as { identifier: number };
    side.handlePayload(Pap, new Uint8Array(0), 0);
    side.handlePayload(Chap, Uint8Array.of(2, identifier, 0), 0);
    side.handlePayload(Chap, encodeChap({ kind: 'success', identifier, message: textOf('') }), 0);
    const response = { kind: 'response', value: new Uint8Array(5), name: textOf('User') } as const;
    side.handlePayload(Chap, encodeChap({ ...response, identifier: identifier ^ 1 }), 0);
    const expected = [
      'unexpected-authentication',
      'malformed-authentication',
      'unexpected-authentication',
      'stale-answer',
    ];
    assert.deepEqual(kinds(side), expected);
    if (method === 'chap') continue;
    side.handlePayload(Chap, encodeChap({ ...response, identifier }), 0);
    assert.deepEqual(kinds(side), ['malformed-authentication']);
  }
});

test('authenticator: the Challenge is repeated every 3 s, ten times, then AUTH_TIMEOUT', () => {
  const side = authenticator('mschap-v2');
  const challenge = sent(side);
  let count = 1;
  for (let now; (now = side.nextTimeout()) !== undefined;) {
    assert.equal(now, count * 3000);
    side.handleTimeout(now - 1);
    side.handleTimeout(now);
    const [output] = drain(side);
    if (output?.kind === 'transmit') {
      count++;
      assert.deepEqual(payloadOf(output.frame), challenge);
    } else assert.deepEqual(output, { kind: 'failed', cause: { code: 'AUTH_TIMEOUT' } });
  }
  assert.equal(count, 10);
  side.handlePayload(
    Chap,
    encodeChap({ kind: 'response', identifier: 1, value: new Uint8Array(49), name: textOf('') }),
    0,
  );
  assert.deepEqual(kinds(side), []);
});

test('authenticator, PAP: each repetition is answered with its own identifier and the same answer', () => {
  const request = (identifier: number): Uint8Array => {
    const password = new TextEncoder().encode('clientPass');
    return encodePap({
      kind: 'authenticate-request',
      identifier,
      peerId: textOf('User'),
      password,
    });
  };
  for (const right of [true, false]) {
    const side = authenticator('pap');
    side.handlePayload(Chap, request(1), 0);
    side.handlePayload(Pap, Uint8Array.of(1, 1, 0, 4), 0);
    side.handlePayload(
      Pap,
      encodePap({ kind: 'authenticate-ack', identifier: 1, message: textOf('') }),
      0,
    );
    assert.deepEqual(kinds(side), [
      'unexpected-authentication',
      'malformed-authentication',
      'unexpected-authentication',
    ]);
    side.refuse(undefined);
    side.admit(GRANT);
    side.handlePayload(Pap, request(1), 0);
    const [output] = drain(side);
    assert.equal(output?.kind, 'login');
    const { attempt } = output;
    side.handlePayload(Pap, request(2), 0);
    assert.equal(attempt.verify(Secret.fromPassword(right ? 'clientPass' : 'clientPas')), right);
    assert.equal(inspect(attempt, { depth: 9 }).includes('clientPass'), false);
    if (right) side.admit(GRANT);
    else side.refuse(undefined);
    const kind = right ? 'authenticate-ack' : 'authenticate-nak';
    const first = decodePap(sent(side));
    assert.deepEqual({ ...first, message: '' }, { kind, identifier: 2, message: '' });
    side.handlePayload(Pap, request(3), 0);
    assert.deepEqual(
      { ...decodePap(sent(side)), message: '' },
      { kind, identifier: 3, message: '' },
    );
    assert.equal(side.admitted?.grant, right ? GRANT : undefined);
  }
  const silent = authenticator('pap');
  silent.handleTimeout(30_000);
  assert.deepEqual(kinds(silent), ['failed']);
  silent.handlePayload(Pap, request(1), 0);
  assert.deepEqual(kinds(silent), []);
});

test('authenticator: whoever may try again has two minutes, and a repeated Response gets the same answer', () => {
  const side = authenticator('mschap-v2');
  const peer = login('mschap-v2');
  peer.handlePayload(Chap, sent(side), 0);
  const response = sent(peer);
  side.handlePayload(Chap, response, 0);
  assert.deepEqual(kinds(side), ['login']);
  assert(side.retry({ errorCode: 648, message: 'Change it', retry: {} }, 1_000));
  const failure = sent(side);
  side.handlePayload(Chap, response, 2_000);
  assert.deepEqual(sent(side), failure);
  side.handlePayload(
    Chap,
    encodeChap({ kind: 'response', identifier: 99, value: response, name: textOf('User') }),
    2_000,
  );
  assert.deepEqual(kinds(side), ['stale-answer']);
  assert.equal(side.nextTimeout(), 121_000);
  side.handleTimeout(121_000);
  assert.deepEqual(kinds(side), ['failed']);
  assert(!authenticator('chap').retry({ errorCode: 691, message: '', retry: {} }, 0));
});

test('MS-CHAPv1: an LM response alone is no proof', () => {
  const challenge = new Uint8Array(8).fill(3);
  const ntResponse = generateMsChapV1NtResponse(challenge, identity.secret.ntHash);
  const evidence = {
    method: 'mschap',
    identifier: 1,
    challenge,
    ntResponse,
  } as const;
  assert.notEqual(checkEvidence({ ...evidence, hasNtResponse: true }, identity.secret), undefined);
  assert.equal(checkEvidence({ ...evidence, hasNtResponse: false }, identity.secret), undefined);
});

test('login: what does not fit is counted', () => {
  for (const method of methods) {
    const side = login(method);
    const challenge = {
      kind: 'challenge',
      identifier: 1,
      value: new Uint8Array(0),
      name: textOf(''),
    } as const;
    side.handlePayload(Pap, new Uint8Array(0), 0);
    side.handlePayload(Chap, Uint8Array.of(1), 0);
    side.handlePayload(Chap, encodeChap(challenge), 0);
    side.handlePayload(Chap, encodeChap({ ...challenge, kind: 'response' }), 0);
    side.handlePayload(
      Chap,
      encodeChap({ kind: 'success', identifier: 1, message: textOf('') }),
      0,
    );
    side.handlePayload(
      Chap,
      encodeChap({ kind: 'failure', identifier: 1, message: textOf('') }),
      0,
    );
    assert.deepEqual(kinds(side), [
      'unexpected-authentication',
      'malformed-authentication',
      'malformed-authentication',
      'unexpected-authentication',
      'stale-answer',
      'stale-answer',
    ]);
  }
});

test('login: a Failure tells its words, readable, and nothing is answered after it', () => {
  const wrong = 'wrong user name or password';
  const cases: [Method, string, string | undefined, string?][] = [
    ['mschap-v2', 'E=691 R=1 C=00112233 V=3 M=No\u0007 way\r\n', `error 691, ${wrong}: No  way`],
    ['mschap', 'E=648 R=0', 'error 648, password expired', 'LOGIN_DENIED'],
    ['mschap-v2', 'E=646 R=0 V=3', 'error 646, not at this hour', 'LOGIN_DENIED'],
    ['mschap', 'E=647 M=Off', 'error 647, account disabled: Off', 'LOGIN_DENIED'],
    ['mschap-v2', 'E=649 M=Full', 'error 649, no permission to dial in: Full', 'LOGIN_DENIED'],
    ['mschap-v2', 'E=12 M=Odd', 'error 12: Odd'],
    ['mschap-v2', 'just no', 'just no'],
    ['chap', 'E=649 M=Full', 'E=649 M=Full'],
    ['chap', 'Sorry', 'Sorry'],
    ['chap', '\u0000', undefined],
    ['chap', 'x'.repeat(300), 'x'.repeat(80)],
  ];
  for (const [method, message, detail, code = 'AUTH_TOPEER_FAILED'] of cases) {
    const side = login(method);
    const value = new Uint8Array(method === 'mschap' ? 8 : 16).fill(1);
    side.handlePayload(
      Chap,
      encodeChap({ kind: 'challenge', identifier: 9, value, name: textOf('') }),
      0,
    );
    drain(side);
    const failure = encodeChap({ kind: 'failure', identifier: 9, message: textOf(message) });
    side.handlePayload(Chap, failure, 0);
    const cause = { code, ...(detail === undefined ? {} : { detail }) };
    assert.deepEqual(drain(side), [{ kind: 'failed', cause }]);
    side.handlePayload(Chap, failure, 0);
    assert.deepEqual(drain(side), []);
  }
});

test('login: the Response is repeated every 3 s, ten times; a Challenge is awaited for 30 s', () => {
  const side = login('mschap-v2');
  const value = new Uint8Array(16);
  side.handlePayload(
    Chap,
    encodeChap({ kind: 'challenge', identifier: 9, value, name: textOf('') }),
    0,
  );
  let count = 0;
  for (let now; (now = side.nextTimeout()) !== undefined;) {
    count++;
    side.handleTimeout(now);
  }
  assert.equal(count, 10);
  assert.deepEqual(kinds(side).slice(-2), ['transmit', 'failed']);
  const waiting = login('chap');
  waiting.handleTimeout(29_999);
  assert.deepEqual(kinds(waiting), []);
  waiting.handleTimeout(30_000);
  assert.deepEqual(kinds(waiting), ['failed']);
});

test('login, PAP: asks first, takes Ack or Nak of its own identifier only', () => {
  for (const kind of ['authenticate-ack', 'authenticate-nak'] as const) {
    const side = login('pap');
    const request = decodePap(sent(side)) as { identifier: number };
    const message = textOf('words');
    side.handlePayload(Pap, Uint8Array.of(2), 0);
    side.handlePayload(
      Pap,
      encodePap({
        kind: 'authenticate-request',
        identifier: 1,
        peerId: message,
        password: new Uint8Array(0),
      }),
      0,
    );
    side.handlePayload(Pap, encodePap({ kind, identifier: request.identifier ^ 1, message }), 0);
    assert.deepEqual(kinds(side), [
      'malformed-authentication',
      'unexpected-authentication',
      'stale-answer',
    ]);
    side.handlePayload(Pap, encodePap({ kind, identifier: request.identifier, message }), 0);
    side.handlePayload(Pap, encodePap({ kind, identifier: request.identifier, message }), 0);
    const [output, ...rest] = drain(side);
    assert.equal(output?.kind, kind === 'authenticate-ack' ? 'authenticated' : 'failed');
    assert.deepEqual(rest, []);
    assert.equal(side.isAccepted, kind === 'authenticate-ack');
  }
});

test('login, PAP: each repetition has an identifier of its own, and an answer to an earlier one counts', () => {
  for (const [which, outcome] of [
    [0, 'authenticated'],
    [2, 'authenticated'],
    [-1, 'stale-answer'],
    [3, 'stale-answer'],
  ] as const) {
    const side = login('pap');
    const requests = [0, 3000, 6000].map((now) => {
      side.handleTimeout(now);
      return decodePap(sent(side)) as { identifier: number };
    });
    const identifiers = requests.map(({ identifier }) => identifier);
    const first = identifiers[0]!;
    assert.deepEqual(identifiers, [first, (first + 1) & 0xff, (first + 2) & 0xff]);
    for (const { identifier, ...request } of requests)
      assert.deepEqual({ ...request, identifier: first }, requests[0], `request ${identifier}`);
    const identifier = (first + which) & 0xff;
    const ack = { kind: 'authenticate-ack', identifier, message: textOf('') } as const;
    side.handlePayload(Pap, encodePap(ack), 7000);
    assert.deepEqual(kinds(side), [outcome]);
  }
});
