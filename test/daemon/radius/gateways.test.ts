/**
 * Two gateways with one FreeRADIUS, which is configured by the commands of docs/radius.md and no others: one pool of addresses, one
 * accounting database, one session for each user.
 *
 *     callers 198.18.1.2 --- 198.18.1.1  one  192.0.2.1 --- 192.0.2.10 FreeRADIUS
 *             198.18.2.2 --- 198.18.2.1  two  192.0.2.2 ---
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ntPasswordHash } from '../../../src/crypto/password.ts';
import type { SessionDocument, StatusDocument } from '../../../src/daemon/reports/documents.ts';
import type { CallersOrders, CallersReport } from '../../../tools/callers.ts';
import { blocks, section } from '../../../tools/docs/markdown.ts';
import { RadiusMachine } from '../../../tools/docs/radius-machine.ts';
import { Lab, type Gateway, type Program } from '../../../tools/lab.ts';
import { call } from '../../support/control.ts';
import { hasEnded, RadiusDatabase, type Row } from '../../support/radius-database.ts';

const root = resolve(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/radius.md'), 'utf8');
/** What is typed at the RADIUS server, under one of the page's headings. */
const typed = (heading: string) =>
  blocks(section(page, heading))
    .filter(({ info }) => info[1] === 'at=radius')
    .map(({ text }) => text);
/** bert has one session at a time. */
const BERT = /cho '(.*)' > bert/.exec(page)![1]!;
const [atFirst] = typed('A RADIUS server for an office') as [string];
const ofGateways = typed('Several gateways');
const ofTheDead = ofGateways.pop()!;

const lab = new Lab('gateways');
const names = ['one', 'two'] as const;
type Name = (typeof names)[number];
const gateways = {} as Record<Name, Gateway>;
/** All that ran. */
const programs: [Name, Program][] = [];
let sides: Record<Name, string>;
let callers: string;
let hosts: string;
let machine: RadiusMachine;
let database: RadiusDatabase;

async function startGateway(name: Name): Promise<void> {
  const number = names.indexOf(name) + 1;
  const secret = [...page.matchAll(/^\tsecret = (\S+-\S+)$/gm)][number - 1]![1]!;
  const gateway = await lab.gateway(name, sides[name], {
    network: `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
	option max_sessions '200'
	option ban_after '0'
	list accounts 'radius'
`,
    pptp: `config pptp 'globals'
	option max_sessions '200'
	option max_half_open '200'
	option max_half_open_per_source '200'
`,
    pptp_radius: `config nas
	option identifier 'gateway-${number}'
	option address '192.0.2.${number}'

config radius 'main'
	option server '192.0.2.10'
	option secret '${secret}'
	option coa '1'
`,
  });
  gateways[name] = gateway;
  programs.push([name, gateway.process]);
}

before(async () => {
  const [one, two, radius] = ['one', 'two', 'radius'].map((name) => lab.namespace(name)) as [
    string,
    string,
    string,
  ];
  sides = { one, two };
  callers = lab.namespace('callers');
  hosts = join('/etc/netns', callers);
  mkdirSync(hosts, { recursive: true });
  // What `ip netns exec` shows in place of /etc/hosts.
  writeFileSync(
    join(hosts, 'hosts'),
    '198.18.1.1 vpn.example.com\n198.18.2.1 vpn.example.com\n127.0.0.1 localhost\n',
  );
  for (const [index, side] of [one, two].entries()) {
    const n = index + 1;
    lab.join(`wan${n}`, [
      [side, `198.18.${n}.1/24`],
      [callers, `198.18.${n}.2/24`],
    ]);
    lab.join(`lan${n}`, [
      [side, `192.0.2.${n}/24`],
      [radius, '192.0.2.10/32'],
    ]);
    execFileSync('ip', ['-n', radius, 'route', 'add', `192.0.2.${n}/32`, 'dev', `lan${n}`]);
  }
  machine = await RadiusMachine.start(lab, radius);
  for (const commands of [atFirst, ...ofGateways]) {
    const { code, output } = await machine.run(commands);
    assert.equal(code, 0, output);
  }
  database = new RadiusDatabase('/var/lib/freeradius/radius.db', async (words) => {
    const { code, output } = await machine.run('sqlite3 "$@"', ...words);
    assert.equal(code, 0, output);
    return output;
  });
  const user = (name: string) =>
    `('${name}', 'NT-Password', ':=', '${Buffer.from(ntPasswordHash(BERT)).toString('hex')}'), ('${name}', 'Pool-Name', ':=', 'office')`;
  const users = ['anna', ...Array.from({ length: 32 }, (_, n) => `user${n}`)].map(user);
  await database.query(
    `INSERT INTO radcheck (username, attribute, op, value) VALUES ${users.join(', ')}`,
  );
  for (const name of names) await startGateway(name);
});

