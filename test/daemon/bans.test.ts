/**
 * Who guesses passwords, seen from outside: locked out, shown, told of, let in again; and who may not call at all.
 *
 *     branch 198.18.1.2 ---- 198.18.1.1 server
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { BanDocument, StatusDocument } from '../../src/daemon/reports/documents.ts';
import { Lab, type Gateway } from '../../tools/lab.ts';
import { link, password } from './link-text.ts';

const lab = new Lab('bans');
const serverNetwork = (options = '') => `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
	option ban_after '2'
	option ban_time '3600'
${options}`;
const pptpUsers = `config user
	option username 'anna'
	option password '${password}'
`;
const right = link('right', '198.18.1.1', 'anna');
const wrong = link('wrong', '198.18.1.1', 'anna').replace(password, 'Gu3ssed-wr0ng');

let server: Gateway;
let branch: Gateway;
let serverSide: string;

before(async () => {
  serverSide = lab.namespace('server');
  const branchSide = lab.namespace('branch');
  lab.join('outer', [
    [serverSide, '198.18.1.1/30'],
    [branchSide, '198.18.1.2/30'],
  ]);
  server = await lab.gateway('server', serverSide, {
    network: serverNetwork(),
    pptp_users: pptpUsers,
  });
  branch = await lab.gateway('branch', branchSide, { network: wrong + right });
});

after(() => lab.close());

const bans = () => server.json<readonly BanDocument[]>('bans');
/** Until it is locked out. */
async function guess(): Promise<void> {
  const from = server.process.output.length;
  for (;;) {
    await branch.command('dial', 'wrong');
    await branch.command('hangup', 'wrong');
    if (server.process.output.slice(from).includes(': banned for')) return;
  }
}

