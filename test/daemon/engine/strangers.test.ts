import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Strangers } from '../../../src/daemon/engine/strangers.ts';

test('of each kind some lines at once, then one a second, and how many were left out', () => {
  const strangers = new Strangers();
  const admitted = (kind: string, times: number, now: number) =>
    Array.from({ length: times }, () => strangers.admit(kind, now)).filter(Boolean).length;
  assert.equal(admitted('flood', 100, 5_000), 20);
  assert.deepEqual(strangers.admit('other', 5_000), { omitted: 0 }, 'not hidden by the flood');
  assert.equal(strangers.admit('flood', 5_999), undefined);
  assert.deepEqual(strangers.admit('flood', 6_000), { omitted: 81 });
  assert.equal(strangers.admit('flood', 6_000), undefined);
  assert.deepEqual(strangers.admit('flood', 7_000), { omitted: 1 });
  assert.equal(admitted('flood', 100, 1_000_000), 20);
});