after(async () => {
  rmSync(hosts, { recursive: true, force: true });
  await machine.stop();
  await lab.close();
});

const sessions = async (name: Name) =>
  (await call<{ sessions: readonly SessionDocument[] }>(gateways[name], 'sessions')).sessions;
const usersOn = async (name: Name) => (await sessions(name)).map(({ username }) => username).sort();

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, `${what} does not come`);
    await sleep(50);
  }
}

const isOf = (nas: string) => (row: Row) => row.nasipaddress === nas;
const leases = async (nas: string) => {
  const held = "expiry_time > datetime('now')";
  return database.query(`SELECT username FROM radippool WHERE nasipaddress = '${nas}' AND ${held}`);
};

/** What both gateways have said since then, in its order. */
function transcript(context: TestContext, since: string): void {
  const lines = programs.flatMap(([name, { output }]) =>
    output
      .split('\n')
      .filter((line) => line > since && /user|RADIUS|is running/.test(line))
      .map((line) => line.replace(' pptp ', ` ${name} `)),
  );
  for (const line of lines.sort()) context.diagnostic(line.slice(11));
}

const CALLERS = 32;
/**
 * ms. The database tells times in whole seconds: an address that is given back can be given again from the next second on. Each
 * caller uses up to four a second, so at most 160 of the pool's 241 are not to be had.
 */
const STAY = 250;

test('1,000 logins over both: all get in, and no address is two callers’ at a time', async (context) => {
  const orders: CallersOrders = {
    servers: ['198.18.1.1', '198.18.2.1'],
    mode: 'cycles',
    count: 1000,
    concurrency: CALLERS,
    stay: STAY,
    username: 'user%',
    password: BERT,
  };
  const program = ['--import', 'tsx', join(root, 'tools/callers.ts'), JSON.stringify(orders)];
  const { output } = await lab.run(callers, process.execPath, ...program);
  const report = JSON.parse(output) as CallersReport;
  context.diagnostic(output.trim());
  assert.equal(report.done, 1000, output);
  assert.deepEqual(report.clashes, []);
  await until('the last Stop', async () => {
    const rows = await database.rows();
    return rows.length === 1000 && rows.every(hasEnded);
  });
  const rows = await database.rows();
  for (const nas of ['192.0.2.1', '192.0.2.2']) assert.equal(rows.filter(isOf(nas)).length, 500);
  const pool = await database.query<{ framedipaddress: string }>(
    'SELECT framedipaddress FROM radippool',
  );
  const given = new Set(rows.map(({ framedipaddress }) => framedipaddress));
  const ofPool = new Set(pool.map(({ framedipaddress }) => framedipaddress));
  assert.ok([...given].every((address) => ofPool.has(address)));
  assert.ok(given.size < 250);
  const clashes =
    await database.query(`SELECT a.acctsessionid FROM radacct a JOIN radacct b ON a.framedipaddress = b.framedipaddress
     AND a.radacctid < b.radacctid AND a.acctstarttime < b.acctstoptime AND b.acctstarttime < a.acctstoptime`);
  assert.deepEqual(clashes, []);
});

const link = (
  name: string,
  server: string,
  username: string,
  more = '',
) => `config interface '${name}'
	option proto 'pptpgw'
	option server '${server}'
	option username '${username}'
	option password '${BERT}'
	option defaultroute '0'
	option auto '0'
	option holdoff '1'
	option holdoff_max '1'
${more}
`;

