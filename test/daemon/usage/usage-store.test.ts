import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UsageStore } from '../../../src/daemon/usage/usage-store.ts';
import { usageText } from '../../../src/usage/usage-text.ts';
import { folder } from '../cli/program.ts';

const text = (serial: number) => usageText({ serial, seen: 1 }, []);

test('the newer of two files counts', (t) => {
  const dir = folder(t);
  const [memory, lasting] = [join(dir, 'memory'), join(dir, 'lasting')];
  const warnings: string[] = [];
  const store = () => new UsageStore(memory, lasting, (line) => warnings.push(line));
  assert.deepEqual(store().read(), { saved: undefined, isLasting: true });
  const one = store();
  one.read();
  one.keep(text(1), true);
  one.keep(text(2), false);
  assert.deepEqual([store().read().saved?.serial, store().read().isLasting], [2, false]);
  one.keep(text(3), true);
  assert.deepEqual([store().read().saved?.serial, store().read().isLasting], [3, true]);
  rmSync(join(memory, 'usage'));
  assert.equal(store().read().saved?.serial, 3);
  assert.equal(
    new UsageStore(memory, undefined, (line) => warnings.push(line)).read().saved,
    undefined,
  );
  assert.deepEqual(warnings, []);
});

test('a disk that comes late brings its own file, which is kept aside', (t) => {
  const dir = folder(t);
  const [disk, lasting] = [join(dir, 'unplugged'), join(dir, 'disk')];
  mkdirSync(disk);
  writeFileSync(join(disk, 'usage'), text(99));
  const warnings: string[] = [];
  const store = new UsageStore(join(dir, 'memory'), lasting, (line) => warnings.push(line));
  store.read();
  renameSync(disk, lasting);
  store.keep(text(1), true);
  store.keep(text(2), true);
  assert.equal(readFileSync(join(lasting, 'usage.aside'), 'utf8'), text(99));
  assert.equal(readFileSync(join(lasting, 'usage'), 'utf8'), text(2));
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /was not there when the program started.*kept as .*usage\.aside$/);
});

test('a folder that cannot be written to is told once, until it can', (t) => {
  const dir = folder(t);
  const blocked = join(dir, 'blocked');
  writeFileSync(blocked, 'a file');
  const warnings: string[] = [];
  const store = new UsageStore(join(dir, 'memory'), blocked, (line) => warnings.push(line));
  store.read();
  for (let n = 1; n < 4; n++) store.keep(text(n), true);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /not remembered in .*blocked.*EEXIST/);
  assert.ok(existsSync(join(dir, 'memory', 'usage')));
  rmSync(blocked);
  store.keep(text(4), true);
  assert.equal(readFileSync(join(blocked, 'usage'), 'utf8'), text(4));
});
