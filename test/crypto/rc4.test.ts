import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RC4_STATE_OCTETS, rc4Apply, rc4KeySchedule } from '../../src/crypto/rc4.ts';
import { hex, octets } from './hex.ts';
import { rc4TwinApply } from './rc4-twin.ts';

function encrypt(key: Uint8Array, plain: Uint8Array): Uint8Array {
  const state = new Uint8Array(RC4_STATE_OCTETS);
  const message = plain.slice();
  rc4KeySchedule(state, key, 0, key.length);
  rc4Apply(state, message, 0, message.length, 0);
  return message;
}

test('RFC 6229 §2: the first key stream octets of keys of 40, 56 and 128 bits', () => {
  const stream = (key: string): string => hex(encrypt(octets(key), new Uint8Array(16)));
  assert.equal(stream('0102030405'), 'B2396305F03DC027CCC3524A0A1118A8');
  assert.equal(stream('01020304050607'), '293F02D47F37C9B633F2AF5285FEB46B');
  assert.equal(stream('0102030405060708090A0B0C0D0E0F10'), '9AC7CC9A609D1EF7B2932899CDE41B97');
});

test('equals its twin for keys of 1 to 256 octets', () => {
  const key = fc.uint8Array({ minLength: 1, maxLength: 256 });
  fc.assert(
    fc.property(key, fc.uint8Array({ maxLength: 1500 }), (key, plain) => {
      assert.deepEqual(encrypt(key, plain), rc4TwinApply(key, plain));
    }),
  );
});

test('takes the key from the middle of an array and a state with anything in it', () => {
  const key = fc.uint8Array({ minLength: 1, maxLength: 16 });
  fc.assert(
    fc.property(key, fc.nat(20), fc.nat(255), (key, at, rubbish) => {
      const memory = new Uint8Array(60).fill(rubbish);
      memory.set(key, at);
      const state = new Uint8Array(RC4_STATE_OCTETS).fill(rubbish);
      rc4KeySchedule(state, memory, at, key.length);
      const message = new Uint8Array(32);
      rc4Apply(state, message, 0, 32, 0);
      assert.deepEqual(message, rc4TwinApply(key, new Uint8Array(32)));
    }),
  );
});

test('the stream goes on over calls of any length', () => {
  const key = octets('0102030405060708');
  const state = new Uint8Array(RC4_STATE_OCTETS);
  fc.assert(
    fc.property(fc.array(fc.nat(300), { maxLength: 8 }), (lengths) => {
      rc4KeySchedule(state, key, 0, key.length);
      const total = lengths.reduce((sum, length) => sum + length, 0);
      const message = new Uint8Array(total);
      let at = 0;
      for (const length of lengths) {
        rc4Apply(state, message, at, length, at);
        at += length;
      }
      assert.deepEqual(message, rc4TwinApply(key, new Uint8Array(total)));
    }),
  );
});

test('moves what it encrypts: to before from (also overlapping) or clear behind it', () => {
  const key = octets('A5A5A5');
  const move = fc.record({ from: fc.nat(40), to: fc.nat(100), length: fc.nat(40) });
  const allowed = move.filter(({ from, to, length }) => to <= from || to >= from + length);
  fc.assert(
    fc.property(allowed, ({ from, to, length }) => {
      const memory = Uint8Array.from({ length: 160 }, (_, at) => at);
      const expected = memory.slice();
      expected.set(rc4TwinApply(key, memory.slice(from, from + length)), to);
      const state = new Uint8Array(RC4_STATE_OCTETS);
      rc4KeySchedule(state, key, 0, key.length);
      rc4Apply(state, memory, from, length, to);
      assert.deepEqual(memory, expected);
    }),
  );
});
