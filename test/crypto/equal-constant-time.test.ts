import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { equalConstantTime } from '../../src/crypto/equal-constant-time.ts';

test('an array equals its copy', () => {
  fc.assert(fc.property(fc.uint8Array(), (octets) => equalConstantTime(octets, octets.slice())));
});

test('one changed bit anywhere is a difference', () => {
  const changed = fc
    .uint8Array({ minLength: 1 })
    .chain((octets) => fc.tuple(fc.constant(octets), fc.nat(octets.length * 8 - 1)));
  fc.assert(
    fc.property(changed, ([octets, bit]) => {
      const other = octets.slice();
      other[bit >> 3]! ^= 1 << (bit & 7);
      return !equalConstantTime(octets, other) && !equalConstantTime(other, octets);
    }),
  );
});

test('another length is a difference, also where all common octets agree', () => {
  assert.equal(equalConstantTime(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3)), false);
  assert.equal(equalConstantTime(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2)), false);
  assert.equal(equalConstantTime(Uint8Array.of(), Uint8Array.of(0)), false);
});
