import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { md4 } from '../../src/crypto/md4.ts';
import { MD4_VECTORS } from '../vectors/md4.ts';
import { hex } from './hex.ts';
import { md4Twin } from './md4-twin.ts';

for (const [text, digest] of MD4_VECTORS) {
  test(`RFC 1320 §A.5: '${text}'`, () => {
    assert.equal(hex(md4(new TextEncoder().encode(text))), digest);
  });
}

test('equals its twin at every length around the block boundaries', () => {
  for (let length = 0; length <= 130; length++) {
    const octets = Uint8Array.from({ length }, (_, at) => (at * 37 + length) & 255);
    assert.deepEqual(md4(octets), md4Twin(octets), `${length} octets`);
  }
});

test('equals its twin on any octets, and leaves them alone', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (octets) => {
      const before = octets.slice();
      assert.deepEqual(md4(octets), md4Twin(octets));
      assert.deepEqual(octets, before);
    }),
  );
});
