/**
 * Usage and quotas of a running gateway: over kill -9, a restart as after a reboot, and a damaged file; live on reload.
 *
 *     far 198.18.1.2 (links one, two) ---- 198.18.1.1 server
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlClient } from '../../src/daemon/control/client.ts';
import type { LinkDocument, SessionDocument } from '../../src/daemon/reports/documents.ts';
import type {
  AccountUsageDocument,
  TrafficDocument,
  UsageDocument,
} from '../../src/daemon/reports/usage-document.ts';
import { Lab, type Gateway } from '../../tools/lab.ts';
import { link, password } from './link-text.ts';

const lab = new Lab('usage');
const folder = join(lab.dir, 'lasting');
let near: string;
let far: string;
let home: Gateway;
let branch: Gateway;

const user = (name: string, own = '') =>
  `config user\n\toption username '${name}'\n\toption password '${password}'\n${own}`;
const server = (quota = '') => ({
  network: `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
	option mppe 'off'
`,
  pptp: `config pptp 'globals'\n\toption usage_folder '${folder}'\n`,
  pptp_users: user('anna', quota) + user('bert'),
});
const links = (quota = '') => ({
  network:
    link('one', '198.18.1.1', 'anna', "\toption mppe 'off'\n") +
    link('two', '198.18.1.1', 'bert', `\toption mppe 'off'\n${quota}`),
});
const files = () => ({
  memory: join(home.configDir, 'run', 'usage'),
  lasting: join(folder, 'usage'),
});

before(async () => {
  [near, far] = [lab.namespace('server'), lab.namespace('far')];
  lab.join('outer', [
    [near, '198.18.1.1/30'],
    [far, '198.18.1.2/30'],
  ]);
  home = await lab.gateway('server', near, server());
  branch = await lab.gateway('far', far, links());
});
after(() => lab.close());

async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(100);
  }
}

async function dial(name: string): Promise<void> {
  const { code, output } = await branch.command('dial', name);
  assert.equal(code, 0, output);
}

/** Pings through one of the links: so many octets of IP each way. */
async function move(name: string, octets: number): Promise<void> {
  const { output } = await lab.run(
    far,
    ...(['ping', '-q', '-f', '-s', '1172', '-c', String(octets / 1_200)] as const),
    ...['-I', `pptp-${name}`, '192.168.99.1'],
  );
  assert.match(output, / 0% packet loss/);
}

async function usageOf(gateway: Gateway, name: string): Promise<AccountUsageDocument> {
  const { users, links: found } = await gateway.json<UsageDocument>('usage', name);
  return [...users, ...found][0]!;
}

/** What sysupgrade asks for. */
async function save(): Promise<void> {
  const client = await ControlClient.open(join(home.configDir, 'run', 'ubus.sock'));
  await client.call('usage_save');
  client.close();
}

const both = ({ rx_bytes: rx, tx_bytes: tx }: TrafficDocument) => rx + tx;

test('users and links are counted, and what the counters of sessions say is in it', async () => {
  await dial('one');
  await move('one', 120_000);
  const [session] = await home.json<SessionDocument[]>('sessions');
  const { username, total, days, months } = await usageOf(home, 'anna');
  assert.deepEqual([username, total.rx_bytes], ['anna', session!.rx_bytes]);
  assert.ok(total.rx_bytes >= 120_000 && total.tx_bytes >= 120_000);
  assert.equal(days.length + months.length, 2);
  assert.equal(both(days[0]!), both(total));
  const one = await usageOf(branch, 'one');
  assert.deepEqual([one.link, one.total.tx_bytes], ['one', total.rx_bytes]);
  const { output } = await home.command('usage');
  assert.match(output, /^USER +TODAY .*\nanna +240 kB +120 kB +120 kB +240 kB$/m);
  assert.match((await home.command('usage', 'anna')).output, /\n\nDAY +UP +DOWN +BOTH\n\d{4}-/);
  assert.equal((await home.command('usage', 'nobody')).code, 66);
  assert.equal((await home.command('usage', '--month', '2026-13')).code, 64);
  const old = await home.json<UsageDocument>('usage', 'anna', '--month', '2020-02');
  assert.deepEqual([old.users[0]?.days, old.users[0]?.months], [[], []]);
});

test('a daemon that is killed loses a minute at most; the next one goes on', async () => {
  const { memory } = files();
  const known = await usageOf(home, 'anna');
  await until(() => (existsSync(memory) ? true : undefined)); // within 40 s
  assert.equal(statSync(memory).mode & 0o777, 0o600);
  assert.ok(!existsSync(files().lasting), 'flash is not written for that');
  home.process.signal('SIGKILL');
  await home.process.ended;
  home = await lab.gateway('server', near, server());
  assert.deepEqual(await usageOf(home, 'anna'), known);
});