test('bans shows who is locked out, events tell of it, unban lets him in again', async () => {
  assert.equal((await server.command('bans')).output, 'no address is locked out\n');
  const events = lab.start(serverSide, process.execPath, 'dist/pptp-gateway.js', '--socket', `${server.configDir}/run/ubus.sock`, 'events', '--json'); // prettier-ignore
  await events.line(/until Ctrl-C/);
  const start = Date.now() / 1000;
  await guess();
  await events.line(
    /"event":"pptp\.ban","data":\{"action":"banned","address":"198\.18\.1\.2","server":"home",/,
  );
  await server.process.line(
    /server home caller 198\.18\.1\.2: banned for 3600 s after 2 failed logins, the last as user "anna"\n/,
  );
  const [ban, ...others] = await bans();
  assert.ok(ban !== undefined);
  assert.deepEqual(others, []);
  const { since, until, seconds_left: left, ...rest } = ban;
  assert.deepEqual(rest, { address: '198.18.1.2', server: 'home', tries: 2, username: 'anna' });
  assert.ok(since >= Math.floor(start) - 1 && until - since >= 3_599 && until - since <= 3_601);
  assert.ok(left <= 3_600 && left > 0);
  assert.match(
    (await server.command('bans')).output,
    /^198\.18\.1\.2 +home +\S+Z +0\d:\d\d:\d\d +2 +anna$/m,
  );
  assert.notEqual((await branch.command('dial', 'right')).code, 0, 'the right password, too');
  await branch.command('hangup', 'right');

  assert.deepEqual(await server.command('unban', '198.18.1.9'), {
    code: 66,
    output: 'pptp-gateway: 198.18.1.9 is not locked out\n',
  });
  assert.equal((await server.command('unban', '198.18.1.0/24')).code, 64);
  assert.equal((await server.command('unban')).code, 64);
  assert.equal((await server.command('unban', '198.18.1.2', '--all')).code, 64);
  assert.deepEqual(await server.command('unban', '198.18.1.2'), {
    code: 0,
    output: 'let in again: 1 address\n',
  });
  await events.line(/"action":"unbanned","address":"198\.18\.1\.2".*"why":"lifted"/);
  await server.process.line(/caller 198\.18\.1\.2: no longer banned \(lifted\)/);
  const { code, output } = await branch.command('dial', 'right');
  assert.equal(code, 0, output);
  await events.line(/"event":"pptp\.session","data":\{"action":"up"/);
  await branch.command('hangup', 'right');
  events.signal('SIGINT');
  assert.equal((await events.ended).code, 0);

  await guess();
  assert.equal((await server.command('unban', '--all')).output, 'let in again: 1 address\n');
  assert.deepEqual(await bans(), []);
});

test('ban_set: who is locked out is in the set for as long, so that the kernel drops him; unban takes him out', async () => {
  const nft = async (...words: string[]) => (await lab.run(serverSide, 'nft', ...words)).output;
  await nft('table inet vpn { set banned { type ipv4_addr; flags timeout; elements = { 192.0.2.1 }; }; chain in { type filter hook input priority 0; ct state new tcp dport 1723 ip saddr @banned counter drop; }; }'); // prettier-ignore
  const elements = async () =>
    /elements = \{ ([^}]*) \}/.exec(await nft('list', 'set', 'inet', 'vpn', 'banned'))?.[1] ?? '';
  const until = async (isIn: boolean) => {
    while ((await elements()).includes('198.18.1.2') !== isIn);
  };
  server.configure({ pptp: "config pptp 'globals'\n\toption ban_set 'inet vpn banned'\n" });
  assert.equal((await server.command('reload')).code, 0);
  await guess();
  await until(true);
  const listed = await elements();
  assert.match(listed, /198\.18\.1\.2 timeout 1h expires (59m|1h)/);
  assert.match(listed, /192\.0\.2\.1/, "the owner's own");
  const refusals = async () =>
    (await server.json<{ counted: Record<string, number> }>('counters')).counted['caller refused: SOURCE_BANNED'] ?? 0; // prettier-ignore
  const before = await refusals();
  const dialled = branch.command('dial', 'right');
  while (/counter packets 0 /.test(await nft('list', 'chain', 'inet', 'vpn', 'in')));
  assert.equal(await refusals(), before, 'the kernel has dropped it');
  await server.command('unban', '198.18.1.2');
  await until(false);
  assert.match(await elements(), /192\.0\.2\.1/);
  await dialled;
  assert.equal((await branch.command('dial', 'right')).code, 0);
  await branch.command('hangup', 'right');
  await guess();
  await until(true);
  server.configure({ pptp: '' });
  assert.equal((await server.command('reload')).code, 0);
  await until(false); // named no more
  await server.command('unban', '--all');
  server.configure({ pptp: "config pptp 'globals'\n\toption ban_set 'inet vpn nowhere'\n" });
  assert.equal((await server.command('reload')).code, 0);
  await guess();
  const { problems } = await server.json<StatusDocument>('status');
  assert.match(problems.map(({ message }) => message).join(), /inet vpn nowhere.*no such set/);
  await server.command('unban', '--all');
});

test('deny_from: who is denied is cut off at once, wins over allow_from, and is counted', async () => {
  assert.equal((await branch.command('dial', 'right')).code, 0);
  const from = server.process.output.length;
  server.configure({
    network: serverNetwork("\tlist allow_from '198.18.0.0/16'\n\tlist deny_from '198.18.1.2'\n"),
  });
  assert.equal((await server.command('reload')).code, 0);
  await server.process.line(/user "anna" .*down SOURCE_DENIED/, from);
  await server.process.line(/server home caller 198\.18\.1\.2: refused SOURCE_DENIED/, from);
  const { counted } = await server.json<{ counted: Record<string, number> }>('counters');
  assert.ok(counted['caller refused: SOURCE_DENIED']! >= 1);
  server.configure({ network: serverNetwork("\tlist deny_from '198.18.1.2/33'\n") });
  const refused = await server.command('reload');
  assert.equal(refused.code, 78);
  assert.match(refused.output, /network\.home\.deny_from: .*expected a network such as/);
});
