import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  checkMsChapV1NtResponse,
  generateMsChapV1NtResponse,
} from '../../src/crypto/ms-chap-v1.ts';
import { LAN_MANAGER, MS_CHAP_V1 } from '../vectors/ms-chap.ts';
import { hex, octets } from './hex.ts';

const challenge = octets(LAN_MANAGER.challenge);
const ntHash = octets(LAN_MANAGER.ntHash);

test('RFC 2433 §B.2: the NT response', () => {
  const response = generateMsChapV1NtResponse(
    octets(MS_CHAP_V1.challenge),
    octets(MS_CHAP_V1.ntHash),
  );
  assert.equal(hex(response), MS_CHAP_V1.ntResponse);
});

test('the NT response of a published example', () => {
  assert.equal(hex(generateMsChapV1NtResponse(challenge, ntHash)), LAN_MANAGER.ntResponse);
});

test('only the response itself passes', () => {
  const response = octets(LAN_MANAGER.ntResponse);
  assert.equal(checkMsChapV1NtResponse(challenge, ntHash, response), true);
  assert.equal(checkMsChapV1NtResponse(octets('0123456789ABCDEE'), ntHash, response), false);
  assert.equal(checkMsChapV1NtResponse(challenge, new Uint8Array(16), response), false);
  assert.equal(checkMsChapV1NtResponse(challenge, ntHash, response.subarray(0, 23)), false);
  assert.equal(checkMsChapV1NtResponse(challenge, ntHash, new Uint8Array(24)), false);
  fc.assert(
    fc.property(fc.nat(24 * 8 - 1), (bit) => {
      const other = response.slice();
      other[bit >> 3]! ^= 1 << (bit & 7);
      return !checkMsChapV1NtResponse(challenge, ntHash, other);
    }),
  );
});
