import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { hmacMd5 } from '../../src/crypto/hmac-md5.ts';
import { hex } from './hex.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

test('the test vectors of RFC 2104', () => {
  assert.equal(
    hex(hmacMd5(new Uint8Array(16).fill(0x0b), ascii('Hi There'))),
    '9294727A3638BB1C13F48EF8158BFC9D',
  );
  assert.equal(
    hex(hmacMd5(ascii('Jefe'), ascii('what do ya want for nothing?'))),
    '750C783E6AB0B503EAA86E310A5DB738',
  );
});

test('the same as OpenSSL, whatever key, octets and pieces', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 100 }),
      fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 4 }),
      (key, pieces) => {
        const expected = createHmac('md5', key).update(Buffer.concat(pieces)).digest();
        assert.deepEqual(hmacMd5(key, ...pieces), new Uint8Array(expected));
      },
    ),
  );
});
