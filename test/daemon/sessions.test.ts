/**
 * What servers do with their callers, on the real kernel: two servers on one listener, one of them with its pool inside a
 * LAN; limits, time-outs, lock-out, IPv6, optional encryption.
 *
 *     branch 198.18.1.2 ---- 198.18.1.1 server 198.18.2.1 ---- 198.18.2.2 office
 *                                        | 10.77.0.1
 *                                       lan 10.77.0.9
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { SessionDocument, StatusDocument } from '../../src/daemon/reports/documents.ts';
import { Lab, type Gateway } from '../../tools/lab.ts';
import { link, password } from './link-text.ts';

const lab = new Lab('sessions');
let server: Gateway;
let branch: Gateway;
let office: Gateway;
let serverSide: string;
let branchSide: string;
let officeSide: string;
let lanSide: string;

/** `wide` listens where branch is, `lan` where office is. */
const servers = ({ wide = '', lan = '' } = {}) => `config interface 'wide'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
	list listen 'outer1'
	option keepalive '3 1'
${wide}config interface 'lan'
	option proto 'pptpserver'
	option localip '10.77.0.1'
	list range '10.77.0.200-10.77.0.210'
	list listen 'outer2'
	option keepalive '3 1'
${lan}`;

const users = `config user
	option username 'anna'
	option password '${password}'
config user
	option username 'bert'
	option password '${password}'
`;

const one = (options = '') => link('one', '198.18.1.1', 'anna', options);
const two = link('two', '198.18.1.1', 'anna');
const site = (options = '') =>
  link('site', '198.18.2.1', 'bert', `\tlist route '10.77.0.0/24'\n${options}`);

