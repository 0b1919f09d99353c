import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chapMd5Response, checkChapMd5Response } from '../../src/crypto/chap-md5.ts';
import { hex, octets } from './hex.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

// RFC 1321 §A.5 prints the digests of these texts: here cut into identifier, password, challenge.
test('RFC 1994 §4.1: MD5 of identifier, password, challenge', () => {
  assert.equal(
    hex(chapMd5Response(0x6d, ascii('essage '), ascii('digest'))),
    'F96B697D7CB7938D525A2F31AAF161D0',
  );
  assert.equal(
    hex(chapMd5Response(0x61, ascii(''), ascii('bc'))),
    '900150983CD24FB0D6963F7D28E17F72',
  );
});

test('only the response itself passes', () => {
  const challenge = octets('000102030405060708090A0B0C0D0E0F');
  const response = chapMd5Response(7, ascii('secret'), challenge);
  const check = (identifier: number, password: string, given: Uint8Array): boolean =>
    checkChapMd5Response(identifier, ascii(password), challenge, given);
  assert.equal(check(7, 'secret', response), true);
  assert.equal(check(8, 'secret', response), false);
  assert.equal(check(7, 'Secret', response), false);
  assert.equal(check(7, 'secret', response.subarray(0, 15)), false);
  assert.equal(check(7, 'secret', new Uint8Array(0)), false);
  fc.assert(
    fc.property(fc.nat(127), (bit) => {
      const other = response.slice();
      other[bit >> 3]! ^= 1 << (bit & 7);
      return !check(7, 'secret', other);
    }),
  );
});
