import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runProgram } from '../../src/router/run-program.ts';
import { takeDescriptors } from '../support/descriptors.ts';

const options = { timeout: 10_000, env: { PATH: '/usr/bin:/bin' } };

test('what it says, its exit code, and what is not there', async () => {
  const cat = await runProgram('cat', [], 'input', options);
  assert.deepEqual(cat, { error: undefined, stdout: 'input', stderr: '' });
  const failed = await runProgram('sh', ['-c', 'echo fault >&2; exit 3'], '', options);
  assert.deepEqual([failed.error?.code, failed.stderr], [3, 'fault\n']);
  const missing = await runProgram('/nowhere/program', [], 'input', options);
  assert.equal(missing.error?.code, 'ENOENT');
});

test('without descriptors it waits for one', async (t) => {
  const giveBack = takeDescriptors(t);
  const words = ['1', '2', '3', '4', '5', '6'];
  const all = words.map((word) => runProgram('echo', [word], '', options));
  setTimeout(giveBack, 500);
  assert.deepEqual(
    (await Promise.all(all)).map(({ error, stdout }) => error?.code ?? stdout.trim()),
    words,
  );
});

test('a few at a time', async () => {
  const script = 'echo $(date +%s%N); sleep 0.2; date +%s%N';
  const ran = await Promise.all(
    Array.from({ length: 9 }, () => runProgram('sh', ['-c', script], '', options)),
  );
  const times = ran.map(({ stdout }) => stdout.trim().split('\n').map(Number));
  for (const [moment] of times) {
    const busy = times.filter(([from, to]) => from! <= moment! && moment! < to!);
    assert.ok(busy.length <= 4, `${busy.length} at the same time`);
  }
});
