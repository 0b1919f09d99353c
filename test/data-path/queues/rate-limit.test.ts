import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateLimit } from '../../../src/data-path/queues/rate-limit.ts';

test('gives a burst, then the rate, and never more than the burst again', () => {
  const limit = new RateLimit(2, 50, 10);
  assert.equal(limit.take(0, 4, 0), 4);
  assert.equal(limit.take(0, 100, 0), 6);
  assert.equal(limit.take(0, 1, 0), 0);
  assert.equal(limit.take(0, 5, 60), 3);
  assert.equal(limit.take(0, 5, 60), 0);
  assert.equal(limit.take(0, 100, 1e9), 10);
});

test('sessions do not share it; a new one has a full burst', () => {
  const limit = new RateLimit(2, 50, 10);
  limit.take(0, 10, 0);
  assert.equal(limit.take(1, 10, 0), 10);
  limit.reset(0, 0);
  assert.equal(limit.take(0, 20, 0), 10);
});

test('a clock that steps back gives nothing', () => {
  const limit = new RateLimit(1, 1000, 10);
  limit.take(0, 10, 1000);
  assert.equal(limit.take(0, 10, 500), 0);
});
