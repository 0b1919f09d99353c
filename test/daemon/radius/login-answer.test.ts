/** What a refusal by RADIUS lets a caller do next. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorization, loginAnswer } from '../../../src/daemon/radius/logins.ts';
import type { Evidence } from '../../../src/ppp/authentication/evidence.ts';
import type { MsChapFailure } from '../../../src/wire/ms-chap.ts';

const challenge = new Uint8Array(16).fill(9);
const evidence: Evidence = {
  method: 'mschap-v2',
  identifier: 1,
  exchange: {
    authenticatorChallenge: challenge,
    peerChallenge: challenge,
    userName: Uint8Array.of(97),
  },
  ntResponse: new Uint8Array(24),
  takesMessage: true,
};
const rejected = (failure: MsChapFailure, shown: Evidence = evidence) => {
  const answer = { kind: 'reject', message: '', failure, eap: undefined, faults: [] } as const;
  const said = loginAnswer(answer, shown, 'main');
  assert(said.kind === 'refused');
  return said;
};

test('an expired password can be changed, a wrong one tried again where the server says so', () => {
  const expired = rejected({ errorCode: 648, retry: false, message: '' });
  assert.equal(expired.cause.code, 'PASSWORD_EXPIRED');
  assert.deepEqual(expired.told?.retry, {});
  const wrong = rejected({ errorCode: 691, retry: true, challenge, message: '' });
  assert.equal(wrong.cause.code, 'PEER_AUTH_FAILED');
  assert.deepEqual(wrong.told?.retry, { challenge });
  assert.equal(rejected({ errorCode: 691, retry: false, message: '' }).told, undefined);
  const pap: Evidence = { method: 'pap', password: Uint8Array.of(1) };
  assert.equal(rejected({ errorCode: 648, retry: true, message: '' }, pap).told?.retry, undefined);
});

test('the mask of an address is a length', () => {
  const ipv6 = { prefixes: [], delegated: [], addresses: [], dns: [], routes: [] };
  const grant = { routes: [], dns: [], nbns: [], classes: [], message: '', ipv6 };
  for (const [netmask, length] of [
    [undefined, 32],
    [0xffffffff, 32],
    [0xfffffffe, 31],
    [0xffffff00, 24],
    [0x80000000, 1],
    [0, 0],
  ] as const)
    assert.equal(
      authorization({ ...grant, ...(netmask === undefined ? {} : { netmask }) }).prefixLength,
      length,
    );
});
