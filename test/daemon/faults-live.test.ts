/**
 * One throws, the others go on: a fault is injected at every place where input enters, while another session is up.
 *
 *     branch 198.18.3.2 ---- 198.18.3.1 server 198.18.4.1 ---- 198.18.4.2 office
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import type { SessionDocument, StatusDocument } from '../../src/daemon/reports/documents.ts';
import { Lab } from '../../tools/lab.ts';
import { link, password } from './link-text.ts';
import { Victim } from './victim.ts';

const lab = new Lab('faults');
const OFFICE = '198.18.4.2';

let server: Victim;
let branch: Victim;
let office: Victim;
let serverSide: string;
let branchSide: string;
let officeSide: string;

const links = (more = '') =>
  link('one', '198.18.3.1', 'anna', "\tlist route '192.168.99.1/32'\n") +
  link('two', '198.18.3.1', 'carl') +
  more;

before(async () => {
  serverSide = lab.namespace('server');
  branchSide = lab.namespace('branch');
  officeSide = lab.namespace('office');
  lab.join('outer1', [
    [serverSide, '198.18.3.1/30'],
    [branchSide, '198.18.3.2/30'],
  ]);
  lab.join('outer2', [
    [serverSide, '198.18.4.1/30'],
    [officeSide, '198.18.4.2/30'],
  ]);
  const account = (name: string, more = '') =>
    `config user\n\toption username '${name}'\n\toption password '${password}'\n${more}`;
  server = new Victim(lab, 'server', serverSide, {
    network: `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
	option keepalive '3 1'
`,
    pptp_users:
      account('anna') +
      account('bert', "\toption ipaddr '192.168.99.77'\n\tlist route '10.20.0.0/16'\n") +
      account('carl'),
  });
  await server.process.line(/is running/);
  branch = new Victim(lab, 'branch', branchSide, { network: links() });
  office = new Victim(lab, 'office', officeSide, { network: link('site', '198.18.4.1', 'bert') });
  await server.process.line(/user "anna" .*: up/);
  await server.process.line(/user "bert" .*: up/);
  await server.process.line(/user "carl" .*: up/);
});

after(() => lab.close());

const sessions = async () =>
  (await server.call<{ sessions: readonly SessionDocument[] }>('sessions')).sessions;
const sessionOf = async (name: string) =>
  (await sessions()).find(({ username }) => username === name);

/** A session is told of before its routes are there. */
async function comes(what: string, isThere: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await isThere())) {
    assert.ok(performance.now() < deadline, `${what} does not come`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The session that nothing happens to, and what it carries. */
async function goodOne(): Promise<number> {
  const anna = await sessionOf('anna');
  assert.ok(anna !== undefined, 'the good session is up');
  const ping = ['-c', '1', '-W', '5', '192.168.99.1'];
  await comes('ping', async () => (await lab.run(branchSide, 'ping', ...ping)).code === 0);
  return anna.id;
}

const routes = (namespace: string) =>
  execFileSync('ip', ['-n', namespace, 'route'], { encoding: 'utf8' });

/** What ends a session of bert's at the server: he is told of, gone without a trace, and back. */
async function ends(what: string, provoke: () => Promise<unknown>): Promise<void> {
  const good = await goodOne();
  const before = await sessionOf('bert');
  assert.ok(before !== undefined);
  const from = server.process.output.length;
  server.arm(`${what} ${OFFICE}`);
  await provoke();
  const line = await server.process.line(/a fault in pptp-gateway itself: .*/, from);
  assert.match(line, /injected into/);
  await server.process.line(/user "bert" .*: down INTERNAL_ERROR .*/, from);
  await server.process.line(/user "bert" .*: up/, from);
  const after = await sessionOf('bert');
  assert.ok(after !== undefined && after.id > before.id);
  assert.equal(after.address, '192.168.99.77', 'his address had been given back');
  await comes('his route', () => /^10\.20\.0\.0\/16 dev/m.test(routes(serverSide)));
  assert.equal((await sessions()).length, 3);
  assert.equal(await goodOne(), good, 'the other session is the same');
}

const nothing = () => Promise.resolve();
/** Echoes of LCP come once a second: they enter by each of these. */
for (const what of [
  'Session.handleFrame',
  'Caller.handleTimeout',
  'Caller.nextTimeout',
  'Caller.poll',
])
  test(`a throw in ${what} ends that caller`, { timeout: 60_000 }, () => ends(what, nothing));

test(
  'a throw in a login ends that attempt, and the next one gets in',
  { timeout: 60_000 },
  async () => {
    for (const what of ['Caller.handleOctets', 'ServerRunner.carryOut', 'ServerRunner.tunnelUp']) {
      const good = await goodOne();
      await office.call('hangup', { interface: 'site' });
      await comes('the end', async () => (await sessions()).length === 2);
      const from = server.process.output.length;
      server.arm(`${what} ${OFFICE}`);
      await office.call('dial', { interface: 'site' });
      await server.process.line(/a fault in pptp-gateway itself: .*/, from);
      await server.process.line(/INTERNAL_ERROR/, from);
      await server.process.line(/user "bert" .*: up/, from);
      assert.equal(await goodOne(), good);
    }
  },
);

test(
  'a throw in the carrying out of what a caller asks ends that caller',
  { timeout: 60_000 },
  () =>
    ends('ServerRunner.carryOut', async () => {
      await office.call('hangup', { interface: 'site' });
      await office.call('dial', { interface: 'site' });
    }),
);

test('a throw in the ending itself ends that caller', { timeout: 60_000 }, () =>
  ends('Caller.endCalls', async () =>
    server.call('disconnect', { id: (await sessionOf('bert'))!.id }),
  ),
);

test('a caller without a session leaves nothing either', { timeout: 60_000 }, async () => {
  const good = await goodOne();
  for (const what of [
    `Caller.handleClosed ${OFFICE}`,
    `Server.accept ${OFFICE}`,
    'ControlConnection.handleOpen', // in the constructor
    'IpRoute.admit',
  ]) {
    // More often than a source may have half-open connections.
    for (let i = 0; i < 12; i++) {
      const from = server.process.output.length;
      server.arm(what);
      const script = 'exec 3<>/dev/tcp/198.18.4.1/1723; sleep 0.1';
      await lab.run(officeSide, 'bash', '-c', script);
      await server.process.line(/a fault in pptp-gateway itself: .*injected/, from);
    }
  }
  assert.match(server.process.output, /caller 198\.18\.4\.2: refused INTERNAL_ERROR/);
  assert.equal(await goodOne(), good);
  assert.ok((await sessionOf('bert')) !== undefined, 'nor does his other connection notice');
});

test(
  'a fault in the log, the buses, the hooks or a list disturbs no session',
  { timeout: 60_000 },
  async () => {
    const good = await goodOne();
    for (const what of ['Log.event', 'Buses.send', 'Hooks.note', 'Failures.note']) {
      const from = server.process.output.length;
      server.arm(what);
      await office.call('hangup', { interface: 'site' });
      await office.call('dial', { interface: 'site' });
      await server.process.line(/a fault in pptp-gateway itself: .*/, from);
      await server.process.line(/user "bert" .*: up/, from);
    }
    assert.equal(await goodOne(), good);
  },
);

test('a fault in a request is told to who asked', { timeout: 60_000 }, async () => {
  const good = await goodOne();
  server.arm('Failures.list');
  await assert.rejects(server.call('failures'), /A fault in pptp-gateway itself/);
  await server.call('failures');
  server.arm('Capture.record');
  await server.call('capture_start');
  const good2 = await goodOne();
  const { fault } = await server.call<{ fault?: string }>('capture_stop');
  assert.match(fault ?? '', /injected/);
  assert.equal(good2, good);
});

/** What ends the link `two`: told, and dialled again; the link `one` is not disturbed. */
for (const what of [
  'Session.handleFrame',
  'ClientLink.handleTimeout',
  'ClientLink.nextTimeout',
  'ClientLink.poll',
])
  test(
    `a throw in ${what} ends that session, and the link dials again`,
    { timeout: 60_000 },
    async () => {
      const good = await goodOne();
      const from = branch.process.output.length;
      branch.arm(`${what} two`);
      await branch.process.line(/link two: a fault in pptp-gateway itself: .*/, from);
      await branch.process.line(/link two session .*: down INTERNAL_ERROR/, from);
      await branch.process.line(/link two: waiting INTERNAL_ERROR .* next attempt in/, from);
      await branch.process.line(/link two session .*: up/, from);
      assert.equal(await goodOne(), good);
      const devices = execFileSync('ip', ['-n', branchSide, '-o', 'link'], { encoding: 'utf8' });
      assert.equal(devices.match(/pptp-two/g)?.length, 1);
    },
  );

test('a throw in a dial ends that attempt', { timeout: 60_000 }, async () => {
  for (const what of ['LinkRunner.connect', 'LinkRunner.connected', 'LinkRunner.tunnelUp']) {
    const from = branch.process.output.length;
    await branch.call('hangup', { interface: 'two' });
    branch.arm(`${what} two`);
    await branch.call('dial', { interface: 'two' });
    await branch.process.line(/link two: waiting INTERNAL_ERROR/, from);
    await branch.process.line(/link two session .*: up/, from);
  }
  await goodOne();
});

test(
  'a link is removed and changed though its own goodbye throws',
  { timeout: 60_000 },
  async () => {
    const good = await goodOne();
    const from = branch.process.output.length;
    branch.arm('ClientLink.close two');
    branch.configure({
      network: link('one', '198.18.3.1', 'anna', "\tlist route '192.168.99.1/32'\n"),
    });
    await branch.call('reload');
    await branch.process.line(/link two: a fault in pptp-gateway itself/, from);
    const status = await branch.call<StatusDocument>('status');
    assert.deepEqual(
      status.links.map(({ name }) => name),
      ['one'],
    );
    const devices = execFileSync('ip', ['-n', branchSide, '-o', 'link'], { encoding: 'utf8' });
    assert.doesNotMatch(devices, /pptp-two/);
    assert.equal(await goodOne(), good);
  },
);

test('faults are counted, and each place shows its stack once', { timeout: 60_000 }, async () => {
  const { counted } = await server.call<{ counted: Record<string, number> }>('counters');
  assert.ok(counted['internal error']! > 20, JSON.stringify(counted));
  const lines = server.process.output.match(/a fault in pptp-gateway itself: .*/g)!;
  const places = lines.map((line) => /\((\S+) \(fault-injection/.exec(line)![1]!);
  const stacks = lines.filter((line) => line.includes(' < '));
  assert.equal(stacks.length, new Set(places).size, lines.join('\n'));
});

test(
  'only the engine itself ends the program: one line, a goodbye, an exit code of its own',
  { timeout: 60_000 },
  async () => {
    server.arm('DataPath.receiveTun');
    const pinging = lab.run(serverSide, 'ping', '-c', '1', '-W', '1', '192.168.99.77');
    const { code, output } = await server.process.ended;
    await pinging;
    assert.equal(code, 70, output.slice(-2000));
    assert.match(
      output,
      /cannot trust itself any more: packets: TypeError: injected into DataPath/,
    );
    await office.process.line(/link site session .*: down HANGUP/);
  },
);
