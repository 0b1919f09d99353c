/** What a supervisor's interface that is not in force hears. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem } from '../../../src/daemon/configuration/problems.ts';
import { Log } from '../../../src/daemon/reports/log.ts';
import { Supervision } from '../../../src/daemon/tunnels/supervision.ts';
import type { Supervisor } from '../../../src/router/router.ts';

const faults: readonly Problem[] = [
  { severity: 'error', file: 'network', section: 'office', option: 'mtu', message: 'wrong' },
  { severity: 'error', file: 'pptp_users', section: 'anna', message: 'wrong, too' },
];

interface Started {
  readonly supervision: Supervision;
  readonly lines: string[];
  readonly refusals: string[];
}

/** An interface that is not in the configuration has been set up. */
async function started(
  name: string,
  found: readonly Problem[] = [],
  readAgain: () => Promise<void> = () => Promise.resolve(),
): Promise<Started> {
  const lines: string[] = [];
  const refusals: string[] = [];
  const supervisor = {
    isSetUp: () => true,
    refuse: (interfaceName: string, { code }: { code: string }) =>
      refusals.push(`${interfaceName} ${code}`),
  } as unknown as Supervisor;
  let job: Promise<void> = Promise.resolve();
  const supervision = new Supervision();
  supervision.open({
    log: new Log((line) => lines.push(line)),
    links: new Map(),
    servers: new Map(),
    supervisor,
    change: (next) => {
      job = next();
    },
    readAgain,
    faults: () => found,
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
  const { lines, refusals } = await started('office', faults);
  assert.deepEqual(lines, [
    "pptp error: interface office: network, section 'office', option 'mtu': wrong\n",
  ]);
  assert.deepEqual(refusals, ['office CONFIG_INVALID']);
});

test('one that is new in a file that cannot be read hears why, also where there is none', async () => {
  const broken: Problem = { severity: 'error', file: 'network line 7', message: 'no UCI' };
  const { lines, refusals } = await started('new', [...faults, broken]);
  assert.deepEqual(lines, ['pptp error: interface new: network line 7: no UCI\n']);
  assert.deepEqual(refusals, ['new CONFIG_INVALID']);
  const gone = await started('new', [], () => Promise.reject(new Error('there is no file')));
  assert.deepEqual(gone.lines, ['pptp error: interface new: there is no file\n']);
  assert.deepEqual(gone.refusals, ['new CONFIG_INVALID']);
});

test('one whose section was deleted is not refused before netifd can know of it', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const deleted = await started('gone');
  context.mock.timers.tick(4_999);
  deleted.supervision.stop('gone'); // netifd has reloaded, too
  context.mock.timers.tick(60_000);
  assert.deepEqual([deleted.lines, deleted.refusals], [[], []]);

  const { supervision, lines, refusals } = await started('strange');
  supervision.start('strange', false); // once more
  context.mock.timers.tick(5_000);
  assert.deepEqual(lines, [
    'pptp error: interface strange: there is no such section in the configuration\n',
  ]);
  assert.deepEqual(refusals, ['strange CONFIG_INVALID']);
});
