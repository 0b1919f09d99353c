/**
 * What happens while a daemon is between two programs: peers that say goodbye, close or reset, times that run out, callers that come in
 * masses, a capture. Real processes; the new program is slow to start, so that the gap is long enough for all of it.
 *
 *     router 203.0.113.1 ---- wan ---- 203.0.113.2 far
 *            198.18.N.1  ---- NAME --- 198.18.N.2  anna, bert, carl
 */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import type { CallersOrders, CallersReport } from '../../tools/callers.ts';
import { Lab, node, type Gateway } from '../../tools/lab.ts';
import { call } from '../support/control.ts';

const bundle = resolve(import.meta.dirname, '../../dist/pptp-gateway.js');
const callers = resolve(import.meta.dirname, '../../tools/callers.ts');
const lab = new Lab('meanwhile');
const launcher = join(lab.dir, 'launcher');
/** While it is there, a new program does not go on. */
const barrier = join(lab.dir, 'barrier');
let router: string;
let far: string;
let home: Gateway;
const links: Gateway[] = [];

/** Each at home in a namespace of his own, as a daemon of ours wants to be. */
const names = ['anna', 'bert', 'carl'] as const;
type Name = (typeof names)[number];
const homes = {} as Record<Name, string>;
const serverOf = (name: Name) => `198.18.${names.indexOf(name)}.1`;
const users = [...names, 'many']
  .map(
    (name) =>
      `config user\n\toption username '${name}'\n\toption password 'secret of ${name}'\n\toption max_sessions '200'\n`,
  )
  .join('');
const server = (more: string) => `config interface 'vpn'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
	option ban_after '0'
${more}`;
const globals = `config pptp 'globals'
	option max_half_open '200'
	option max_half_open_per_source '200'
`;
const link = (name: Name, more: string) => `config interface '${name}'
	option proto 'pptpgw'
	option server '${serverOf(name)}'
	option username '${name}'
	option password 'secret of ${name}'
	option defaultroute '0'
	option holdoff '60'
	option holdoff_max '60'
${more}`;

before(() => {
  router = lab.namespace('router');
  far = lab.namespace('far');
  lab.join('wan', [
    [router, '203.0.113.1/24'],
    [far, '203.0.113.2/24'],
  ]);
  for (const [n, name] of names.entries()) {
    homes[name] = lab.namespace(name);
    lab.join(name, [
      [router, `${serverOf(name)}/24`],
      [homes[name], `198.18.${n}.2/24`],
    ]);
  }
  lab.launcher = ['env', `PPTP_GATEWAY_LAUNCHER=${launcher}`];
  // What the launcher starts is tried; then it is started as the trial has found it, and waits.
  const next = join(lab.dir, 'next.cjs');
  const [path, mode, ...rest] = readFileSync(bundle, 'utf8').split('\n');
  const isNext = "!['trial', undefined].includes(process.env.PPTP_GATEWAY_INHERITED)";
  const pause = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)';
  const wait = `if (${isNext}) { require('fs').writeSync(2, 'between\\n'); while (require('fs').existsSync('${barrier}')) ${pause}; }`;
  writeFileSync(next, [path, mode, wait, ...rest].join('\n'));
  copyFileSync(join(bundle, '../native.node'), join(lab.dir, 'native.node'));
  writeFileSync(launcher, `#!/bin/sh\nexec ${node.join(' ')} ${next} "$@"\n`);
  chmodSync(launcher, 0o755);
});

afterEach(async () => {
  for (const gateway of [...links.splice(0), home]) await gateway.process.stop();
});

after(() => lab.close());

async function start(more = ''): Promise<void> {
  home = await lab.gateway('home', router, {
    network: server(more),
    pptp_users: users,
    pptp: globals,
  });
}

async function connect(name: Name, more = ''): Promise<Gateway> {
  const gateway = await lab.gateway(name, homes[name], { network: link(name, more) }, '--dial');
  links.push(gateway);
  await gateway.process.line(new RegExp(`link ${name}: up`));
  await home.process.line(new RegExp(`user "${name}".*: up`));
  return gateway;
}

/** Becomes another program, and does something when the one is gone and the other is not there yet. */
async function upgrade(gateway: Gateway, meanwhile: () => Promise<void>): Promise<string> {
  const from = gateway.process.output.length;
  writeFileSync(barrier, '');
  const answer = gateway.command('upgrade');
  await gateway.process.line(/^between$/m, from);
  await meanwhile();
  await lab.run(router, 'rm', barrier);
  const { code, output } = await answer;
  assert.equal(code, 0, output + gateway.process.output);
  return gateway.process.line(/upgrade from .* sessions go on.*/, from);
}

const usernames = async () =>
  (await home.json<readonly { username: string }[]>('sessions')).map(({ username }) => username);

