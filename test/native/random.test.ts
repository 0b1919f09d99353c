import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadAddon } from '../../src/native/addon.ts';
import { randomOctets } from '../../src/native/random.ts';

test('as many octets as were asked for, other ones each time', () => {
  assert.deepEqual(randomOctets(0), new Uint8Array(0));
  const many = randomOctets(1 << 20); // the kernel gives less at a time when a signal comes
  const counts = new Uint32Array(256);
  for (const octet of many) counts[octet]!++;
  // 4096 each, with a standard deviation of 64.
  assert.ok(counts.every((count) => count > 3500 && count < 4700));
  assert.notDeepEqual(randomOctets(16), randomOctets(16));
});

test('only a Uint8Array can be filled', () => {
  const addon = loadAddon();
  for (const wrong of [undefined, 7, 'text', new ArrayBuffer(8), new Int32Array(2), [1, 2]])
    assert.throws(() => {
      addon.fillRandom(wrong as unknown as Uint8Array);
    }, TypeError);
});
