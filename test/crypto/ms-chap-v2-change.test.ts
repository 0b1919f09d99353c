import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedNtHash } from '../../src/crypto/ms-chap-v2-change.ts';
import { ntPasswordHash } from '../../src/crypto/password.ts';
import { changedHash } from '../support/password-change.ts';

test('the new hash comes out for whoever has the old one, made by the slow twins', () => {
  for (const password of ['x', 'MyNewPw', 'Ünïcödé 🔑', 'a'.repeat(256)]) {
    const { oldHash, newHash, encryptedPassword, encryptedHash } = changedHash('MyPw', password);
    assert.deepEqual(changedNtHash(encryptedPassword, encryptedHash, oldHash), newHash);
    const other = ntPasswordHash('other');
    assert.equal(changedNtHash(encryptedPassword, encryptedHash, other), undefined);
    const bent = encryptedHash.map((octet, at) => (at === 15 ? octet ^ 1 : octet));
    assert.equal(changedNtHash(encryptedPassword, bent, oldHash), undefined);
  }
});

test('a length that no password has is no password', () => {
  const { oldHash, encryptedPassword, encryptedHash } = changedHash('MyPw', '');
  assert.equal(changedNtHash(encryptedPassword, encryptedHash, oldHash), undefined);
  for (let at = 512; at < 516; at++) {
    const change = changedHash('MyPw', 'MyNewPw');
    const bent = change.encryptedPassword.slice();
    bent[at]! ^= 0x81;
    assert.equal(changedNtHash(bent, change.encryptedHash, change.oldHash), undefined);
  }
});
