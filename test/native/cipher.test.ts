/** What the addon's MPPE is called with: test/data-path/mppe/ciphers.test.ts holds what it makes to its twins. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadAddon } from '../../src/native/addon.ts';
import { IoContext } from '../../src/native/io-context.ts';

const KEYS = 64;
const PACKET = 128;
const LENGTH = 512;

/** An arena with keys of 128 bits and a packet, and what each call of its cipher changes: nothing, if it is refused. */
function bench(bits = 128) {
  const arena = new ArrayBuffer(LENGTH);
  const octets = new Uint8Array(arena);
  for (let n = 0; n < LENGTH; n++) octets[n] = n;
  new Int32Array(arena)[(KEYS + 32) / 4] = bits;
  const cipher = new IoContext(arena).cipher!;
  const refused = (run: () => void, error: RegExp | typeof TypeError) => {
    const before = octets.slice();
    assert.throws(run, error);
    assert.deepEqual(octets, before);
  };
  return { arena, octets, cipher, refused };
}

const packets = (...words: number[]) => Int32Array.from(words);

test('packets and keys that do not lie inside the arena are refused, and nothing is done then', () => {
  const { cipher, refused } = bench();
  const right = [PACKET, 100, KEYS];
  for (const wrong of [
    [-1, 100, KEYS],
    [PACKET, 0, KEYS],
    [PACKET, -1, KEYS],
    [PACKET, LENGTH - PACKET + 1, KEYS],
    [LENGTH, 1, KEYS],
    [2 ** 31 - 1, 2 ** 31 - 1, KEYS],
    [PACKET, 100, -48],
    [PACKET, 100, KEYS + 1],
    [PACKET, 100, LENGTH - 32],
    [PACKET, 100, 2 ** 31 - 4],
  ]) {
    refused(() => cipher.crypt(packets(...wrong), 1, -1), /RangeError/);
    refused(() => cipher.crypt(packets(...right, ...wrong), 2, -1), /RangeError/);
  }
  for (const used of [-2, LENGTH - 15, LENGTH, 2 ** 31 - 1, 0.5])
    refused(() => cipher.crypt(packets(...right), 1, used), /RangeError/);
  for (const keys of [-4, 1, LENGTH - 32, LENGTH, 2 ** 31 - 4])
    refused(() => cipher.change(keys), /RangeError/);
  for (const count of [-1, 2, 1000, 2 ** 31, 0.5, NaN])
    refused(() => cipher.crypt(packets(...right), count, -1), /RangeError/);
  cipher.crypt(packets(...right), 0, -1);
});

test('keys of no strength that there is are refused', () => {
  for (const bits of [0, -1, 16, 64, 127, 256]) {
    const { cipher, refused } = bench(bits);
    refused(() => cipher.crypt(packets(PACKET, 100, KEYS), 1, -1), /40, 56 or 128 bits/);
    refused(() => cipher.change(KEYS), /40, 56 or 128 bits/);
  }
});

test('an arena that is gone or smaller, and arguments of another kind, are refused', () => {
  const { arena, cipher, refused } = bench();
  const wrong = packets as unknown as Int32Array;
  refused(() => cipher.crypt(wrong, 1, -1), TypeError);
  refused(() => cipher.crypt(new Uint32Array(3) as unknown as Int32Array, 1, -1), TypeError);
  refused(() => cipher.crypt(packets(PACKET, 1, KEYS), '1' as unknown as number, -1), TypeError);
  refused(() => cipher.change(undefined as unknown as number), TypeError);
  const { cryptPackets, changeKey } = loadAddon();
  refused(() => cryptPackets!({} as never, packets(PACKET, 1, KEYS), 1, -1), TypeError);
  refused(() => changeKey!(undefined as never, KEYS), TypeError);
  structuredClone(arena, { transfer: [arena] });
  assert.throws(() => cipher.crypt(packets(PACKET, 1, KEYS), 1, -1), /arena was detached/);
  assert.throws(() => cipher.change(KEYS), /arena was detached/);

  const Shrinking = ArrayBuffer as unknown as new (
    length: number,
    options: { maxByteLength: number },
  ) => ArrayBuffer & { resize(length: number): void };
  const resizable = new Shrinking(LENGTH, { maxByteLength: LENGTH });
  const octets = new Uint8Array(resizable);
  octets[KEYS + 32] = 128;
  const shrunk = new IoContext(resizable).cipher!;
  shrunk.crypt(packets(PACKET, 100, KEYS), 1, -1);
  resizable.resize(KEYS);
  assert.throws(() => shrunk.crypt(packets(PACKET, 1, KEYS), 1, -1), /arena was detached/);
  assert.throws(() => shrunk.change(KEYS), /arena was detached/);
});

test('an addon without a cipher leaves it to others', () => {
  const addon = loadAddon();
  const { cryptPackets } = addon;
  delete addon.cryptPackets;
  try {
    assert.equal(new IoContext(new ArrayBuffer(LENGTH)).cipher, undefined);
  } finally {
    addon.cryptPackets = cryptPackets!;
  }
});
