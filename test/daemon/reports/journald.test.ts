import assert from 'node:assert/strict';
import { test } from 'node:test';
import { journaldLine, tellReady } from '../../../src/daemon/reports/journald.ts';
import { levels } from '../../../src/daemon/reports/log.ts';
import { run } from '../cli/program.ts';

test('the journal is behind standard error where JOURNAL_STREAM names that, and only then', async (t) => {
  const said = async (stream: string) => {
    const shell = ['sh', '-c', `JOURNAL_STREAM=${stream} exec "$0" "$@"`];
    return (await run(t, ['bogus'], shell)).stderr.split('\n', 1)[0];
  };
  assert.equal(await said('$(stat -Lc %d:%i /proc/$$/fd/2)'), "<3>unknown command 'bogus'");
  for (const other of ['', '1:2', '$(stat -Lc %d:%i /dev/null)'])
    assert.equal(await said(other), "pptp-gateway: unknown command 'bogus'");
});

test('a line has the severity of syslog, and no time and name of its own', () => {
  assert.deepEqual(
    levels.map((level) => journaldLine(level, 'text')),
    ['<3>text\n', '<4>text\n', '<6>text\n', '<7>text\n'],
  );
});

test('without a service manager nobody is told; one that is not there is a fault', async () => {
  assert.equal(await tellReady(undefined), undefined);
  assert.match((await tellReady('/nowhere/notify')) ?? '', /systemd-notify/);
});
