/**
 * A server and the other networks of its router, on the real kernel:
 *
 *     branch 198.18.1.2 ---- 198.18.1.1 router 192.168.1.1 ---- 192.168.1.200 device
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  FailureDocument,
  SessionDocument,
  StatusDocument,
} from '../../../src/daemon/reports/documents.ts';
import { Lab, type Gateway } from '../../../tools/lab.ts';
import { link, password } from '../link-text.ts';

const lab = new Lab('around');
let router: Gateway;
let branch: Gateway;
let routerSide: string;
let deviceSide: string;

const server = (...options: string[]) =>
  `config interface 'home'\n\toption proto 'pptpserver'\n${options.map((text) => `\t${text}\n`).join('')}`;
const own = server("option localip '192.168.99.1'", "option network '192.168.99.0/24'");
const users = `config user\n\toption username 'anna'\n\toption password '${password}'\n`;

before(async () => {
  routerSide = lab.namespace('router');
  const branchSide = lab.namespace('branch');
  deviceSide = lab.namespace('device');
  lab.join('outer', [
    [routerSide, '198.18.1.1/30'],
    [branchSide, '198.18.1.2/30'],
  ]);
  lab.join('lan', [
    [routerSide, '192.168.1.1/24'],
    [deviceSide, '192.168.1.200/24'],
  ]);
  router = await lab.gateway('router', routerSide, { network: own, pptp_users: users });
  branch = await lab.gateway('branch', branchSide, { network: link('one', '198.18.1.1', 'anna') });
});

after(() => lab.close());

async function until(gateway: Gateway, holds: (status: StatusDocument) => boolean) {
  for (;;) {
    const status = await gateway.json<StatusDocument>('status');
    if (holds(status)) return status;
    await sleep(100);
  }
}

const home = ({ servers }: StatusDocument) => servers.find(({ name }) => name === 'home');
const ip = (...words: string[]) => lab.run(routerSide, 'ip', ...words);

test('a network that appears elsewhere: the server says so and keeps out of its way until it is gone', async () => {
  await branch.command('dial', 'one');
  await until(router, (status) => home(status)?.sessions === 1);
  await ip('address', 'add', '192.168.99.254/24', 'dev', 'lo');
  const status = await until(router, (now) => home(now)?.state === 'failed');
  assert.equal(home(status)?.cause?.code, 'NETWORK_CONFLICT');
  assert.deepEqual(
    status.problems.map(({ severity, section, option, message }) => [
      severity,
      section,
      option,
      message.split(':')[0],
    ]),
    [['error', 'home', 'network', 'device lo has 192.168.99.0/24']],
  );
  const { output } = await ip('-o', 'route');
  assert.doesNotMatch(output, /pptps-home/);
  const failures = await router.json<FailureDocument[]>('failures');
  assert.deepEqual(
    failures
      .filter(({ name, username }) => name === 'home' && username === '')
      .map(({ cause }) => cause.code),
    ['NETWORK_CONFLICT'],
  );
  await ip('address', 'del', '192.168.99.254/24', 'dev', 'lo');
  const again = await until(router, (now) => home(now)?.state === 'listening');
  assert.deepEqual(again.problems, []);
  await branch.command('dial', 'one');
  await until(router, (now) => home(now)?.sessions === 1);
});

test('a reload to a network that the router has does not run, and says so', async () => {
  router.configure({
    network: own.replaceAll('192.168.99.', '192.168.1.').replace("1.1'", "1.9'"),
  });
  await router.command('reload');
  const status = await until(router, (now) => home(now)?.state === 'failed');
  assert.equal(home(status)?.cause?.code, 'NETWORK_CONFLICT');
  router.configure({ network: own });
  await router.command('reload');
  await until(router, (now) => home(now)?.state === 'listening');
});

test('a pool in the LAN: an address that a device there has is skipped; one that it takes later is told', async () => {
  router.configure({
    network: server("option localip '192.168.1.1'", "list range '192.168.1.200-192.168.1.202'"),
  });
  await router.command('reload');
  await until(router, (now) => home(now)?.local_address === '192.168.1.1');
  await branch.command('dial', 'one');
  await until(router, (now) => home(now)?.sessions === 1);
  const [session] = await router.json<SessionDocument[]>('sessions');
  assert.equal(session?.address, '192.168.1.201');
  const told = async () =>
    (await router.json<FailureDocument[]>('failures'))
      .filter(({ cause }) => cause.code === 'ADDRESS_TAKEN')
      .map(({ username, cause }) => `${username} ${cause.detail?.split(':')[0] ?? ''}`);
  assert.deepEqual(await told(), [' 192.168.1.200']);

  await lab.run(deviceSide, 'ip', 'address', 'add', '192.168.1.201/24', 'dev', 'lan');
  await lab.run(deviceSide, 'ip', 'neighbour', 'flush', 'all'); // then it must ask for the router
  await lab.run(deviceSide, 'ping', '-c', '1', '-W', '1', '-I', '192.168.1.201', '192.168.1.1');
  while ((await told()).length < 2) await sleep(100);
  assert.deepEqual(await told(), [' 192.168.1.200', 'anna 192.168.1.201']);
  assert.equal((await router.json<SessionDocument[]>('sessions')).length, 1);
});
