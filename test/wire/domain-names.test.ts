import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode } from '../../src/wire/codec.ts';
import { domainNames } from '../../src/wire/domain-names.ts';
import { hex, ok } from './sample.ts';

test('names as in DNS, one after another', () => {
  const names = ['eng.apple.com', 'example.net'];
  const octets = hex("03 'eng' 05 'apple' 03 'com' 00 07 'example' 03 'net' 00");
  assert.deepEqual(encode(domainNames, names, 'names'), octets);
  assert.deepEqual(ok(decode(domainNames, octets, 'names')), names);
});

test('padding, compression, and what goes over the end, are no names', () => {
  const read = (text: string) => ok(decode(domainNames, hex(text), 'names'));
  assert.deepEqual(read("01 'a' 00 0*5"), ['a']);
  assert.deepEqual(read("01 'a' 00 01 'b' c0 00 01 'c' 00"), ['a']);
  assert.deepEqual(read("01 'a' 00 09 'b'"), ['a']);
  assert.deepEqual(read('00'), []);
});

test('a label that there is not is our own misuse', () => {
  for (const name of ['', 'a..b', 'x'.repeat(64), '.a'])
    assert.throws(() => encode(domainNames, [name], 'names'), RangeError);
  assert.throws(() => encode(domainNames, [], 'names'), RangeError);
});
