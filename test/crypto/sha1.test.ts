import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { Sha1, sha1 } from '../../src/crypto/sha1.ts';
import { hex } from './hex.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

function openSslSha1(...pieces: Uint8Array[]): Uint8Array {
  const hash = createHash('sha1');
  for (const piece of pieces) hash.update(piece);
  return new Uint8Array(hash.digest());
}

test('RFC 3174 §7.3: its test strings', () => {
  assert.equal(hex(sha1(ascii('abc'))), 'A9993E364706816ABA3E25717850C26C9CD0D89D');
  assert.equal(
    hex(sha1(ascii('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'))),
    '84983E441C3BD26EBAAE4AA1F95129E5E54670F1',
  );
});

test('equals OpenSSL at every length around the block boundaries', () => {
  for (let length = 0; length <= 130; length++) {
    const octets = Uint8Array.from({ length }, (_, at) => (at * 37 + length) & 255);
    assert.deepEqual(sha1(octets), openSslSha1(octets), `${length} octets`);
  }
});

test('equals OpenSSL however the message is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 150 }), { maxLength: 6 }), (pieces) => {
      assert.deepEqual(sha1(...pieces), openSslSha1(...pieces));
    }),
  );
});

test('one object hashes message after message, from and to the middle of arrays', () => {
  const hash = new Sha1();
  const message = fc.record({
    octets: fc.uint8Array({ minLength: 4, maxLength: 200 }),
    from: fc.nat(4),
    at: fc.nat(9),
    length: fc.nat(20),
  });
  fc.assert(
    fc.property(message, ({ octets, from, at, length }) => {
      const target = new Uint8Array(30).fill(0x55);
      hash.update(octets, from, octets.length - from);
      hash.digestInto(target, at, length);
      const expected = new Uint8Array(30).fill(0x55);
      expected.set(openSslSha1(octets.subarray(from)).subarray(0, length), at);
      assert.deepEqual(target, expected);
    }),
  );
});

test('reset forgets a message half hashed', () => {
  const hash = new Sha1();
  hash.update(ascii('forgotten'), 0, 9);
  hash.reset();
  hash.update(ascii('abc'), 0, 3);
  const digest = new Uint8Array(20);
  hash.digestInto(digest, 0, 20);
  assert.deepEqual(digest, openSslSha1(ascii('abc')));
});