test('Simultaneous-Use is one over both, also for who hangs up and comes back', async (context) => {
  const since = new Date().toISOString();
  const once = "\toption maxfail '1'\n";
  const road = await lab.gateway('road', callers, {
    network:
      link('by_one', '198.18.1.1', 'bert', once) + link('by_two', '198.18.2.1', 'bert', once),
  });
  const stateOf = async (name: string) =>
    (await call<StatusDocument>(road, 'status')).links.find((each) => each.name === name)!;
  const dial = async (name: string) => {
    await call(road, 'dial', { interface: name });
    await until(`an end of ${name}`, async () =>
      ['up', 'blocked'].includes((await stateOf(name)).state),
    );
    return stateOf(name);
  };
  for (const [first, second, place] of [
    ['by_one', 'by_two', 'one'],
    ['by_two', 'by_one', 'two'],
  ] as const) {
    assert.equal((await dial(first)).state, 'up');
    await database.row((row) => row.username === 'bert' && !hasEnded(row));
    const { state, cause } = await dial(second);
    assert.equal(state, 'blocked');
    assert.match(cause?.detail ?? '', /You are already logged in/);
    assert.deepEqual(await usersOn(place), ['bert']);
    await call(road, 'hangup', { interface: first });
    await until('his Stop', async () => (await database.rows()).every(hasEnded));
  }
  transcript(context, since);
  await road.process.stop();
});

test('a gateway is killed: its callers come back through the other one, and their sessions have an end', async (context) => {
  const since = new Date().toISOString();
  const people = ['anna', 'bert', 'user1'];
  const branch = await lab.gateway('branch', callers, {
    network: people.map((name) => link(name, 'vpn.example.com', name)).join(''),
  });
  for (const name of people) await call(branch, 'dial', { interface: name });
  await until('all', async () => (await usersOn('one')).length === 3);
  const pings = people.map((name) =>
    lab.start(callers, 'ping', '-i', '0.05', '-I', `pptp-${name}`, '192.168.99.1'),
  );
  await Promise.all(pings.map((ping) => ping.line(/icmp_seq=20 /)));
  const open = (await database.rows()).filter((row) => !hasEnded(row));
  assert.deepEqual(open.map(({ username }) => username).sort(), people);
  gateways.one.process.signal('SIGKILL');
  await gateways.one.process.ended;
  await until('all on the other', async () => (await usersOn('two')).length === 3);
  // Their old addresses are nobody's yet, for all that is known of them.
  const old = new Set(open.map(({ framedipaddress }) => framedipaddress));
  assert.ok((await sessions('two')).every(({ address }) => !old.has(address)));
  assert.equal((await leases('192.0.2.1')).length, 3);
  await Promise.all(
    people.map(async (name) => {
      const { code, output } = await lab.run(
        callers,
        ...(['ping', '-c', '1', '-W', '5', '-I', `pptp-${name}`, '192.168.99.1'] as const),
      );
      assert.equal(code, 0, output);
    }),
  );
  await Promise.all(pings.map((ping) => ping.stop()));

  await startGateway('one');
  for (const { acctsessionid, username } of open) {
    const row = await database.ended(acctsessionid);
    assert.equal(row.acctterminatecause, 'NAS-Reboot', username);
  }
  await until('the addresses', async () => (await leases('192.0.2.1')).length === 0);

  // The other one dies, too, and does not come back.
  gateways.two.process.signal('SIGKILL');
  await gateways.two.process.ended;
  await until('all on the first', async () => (await usersOn('one')).length === 3);
  const { code, output } = await machine.run(ofTheDead);
  assert.equal(code, 0, output);
  const rows = await database.rows();
  assert.ok(rows.filter(isOf('192.0.2.2')).every(hasEnded));
  assert.equal(rows.filter(isOf('192.0.2.1')).filter((row) => !hasEnded(row)).length, 3);
  assert.equal((await leases('192.0.2.2')).length, 0);
  transcript(context, since);
  for (const row of (await database.rows()).slice(-9))
    context.diagnostic(
      `${row.username.padEnd(5)} ${row.nasipaddress} ${row.framedipaddress} ${row.acctsessiontime} s ${row.acctinputoctets} octets ${row.acctterminatecause || '(goes on)'}`,
    );
  await branch.process.stop();
});
