/**
 * The whole program on the real kernel: gateways in network namespaces, joined by veths.
 *
 *     branch 198.18.1.2 ---- 198.18.1.1 server 198.18.2.1 ---- 198.18.2.2 office
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { CheckDocument } from '../../src/daemon/tunnels/checks.ts';
import type { SessionDocument, StatusDocument } from '../../src/daemon/reports/documents.ts';
import { Lab, type Gateway } from '../../tools/lab.ts';
import { link, password } from './link-text.ts';

const lab = new Lab('test');
let server: Gateway;
let branch: Gateway;
let office: Gateway;
let serverSide: string;
let branchSide: string;
let officeSide: string;

const serverNetwork = (options = '') => `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
	option keepalive '3 1'
${options}`;

const users = (extra = '') => `config user
	option username 'anna'
	option password '${password}'
	option max_sessions '2'
config user
	option username 'bert'
	option password '${password}'
	option ipaddr '192.168.99.77'
	list route '10.20.0.0/16'
${extra}`;

const route = "\tlist route '192.168.99.0/24'\n";

before(async () => {
  serverSide = lab.namespace('server');
  branchSide = lab.namespace('branch');
  officeSide = lab.namespace('office');
  lab.join('outer1', [
    [serverSide, '198.18.1.1/30'],
    [branchSide, '198.18.1.2/30'],
  ]);
  lab.join('outer2', [
    [serverSide, '198.18.2.1/30'],
    [officeSide, '198.18.2.2/30'],
  ]);
  await lab.run(serverSide, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  await lab.run(officeSide, 'ip', 'address', 'add', '10.20.0.1/16', 'dev', 'lo');
  server = await lab.gateway('server', serverSide, {
    network: serverNetwork(),
    pptp_users: users(),
  });
  branch = await lab.gateway('branch', branchSide, {
    network: link('one', '198.18.1.1', 'anna', route) + link('two', '198.18.1.1', 'anna'),
  });
  office = await lab.gateway('office', officeSide, {
    network: link('site', '198.18.2.1', 'bert', route),
  });
});

after(() => lab.close());

const sessions = () => server.json<SessionDocument[]>('sessions');
const check = async (gateway: Gateway, link: string) =>
  (await gateway.json<{ checks: [CheckDocument] }>('check', link)).checks[0];
const status = (gateway: Gateway) => gateway.json<StatusDocument>('status');

async function succeeds(gateway: Gateway, ...words: string[]): Promise<string> {
  const { code, output } = await gateway.command(...words);
  assert.equal(code, 0, output);
  return output;
}

async function pings(namespace: string, address: string, ...options: string[]): Promise<boolean> {
  const { code } = await lab.run(namespace, 'ping', '-c', '1', '-W', '3', ...options, address);
  return code === 0;
}

test('two links to one server, and a site behind a caller', async () => {
  await succeeds(branch, 'dial', 'one');
  await succeeds(branch, 'dial', 'two');
  await succeeds(office, 'dial', 'site');
  const live = await sessions();
  assert.deepEqual(live.map(({ username }) => username).sort(), ['anna', 'anna', 'bert']);
  for (const { mppe, auth } of live) assert.deepEqual([mppe, auth], ['mppe-128', 'mschap-v2']);
  const bert = live.find(({ username }) => username === 'bert');
  assert.equal(bert?.address, '192.168.99.77');
  assert.ok(await pings(branchSide, '192.168.99.1'));
  assert.ok(await pings(serverSide, '192.168.99.77'));
  assert.ok(await pings(serverSide, '10.20.0.1'), 'the network behind the caller');
});

test('full-size packets pass whole, larger ones in fragments, too large ones with DF are told so', async () => {
  assert.ok(await pings(branchSide, '192.168.99.1', '-M', 'do', '-s', '1368'));
  assert.ok(await pings(branchSide, '192.168.99.1', '-M', 'dont', '-s', '4000'));
  const { code, output } = await lab.run(
    branchSide,
    'ping',
    '-c',
    '1',
    '-W',
    '1',
    '-M',
    'do',
    '-s',
    '1400',
    '192.168.99.1',
  );
  assert.notEqual(code, 0);
  assert.match(output, /mtu|too long/i);
});

test('callers cannot reach each other, nor use an address that is not theirs', async () => {
  const one = (await status(branch)).links.find(({ name }) => name === 'one')?.session;
  assert.ok(one);
  assert.ok(!(await pings(branchSide, '192.168.99.77')), 'isolate is on');
  await lab.run(branchSide, 'ip', 'address', 'add', '172.31.0.9/32', 'dev', 'pptp-one');
  assert.ok(!(await pings(branchSide, '192.168.99.1', '-I', '172.31.0.9')));
  const drops =
    (await sessions()).find(({ address }) => address === one.local_address)?.drops ?? {};
  assert.ok((drops['isolated'] ?? 0) >= 1, JSON.stringify(drops));
  assert.ok((drops['badSource'] ?? 0) >= 1, JSON.stringify(drops));
});

test('a reload keeps the sessions whose settings did not change, and a wrong file changes nothing', async () => {
  const before = await sessions();
  server.configure({
    pptp_users: `${users()}config user\n\toption username 'carl'\n\toption password 'x'\n`,
  });
  await succeeds(server, 'reload');
  assert.deepEqual(
    (await sessions()).map(({ id }) => id),
    before.map(({ id }) => id),
  );

  server.configure({ network: serverNetwork("\toption mtu '99999'\n\toption isolate 'maybe'\n") });
  const { code, output } = await server.command('reload');
  assert.equal(code, 78);
  assert.match(
    output,
    /\/network:\d+: network\.home\.mtu: expected a whole number from 576 to 1500 \(octets\) \(as it was before\)$/m,
  );
  assert.match(
    output,
    /\/network:\d+: network\.home\.isolate: expected 0 or 1 \(as it was before\)$/m,
  );
  assert.deepEqual(
    (await sessions()).map(({ id }) => id),
    before.map(({ id }) => id),
  );
  server.configure({ network: serverNetwork() });

  const from = server.process.output.length;
  server.configure({
    pptp_users: users().replace("option ipaddr '192.168.99.77'", "option ipaddr '192.168.99.78'"),
  });
  server.process.signal('SIGHUP');
  await server.process.line(/user "bert".*down CONFIG_CHANGED/, from);
  await server.process.line(/user "bert".*up .*address 192\.168\.99\.78/, from); // it dials again
  assert.deepEqual(
    (await sessions()).filter(({ username }) => username === 'anna').map(({ id }) => id),
    before.filter(({ username }) => username === 'anna').map(({ id }) => id),
  );
  const again = server.process.output.length;
  server.configure({ pptp_users: users() });
  await succeeds(server, 'reload');
  await server.process.line(/user "bert".*up .*address 192\.168\.99\.77/, again);
});

test('the owner ends a session; the link comes back by itself', async () => {
  const from = office.process.output.length;
  assert.match(await succeeds(server, 'disconnect', 'bert'), /ended 1 session/);
  await office.process.line(/link site: waiting/, from);
  await office.process.line(/link site: up/, from);
  assert.equal((await server.command('disconnect', 'nobody')).code, 66);
});

test('a server that dies is noticed, and its links come back when it does', async () => {
  const from = branch.process.output.length;
  server.process.signal('SIGKILL');
  await server.process.ended;
  await branch.process.line(/link one: waiting/, from);
  server = await lab.gateway('server', serverSide, {
    network: serverNetwork(),
    pptp_users: users(),
  });
  await branch.process.line(/link one: up/, from);
  await branch.process.line(/link two: up/, from);
  assert.ok(await pings(branchSide, '192.168.99.1'));
});

test('check of a link that is up: the other end answers an echo, and the session stays', async () => {
  const before = (await status(branch)).links.find(({ name }) => name === 'one')?.session?.id;
  const { steps, cause } = await check(branch, 'one');
  assert.equal(cause, undefined);
  assert.match(
    steps.find(({ step }) => step === 'lcp')?.detail ?? '',
    /^MTU \d+, echo answered after \d+\.\d ms$/,
  );
  assert.equal(
    (await status(branch)).links.find(({ name }) => name === 'one')?.session?.id,
    before,
  );
});

test('check says where it stops when GRE is dropped on the way', async () => {
  await succeeds(office, 'hangup', 'site');
  await lab.run(
    officeSide,
    'nft',
    'add table inet block; add chain inet block in { type filter hook input priority 0; }; add rule inet block in meta l4proto gre drop',
  );
  const blocked = await office.command('check', 'site');
  assert.match(blocked.output, /call +ok/);
  assert.match(blocked.output, /gre +failed/);
  assert.match(blocked.output, /GRE_BLOCKED: .*protocol 47/);
  await lab.run(officeSide, 'nft', 'delete table inet block');
  const free = await check(office, 'site');
  assert.deepEqual(
    free.steps.map(({ result }) => result),
    free.steps.map(() => 'ok'),
    JSON.stringify(free),
  );
  assert.equal(free.cause, undefined);
});

test('a wrong password is told, and appears nowhere', async () => {
  office.configure({
    network: link('site', '198.18.2.1', 'bert', route).replace(password, 'Gu3ssed-wr0ng'),
  });
  await succeeds(office, 'reload');
  const { code, output } = await office.command('dial', 'site');
  assert.equal(code, 76, output);
  assert.match(output, /AUTH_TOPEER_FAILED/);
  await succeeds(office, 'hangup', 'site'); // or it goes on until its address is locked out
  assert.match(await succeeds(server, 'failures'), /bert .*PEER_AUTH_FAILED/);
  for (const gateway of [server, office, branch]) {
    const shown =
      gateway.process.output +
      (await gateway.command('status', '--json')).output +
      (await gateway.command('failures')).output;
    assert.ok(!shown.includes('Gu3ssed') && !shown.includes(password));
  }
  office.configure({ network: link('site', '198.18.2.1', 'bert', route) });
  await succeeds(office, 'reload');
});

test('a capture holds control messages and GRE, and no proof of a password', async () => {
  const file = join(lab.dir, 'capture.pcap');
  const recording = lab.start(
    serverSide,
    process.execPath,
    join(import.meta.dirname, '../../dist/pptp-gateway.js'),
    '--socket',
    join(server.configDir, 'run/ubus.sock'),
    'capture',
    file,
  );
  await recording.line(/recording/);
  await succeeds(office, 'dial', 'site');
  recording.signal('SIGINT');
  assert.equal((await recording.ended).code, 0, recording.output);
  const octets = readFileSync(file);
  assert.equal(octets.readUInt32BE(0), 0xa1b2c3d4);
  assert.ok(octets.includes(Buffer.from([0x1a, 0x2b, 0x3c, 0x4d])), 'control messages');
  assert.ok(octets.includes(Buffer.from([0x30, 0x81, 0x88, 0x0b])), 'GRE');
  assert.ok(octets.includes(Buffer.from([0xc2, 0x23, 0x02])), 'the Response is there');
  assert.ok(!octets.includes('S='), 'and its Success has no proof in it');
  assert.ok(!octets.includes('bert'));
});

test('a link with the default route keeps its own way to the server', async () => {
  await lab.run(officeSide, 'ip', 'route', 'add', 'default', 'via', '198.18.2.1');
  office.configure({
    network: link('site', '198.18.1.1', 'bert').replace(
      "option defaultroute '0'",
      "option defaultroute '1'",
    ),
  });
  await succeeds(office, 'reload');
  await succeeds(office, 'dial', 'site');
  const routes = (await lab.run(officeSide, 'ip', 'route')).output;
  assert.match(routes, /0\.0\.0\.0\/1 dev pptp-site/);
  assert.match(routes, /128\.0\.0\.0\/1 dev pptp-site/);
  assert.match(routes, /198\.18\.1\.1 via 198\.18\.2\.1 dev outer2/);
  assert.ok(await pings(officeSide, '192.168.99.1'));
  await succeeds(office, 'hangup', 'site');
  const restored = (await lab.run(officeSide, 'ip', 'route')).output;
  assert.doesNotMatch(restored, /198\.18\.1\.1|pptp-site/);
});

test('a second daemon finds the port in use, and says so', async () => {
  await assert.rejects(
    lab.gateway('second', serverSide, {
      network: serverNetwork()
        .replaceAll('192.168.99.', '192.168.98.')
        .replace("'home'", "'other'"),
    }),
    /ended with 73: .*TCP port 1723 is in use/s,
  );
});

test('SIGTERM says goodbye within 4 seconds, and leaves no device behind', async () => {
  const from = branch.process.output.length;
  const started = performance.now();
  const { code } = await server.process.stop();
  assert.equal(code, 0, server.process.output);
  assert.ok(performance.now() - started < 4500);
  await branch.process.line(/session \d+ user "anna".*down (PEER_TERMINATED|HANGUP)/, from);
  for (const gateway of [branch, office]) assert.equal((await gateway.process.stop()).code, 0);
  for (const namespace of [serverSide, branchSide, officeSide]) {
    assert.doesNotMatch((await lab.run(namespace, 'ip', '-br', 'link')).output, /pptp/);
  }
});
