/** What a supervisor's interface that is not in force hears. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../../src/daemon/configuration/problems.ts';
import { Log } from '../../src/daemon/log.ts';
import { Supervision } from '../../src/daemon/supervision.ts';
import type { Supervisor } from '../../src/router/router.ts';

async function refused(name: string): Promise<{ lines: string[]; refusals: string[] }> {
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
    change: (next) => (job = next()),
    readAgain: () =>
      Promise.reject(
        new ConfigError([
          {
            severity: 'error',
            file: 'network',
            section: 'office',
            option: 'mtu',
            message: 'wrong',
          },
          { severity: 'error', file: 'pptp_users', section: 'anna', message: 'wrong, too' },
        ]),
      ),
    isLink: () => false,
    isServer: () => false,
    startServer: () => Promise.reject(new Error('not called')),
    stopServer: () => undefined,
  });
  supervision.start(name, true);
  await job;
  return { lines, refusals };
}

test('an interface with a fault hears of its own, and is CONFIG_INVALID', async () => {
  assert.deepEqual(await refused('office'), {
    lines: ["pptp error: interface office: network, section 'office', option 'mtu': wrong\n"],
    refusals: ['office CONFIG_INVALID'],
  });
});

test('one that is new in a refused configuration hears why that was refused', async () => {
  const { lines, refusals } = await refused('new');
  assert.equal(lines.length, 2);
  assert.deepEqual(refusals, ['new CONFIG_INVALID']);
});
