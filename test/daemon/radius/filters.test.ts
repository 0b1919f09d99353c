/** Filter-Ids of a real FreeRADIUS, by login and by radclient, and the mask of an address: in the kernel of the router. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SessionDocument } from '../../../src/daemon/reports/documents.ts';
import { Lab, type Gateway } from '../../../tools/lab.ts';
import { FREERADIUS_SECRET, FreeRadius } from '../../support/freeradius.ts';
import { link, password } from '../link-text.ts';

const lab = new Lab('filters');
let router: Gateway;
let radius: FreeRadius;
let routerSide: string;

const users = `
anna Cleartext-Password := "${password}"
 Filter-Id = "sales team", Filter-Id += "everything", Framed-IP-Address = 10.77.0.5, Framed-IP-Netmask = 255.255.255.0
`;
const server = (filters: readonly string[]) => `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
	list accounts 'radius'
${filters.map((each) => `\tlist filter_id '${each}'\n`).join('')}`;
const permitted = ['staff', 'sales team = sales'];
const files = (filters: readonly string[]) => ({
  network: server(filters),
  pptp_radius: `config radius 'main'
	option server '127.0.0.1'
	option secret '${FREERADIUS_SECRET}'
	option role 'auth'
	option coa '1'
`,
});

before(async () => {
  routerSide = lab.namespace('router');
  const branchSide = lab.namespace('branch');
  lab.join('outer', [
    [routerSide, '198.18.1.1/30'],
    [branchSide, '198.18.1.2/30'],
  ]);
  const sets = ['staff', 'sales', 'everything'].map((name) => `set ${name} { type ipv4_addr; }`);
  await run('nft', `table inet fw4 { ${sets.join('; ')}; }`);
  radius = await FreeRadius.start({ users }, ['ip', 'netns', 'exec', routerSide]);
  router = await lab.gateway('router', routerSide, files(permitted));
  const network = link('one', '198.18.1.1', 'anna');
  await lab.gateway('branch', branchSide, { network }, '--dial');
  await router.process.line(/user "anna".*: up/);
});

after(async () => {
  await lab.close();
  await radius.stop();
});

async function run(...command: readonly [string, ...string[]]): Promise<string> {
  const { code, output } = await lab.run(routerSide, ...command);
  assert.equal(code, 0, output);
  return output;
}

/** Those that have somebody in them. */
async function inSets(): Promise<string> {
  const ruleset = await run('nft', 'list', 'table', 'inet', 'fw4');
  return [...ruleset.matchAll(/set (\w+) \{[^}]*elements = \{ ([^}]*) \}/g)]
    .map(([, set, elements]) => `${set!}: ${elements!}`)
    .sort()
    .join();
}

async function becomes(wanted: string): Promise<void> {
  while ((await inSets()) !== wanted);
}

const session = async () => (await router.json<SessionDocument[]>('sessions'))[0]!;

async function coa(attributes: string): Promise<string> {
  const proof = 'Event-Timestamp = '.concat(
    String(Math.floor(Date.now() / 1000)),
    ', Message-Authenticator = 0x00',
  );
  const words = `echo 'User-Name = "anna", ${attributes}, ${proof}' | radclient -x -r 1 127.0.0.1:3799 coa ${FREERADIUS_SECRET}`;
  const { output } = await lab.run(routerSide, 'sh', '-c', words);
  return /Received (CoA-\w+)/.exec(output)![1]! + (/Error-Cause = (\S+)/.exec(output)?.[1] ?? '');
}

test('by login: into the set that it stands for, and into no other', async () => {
  await becomes('sales: 10.77.0.5');
  assert.deepEqual((await session()).groups, ['sales']);
  await router.process.line(
    /Filter-Id 'everything' has no effect: option filter_id of server home does not have it/,
  );
  assert.match((await router.command('counters')).output, /Filter-Id of no effect +1/);
});

test('the network of an address leads to who has it', async () => {
  assert.deepEqual((await session()).routes, ['10.77.0.5/32', '10.77.0.0/24']);
  assert.match(await run('ip', 'route', 'show', '10.77.0.0/24'), /dev pptps-home/);
});

test('by CoA: another set, while the session lasts', async () => {
  const { id } = await session();
  assert.equal(await coa('Filter-Id = "staff"'), 'CoA-ACK');
  await becomes('staff: 10.77.0.5');
  assert.equal(await coa('Filter-Id = "staff", Filter-Id = "sales team"'), 'CoA-ACK');
  await becomes('sales: 10.77.0.5,staff: 10.77.0.5');
  const { id: now, groups } = await session();
  assert.deepEqual([now, groups], [id, ['staff', 'sales']]);
});

test('by CoA: what is not permitted is refused, and nothing of the request is done', async () => {
  const refusal = await coa('Filter-Id = "everything", Idle-Timeout = 1');
  assert.equal(refusal, 'CoA-NAKInvalid-Attribute-Value');
  assert.equal(
    await coa('Filter-Id = "staff", Filter-Id = "inet fw4 sales"'),
    'CoA-NAKInvalid-Attribute-Value',
  );
  router.configure(files([]));
  assert.equal((await router.command('reload')).code, 0);
  await becomes('');
  assert.equal(await coa('Filter-Id = "staff"'), 'CoA-NAKUnsupported-Attribute');
  router.configure(files(permitted));
  assert.equal((await router.command('reload')).code, 0);
  await becomes('sales: 10.77.0.5,staff: 10.77.0.5');
});

test('at the end the address is in none', async () => {
  assert.equal((await router.command('disconnect', 'anna')).code, 0);
  await router.process.line(/user "anna".*: down/);
  await router.process.stop();
  assert.equal(await inSets(), '');
});