test('peers that hang up, close and reset meanwhile end, each by its reason; who is left goes on', async () => {
  await start();
  const [anna, bert, carl] = [await connect('anna'), await connect('bert'), await connect('carl')];
  await upgrade(home, async () => {
    // Call-Clear-Request, Stop-Control-Connection-Request and FIN.
    const hungUp = await anna.command('hangup', 'anna');
    assert.equal(hungUp.code, 0, hungUp.output);
    // An RST, and nothing else.
    bert.process.signal('SIGSTOP');
    const killed = await lab.run(homes.bert, 'ss', '-K', 'dport = 1723');
    assert.match(killed.output, /:1723 /);
  });
  await home.process.line(/user "anna".*: down (PEER_TERMINATED|HANGUP)/);
  await home.process.line(/user "bert".*: down (HANGUP|CONTROL_LOST)/);
  bert.process.signal('SIGCONT');
  assert.deepEqual(await usernames(), ['carl']);
  const [session] = await home.json<readonly { address: string }[]>('sessions');
  const pinged = await lab.run(router, 'ping', '-c', '1', '-w', '30', session!.address);
  assert.equal(pinged.code, 0, pinged.output);
  assert.doesNotMatch(carl.process.output, /: down/);
});

test('a link whose server goes meanwhile hears of it', async () => {
  await start();
  const anna = await connect('anna');
  await upgrade(anna, async () => {
    await home.process.stop();
  });
  await anna.process.line(
    /link anna: waiting (HANGUP|PEER_TERMINATED|CONTROL_CLOSED|CONTROL_LOST)/,
  );
});

for (const [option, why] of [
  ['idle_timeout', 'IDLE_TIMEOUT'],
  ['session_timeout', 'CONNECT_TIME'],
] as const)
  test(`a session whose ${option} runs out meanwhile ends by it`, async () => {
    await start(`	option ${option} '4'\n`);
    await connect('anna');
    await upgrade(home, async () => {
      await lab.run(router, 'sleep', '5');
    });
    await home.process.line(new RegExp(`user "anna".*: down ${why}`));
  });

test('echoes that were due meanwhile are sent late and waited for; a peer that has died is found out', async () => {
  await start("	option keepalive '3 2'\n");
  const carl = await connect('carl');
  await upgrade(home, async () => {
    await lab.run(router, 'sleep', '8');
  });
  assert.deepEqual(await usernames(), ['carl']);
  assert.doesNotMatch(home.process.output, /: down/);
  await upgrade(home, () => {
    carl.process.signal('SIGSTOP'); // nothing is answered any more, and nothing reset
    return Promise.resolve();
  });
  await home.process.line(/user "carl".*: down PEER_DEAD/);
  carl.process.signal('SIGCONT');
});

function callIn(of: Pick<CallersOrders, 'mode' | 'count' | 'concurrency'>) {
  const account = { username: 'many', password: 'secret of many' };
  const orders: CallersOrders = { servers: ['203.0.113.1'], ...account, ...of };
  return lab.start(far, process.execPath, '--import', 'tsx', callers, JSON.stringify(orders));
}

const reportOf = (line: string) => JSON.parse(line) as CallersReport;

test('logins in masses: who is in stays in, who is just coming calls again', async () => {
  await start("	option max_per_user '200'\n	option max_sessions '200'\n");
  const held = callIn({ mode: 'hold', count: 15, concurrency: 5 });
  assert.equal(reportOf(await held.line(/\{"done".*\}/)).done, 15);
  const inside = (await home.json<readonly { id: number }[]>('sessions')).map(({ id }) => id);
  const flood = callIn({ mode: 'cycles', count: 200, concurrency: 12 });
  for (let n = 0; n < 3; n++) {
    const from = home.process.output.length;
    await home.process.line(/user "many".*: up[^]*user "many".*: up/, from);
    await upgrade(home, () => Promise.resolve());
  }
  const { done, failed, clashes, causes } = reportOf(await flood.line(/\{"done".*\}/));
  assert.equal(done + failed, 200);
  assert.ok(done > 100, JSON.stringify(causes));
  assert.deepEqual(clashes, []);
  const now = (await home.json<readonly { id: number }[]>('sessions')).map(({ id }) => id);
  assert.deepEqual(
    inside.filter((id) => !now.includes(id)),
    [],
  );
  // Nothing of those that were ended is left over.
  const last = reportOf(await callIn({ mode: 'cycles', count: 20, concurrency: 4 }).line(/\{"done".*\}/)); // prettier-ignore
  assert.equal(last.done, 20);
  assert.doesNotMatch(home.process.output, /pptp error/);
  await held.stop();
});

/** Of a pcap file that is whole. */
function packetsIn(path: string): number {
  const octets = readFileSync(path);
  let count = 0;
  let at = 24;
  for (; at + 16 <= octets.length; count++) at += 16 + octets.readUInt32BE(at + 8);
  assert.equal(at, octets.length);
  return count;
}

test('a capture ends with the program that makes it; its file is whole, and the next one may begin', async () => {
  await start();
  const anna = await connect('anna');
  const pings = () =>
    lab.run(homes.anna, 'ping', '-c', '3', '-i', '0.2', '-w', '30', '192.168.99.1');
  const { path } = await call<{ path: string }>(home, 'capture_start');
  assert.equal((await pings()).code, 0);
  await upgrade(home, () => {
    assert.ok(packetsIn(path) >= 6);
    return Promise.resolve();
  });
  const { capture } = await call<{ capture?: unknown }>(home, 'status');
  assert.equal(capture, undefined);
  const before = packetsIn(path);
  const next = await call<{ path: string }>(home, 'capture_start');
  assert.equal((await pings()).code, 0);
  const { packets } = await call<{ packets: number }>(home, 'capture_stop');
  assert.ok(packets >= 6);
  assert.equal(packetsIn(next.path), packets);
  assert.ok(before >= 6);
  assert.doesNotMatch(anna.process.output, /: down/);
});
