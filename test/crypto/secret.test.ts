import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { Secret } from '../../src/crypto/secret.ts';
import { MS_CHAP_V2 } from '../vectors/ms-chap.ts';
import { hex, octets } from './hex.ts';

const fromPassword = Secret.fromPassword(MS_CHAP_V2.password);
const fromNtHash = Secret.fromNtHash(octets(MS_CHAP_V2.ntHash));

test('a password gives itself and its NT hash', () => {
  assert.equal(fromPassword.kind, 'password');
  assert.equal(fromPassword.password, MS_CHAP_V2.password);
  assert.equal(hex(fromPassword.ntHash), MS_CHAP_V2.ntHash);
});

test('an NT hash gives no password', () => {
  assert.equal(fromNtHash.kind, 'nt-hash');
  assert.equal(fromNtHash.password, undefined);
  assert.equal(hex(fromNtHash.ntHash), MS_CHAP_V2.ntHash);
});

test('an empty password is still a password', () => {
  assert.equal(Secret.fromPassword('').kind, 'password');
});

test('an NT hash is copied, and has 16 octets', () => {
  const octetsOfHash = octets(MS_CHAP_V2.ntHash);
  const secret = Secret.fromNtHash(octetsOfHash);
  octetsOfHash.fill(0);
  assert.equal(hex(secret.ntHash), MS_CHAP_V2.ntHash);
  for (const length of [0, 15, 17]) {
    assert.throws(() => Secret.fromNtHash(new Uint8Array(length)), TypeError);
  }
});

for (const secret of [fromPassword, fromNtHash]) {
  test(`no way of printing shows a ${secret.kind}`, () => {
    const account = { user: 'anna', secret };
    assert.equal(String(secret), '[secret]');
    assert.equal(JSON.stringify(account), '{"user":"anna","secret":"[secret]"}');
    assert.equal(inspect(account), "{ user: 'anna', secret: [secret] }");
    const shown = [
      // As node:assert prints a difference.
      inspect(account, { customInspect: false, getters: true, depth: 9 }),
      inspect(account, { customInspect: false, showHidden: true, depth: 9 }),
      inspect(structuredClone(account), { showHidden: true, depth: 9 }),
      inspect(Object.entries(secret)),
      inspect(new Error('refused', { cause: account })),
    ].join('\n');
    assert.doesNotMatch(shown, /clientPass|68, ?235|Uint8Array/);
  });
}
