import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counters } from '../../../src/daemon/reports/counters.ts';
import { Failures } from '../../../src/daemon/reports/failures.ts';
import { Log } from '../../../src/daemon/reports/log.ts';
import { Reports } from '../../../src/daemon/reports/reports.ts';
import { noFaults } from '../../support/no-faults.ts';

test('input that is tolerated is counted, and a line for whoever looks for it', () => {
  const lines: string[] = [];
  const log = new Log((line) => lines.push(line));
  log.level = 'debug';
  const counters = new Counters();
  const reports = new Reports({
    log,
    faults: noFaults(),
    counters,
    failures: new Failures(),
    publish: () => undefined,
    tally: () => undefined,
    runHooks: () => undefined,
  });
  reports.countInput('ppp: malformed-frame');
  reports.countInput('ppp: malformed-frame');
  assert.deepEqual(counters.all(), { 'ppp: malformed-frame': 2 });
  assert.deepEqual(lines, Array(2).fill('pptp debug: counted ppp: malformed-frame\n'));
});
