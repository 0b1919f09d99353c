/**
 * Dialling on demand on the real kernel: the first packet into the device dials, none for a while hangs up.
 *
 *     branch 198.18.1.2 ---- 198.18.1.1 server
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type {
  LinkDocument,
  SessionDocument,
  StatusDocument,
} from '../../src/daemon/reports/documents.ts';
import { Lab, type Gateway } from '../../tools/lab.ts';

const password = 'correct horse battery';
const lab = new Lab('demand');
let server: Gateway;
let branch: Gateway;
let serverSide: string;
let branchSide: string;

const serverFiles = {
  network: `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
`,
  pptp_users: `config user
	option username 'anna'
	option password '${password}'
	option ipaddr '192.168.99.77'
`,
};

const link = (secret = password, options = '') => ({
  network: `config interface 'one'
	option proto 'pptpgw'
	option server '198.18.1.1'
	option username 'anna'
	option password '${secret}'
	option defaultroute '0'
	option demand '1'
	option holdoff '1'
	option holdoff_max '1'
	list route '10.20.0.0/16'
${options}`,
});

before(async () => {
  serverSide = lab.namespace('server');
  branchSide = lab.namespace('branch');
  lab.join('outer', [
    [serverSide, '198.18.1.1/30'],
    [branchSide, '198.18.1.2/30'],
  ]);
  await lab.run(serverSide, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  await lab.run(serverSide, 'ip', 'address', 'add', '10.20.0.1/16', 'dev', 'lo');
  server = await lab.gateway('server', serverSide, serverFiles);
  branch = await lab.gateway('branch', branchSide, link(), '--dial');
});

after(() => lab.close());

const state = async (): Promise<LinkDocument> =>
  (await branch.json<StatusDocument>('status')).links[0]!;
const ip = async (...words: string[]) => (await lab.run(branchSide, 'ip', ...words)).output;
const ping = (...options: string[]) =>
  lab.run(branchSide, 'ping', '-c', '1', '-W', '5', ...options, '10.20.0.1');

test('before a session: the device, its placeholder addresses, and the routes', async () => {
  await branch.process.line(/link one: demand/);
  assert.match(await ip('address', 'show', 'pptp-one'), /inet 10\.64\.64\.64\/32/);
  assert.match(await ip('route'), /10\.20\.0\.0\/16 dev pptp-one/);
  assert.equal((await state()).state, 'demand');
  assert.deepEqual(await server.json<SessionDocument[]>('sessions'), []);
});

test('the first packet dials and is answered; with no more of them it hangs up, and the next one dials again', async () => {
  for (const round of [1, 2]) {
    const from = branch.process.output.length;
    const { code, output } = await ping();
    assert.equal(code, 0, `the first packet itself, round ${round}: ${output}`);
    await branch.process.line(/link one: up/, from);
    const addresses = await ip('address', 'show', 'pptp-one');
    assert.match(addresses, /inet 192\.168\.99\.77 peer 192\.168\.99\.1\/32/);
    assert.doesNotMatch(addresses, /10\.64\.64/);
    assert.match(await ip('route'), /10\.20\.0\.0\/16 dev pptp-one/);
    await branch.process.line(/link one: stopping IDLE_TIMEOUT/, from);
    await branch.process.line(/link one: demand IDLE_TIMEOUT/, from);
    const { state: now, cause } = await state();
    assert.deepEqual([now, cause?.code], ['demand', 'IDLE_TIMEOUT']);
    assert.match(await ip('address', 'show', 'pptp-one'), /inet 10\.64\.64\.64/);
    assert.match(await ip('route'), /10\.20\.0\.0\/16 dev pptp-one/);
    assert.deepEqual(await server.json<SessionDocument[]>('sessions'), []);
  }
  assert.deepEqual(await branch.json<unknown[]>('failures'), [], 'being idle is no failure');
});

test('packets of a machine behind it keep their source', async () => {
  const from = branch.process.output.length;
  await lab.run(branchSide, 'ip', 'address', 'add', '192.168.5.1/24', 'dev', 'lo');
  assert.notEqual((await ping('-W', '1', '-I', '192.168.5.1')).code, 0);
  await branch.process.line(/link one: demand IDLE_TIMEOUT/, from);
  // The server dropped it for its source, which is not the account's.
  const { calls } = await server.json<{ calls: { drops: Record<string, number> } }>('counters');
  assert.equal(calls.drops['badSource'], 1);
});

test('dial connects it without a packet; hangup takes the device away', async () => {
  const from = branch.process.output.length;
  const { code, output } = await branch.command('dial', 'one');
  assert.equal(code, 0, output);
  await branch.process.line(/link one: demand IDLE_TIMEOUT/, from);
  assert.equal((await branch.command('hangup', 'one')).code, 0);
  await branch.process.line(/link one: down USER_REQUEST/, from);
  assert.doesNotMatch(await ip('-br', 'link'), /pptp-one/);
  assert.doesNotMatch(await ip('route'), /10\.20\.0\.0/);
});

test('a refused login stops it where that is wanted, and takes the device away', async () => {
  const from = branch.process.output.length;
  branch.configure(link('Gu3ssed-wr0ng', "\toption authfail '1'\n"));
  assert.equal((await branch.command('reload')).code, 0);
  const { code } = await branch.command('dial', 'one');
  assert.equal(code, 76);
  await branch.process.line(/link one: blocked AUTH_TOPEER_FAILED/, from);
  assert.doesNotMatch(await ip('-br', 'link'), /pptp-one/);
});

test('the server is away: a pause, then it waits for packets; what is sent meanwhile goes where it went before', async () => {
  branch.configure(link());
  const before = branch.process.output.length;
  assert.equal((await branch.command('reload')).code, 0);
  await branch.process.line(/link one: demand/, before);
  assert.equal((await server.process.stop()).code, 0);
  const from = branch.process.output.length;
  assert.notEqual((await ping('-W', '1')).code, 0);
  await branch.process.line(/link one: waiting CONNECT_REFUSED/, from);
  await branch.process.line(/link one: waiting[^]*link one: demand CONNECT_REFUSED/, from);
  server = await lab.gateway('server', serverSide, serverFiles);
  assert.equal((await ping()).code, 0);
  assert.equal((await branch.process.stop()).code, 0, branch.process.output);
  assert.doesNotMatch(await ip('-br', 'link'), /pptp-one/);
});
