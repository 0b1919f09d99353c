import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffPause } from '../../../src/session/link/backoff.ts';

const options = { holdoff: 5_000, holdoffMax: 300_000 };
const longest = () => new Uint8Array([0, 0]);
const shortest = () => new Uint8Array([255, 255]);

test('doubled with every failure, up to the longest', () => {
  const pauses = [1, 2, 3, 4, 5, 6, 7, 8, 1000].map((n) => backoffPause(n, options, longest));
  assert.deepEqual(
    pauses,
    [5, 10, 20, 40, 80, 160, 300, 300, 300].map((s) => s * 1_000),
  );
});

test('up to a quarter less at random', () => {
  assert.equal(backoffPause(1, options, shortest), 3_750);
  assert.equal(backoffPause(9, options, shortest), 225_000);
});