before(async () => {
  serverSide = lab.namespace('server');
  branchSide = lab.namespace('branch');
  officeSide = lab.namespace('office');
  lanSide = lab.namespace('lan');
  lab.join('outer1', [
    [serverSide, '198.18.1.1/30'],
    [branchSide, '198.18.1.2/30'],
  ]);
  lab.join('outer2', [
    [serverSide, '198.18.2.1/30'],
    [officeSide, '198.18.2.2/30'],
  ]);
  lab.join('inner', [
    [serverSide, '10.77.0.1/24'],
    [lanSide, '10.77.0.9/24'],
  ]);
  await lab.run(serverSide, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  server = await lab.gateway('server', serverSide, { network: servers(), pptp_users: users });
  branch = await lab.gateway('branch', branchSide, { network: one() + two });
  office = await lab.gateway('office', officeSide, { network: site() });
});

/** Every test begins without sessions and with the plain configuration. */
beforeEach(async () => {
  await Promise.all([
    branch.command('hangup', 'one'),
    branch.command('hangup', 'two'),
    office.command('hangup', 'site'),
  ]);
});

after(() => lab.close());

const sessions = () => server.json<SessionDocument[]>('sessions');
const links = async (gateway: Gateway) => (await gateway.json<StatusDocument>('status')).links;

async function succeeds(gateway: Gateway, ...words: string[]): Promise<string> {
  const { code, output } = await gateway.command(...words);
  assert.equal(code, 0, output);
  return output;
}

async function reconfigure(gateway: Gateway, network: string): Promise<void> {
  gateway.configure({ network });
  await succeeds(gateway, 'reload');
}

async function pings(namespace: string, address: string): Promise<boolean> {
  const { code } = await lab.run(namespace, 'ping', '-c', '1', '-W', '3', address);
  return code === 0;
}

test('the address that was called chooses the server; a pool inside the LAN is reached from the LAN', async () => {
  await Promise.all([succeeds(branch, 'dial', 'one'), succeeds(office, 'dial', 'site')]);
  const live = await sessions();
  assert.deepEqual(live.map((session) => [session.server, session.username]).sort(), [
    ['lan', 'bert'],
    ['wide', 'anna'],
  ]);
  const bert = live.find(({ username }) => username === 'bert')?.address ?? '';
  assert.match(bert, /^10\.77\.0\.20\d$/);
  assert.ok(await pings(lanSide, bert), 'from a LAN host to the caller, by proxy ARP');
  assert.ok(await pings(officeSide, '10.77.0.9'), 'from the caller to a LAN host');
  assert.ok(await pings(officeSide, '10.77.0.1'), 'from the caller to the server');

  await succeeds(office, 'hangup', 'site');
  const { servers: running } = await server.json<StatusDocument>('status');
  assert.deepEqual(
    running.map(({ name, last_caller: last }) => [name, last?.username, last?.peer]),
    [
      ['wide', 'anna', '198.18.1.2'],
      ['lan', 'bert', '198.18.2.2'],
    ],
    'who came last is known after they have gone, too',
  );
  const left = await lab.run(serverSide, 'ip', 'neighbour', 'show', 'proxy');
  assert.doesNotMatch(left.output, /10\.77/);
  assert.doesNotMatch((await lab.run(serverSide, 'ip', 'route')).output, /10\.77\.0\.2/);
});

test('on_duplicate replace: the new one is in, the old one is out; deny: the other way round', async () => {
  const from = server.process.output.length;
  await succeeds(branch, 'dial', 'one');
  const [old] = await sessions();
  await succeeds(branch, 'dial', 'two');
  await server.process.line(/user "anna" .*down REPLACED/, from);
  await succeeds(branch, 'hangup', 'one'); // it would dial again and replace in turn
  await succeeds(branch, 'hangup', 'two');

  await reconfigure(server, servers({ wide: "\toption on_duplicate 'deny'\n" }));
  await succeeds(branch, 'dial', 'one');
  const [first] = await sessions();
  assert.notEqual(first?.id, old?.id);
  const { code, output } = await branch.command('dial', 'two');
  assert.equal(code, 76, output);
  await succeeds(branch, 'hangup', 'two');
  assert.match(await succeeds(server, 'failures'), /anna .*USER_LIMIT/);
  assert.deepEqual(
    (await sessions()).map(({ id }) => id),
    [first?.id],
  );
  await reconfigure(server, servers());
});

test('idle_timeout and session_timeout end a session, and say so', async () => {
  await reconfigure(
    server,
    servers({ wide: "\toption idle_timeout '1'\n", lan: "\toption session_timeout '1'\n" }),
  );
  const from = server.process.output.length;
  await Promise.all([
    branch.command('dial', 'one'), // may end too soon for dial to see it up
    office.command('dial', 'site'),
    server.process.line(/user "anna" .*down IDLE_TIMEOUT/, from),
    server.process.line(/user "bert" .*down CONNECT_TIME/, from),
  ]);
  await reconfigure(server, servers());
});

test('allow_from: who is not on the list is cut off and gets no further than TCP', async () => {
  await Promise.all([succeeds(branch, 'dial', 'one'), succeeds(office, 'dial', 'site')]);
  const from = server.process.output.length;
  await reconfigure(server, servers({ lan: "\tlist allow_from '198.18.1.0/24'\n" }));
  await server.process.line(/user "bert" .*down SOURCE_NOT_ALLOWED/, from);
  await server.process.line(
    /server lan caller 198\.18\.2\.2: refused SOURCE_NOT_ALLOWED/, // the link tries again
    from,
  );
  assert.deepEqual(
    (await sessions()).map(({ username }) => username),
    ['anna'],
  );
  await reconfigure(server, servers());
});

test('ban_after: a source that guesses is locked out, also with the right password; the user is not', async () => {
  await reconfigure(
    server,
    servers({ wide: "\toption ban_after '2'\n\toption ban_time '3600'\n" }),
  );
  await reconfigure(branch, one().replace(password, 'Gu3ssed-wr0ng') + two);
  const from = server.process.output.length;
  assert.equal((await branch.command('dial', 'one')).code, 76);
  await server.process.line(/caller 198\.18\.1\.2: refused SOURCE_BANNED/, from); // after its second try
  const { code, output } = await branch.command('dial', 'two');
  assert.notEqual(code, 0, output);
  assert.deepEqual(await sessions(), []);

  await reconfigure(office, site().replace("'bert'", "'anna'"));
  await succeeds(office, 'dial', 'site');
  assert.deepEqual(
    (await sessions()).map(({ username }) => username),
    ['anna'],
  );
  // A ban lasts as long as the daemon; the next tests are another daemon's.
  await server.process.stop();
  server = await lab.gateway('server', serverSide, { network: servers(), pptp_users: users });
  await reconfigure(branch, one() + two);
  await reconfigure(office, site());
});

test('mppe optional: encrypted where both can, in the clear where one has it off', async () => {
  const optional = "\toption mppe 'optional'\n";
  await reconfigure(server, servers({ wide: optional, lan: optional }));
  await reconfigure(branch, one(optional));
  await reconfigure(office, site("\toption mppe 'off'\n"));
  await Promise.all([succeeds(branch, 'dial', 'one'), succeeds(office, 'dial', 'site')]);
  const live = await sessions();
  assert.deepEqual(live.map(({ username, mppe }) => [username, mppe]).sort(), [
    ['anna', 'mppe-128'],
    ['bert', 'none'],
  ]);
  assert.ok(await pings(branchSide, '192.168.99.1'));
  assert.ok(await pings(officeSide, '10.77.0.1'));
  await reconfigure(server, servers());
  await reconfigure(branch, one() + two);
  await reconfigure(office, site());
});

test('link-local IPv6 passes both ways where both ends have it, and IPv4 alone where one has not', async () => {
  const ipv6 = "\toption ipv6 '1'\n";
  await reconfigure(server, servers({ wide: ipv6 }));
  await reconfigure(branch, one(ipv6));
  await reconfigure(office, site(ipv6));
  await Promise.all([succeeds(branch, 'dial', 'one'), succeeds(office, 'dial', 'site')]);
  const addresses = async (namespace: string, device: string) => {
    const { output } = await lab.run(namespace, 'ip', '-6', '-br', 'address', 'show', device);
    return output.match(/fe80::[0-9a-f:]+/g) ?? [];
  };
  assert.deepEqual(await addresses(serverSide, 'pptps-wide'), ['fe80::1']);
  const callers = await addresses(branchSide, 'pptp-one');
  assert.equal(callers.length, 1, 'only that of IPV6CP, none that the kernel invented');
  assert.ok(await pings(branchSide, 'fe80::1%pptp-one'));
  assert.ok(await pings(serverSide, `${callers.join('')}%pptps-wide`));
  assert.ok(await pings(branchSide, '192.168.99.1'));

  assert.deepEqual(await addresses(officeSide, 'pptp-site'), [], 'the server rejects IPV6CP');
  assert.deepEqual(await addresses(serverSide, 'pptps-lan'), []);
  assert.ok(await pings(officeSide, '10.77.0.1'));
  assert.equal((await links(office))[0]?.state, 'up');
  await reconfigure(server, servers());
});

test('a network behind a caller that holds his own outside address makes no loop', async () => {
  server.configure({ pptp_users: `${users}\tlist route '198.18.2.0/24'\n` }); // bert's
  await succeeds(server, 'reload');
  assert.equal((await office.command('dial', 'site')).code, 76);
  assert.match(await succeeds(server, 'failures'), /bert .*ROUTE_LOOP/);
  server.configure({ pptp_users: users });
  await succeeds(server, 'reload');
});

test('isolate 0: callers reach each other through the kernel', async () => {
  const reach = "\tlist route '192.168.99.0/24'\n";
  await reconfigure(server, servers({ wide: "\toption isolate '0'\n" }));
  await reconfigure(branch, one(reach));
  await lab.run(officeSide, 'ip', 'route', 'add', '198.18.1.0/30', 'via', '198.18.2.1');
  await reconfigure(office, link('site', '198.18.1.1', 'bert', reach));
  await Promise.all([succeeds(branch, 'dial', 'one'), succeeds(office, 'dial', 'site')]);
  const live = await sessions();
  const bert = live.find(({ username }) => username === 'bert');
  assert.equal(bert?.server, 'wide', 'by the address that he called, not the way he came');
  assert.ok(await pings(branchSide, bert.address));
  await reconfigure(server, servers());
});

test('each is server and client at once, and both dial each other at the same moment', async () => {
  const back = `config interface 'back'
	option proto 'pptpserver'
	option localip '192.168.55.1'
	option network '192.168.55.0/24'
`;
  branch.configure({ pptp_users: users });
  await reconfigure(branch, back + one());
  await reconfigure(server, servers() + link('back', '198.18.1.2', 'bert'));
  const [here, there] = [server.process.output.length, branch.process.output.length];
  // One of them may lose the collision (RFC 2637 §3.1.3), and dials again.
  await Promise.all([server.command('dial', 'back'), branch.command('dial', 'one')]);
  await Promise.all([
    server.process.line(/link back: up/, here),
    branch.process.line(/link one: up/, there),
  ]);
  assert.ok(await pings(branchSide, '192.168.99.1'));
  assert.ok(await pings(serverSide, '192.168.55.1'));
  await reconfigure(server, servers());
  await reconfigure(branch, one() + two);
});
