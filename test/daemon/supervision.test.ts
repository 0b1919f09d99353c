/** What a supervisor's interface that is not in force hears. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../../src/daemon/configuration/problems.ts';
import { Log } from '../../src/daemon/log.ts';
import { Supervision } from '../../src/daemon/supervision.ts';
import type { Supervisor } from '../../src/router/router.ts';

const faults = new ConfigError(
  [
    { severity: 'error', file: 'network', section: 'office', option: 'mtu', message: 'wrong' },
    { severity: 'error', file: 'pptp_users', section: 'anna', message: 'wrong, too' },
  ],
  '',
);

interface Started {
  readonly supervision: Supervision;
  readonly lines: string[];
  readonly refusals: string[];
}

/** An interface that is not in the configuration has been set up. */
async function started(name: string, readAgain: () => Promise<void>): Promise<Started> {
  const lines: string[] = [];
  const refusals: string[] = [];
  const supervisor = {
    isSetUp: () => true,
    refuse: (interfaceName: string, { code }: { code: string }) =>
      refusals.push(`${interfaceName} ${code}`),
  } as unknown as Supervisor;
  let job: Promise<void> = Promise.resolve();
  const supervision = new Supervision({
    log: new Log((line) => lines.push(line)),
    links: new Map(),
    supervisor,
    change: (next) => {
      job = next();
    },
    readAgain,
    isLink: () => false,
    isServer: () => false,
    startServer: () => Promise.reject(new Error('not called')),
    stopServer: () => undefined,
  });
  supervision.start(name, true);
  await job;
  return { supervision, lines, refusals };
}

test('an interface with a fault hears of its own, and is CONFIG_INVALID', async () => {
  const { lines, refusals } = await started('office', () => Promise.reject(faults));
  assert.deepEqual(lines, [
    "pptp error: interface office: network, section 'office', option 'mtu': wrong\n",
  ]);
  assert.deepEqual(refusals, ['office CONFIG_INVALID']);
});

test('one that is new in a refused configuration hears why that was refused', async () => {
  const { lines, refusals } = await started('new', () => Promise.reject(faults));
  assert.equal(lines.length, 2);
  assert.deepEqual(refusals, ['new CONFIG_INVALID']);
});

test('one whose section was deleted is not refused before netifd can know of it', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const deleted = await started('gone', () => Promise.resolve());
  context.mock.timers.tick(4_999);
  deleted.supervision.stop('gone'); // netifd has reloaded, too
  context.mock.timers.tick(60_000);
  assert.deepEqual([deleted.lines, deleted.refusals], [[], []]);

  const { supervision, lines, refusals } = await started('strange', () => Promise.resolve());
  supervision.start('strange', false); // once more
  context.mock.timers.tick(5_000);
  assert.deepEqual(lines, [
    'pptp error: interface strange: there is no such section in the configuration\n',
  ]);
  assert.deepEqual(refusals, ['strange CONFIG_INVALID']);
});
