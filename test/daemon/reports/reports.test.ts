import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counters } from '../../../src/daemon/reports/counters.ts';
import { Failures } from '../../../src/daemon/reports/failures.ts';
import { Log } from '../../../src/daemon/reports/log.ts';
import { Reports } from '../../../src/daemon/reports/reports.ts';
import { clock } from '../../../src/platform/platform.ts';
import { Lockout } from '../../../src/session/server/lockout.ts';
import { cause } from '../../../src/wire/cause.ts';
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

test('guessed at for hours from a thousand addresses: all is bounded, summed up, and what else goes wrong is still there', (t) => {
  t.mock.timers.enable({ apis: ['Date'] });
  let now = 0;
  t.mock.method(clock, 'monotonic', () => now);
  const lines: string[] = [];
  const log = new Log((line) => lines.push(line));
  const counters = new Counters();
  const failures = new Failures();
  const reports = new Reports({
    log,
    faults: noFaults(),
    counters,
    failures,
    publish: () => undefined,
    runHooks: () => undefined,
    tally: () => undefined,
  });
  const lockout = new Lockout((event) => reports.event(event));
  reports.event({ what: 'link-state', link: 'office', state: 'waiting', cause: cause('CONNECT_REFUSED') }); // prettier-ignore
  const minutes = 120;
  let logins = 0;
  for (let minute = 0; minute < minutes; minute++)
    for (let source = 1; source <= 1_000; source++) {
      now = minute * 60_000 + source * 60;
      lockout.watch(now);
      if (lockout.isBanned(source, now)) {
        reports.event({ what: 'caller-refused', server: 'home', peer: source, cause: cause('SOURCE_BANNED') }); // prettier-ignore
        continue;
      }
      const username = `user${logins++ % 500}`;
      lockout.failed({ server: 'home', source, username }, { after: 5, time: 600_000 }, now);
      reports.event({ what: 'auth-failed', server: 'home', peer: source, username, cause: cause('PEER_AUTH_FAILED') }); // prettier-ignore
    }
  const all = counters.all();
  assert.equal(all['auth failed: PEER_AUTH_FAILED'], logins);
  const bans = lines.filter((line) => line.includes(': banned for'));
  assert.equal(bans.length, all['banned']);
  assert.ok(bans.length >= 7_000, 'each of them');
  const of = (text: string) => lines.filter((line) => line.includes(text)).length;
  assert.ok(of('login failed') <= 200 + minutes * 60 * 5);
  assert.ok(of('refused SOURCE_BANNED') <= 20 + minutes * 60);
  assert.ok(of('no longer banned') <= 20 + minutes * 60);
  assert.ok(of('more lines of this kind are left out here') > 0);
  assert.ok(failures.list().length <= 100);
  assert.ok(failures.list().some(({ name }) => name === 'office'));
  assert.ok(log.recent().log.length <= 500);
  assert.ok(log.recent().log.some(({ text }) => text.startsWith('link office: waiting')));
});
