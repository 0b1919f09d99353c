/** The host route of a link that ends while it is being made; devices and calls are only noted here. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Drive } from '../../../src/daemon/engine/drive.ts';
import { LinkRunner } from '../../../src/daemon/tunnels/link-runner.ts';
import type { RunnerPorts } from '../../../src/daemon/tunnels/runner-ports.ts';
import { routerCause } from '../../../src/daemon/engine/router-cause.ts';
import { ExitCode, Fatal } from '../../../src/daemon/exit-codes.ts';
import { Gateway } from '../../../src/session/gateway.ts';
import { cause } from '../../../src/wire/cause.ts';
import { noFaults } from '../../support/no-faults.ts';
import { limits, linkOptions, seeded } from '../../support/world.ts';

/** A link that dials; its host route is there once `made` is called. */
function dialling(context: TestContext) {
  const routes = new Set<string>();
  const made: (() => void)[] = [];
  const faults = noFaults();
  const ports = {
    faults,
    gateway: new Gateway({ limits, random: seeded(1), count: () => undefined }),
    drive: new Drive(faults),
    report: () => undefined,
    io: { paths: { open: () => undefined } },
    router: {
      hostRoute: (link: string) =>
        new Promise<void>((resolve) =>
          made.push(() => {
            routes.add(link);
            resolve();
          }),
        ),
      releaseHostRoute: (link: string) => Promise.resolve(void routes.delete(link)),
      admit: () => new Promise(() => undefined),
      dismiss: () => undefined,
      linkFailed: () => undefined,
    },
  } as unknown as RunnerPorts;
  const runner = new LinkRunner({ ...linkOptions, server: '203.0.113.9', hostRoute: true }, ports);
  context.after(() => ports.drive.stop());
  runner.feed((link, now) => link.dial(now));
  const asked = () => new Promise((resolve) => setImmediate(resolve));
  return { runner, routes, made, asked };
}

test('a link that is deleted while its host route is being made leaves none', async (context) => {
  const { runner, routes, made, asked } = dialling(context);
  await asked();
  const retired = runner.retire(cause('CONFIG_CHANGED'));
  await asked();
  assert.equal(made.length, 1);
  made[0]!();
  await retired;
  assert.deepEqual([...routes], []);
});

test('one that is hung up meanwhile leaves none either, and dials again with one', async (context) => {
  const { runner, routes, made, asked } = dialling(context);
  await asked();
  runner.feed((link, now) => link.hangup(now, cause('USER_REQUEST')));
  made[0]!();
  await asked();
  assert.deepEqual([...routes], []);
  runner.feed((link, now) => link.dial(now));
  await asked();
  made[1]!();
  await asked();
  assert.equal(routes.size, 1);
});

test('a port in use has a cause of its own', () => {
  const inUse = new Fatal(ExitCode.PortInUse, 'TCP port 1723 is in use');
  assert.equal(routerCause(inUse, 'DEVICE_FAILED').code, 'PORT_IN_USE');
  const other = new Fatal(ExitCode.Failed, 'TCP port 1723: EACCES');
  assert.equal(routerCause(other, 'DEVICE_FAILED').code, 'DEVICE_FAILED');
});
