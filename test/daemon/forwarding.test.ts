/**
 * Callers of plain Linux reach other networks with option masquerade alone, and nothing else is forwarded: not before, not
 * meanwhile, and afterwards everything is as it was, also after a kill.
 *
 *     caller 198.18.1.2 ---- 198.18.1.1 server 198.18.2.1 ---- 198.18.2.2 beyond, which knows of no tunnels
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Lab, type Gateway } from '../../tools/lab.ts';

const lab = new Lab('forwarding');
let serverSide: string;
let callerSide: string;
let beyond: string;
let server: Gateway;
let caller: Gateway;

const files = (masquerade: '0' | '1') => ({
  network: `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
	option masquerade '${masquerade}'
`,
  pptp_users: `config user
	option username 'anna'
	option password 'correct horse'
	option ipaddr '192.168.99.77'
`,
});

const link = {
  network: `config interface 'one'
	option proto 'pptpgw'
	option server '198.18.1.1'
	option username 'anna'
	option password 'correct horse'
	option defaultroute '0'
	option holdoff '1'
	list route '198.18.2.0/24'
`,
};

const reaches = async (from: string, to: string, ...more: string[]) =>
  (await lab.run(from, 'ping', '-c1', '-W2', ...more, to)).code === 0;
/** In the clear, and so is the answer. */
const isRouted = () => reaches(beyond, '198.18.1.2', '-I', '198.18.2.200');
const text = async (...command: string[]) => {
  const { output } = await lab.run(serverSide, command[0]!, ...command.slice(1));
  return output;
};
const switches = () =>
  text('sh', '-c', 'cd /proc/sys/net/ipv4 && cat ip_forward conf/outer/forwarding conf/inner/forwarding'); // prettier-ignore
const tables = () => text('nft', 'list', 'tables');

async function until(wanted: () => Promise<boolean>): Promise<void> {
  while (!(await wanted())) await new Promise((resolve) => setTimeout(resolve, 100));
}

before(async () => {
  serverSide = lab.namespace('server');
  callerSide = lab.namespace('caller');
  beyond = lab.namespace('beyond');
  lab.join('outer', [
    [serverSide, '198.18.1.1/24'],
    [callerSide, '198.18.1.2/24'],
  ]);
  lab.join('inner', [
    [serverSide, '198.18.2.1/24'],
    [beyond, '198.18.2.2/24'],
  ]);
  await lab.run(serverSide, 'sysctl', '-qw', 'net.ipv4.ip_forward=0');
  // What is not theirs to reach: the other network through the server, in the clear, and a caller from there.
  await lab.run(callerSide, 'ip', 'route', 'add', '198.18.2.128/25', 'via', '198.18.1.1');
  await lab.run(beyond, 'ip', 'address', 'add', '198.18.2.200/24', 'dev', 'inner');
  await lab.run(beyond, 'ip', 'route', 'add', '198.18.1.0/24', 'via', '198.18.2.1');
  await lab.run(beyond, 'ip', 'route', 'add', '192.168.99.0/24', 'via', '198.18.2.1');
  server = await lab.gateway('server', serverSide, files('1'));
  caller = await lab.gateway('caller', callerSide, link, '--dial');
  await caller.process.line(/link one session \d+ .*: up/);
});

after(() => lab.close());

test('a caller reaches another network under the server’s address, and is reached by nobody', async () => {
  assert.equal(await reaches(callerSide, '198.18.2.2'), true);
  assert.equal(await reaches(beyond, '192.168.99.77'), false);
});

test('the machine is no router for anybody else', async () => {
  assert.equal(await switches(), '0\n1\n1\n');
  assert.equal(await reaches(callerSide, '198.18.2.200'), false);
  assert.equal(await isRouted(), false);
});

test('what somebody removes comes back', async () => {
  await lab.run(serverSide, 'nft', 'flush', 'ruleset');
  await server.process.line(/forwarding for callers .*: had gone, and is put back/);
  assert.equal(await reaches(callerSide, '198.18.2.2'), true);
});

test('a device that comes later is one of them', async () => {
  await lab.run(serverSide, 'ip', 'link', 'add', 'late', 'type', 'veth', 'peer', 'late1');
  await lab.run(serverSide, 'ip', 'address', 'add', '198.18.3.1/24', 'dev', 'late');
  await until(async () => (await text('cat', '/proc/sys/net/ipv4/conf/late/forwarding')) === '1\n');
  await until(async () => (await tables()).includes('pptp_gateway_callers'));
  assert.match(await text('nft', 'list', 'table', 'ip', 'pptp_gateway_callers'), /iifname "late"/);
});

test('another program’s ip_forward stays, and what it forwards is not dropped', async () => {
  await lab.run(serverSide, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  await lab.run(serverSide, 'ip', 'link', 'del', 'late'); // devices are looked at
  await until(isRouted);
  assert.equal(await reaches(callerSide, '198.18.2.2'), true);
  await lab.run(serverSide, 'sysctl', '-qw', 'net.ipv4.ip_forward=0');
  await lab.run(serverSide, 'ip', 'link', 'add', 'late', 'type', 'veth', 'peer', 'late1');
  await until(async () => (await switches()) === '0\n1\n1\n');
});

test('switched off by a reload, everything is as it was', async () => {
  server.configure(files('0'));
  assert.equal((await server.command('reload')).code, 0);
  assert.equal(await switches(), '0\n0\n0\n');
  assert.doesNotMatch(await tables(), /callers/);
  const from = caller.process.output.length;
  server.configure(files('1'));
  assert.equal((await server.command('reload')).code, 0);
  await caller.process.line(/link one session \d+ .*: up/, from);
  assert.equal(await reaches(callerSide, '198.18.2.2'), true);
});

test('what a killed daemon leaves the next one undoes', async () => {
  server.process.signal('SIGKILL');
  await server.process.ended;
  assert.equal(await switches(), '0\n1\n1\n');
  server = await lab.gateway('server', serverSide, files('0'));
  assert.equal(await switches(), '0\n0\n0\n');
  assert.doesNotMatch(await tables(), /callers/);
});

test('a chain of somebody else that drops is told', async () => {
  await server.process.stop();
  await lab.run(
    serverSide,
    'nft',
    'table ip filter { chain FORWARD { type filter hook forward priority filter; policy drop; }; }',
  );
  server = await lab.gateway('server', serverSide, files('1'));
  await server.process.line(/server home: the nftables chain ip filter FORWARD drops what is/);
});

test('nothing is left at the end', async () => {
  await server.process.stop();
  assert.equal(await switches(), '0\n0\n0\n');
  assert.doesNotMatch(await tables(), /pptp_gateway/);
});
