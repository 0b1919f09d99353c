import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { giveBack } from '../../src/native/give-back.ts';

const anonymous = () =>
  Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))![1]) / 1000;

/** @returns memory while it was there, MB */
function litter(): number {
  const garbage = Array.from({ length: 1_000_000 }, (_, i) => ({ i }));
  assert.equal(garbage.at(-1)!.i, 999_999);
  return anonymous();
}

const scenario = 'PPTP_GATEWAY_GIVE_BACK';

// In a process of its own: what other tests leave in this one goes back, too.
if (process.env[scenario] === '1') {
  giveBack();
  const before = anonymous();
  const most = litter();
  giveBack();
  // Threads of V8 sweep, and give back page by page.
  for (let n = 0; n < 200 && anonymous() >= most - 20; n++) await sleep(50);
  console.log(JSON.stringify({ before, most, after: anonymous() }));
} else
  test('garbage of V8 goes back to the kernel', () => {
    const words = ['--import', 'tsx', import.meta.filename];
    const env = { ...process.env, [scenario]: '1' };
    const said = execFileSync(process.execPath, words, { env, encoding: 'utf8' });
    const { before, most, after } = JSON.parse(said) as Record<'before' | 'most' | 'after', number>;
    assert.ok(most > before + 20, said);
    assert.ok(after < most - 20, said);
  });
