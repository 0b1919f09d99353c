import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Recent } from '../../../src/daemon/reports/recent.ts';

const entry = (name: string) => ({ name });

test('the oldest goes, and a stranger’s before any other where there are too many of those', () => {
  const recent = new Recent<{ readonly name: string }>(4, 2);
  const names = () => recent.list.map(({ name }) => name).join(' ');
  const a = entry('a');
  assert.equal(recent.add(a, false), undefined);
  const [x, y, z] = [entry('x'), entry('y'), entry('z')];
  assert.equal(recent.add(x, true), undefined);
  assert.equal(recent.add(y, true), undefined);
  assert.equal(recent.add(z, true), x);
  assert.equal(names(), 'a y z');
  recent.add(entry('b'), false);
  assert.equal(recent.add(entry('c'), false), a);
  assert.equal(names(), 'y z b c');
  assert.equal(recent.remove(y), y);
  assert.equal(recent.remove(y), undefined);
  assert.equal(recent.remove(undefined), undefined);
  recent.add(x, true);
  assert.equal(names(), 'z b c x', 'y has left its place');
});
