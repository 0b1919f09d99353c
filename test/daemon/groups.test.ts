/**
 * Users in firewall sets of the owner's, plain Linux with a firewall as fw4 makes it: only staff reaches the NAS.
 *
 *     anna 203.0.113.10 ---- wan1 203.0.113.9                 192.168.1.1 ---- nas 192.168.1.2
 *     eve  203.0.113.14 ---- wan2 203.0.113.13 router
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Lab, type Gateway } from '../../tools/lab.ts';

const lab = new Lab('groups');
let router: string;
const far = { anna: '', eve: '' };
let home: Gateway;

const firewall = (more = '') => `table inet fw4 {
	set staff { type ipv4_addr; elements = { 192.168.99.200 }; }
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		ip saddr @staff ip daddr 192.168.1.2 accept comment "Staff-NAS"
	}
	${more}
}`;
const server = `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
	list range '192.168.99.10-192.168.99.20'
`;
const addresses = { anna: '192.168.99.10', eve: '192.168.99.11' };
const user = (name: 'anna' | 'eve', options: string) => `config user '${name}'
	option username '${name}'
	option password 'secret of ${name}'
	option ipaddr '${addresses[name]}'
${options}
`;
const link = (name: string, host: string) => `config interface 'office'
	option proto 'pptpgw'
	option server '${host}'
	option username '${name}'
	option password 'secret of ${name}'
	option defaultroute '0'
	option holdoff '1'
	option holdoff_max '1'
	list route '192.168.1.0/24'
`;

before(async () => {
  router = lab.namespace('router');
  const nas = lab.namespace('nas');
  far.anna = lab.namespace('anna');
  far.eve = lab.namespace('eve');
  lab.join('wan1', [
    [router, '203.0.113.9/30'],
    [far.anna, '203.0.113.10/30'],
  ]);
  lab.join('wan2', [
    [router, '203.0.113.13/30'],
    [far.eve, '203.0.113.14/30'],
  ]);
  lab.join('lan', [
    [router, '192.168.1.1/24'],
    [nas, '192.168.1.2/24'],
  ]);
  await run(nas, 'ip', 'route', 'add', 'default', 'via', '192.168.1.1');
  await run(router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  await run(router, 'nft', firewall());
});

after(() => lab.close());

async function run(namespace: string, ...command: readonly [string, ...string[]]): Promise<string> {
  const { code, output } = await lab.run(namespace, ...command);
  assert.equal(code, 0, output);
  return output;
}

async function staff(): Promise<string[]> {
  const listed = await run(router, 'nft', 'list', 'set', 'inet', 'fw4', 'staff');
  const [, list = ''] = /elements = \{([^}]*)\}/.exec(listed) ?? [];
  return list.split(',').flatMap((each) => each.trim() || []);
}

async function becomes(wanted: readonly string[]): Promise<void> {
  while ((await staff()).join() !== wanted.join());
}

async function reaches(name: 'anna' | 'eve', isWanted: boolean): Promise<void> {
  // His end may not have its route yet.
  const ping = isWanted
    ? 'timeout 30 sh -c "until ping -c1 -W5 192.168.1.2; do sleep 0.1; done"'
    : 'ping -c1 -W1 192.168.1.2';
  const { code, output } = await lab.run(far[name], 'sh', '-c', ping);
  assert.equal(code === 0, isWanted, `${name}: ${output}`);
}

const files = (...users: readonly string[]) => ({
  network: server,
  pptp_users: users.join(''),
  pptp: '',
});

async function reload(...users: readonly string[]): Promise<void> {
  home.configure(files(...users));
  assert.equal((await home.command('reload')).code, 0);
}

const sessions = () => home.json<{ id: number; groups?: string[]; note?: string }[]>('sessions');

const STAFF = "\tlist group 'staff'\n\toption note 'extension 12'";
const owners = '192.168.99.200';

test('who is in the group reaches the NAS, from the first packet, and nobody else', async () => {
  home = await lab.gateway('router', router, files(user('anna', STAFF), user('eve', '')));
  for (const [name, host] of [
    ['anna', '203.0.113.9'],
    ['eve', '203.0.113.13'],
  ] as const) {
    const network = link(name, host);
    const caller = await lab.gateway(name, far[name], { network, pptp: '' }, '--dial');
    await caller.process.line(/link office: up/);
    await home.process.line(new RegExp(`user "${name}".*: up`));
  }
  await becomes(['192.168.99.10', owners]);
  await reaches('anna', true);
  await reaches('eve', false);
  const [anna, eve] = await sessions();
  assert.deepEqual([anna?.groups, anna?.note, eve?.groups], [['staff'], 'extension 12', undefined]);
  assert.match((await home.command('sessions')).output, /GROUPS +NOTE\n.* staff +extension 12\n/);
});

test('a reload changes the group of who is connected', async () => {
  const before = await sessions();
  await reload(user('anna', ''), user('eve', STAFF));
  await becomes(['192.168.99.11', owners]);
  await reaches('eve', true);
  await reaches('anna', false);
  assert.deepEqual(
    (await sessions()).map(({ id }) => id),
    before.map(({ id }) => id),
  );
  await reload(user('anna', STAFF), user('eve', STAFF));
  await becomes(['192.168.99.10', '192.168.99.11', owners]);
});

test('a reload of the firewall takes nobody out of the group', async () => {
  const rules = firewall('set another { type ipv4_addr; }');
  await run(router, 'nft', `delete table inet fw4; ${rules}`);
  await becomes(['192.168.99.10', '192.168.99.11', owners]);
  await reaches('anna', true);
  await home.process.line(/our part of the firewall set staff: had gone, and is put back/);
});

test('a set that does not exist is told, and disturbs no session', async () => {
  await reload(user('anna', "\tlist group 'staff'\n\tlist group 'nowhere'"), user('eve', ''));
  await becomes(['192.168.99.10', owners]);
  const told = /our part of the firewall set nowhere: missing, and cannot be put back: there is no/;
  await home.process.line(told);
  const { problems } = await home.json<{ problems: { message: string }[] }>('status');
  assert.match(problems.map(({ message }) => message).join(), told);
  assert.match((await home.command('counters')).output, /firewall sets: not changed +\d/);
  assert.equal((await sessions()).length, 2);
  await reaches('anna', true);
});

test('what is left by a kill is removed by the next start, and the caller is in again', async () => {
  home.process.signal('SIGKILL');
  await home.process.ended;
  assert.deepEqual(await staff(), ['192.168.99.10', owners]);
  home = await lab.gateway('router', router, files(user('anna', STAFF), user('eve', '')));
  await home.process.line(/user "anna".*: up/);
  await becomes(['192.168.99.10', owners]);
  await reaches('anna', true);
});

test('outside the hours the session ends, and a login is refused with a sentence', async () => {
  const today = new Date().getDay();
  const tomorrow = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][(today + 2) % 7]!;
  await reload(user('anna', `${STAFF}\n\toption hours '${tomorrow} 00:00-24:00'`), user('eve', ''));
  await home.process.line(/user "anna".*: down .*OUTSIDE_HOURS/);
  await becomes([owners]);
  await home.process.line(/"anna": login failed .*OUTSIDE_HOURS/);
  const { output } = await home.command('failures');
  assert.match(output, /anna +OUTSIDE_HOURS +The user may not be logged in at this time/);
  await home.process.stop();
  assert.deepEqual(await staff(), [owners]);
});
