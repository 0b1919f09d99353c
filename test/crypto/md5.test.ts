import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { md5 } from '../../src/crypto/md5.ts';
import { hex } from './hex.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

test('the test suite of RFC 1321 §A.5', () => {
  const digests = {
    '': 'D41D8CD98F00B204E9800998ECF8427E',
    a: '0CC175B9C0F1B6A831C399E269772661',
    abc: '900150983CD24FB0D6963F7D28E17F72',
    'message digest': 'F96B697D7CB7938D525A2F31AAF161D0',
    abcdefghijklmnopqrstuvwxyz: 'C3FCD3D76192E4007DFB496CCA67E13B',
    ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:
      'D174AB98D277D9F5A5611C2C9F419D9F',
    ['1234567890'.repeat(8)]: '57EDF4A22BE3C955AC49DA2E2107B67A',
  };
  for (const [text, digest] of Object.entries(digests)) assert.equal(hex(md5(ascii(text))), digest);
});

test('the same as OpenSSL, whatever the octets and their length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
      const expected = createHash('md5').update(octets).digest();
      assert.deepEqual(md5(octets), new Uint8Array(expected));
    }),
  );
});
