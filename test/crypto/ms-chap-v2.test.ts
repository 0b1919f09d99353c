import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  bareUserName,
  challengeHash,
  checkNtResponse,
  generateAuthenticatorResponse,
  generateNtResponse,
  type MsChapV2Exchange,
} from '../../src/crypto/ms-chap-v2.ts';
import { MS_CHAP_V2 } from '../vectors/ms-chap.ts';
import { hex, octets } from './hex.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

const exchange: MsChapV2Exchange = {
  authenticatorChallenge: octets(MS_CHAP_V2.authenticatorChallenge),
  peerChallenge: octets(MS_CHAP_V2.peerChallenge),
  userName: ascii(MS_CHAP_V2.userName),
};
const ntHash = octets(MS_CHAP_V2.ntHash);
const ntResponse = octets(MS_CHAP_V2.ntResponse);

test('RFC 2759 §9.2: challenge hash, NT-Response, authenticator response', () => {
  const { peerChallenge, authenticatorChallenge, userName } = exchange;
  assert.equal(
    hex(challengeHash(peerChallenge, authenticatorChallenge, userName)),
    MS_CHAP_V2.challengeHash,
  );
  assert.equal(hex(generateNtResponse(exchange, ntHash)), MS_CHAP_V2.ntResponse);
  const response = generateAuthenticatorResponse(exchange, ntHash, ntResponse);
  assert.equal(response.length, 20);
  assert.equal(`S=${hex(response)}`, MS_CHAP_V2.authenticatorResponse);
});

test('the bare user name is what follows the last backslash', () => {
  for (const [name, bare] of [
    ['User', 'User'],
    ['DOMAIN\\User', 'User'],
    ['DOMAIN\\\\User', 'User'],
    ['a\\b\\User', 'User'],
    ['DOMAIN\\', ''],
    ['user@example.com', 'user@example.com'],
    ['', ''],
  ] as const) {
    assert.deepEqual(bareUserName(ascii(name)), ascii(bare), name);
  }
});

test('a domain in front of the name changes neither side of the exchange', () => {
  for (const name of ['DOMAIN\\User', 'DOMAIN\\\\User']) {
    const withDomain = { ...exchange, userName: ascii(name) };
    assert.equal(hex(generateNtResponse(withDomain, ntHash)), MS_CHAP_V2.ntResponse);
    const response = generateAuthenticatorResponse(withDomain, ntHash, ntResponse);
    assert.equal(`S=${hex(response)}`, MS_CHAP_V2.authenticatorResponse);
  }
});

test('only the NT-Response itself passes', () => {
  assert.equal(checkNtResponse(exchange, ntHash, ntResponse), true);
  assert.equal(checkNtResponse(exchange, new Uint8Array(16), ntResponse), false);
  assert.equal(checkNtResponse(exchange, ntHash, ntResponse.subarray(0, 23)), false);
  assert.equal(checkNtResponse(exchange, ntHash, new Uint8Array(0)), false);
  assert.equal(
    checkNtResponse({ ...exchange, userName: ascii('user') }, ntHash, ntResponse),
    false,
  );
  fc.assert(
    fc.property(fc.nat(24 * 8 - 1), (bit) => {
      const other = ntResponse.slice();
      other[bit >> 3]! ^= 1 << (bit & 7);
      return !checkNtResponse(exchange, ntHash, other);
    }),
  );
});

test('the two challenges are not interchangeable', () => {
  const exchanged = {
    ...exchange,
    peerChallenge: exchange.authenticatorChallenge,
    authenticatorChallenge: exchange.peerChallenge,
  };
  assert.equal(checkNtResponse(exchanged, ntHash, ntResponse), false);
});

test('a peer that knows another password, or saw another NT-Response, gives no proof', () => {
  const proof = generateAuthenticatorResponse(exchange, ntHash, ntResponse);
  for (const [hash, response] of [
    [new Uint8Array(16), ntResponse],
    [ntHash, new Uint8Array(24)],
  ] as const)
    assert.notDeepEqual(generateAuthenticatorResponse(exchange, hash, response), proof);
});

test('the authenticator passes the peer, for any password, name and challenges', () => {
  const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });
  const any = fc.record({
    authenticatorChallenge: sixteen,
    peerChallenge: sixteen,
    userName: fc.uint8Array({ maxLength: 64 }),
  });
  fc.assert(
    fc.property(any, sixteen, (exchange, ntHash) => {
      const response = generateNtResponse(exchange, ntHash);
      assert.equal(checkNtResponse(exchange, ntHash, response), true);
    }),
    { numRuns: 30 },
  );
});
