import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadlines, earliest } from '../../src/session/deadlines.ts';

test('the earliest first, each once', () => {
  const deadlines = new Deadlines<'a' | 'b' | 'c'>();
  assert.equal(deadlines.next(), undefined);
  deadlines.set('a', 30);
  deadlines.set('b', 10);
  deadlines.set('c', 20);
  deadlines.set('c', 40);
  assert.equal(deadlines.next(), 10);
  assert.equal(deadlines.due(9), undefined);
  assert.equal(deadlines.due(35), 'b');
  assert.equal(deadlines.due(35), 'a');
  assert.equal(deadlines.due(35), undefined);
  deadlines.clear('c');
  assert.equal(deadlines.next(), undefined);
});

test('earliest of some', () => {
  assert.equal(earliest(undefined, 3, 2, undefined), 2);
  assert.equal(earliest(undefined), undefined);
  assert.equal(earliest(0, 1), 0);
});
