import assert from 'node:assert/strict';
import { createCipheriv, getCiphers } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { desEncrypt, expandDesKey } from '../../src/crypto/des.ts';
import { DES_PARITY } from '../vectors/ms-chap.ts';
import { desTwin } from './des-twin.ts';
import { hex, octets } from './hex.ts';

const block = fc.uint8Array({ minLength: 8, maxLength: 8 });
const key7 = fc.uint8Array({ minLength: 7, maxLength: 7 });

for (const [key, expanded] of DES_PARITY) {
  test(`RFC 2759 §9.3: ${key} with parity is ${expanded}`, () => {
    assert.equal(hex(expandDesKey(octets(key))), expanded);
  });
}

test('published examples: key, block, encrypted block', () => {
  for (const [key, plain, encrypted] of [
    ['133457799BBCDFF1', '0123456789ABCDEF', '85E813540F0AB405'],
    ['0000000000000000', '0000000000000000', '8CA64DE9C1B123A7'],
    ['0123456789ABCDEF', '4E6F772069732074', '3FA40E8A984D4815'],
  ] as const) {
    assert.equal(hex(desEncrypt(octets(key), octets(plain))), encrypted);
  }
});

test('equals its twin', () => {
  fc.assert(
    fc.property(block, block, (key, plain) => {
      assert.deepEqual(desEncrypt(key, plain), desTwin(key, plain));
    }),
  );
});

test('equals triple DES of OpenSSL with three equal keys', (context) => {
  if (!getCiphers().includes('des-ede3-ecb')) {
    context.skip('this OpenSSL has no DES');
    return;
  }
  fc.assert(
    fc.property(block, block, (key, plain) => {
      const cipher = createCipheriv('des-ede3-ecb', Buffer.concat([key, key, key]), null);
      cipher.setAutoPadding(false);
      const expected = Buffer.concat([cipher.update(plain), cipher.final()]);
      assert.equal(hex(desEncrypt(key, plain)), hex(expected));
    }),
  );
});

test('a key of 7 octets counts as the key it expands to', () => {
  fc.assert(
    fc.property(key7, block, (key, plain) => {
      assert.deepEqual(desEncrypt(key, plain), desEncrypt(expandDesKey(key), plain));
    }),
  );
});

test('expansion keeps all 56 bits in order and makes every octet odd', () => {
  const binary = (value: Uint8Array, digits: number): string =>
    Array.from(value, (octet) => octet.toString(2).padStart(8, '0').slice(0, digits)).join('');
  fc.assert(
    fc.property(key7, (key) => {
      const expanded = expandDesKey(key);
      assert.equal(binary(expanded, 7), binary(key, 8));
      for (const octet of expanded) {
        assert.equal(octet.toString(2).replaceAll('0', '').length % 2, 1);
      }
    }),
  );
});

test('parity bits of a key of 8 octets are ignored', () => {
  fc.assert(
    fc.property(block, block, block, (key, plain, flips) => {
      const other = key.map((octet, at) => octet ^ (flips[at]! & 1));
      assert.deepEqual(desEncrypt(other, plain), desEncrypt(key, plain));
    }),
  );
});

test('other lengths are our own mistake', () => {
  for (const length of [0, 6, 9, 16]) {
    assert.throws(() => desEncrypt(new Uint8Array(length), new Uint8Array(8)), TypeError);
  }
  for (const length of [0, 7, 9]) {
    assert.throws(() => desEncrypt(new Uint8Array(7), new Uint8Array(length)), TypeError);
  }
});