test('a reboot, which leaves what was written to the disk at the end', async () => {
  const known = await usageOf(home, 'anna');
  await home.process.stop();
  rmSync(files().memory);
  home = await lab.gateway('server', near, server());
  assert.deepEqual(await usageOf(home, 'anna'), known);
  // What an upgrade of the system asks for.
  await dial('one');
  await move('one', 12_000);
  await save();
  const more = await usageOf(home, 'anna');
  assert.ok(both(more.total) >= both(known.total) + 24_000);
  home.process.signal('SIGKILL');
  await home.process.ended;
  rmSync(files().memory);
  home = await lab.gateway('server', near, server());
  assert.deepEqual((await usageOf(home, 'anna')).total, more.total);
});

test('a file that is half written, or is no such file, is kept aside, and the other one counts', async () => {
  const { memory, lasting } = files();
  await dial('one');
  await move('one', 12_000);
  await save();
  const known = await usageOf(home, 'anna');
  await home.process.stop();
  assert.ok(existsSync(memory));
  const half = statSync(memory).size >> 1;
  truncateSync(memory, half);
  home = await lab.gateway('server', near, server());
  assert.match(home.process.output, /usage: \S+\/run\/usage is damaged.* kept as \S+\.aside/);
  assert.equal(statSync(`${memory}.aside`).size, half);
  assert.deepEqual((await usageOf(home, 'anna')).total, known.total);
  await home.process.stop();
  for (const path of [memory, lasting]) writeFileSync(path, 'GIF89a\n');
  home = await lab.gateway('server', near, server());
  assert.match(home.process.output, /lasting\/usage is damaged/);
  assert.equal(readFileSync(`${lasting}.aside`, 'utf8'), 'GIF89a\n');
  assert.equal(both((await usageOf(home, 'anna')).total), 0);
});

const quota = (action: string) =>
  `\toption quota_month '1'\n\toption quota_action '${action}'\n\toption quota_day '15'\n`;

async function reload(gateway: Gateway, changed: Readonly<Record<string, string>>): Promise<void> {
  gateway.configure(changed);
  const { code, output } = await gateway.command('reload');
  assert.equal(code, 0, output);
}

test('a quota of a user: deny ends the session and refuses logins, until there is more', async () => {
  await reload(home, server(quota('deny')));
  await dial('one');
  const from = home.process.output.length;
  await move('one', 600_000);
  await home.process.line(/user "anna": quota used up: \d+ of 1000000 octets since \S+-15/, from);
  await home.process.line(/user "anna" .*: down QUOTA_USED_UP/, from);
  await home.process.line(/user "anna": login failed QUOTA_USED_UP/, from); // it dials again
  const status = await branch.json<{ links: LinkDocument[] }>('status');
  const { cause } = status.links.find(({ name }) => name === 'one')!;
  assert.match(cause?.text ?? '', /quota is used up/);
  const { quota: shown } = await usageOf(home, 'anna');
  assert.deepEqual([shown?.used_up, shown?.bytes, shown?.action], [true, 1_000_000, 'deny']);
  assert.match((await home.command('usage')).output, /1\d\d % of 1.00 MB until \S+: denied/);

  // Live, without another login: slow, and with more again as fast as before.
  await reload(home, server(quota('slow 640')));
  await dial('one');
  const rates = async () => {
    const [session] = await home.json<SessionDocument[]>('sessions');
    return [session?.id, session?.rate_up, session?.rate_down];
  };
  const [id, ...slow] = await rates();
  assert.deepEqual(slow, [640, 640]);
  await reload(home, server());
  assert.deepEqual(await rates(), [id, undefined, undefined]);
  await reload(home, server(`${quota('slow 640')}\toption rate_up '320'\n`));
  assert.deepEqual(await rates(), [id, 320, 640]);
  await reload(home, server(quota('deny')));
  assert.deepEqual(await rates(), [undefined, undefined, undefined]);
  await reload(home, server());
});

test('a quota of a link: it is blocked, also for who dials, until there is more', async () => {
  await branch.command('hangup', 'one');
  await reload(branch, links(quota('deny')));
  await dial('two');
  const from = branch.process.output.length;
  await move('two', 600_000);
  await branch.process.line(/link two: blocked QUOTA_USED_UP/, from);
  const { code, output } = await branch.command('dial', 'two');
  assert.notEqual(code, 0);
  assert.match(output, /two is blocked: QUOTA_USED_UP/);
  await branch.process.stop();
  branch = await lab.gateway('far', far, links(quota('deny')), '--dial');
  assert.match((await branch.command('dial', 'two')).output, /QUOTA_USED_UP/, 'not forgotten');
  await reload(branch, links(quota('notify')));
  await branch.process.line(/link two: up/);
});
