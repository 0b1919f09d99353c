/** `pptp-gateway events` as a process, on a bus of the test's own. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { EventLines, eventText } from '../../../src/daemon/cli/events.ts';
import { Buses } from '../../../src/daemon/control/buses.ts';
import { Log } from '../../../src/daemon/reports/log.ts';
import type { Table } from '../../../src/ubus-js/index.ts';
import { noFaults } from '../../support/no-faults.ts';
import { folder, root } from './program.ts';

async function open(context: TestContext) {
  const dir = folder(context);
  const path = join(dir, 'run/ubus.sock');
  const buses = new Buses(join(dir, 'system.sock'), new Log(() => undefined), noFaults());
  context.after(() => {
    buses.withdraw();
    buses.close();
  });
  await buses.open(path, { path: 'pptp', methods: {} });
  return { buses, path };
}

/** Runs once it follows. */
async function follow(context: TestContext, path: string, ...words: string[]) {
  const main = join(root, 'src/daemon/main.ts');
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', main, 'events', '--socket', path, ...words],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  context.after(async () => {
    child.kill('SIGKILL');
    child.stdout.resume();
    await ended;
  });
  let errors = '';
  await new Promise<void>((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
      if (errors.includes('until Ctrl-C\n')) resolve();
    });
  });
  return { child, ended, errors: () => errors };
}

const reader = ({ stdout }: ChildProcess) => {
  const lines = createInterface(stdout!)[Symbol.asyncIterator]();
  return async () => ((await lines.next()) as { readonly value: string }).value;
};

const ban = {
  address: '198.51.100.7',
  server: 'home',
  since: 1_000,
  until: 1_600,
  seconds_left: 600,
  tries: 5,
  username: 'eve\u001b[2J',
};

test('a line for each event until Ctrl-C, and no other lines', async (context) => {
  const { buses, path } = await open(context);
  const { child, ended, errors } = await follow(context, path);
  const next = reader(child);
  buses.send('other.event', {});
  buses.send('pptp.ban', { action: 'banned', ...ban });
  assert.match(
    await next(),
    /^\d{4}-\d\d-\d\dT[\d:.]+Z 198\.51\.100\.7 locked out by home for 600 s: 5 failed logins, the last as eve\?\[2J$/,
  );
  child.kill('SIGINT');
  assert.equal(await ended, 0);
  assert.equal(errors(), 'following what happens, until Ctrl-C\n');
});

test('--json: one document a line', async (context) => {
  const { buses, path } = await open(context);
  const { child, ended } = await follow(context, path, '--json');
  const next = reader(child);
  buses.send('pptp.ban', { action: 'banned', ...ban });
  buses.send('pptp.link', { link: 'office', state: 'up' });
  const { time, ...first } = JSON.parse(await next()) as { readonly time: number };
  assert.ok(Math.abs(time - Date.now() / 1000) < 600);
  assert.deepEqual(first, { schema: 1, event: 'pptp.ban', data: { action: 'banned', ...ban } });
  const { event } = JSON.parse(await next()) as { readonly event: string };
  assert.equal(event, 'pptp.link');
  child.kill('SIGTERM');
  assert.equal(await ended, 0);
});

test('it ends when the daemon does, and when nobody reads', async (context) => {
  const { buses, path } = await open(context);
  const one = await follow(context, path);
  const other = await follow(context, path);
  one.child.stdout.destroy();
  buses.send('pptp.link', { link: 'office', state: 'up' });
  assert.equal(await one.ended, 0);
  other.child.stdout.resume();
  const third = await follow(context, path, '--json');
  const next = reader(third.child);
  buses.send('pptp.link', { link: 'office', state: 'up' });
  assert.match(await next(), /^\{"schema":1,"time":/);
  buses.withdraw();
  assert.equal(await other.ended, 69);
  assert.match(await next(), /^\{"schema":1,"exit_code":69,"error":\{"code":"NOT_RUNNING",/);
  assert.match(other.errors(), /pptp-gateway: the daemon has gone away/);
});

const text = 'x'.repeat(1_000);

test('a reader that is slow misses some, and knows how many', () => {
  const output = {
    printed: [] as { readonly event: string; readonly data: Table }[],
    unprinted: 0,
    tell(fields: object) {
      this.printed.push(fields as { readonly event: string; readonly data: Table });
      this.unprinted += JSON.stringify(fields).length;
    },
  };
  const lines = new EventLines(output, output);
  const sent = 3_000;
  for (let n = 0; n < sent; n++) lines.add('pptp.link', { link: text, n });
  const kept = output.printed.splice(0).length;
  assert.ok(kept > 900 && kept < 1_100, `${kept} were kept`);
  output.unprinted = 0;
  lines.add('pptp.link', { link: 'next' });
  lines.add('pptp.link', { link: 'next' });
  assert.deepEqual(
    output.printed.map(({ event, data }) => [event, data['count']]),
    [
      ['omitted', sent - kept],
      ['pptp.link', undefined],
      ['pptp.link', undefined],
    ],
  );
});

test('one that does not even take them is cut off', async (context) => {
  const { buses, path } = await open(context);
  const { child, ended } = await follow(context, path, '--json');
  child.stdout.resume();
  child.kill('SIGSTOP');
  for (let n = 0; n < 8_000; n++) {
    buses.send('pptp.link', { link: text, n });
    if (n % 500 === 0) await new Promise((later) => setImmediate(later)); // so many are on their way at most
  }
  child.kill('SIGCONT');
  assert.equal(await ended, 69);
});

test('what events are called for people', () => {
  const cause = { code: 'PEER_DEAD', text: 'Gone.' };
  const caller = { server: 'home', username: 'anna', peer: '198.51.100.2' };
  const up = { action: 'up', id: 4, address: '192.168.99.2', ...caller };
  const linked = { link: 'office', id: 6, username: 'r7', peer: '203.0.113.1', local_address: '10.0.0.2' }; // prettier-ignore
  const cases: readonly (readonly [string, Table, string])[] = [
    ['pptp.session', up, 'server home: session 4 of anna from 198.51.100.2 as 192.168.99.2 up'],
    ['pptp.session', { action: 'down', ...linked, cause }, 'link office: session 6 of r7 at 203.0.113.1 as 10.0.0.2 down: PEER_DEAD Gone.'],
    ['pptp.session', { action: 'auth-failed', ...caller, cause }, 'server home: login of anna from 198.51.100.2 failed: PEER_DEAD Gone.'],
    ['pptp.link', { link: 'office', state: 'waiting', retry_in: 5, cause }, 'link office: waiting: PEER_DEAD Gone. Next attempt in 5 s.'],
    ['pptp.link', { link: 'office', state: 'up' }, 'link office: up'],
    ['pptp.ban', { action: 'unbanned', ...ban, why: 'lifted' }, '198.51.100.7 no longer locked out by home (lifted)'],
    ['pptp.other', { a: 1 }, 'pptp.other {"a":1}'],
    ['omitted', { count: 3 }, '3 events are left out here: they were not read in time'],
  ]; // prettier-ignore
  for (const [event, data, shown] of cases) assert.equal(eventText(event, data), shown);
});
