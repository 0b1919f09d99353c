/**
 * Metrics of a running gateway over HTTP: who may ask, what nonsense gets, and that nobody is disturbed by it.
 *
 *     far 198.18.1.2 (link one), 198.18.1.3 ---- 198.18.1.1 server
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import type { SessionDocument } from '../../src/daemon/reports/documents.ts';
import { Lab, type Gateway } from '../../tools/lab.ts';
import { link, password } from './link-text.ts';

const lab = new Lab('umetrics');
let near: string;
let far: string;
let home: Gateway;

const server = (metrics = '') => ({
  network: `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
`,
  pptp: `config pptp 'globals'\n${metrics}`,
  pptp_users: `config user\n\toption username 'anna'\n\toption password '${password}'\n`,
});
const listening = (more = '') =>
  server(
    `\tlist metrics '127.0.0.1:9723'\n\tlist metrics '198.18.1.1:9723'\n\tlist metrics_from '198.18.1.2'\n${more}`,
  );

before(async () => {
  [near, far] = [lab.namespace('server'), lab.namespace('far')];
  lab.join('outer', [
    [near, '198.18.1.1/24'],
    [far, '198.18.1.2/24'],
  ]);
  execFileSync('ip', ['-n', far, 'address', 'add', '198.18.1.3/24', 'dev', 'outer']);
  home = await lab.gateway('server', near, listening());
  const branch = await lab.gateway('far', far, { network: link('one', '198.18.1.1', 'anna') });
  const { code, output } = await branch.command('dial', 'one');
  assert.equal(code, 0, output);
});
after(() => lab.close());

/** What comes back until the other end closes; `REFUSED`: there is no connection. */
async function ask(
  words: readonly string[],
  { from = near, to = '127.0.0.1', localAddress = '' } = {},
): Promise<string> {
  const script = `
    const [words, host, localAddress] = JSON.parse(process.argv[1]);
    const socket = require('net').connect({ host, port: 9723, ...(localAddress && { localAddress }) });
    let text = '';
    socket.on('data', (octets) => (text += octets));
    socket.on('error', () => (text ||= 'REFUSED'));
    socket.on('close', () => console.log(text));
    for (const word of words) socket.write(Buffer.from(word, 'latin1'));
  `;
  const argument = JSON.stringify([words, to, localAddress]);
  return (await lab.run(from, process.execPath, '-e', script, argument)).output;
}
const GET = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';

async function reload(changed: ReturnType<typeof server>): Promise<void> {
  home.configure(changed);
  const { code, output } = await home.command('reload');
  assert.equal(code, 0, output);
}

test('GET /metrics, the command, and promtool', async () => {
  const [head, body] = (await ask([GET])).split('\r\n\r\n');
  assert.match(head!, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(body!, /^pptp_server_sessions\{server="home"\} 1$/m);
  assert.match(body!, /^pptp_logins_total\{server="home",result="accepted"\} 1$/m);
  assert.ok(!body!.includes('pptp_session_'));
  execFileSync('promtool', ['check', 'metrics'], { input: body! });
  const { output } = await home.command('metrics', '--sessions');
  execFileSync('promtool', ['check', 'metrics'], { input: output });
  assert.match(output, /^pptp_session_sent_bytes_total\{.*username="anna"/m);
  const metrics = await home.json<string>('metrics');
  assert.ok(metrics.endsWith('\n'));
  // What was asked for before has come back by now, or comes.
  let trip: RegExpExecArray | null = null;
  while (trip === null)
    trip = /^pptp_round_trip_seconds\{kind="server",name="home"\} (\S+)$/m.exec(
      (await home.command('metrics')).output,
    );
  assert.ok(Number(trip[1]) > 0 && Number(trip[1]) < 5);
});

test('who is named may ask from elsewhere, others may not', async () => {
  const elsewhere = { from: far, to: '198.18.1.1' };
  assert.match(await ask([GET], { ...elsewhere, localAddress: '198.18.1.2' }), /^HTTP\/1\.1 200 /);
  const refused = await ask([GET], { ...elsewhere, localAddress: '198.18.1.3' });
  assert.match(refused, /^HTTP\/1\.1 403 /);
  assert.ok(!refused.includes('pptp_'));
  assert.match(await ask([GET], { to: '198.18.1.1' }), /^HTTP\/1\.1 200 /, 'this machine itself');
});

test('nonsense is answered or cut off, counted, and disturbs nobody', async () => {
  const [before] = await home.json<SessionDocument[]>('sessions');
  const answers = await Promise.all(
    [
      'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
      'POST /metrics HTTP/1.1\r\nHost: x\r\n\r\n',
      `GET /metrics HTTP/1.1\r\nX: ${'y'.repeat(100_000)}`,
      '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n',
    ].map((text) => ask([text])),
  );
  const statuses = answers.map((text) => /^HTTP\/1\.1 (\d+) /.exec(text)?.[1]);
  assert.deepEqual(statuses, ['404', '405', '431', '400']);
  // More than there may be, and none of them says a word.
  const silent = Array.from({ length: 8 }, () => ask(['GET /metr']));
  const open = async () => Number((await lab.run(near, 'sh', '-c', "ss -Htn state established 'sport = :9723' | wc -l")).output); // prettier-ignore
  while ((await open()) < 8);
  assert.match(await ask([GET]), /^HTTP\/1\.1 503 /);
  for (const text of await Promise.all(silent)) assert.equal(text.trim(), '', 'after five seconds');
  const { output } = await home.command('counters');
  for (const status of [400, 404, 405, 431, 503])
    assert.match(output, new RegExp(`metrics: HTTP ${status} +[1-9]`));
  const [now] = await home.json<SessionDocument[]>('sessions');
  assert.equal(now?.id, before?.id);
});

test('a reload begins and ends it, also of sessions; what cannot be had is told', async () => {
  await reload(listening("\toption metrics_sessions '1'\n"));
  assert.match(await ask([GET]), /^pptp_session_received_bytes_total\{/m);
  await reload(server());
  assert.equal((await ask([GET])).trim(), 'REFUSED');
  const from = home.process.output.length;
  await reload(server("\tlist metrics '203.0.113.77:9723'\n\tlist metrics '127.0.0.1:9723'\n"));
  await home.process.line(/metrics cannot be had on 203\.0\.113\.77:9723: .*EADDRNOTAVAIL/, from);
  assert.match(await ask([GET]), /^HTTP\/1\.1 200 /);
  home.configure(server("\tlist metrics '0.0.0.0:9723'\n"));
  const { code, output } = await home.command('reload');
  assert.equal(code, 78);
  assert.match(output, /metrics: expected one IPv4 address of this machine and a port/);
});
