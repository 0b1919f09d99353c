import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExitCode } from '../../../src/daemon/exit-codes.ts';
import { caller, linkThat, nothing, standIn } from './stand-in.ts';
import { start } from './program.ts';

const sessions = [
  caller({ id: 1, username: 'anna', rx_bytes: 5000, uptime: 10 }),
  caller({ id: 2, username: '王小明', rx_bytes: 70_000, uptime: 30 }),
  caller({ id: 3, username: 'bob', server: 'office', rx_bytes: 600, uptime: 20 }),
];
const link = { ...caller({ id: 9, username: 'router7' }), link: 'branch' };
delete (link as { server?: string }).server;
const status = {
  ...nothing,
  servers: [
    {
      name: 'idle',
      device: 'pptps-idle',
      port: 1723,
      local_address: '192.168.98.1',
      state: 'listening',
      sessions: 0,
      max_sessions: 16,
    },
  ],
  links: [linkThat('up', 'branch')],
} as const;

/** The first cells of the rows. */
const first = (stdout: string) => stdout.trim().split('\n').map((row) => row.split(/ +/)[0]); // prettier-ignore

test('whose, in which order, with which columns', async (context) => {
  const { command } = await standIn(context, { status, sessions: [...sessions, link] });
  const ids = async (...words: string[]) =>
    first((await command('sessions', ...words)).stdout).slice(1);
  assert.deepEqual(await ids(), ['1', '2', '3', '9']);
  assert.deepEqual(await ids('home'), ['1', '2']);
  assert.deepEqual(await ids('bob'), ['3']);
  assert.deepEqual(await ids('CORP\\bob'), ['3']);
  assert.deepEqual(await ids('branch'), ['9']);
  assert.deepEqual(await ids('--sort', 'rx'), ['2', '1', '3', '9']);
  assert.deepEqual(await ids('--sort', 'user', 'home'), ['1', '2']);
  assert.deepEqual(await ids('--sort', 'since'), ['9', '2', '3', '1']);

  const { stdout } = await command('sessions', '--columns', 'user,rx,id', 'home');
  assert.equal(stdout, 'USER    RX       ID\nanna    5.00 kB  1\n王小明  70.0 kB  2\n');
  const json = await command('sessions', '--sort', 'rx', 'home', '--json');
  assert.deepEqual(
    (JSON.parse(json.stdout) as { sessions: { id: number }[] }).sessions.map(({ id }) => id),
    [2, 1],
  );
});

test('a name that means nothing is told apart from one that nobody is connected to', async (context) => {
  const { command } = await standIn(context, { status, sessions });
  const idle = await command('sessions', 'idle');
  assert.deepEqual([idle.code, idle.stdout], [ExitCode.Ok, 'no sessions\n']);
  const nobody = await command('sessions', 'nobody');
  assert.equal(nobody.code, ExitCode.NotFound);
  assert.match(nobody.stderr, /no server or link 'nobody', and no session of such a user/);
  for (const [words, said] of [
    [['--sort', 'adress'], "--sort: there is no 'adress': did you mean address?"],
    [['--columns', 'id,frobnicate'], '--columns: expected id, via, user'],
  ] as const) {
    const { code, stderr } = await command('sessions', ...words);
    assert.equal(code, ExitCode.Usage);
    assert.ok(stderr.startsWith(`pptp-gateway: ${said}`), stderr);
  }
});

test('--watch looks again until it is ended', async (context) => {
  const { answers, socket } = await standIn(context, { sessions: sessions.slice(0, 1) });
  const words = ['sessions', '--watch', '--columns', 'user', '--socket', socket];
  const watching = start(context, words);
  const json = start(context, [...words, '--json']);
  await Promise.all([
    watching.says(/USER\nanna\n/),
    json.says(/^\{"schema":1,"sessions":\[.*\}\n/),
  ]);
  answers.sessions = sessions.slice(2);
  await Promise.all([watching.says(/USER\nbob\n/), json.says(/\n\{.*"bob".*\}\n/)]);
  for (const each of [watching, json]) {
    each.process.kill('SIGINT');
    assert.equal((await each.ended).code, ExitCode.Ok);
  }
});

test('--watch ends when nobody reads it any more', async (context) => {
  const { socket } = await standIn(context, { sessions });
  const words = ['sessions', '--watch', '--socket', socket];
  const piped = start(context, words, ['sh', '-c', '"$@" | head -n 1', 'sh']);
  const { code, stdout } = await piped.ended;
  assert.equal(code, 0);
  assert.match(stdout, /^ID +VIA/);
});
