import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  checkMsChapV1LmResponse,
  checkMsChapV1NtResponse,
  generateMsChapV1LmResponse,
  generateMsChapV1NtResponse,
} from '../../src/crypto/ms-chap-v1.ts';
import { LAN_MANAGER, MS_CHAP_V1 } from '../vectors/ms-chap.ts';
import { hex, octets } from './hex.ts';

const challenge = octets(LAN_MANAGER.challenge);
const ntHash = octets(LAN_MANAGER.ntHash);
const lmHash = octets(LAN_MANAGER.lmHash);

test('RFC 2433 §B.2: the NT response', () => {
  const response = generateMsChapV1NtResponse(
    octets(MS_CHAP_V1.challenge),
    octets(MS_CHAP_V1.ntHash),
  );
  assert.equal(hex(response), MS_CHAP_V1.ntResponse);
});

test('the LAN Manager and NT responses of a published example', () => {
  assert.equal(hex(generateMsChapV1LmResponse(challenge, lmHash)), LAN_MANAGER.lmResponse);
  assert.equal(hex(generateMsChapV1NtResponse(challenge, ntHash)), LAN_MANAGER.ntResponse);
});

for (const { name, check, hash, right } of [
  { name: 'NT', check: checkMsChapV1NtResponse, hash: ntHash, right: LAN_MANAGER.ntResponse },
  { name: 'LM', check: checkMsChapV1LmResponse, hash: lmHash, right: LAN_MANAGER.lmResponse },
]) {
  test(`${name}: only the response itself passes`, () => {
    const response = octets(right);
    assert.equal(check(challenge, hash, response), true);
    assert.equal(check(octets('0123456789ABCDEE'), hash, response), false);
    assert.equal(check(challenge, new Uint8Array(16), response), false);
    assert.equal(check(challenge, hash, response.subarray(0, 23)), false);
    assert.equal(check(challenge, hash, new Uint8Array(24)), false);
    fc.assert(
      fc.property(fc.nat(24 * 8 - 1), (bit) => {
        const other = response.slice();
        other[bit >> 3]! ^= 1 << (bit & 7);
        return !check(challenge, hash, other);
      }),
    );
  });
}
