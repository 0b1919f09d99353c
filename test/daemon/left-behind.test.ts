/**
 * What a daemon that is killed leaves in the kernel, and what the next one makes of it: plain Linux, real devices.
 *
 *     far 203.0.113.1 ---- wan 203.0.113.2 router 192.168.1.1 ---- lan
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Lab, type Gateway } from '../../tools/lab.ts';

const lab = new Lab('left');
let router: string;
let far: string;

const users = `config user
	option username 'anna'
	option password 'secret of anna'
`;
const farServer = `config interface 'vpn'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
`;
/** Its callers get addresses of the LAN. */
const server = `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.1.1'
	list range '192.168.1.200-192.168.1.210'
`;
const link = (host: string, more = '') => `config interface 'office'
	option proto 'pptpgw'
	option server '${host}'
	option username 'anna'
	option password 'secret of anna'
	option defaultroute '0'
${more}`;

before(async () => {
  router = lab.namespace('router');
  far = lab.namespace('far');
  lab.join('wan', [
    [router, '203.0.113.2/24'],
    [far, '203.0.113.1/24'],
  ]);
  await run('ip', 'link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'host');
  await run('ip', 'address', 'add', '192.168.1.1/24', 'dev', 'lan');
  await run('ip', 'link', 'set', 'lan', 'up');
  await run('ip', 'link', 'set', 'host', 'up');
  await run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
});

after(() => lab.close());

async function run(...command: readonly [string, ...string[]]): Promise<string> {
  const { code, output } = await lab.run(router, ...command);
  assert.equal(code, 0, output);
  return output;
}

const proxies = () => run('ip', 'neighbour', 'show', 'proxy');
const hostRoutes = () => run('ip', '-N', 'route', 'show', 'proto', '147');
const tables = () => run('nft', 'list', 'tables');

function start(
  namespace: string,
  network: string,
  name: string,
  ...words: string[]
): Promise<Gateway> {
  return lab.gateway(name, namespace, { network, pptp_users: users, pptp: '' }, ...words);
}

async function kill(gateway: Gateway): Promise<void> {
  gateway.process.signal('SIGKILL');
  await gateway.process.ended;
}

test('ARP for a caller, the route to a server and tables are gone after the next start', async () => {
  const first = await start(router, `${server}${link('203.0.113.1')}`, 'router');
  const caller = await start(far, `${farServer}${link('203.0.113.2')}`, 'far', '--dial');
  await caller.process.line(/link office: up/);
  await first.process.line(/user "anna".*: up/);
  while (!/192\.168\.1\.200 dev lan/.test(await proxies()));
  assert.match(await tables(), /pptp_gateway_calls/);
  await run('ip', 'neighbour', 'add', 'proxy', '192.168.1.77', 'dev', 'lan'); // the owner's
  assert.equal((await first.command('dial', 'office')).code, 0);
  await first.process.line(/link office: up/);
  while (!/203\.0\.113\.1/.test(await hostRoutes()));
  await kill(first);
  await kill(caller);
  assert.match(await proxies(), /192\.168\.1\.200 dev lan/);
  assert.match(await hostRoutes(), /203\.0\.113\.1/);
  assert.match(await tables(), /pptp_gateway_calls/);

  const next = await start(router, server, 'router');
  assert.equal((await proxies()).trim(), '192.168.1.77 dev lan proxy');
  assert.equal(await hostRoutes(), '');
  assert.doesNotMatch(await tables(), /pptp_gateway/);
  assert.match(next.process.output, /hooks hear now of 3 sessions, links and bans/);
  assert.doesNotMatch(next.process.output.replace(/.*a daemon before was killed.*/, ''), /warning/);
  await next.process.stop();
  assert.equal((await proxies()).trim(), '192.168.1.77 dev lan proxy');
  const journal = join(next.configDir, 'run/journal');
  assert.ok(!existsSync(journal) || readFileSync(journal, 'utf8') === '');
});

test("a clean stop leaves nothing, and the owner's own entry for a caller's address stays", async () => {
  await run('ip', 'neighbour', 'add', 'proxy', '192.168.1.200', 'dev', 'lan');
  const gateway = await start(router, server, 'router');
  const caller = await start(far, link('203.0.113.2'), 'far', '--dial');
  await caller.process.line(/link office: up/);
  await gateway.process.line(/user "anna".*: up/);
  await gateway.process.stop();
  assert.match(await proxies(), /192\.168\.1\.200 dev lan/);
  await caller.process.stop();
});

test('a kill: peers and links notice at once, dial again by themselves, and hooks hear of what had ended', async () => {
  const told = join(lab.dir, 'told');
  const hooks = `	option connect 'echo "up $SESSION $ADDRESS" >>${told}'
	option disconnect 'echo "down $SESSION $ADDRESS $CAUSE" >>${told}'
`;
  const gateway = await start(router, server, 'router');
  const caller = await start(far, link('203.0.113.2', hooks), 'far', '--dial');
  await caller.process.line(/link office: up/);
  await gateway.process.line(/user "anna".*: up/);
  // The server's kernel closes the control connection.
  await kill(gateway);
  const line = await caller.process.line(/link office: waiting .*/);
  assert.match(line, /HANGUP|CONTROL_LOST/);
  const lines = (pattern: RegExp) =>
    readFileSync(told, 'utf8')
      .split('\n')
      .filter((each) => pattern.test(each));
  const from = caller.process.output.length;
  const next = await start(router, server, 'router');
  await caller.process.line(/link office: up/, from);
  while (lines(/^up/).length < 2);
  // And the other end.
  await kill(caller);
  await next.process.line(/user "anna".*: down (HANGUP|CONTROL_LOST)/);
  assert.equal(lines(/^down/).length, 1);
  const again = await start(far, link('203.0.113.2', hooks), 'far', '--dial');
  await again.process.line(/a daemon before was killed: hooks hear now of 2/);
  await again.process.line(/link office: up/);
  while (lines(/^up/).length < 3);
  const [first, second] = lines(/^down/);
  assert.match(first!, /^down 1 192\.168\.1\.1 (HANGUP|CONTROL_LOST)$/);
  assert.match(second!, /^down 2 192\.168\.1\.1 SERVICE_DIED$/);
  await again.process.stop();
  while (lines(/^down/).length < 3);
  await next.process.stop();
});
