/** RFC 8289 §5: when the law of control drops. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoDel, INTERVAL } from '../../../src/data-path/queues/codel.ts';

const TARGET = 5;

/** Moments at which packets, one each ms from `from` to `to` that waited `waited` ms, are dropped. */
function drops(codel: CoDel, from: number, to: number, waited = 20, isLast = false): number[] {
  const found: number[] = [];
  for (let now = from; now < to; now++)
    if (codel.drops(0, waited, TARGET, isLast, now)) found.push(now);
  return found;
}

test('a queue may be long for an interval; then it drops more and more often, by the square root', () => {
  const codel = new CoDel(1);
  const found = drops(codel, 1, 700);
  assert.equal(found[0], 1 + INTERVAL);
  let next = found[0];
  const expected = [next];
  for (let count = 1; expected.length < found.length; count++)
    expected.push(Math.ceil((next += INTERVAL / Math.sqrt(count))));
  assert.deepEqual(found, expected);
  assert.ok(found.length > 8, found.join());
});

test('one packet that waited less, or the last one, ends it', () => {
  for (const [waited, isLast] of [
    [TARGET - 0.1, false],
    [20, true],
  ] as const) {
    const codel = new CoDel(1);
    assert.equal(drops(codel, 1, 150).length, 1);
    assert.deepEqual(drops(codel, 150, 151, waited, isLast), []);
    assert.equal(drops(codel, 151, 300)[0], 151 + INTERVAL, 'an interval once more');
  }
});

test('what is long again soon is dropped as often as before, later as at first', () => {
  for (const [pause, isSoon] of [
    [200, true],
    [5000, false],
  ] as const) {
    const codel = new CoDel(1);
    drops(codel, 1, 1000);
    drops(codel, 1000, 1001, 0);
    const found = drops(codel, 1000 + pause, 1000 + pause + 300);
    const [first, second] = found;
    assert.equal(second! - first! < INTERVAL / 2, isSoon, found.join());
  }
});

test('queues have nothing to do with each other, and reset forgets', () => {
  const codel = new CoDel(2);
  drops(codel, 1, 1000);
  assert.equal(codel.drops(1, 20, TARGET, false, 1000), false);
  codel.reset(0);
  assert.equal(drops(codel, 1000, 1300)[0], 1000 + INTERVAL);
});
