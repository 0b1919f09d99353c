import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { giveBack } from '../../src/native/give-back.ts';

const anonymous = () =>
  Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))![1]) / 1000;

/** @returns memory while it was there, MB */
function litter(): number {
  const garbage = Array.from({ length: 1_000_000 }, (_, i) => ({ i }));
  assert.equal(garbage.at(-1)!.i, 999_999);
  return anonymous();
}

test('garbage of V8 goes back to the kernel at once', () => {
  giveBack();
  const before = anonymous();
  const most = litter();
  giveBack();
  const after = anonymous();
  assert.ok(most > before + 20, `${before} MB, with garbage ${most}`);
  assert.ok(after < most - 20, `with garbage ${most} MB, without ${after}`);
});
