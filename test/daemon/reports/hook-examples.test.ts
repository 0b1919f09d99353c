/** The hooks of examples/hooks, run by the daemon's own class: MQTT with Debian's mosquitto, a webhook with curl and wget. */
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { defaultHooks, Hooks } from '../../../src/daemon/reports/hooks.ts';
import { OwedHooks } from '../../../src/daemon/reports/owed-hooks.ts';
import type { SessionEvent } from '../../../src/session/ports.ts';
import { cause } from '../../../src/wire/cause.ts';
import { parseAddress } from '../../../src/wire/ip.ts';
import { folder } from '../cli/program.ts';
import { session } from '../status.ts';

const run = promisify(execFile);
const examples = resolve(import.meta.dirname, '../../../examples/hooks');
/** What the daemon gives to hooks. */
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
const hostile = 'eve", "ACTION": "up\n\\\u0001 $(id) ☃ €';
const peer = parseAddress('203.0.113.7')!;
const failed: SessionEvent = {
  what: 'auth-failed',
  server: 'home',
  peer,
  username: hostile,
  cause: cause('PEER_AUTH_FAILED'),
};
const told = {
  EVENT: 'auth-failed',
  ACTION: 'auth-failed',
  SERVER: 'home',
  USERNAME: 'eve", "ACTION": "up?\\? $(id) ☃ €',
  PEER: '203.0.113.7',
  CAUSE: 'PEER_AUTH_FAILED',
  OMITTED: '0',
};

/** /etc/pptp with the example linked into folders, and hooks that have failed. */
function linked(context: TestContext, name: string, events: readonly string[]) {
  const dir = folder(context);
  copyFileSync(join(examples, name), join(dir, name));
  for (const event of events) {
    mkdirSync(join(dir, `${event}.d`));
    symlinkSync(`../${name}`, join(dir, `${event}.d/50-${name}`));
  }
  const lines: string[] = [];
  const hooks = new Hooks(
    {
      log: (_, text) => lines.push(text),
      count: () => undefined,
      about: () => ({ device: 'pptps-home' }),
    },
    new OwedHooks(join(dir, 'owed'), (text) => lines.push(text)),
    { ...defaultHooks, dir },
  );
  return { dir, hooks, lines };
}

/** Without the time, which is now. */
function parsed(text: string): unknown {
  const { TIME, ...rest } = JSON.parse(text) as { readonly TIME: number };
  assert.ok(Math.abs(TIME - Date.now() / 1000) < 600);
  return rest;
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Debian's mosquitto, which wants a password; and what mosquitto_sub hears there. */
async function broker(context: TestContext) {
  const dir = folder(context);
  const port = await freePort();
  const passwords = join(dir, 'passwords');
  execFileSync('mosquitto_passwd', ['-b', '-c', passwords, 'router', 's3cret']);
  writeFileSync(
    join(dir, 'conf'),
    `listener ${port} 127.0.0.1\nallow_anonymous false\npassword_file ${passwords}\nuser root\n`,
  );
  const start = (program: string, ...words: string[]) => {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    context.after(() => child.kill());
    return child;
  };
  start('mosquitto', '-c', join(dir, 'conf')).stdout.resume();
  const reached = () =>
    new Promise<boolean>((answered) => {
      const socket = connect(port, '127.0.0.1', () => answered(true));
      socket.on('error', () => answered(false));
      socket.on('connect', () => socket.destroy());
    });
  while (!(await reached())) await new Promise((later) => setTimeout(later, 20));
  const login = ['-h', '127.0.0.1', '-p', String(port), '-u', 'router', '-P', 's3cret'];
  const heard = createInterface(
    start('mosquitto_sub', ...login, '-t', 'pptp/#', '-F', '%t %p').stdout,
  )[Symbol.asyncIterator]();
  const next = async () => ((await heard.next()) as { readonly value: string }).value;
  // Until it has subscribed, nothing is heard.
  const hello = next();
  let isThere = false as boolean;
  void hello.then(() => (isThere = true));
  while (!isThere) await run('mosquitto_pub', [...login, '-t', 'pptp/hello', '-m', '']);
  const events = async () => {
    for (;;) {
      const line = await next();
      if (!line.startsWith('pptp/hello')) return line;
    }
  };
  return { port, events };
}

test('MQTT: what happens is published, one topic for each event; the login is in a file', async (context) => {
  const { port, events } = await broker(context);
  const { dir, hooks, lines } = linked(context, 'mqtt', ['session-up', 'session-down', 'auth-failed', 'ban']); // prettier-ignore
  mkdirSync(join(dir, 'mqtt.d'));
  const options = `-h 127.0.0.1\n-p ${port}\n-u router\n-P s3cret\n`;
  writeFileSync(join(dir, 'mqtt.d/mosquitto_pub'), options, { mode: 0o600 });
  const published = async () => {
    const [, topic, text = ''] = /^(\S+) (.*)$/.exec(await events()) ?? [];
    return [topic, parsed(text)];
  };
  hooks.note(failed);
  assert.deepEqual(await published(), ['pptp/auth-failed', told]);
  hooks.note({ what: 'session-up', session });
  const about = {
    SERVER: 'home',
    SESSION: '7',
    USERNAME: 'anna',
    PEER: '203.0.113.9',
    ADDRESS: '192.168.99.10',
    DEVICE: 'pptps-home',
  };
  const up = { EVENT: 'session-up', ACTION: 'up', ...about };
  assert.deepEqual(await published(), ['pptp/session-up', up]);
  hooks.note({ what: 'session-down', session, cause: cause('PEER_DEAD') });
  const down = { EVENT: 'session-down', ACTION: 'down', ...about, CAUSE: 'PEER_DEAD', BYTES_RECEIVED: '1', BYTES_SENT: '2' }; // prettier-ignore
  assert.deepEqual(await published(), ['pptp/session-down', down]);
  const ban = { address: peer, server: 'home', since: 0, until: 600_000, tries: 5, username: hostile }; // prettier-ignore
  hooks.note({ what: 'banned', ban });
  const { SERVER, USERNAME, PEER, OMITTED } = told;
  const banned = { EVENT: 'ban', ACTION: 'ban', SERVER, USERNAME, PEER, TRIES: '5', SECONDS: '600', OMITTED }; // prettier-ignore
  assert.deepEqual(await published(), ['pptp/ban', banned]);
  assert.deepEqual(lines, []);
});

/** A web server, and the requests that came. */
async function web(context: TestContext) {
  const requests: string[][] = [];
  let came: () => void = () => undefined;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      response.statusCode = request.url === '/broken' ? 500 : 204;
      response.end();
      requests.push([request.method!, request.url!, request.headers['content-type']!, body]);
      came();
    });
  }).listen(0, '127.0.0.1');
  context.after(() => server.close());
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as AddressInfo;
  const next = async () => {
    while (requests.length === 0) await new Promise<void>((resolve) => (came = resolve));
    return requests.shift()!;
  };
  return { url: `http://127.0.0.1:${port}`, next };
}

const json = 'application/json';

test('a webhook, by curl; what fails is in the log', async (context) => {
  const { url, next } = await web(context);
  const { dir, hooks, lines } = linked(context, 'webhook', ['auth-failed']);
  writeFileSync(join(dir, 'webhook.url'), `${url}/hook?token="a\\b"\n`, { mode: 0o600 });
  hooks.note(failed);
  const [method, path, type, body] = await next();
  assert.deepEqual([method, path, type], ['POST', '/hook?token="a\\b"', json]);
  assert.deepEqual(parsed(body!), told);
  assert.deepEqual(lines, []);

  writeFileSync(join(dir, 'webhook.url'), `${url}/broken\n`);
  hooks.note(failed);
  await next();
  while (lines.length < 2) await new Promise((later) => setTimeout(later, 20));
  assert.match(lines.join('\n'), /50-webhook: curl: .*500[^]*50-webhook: exit code 22/);
});

for (const [name, wget] of [
  ['GNU wget', '/usr/bin/wget'],
  ["busybox's wget", '/usr/bin/busybox'],
] as const)
  test(`a webhook without curl, by ${name}`, async (context) => {
    const { url, next } = await web(context);
    const { dir } = linked(context, 'webhook', ['auth-failed']);
    const bin = join(dir, 'bin');
    mkdirSync(bin);
    for (const tool of ['cat', 'date', 'dirname', 'grep', 'sed', 'tr'])
      symlinkSync(execFileSync('/bin/sh', ['-c', `command -v ${tool}`], { env: { PATH }, encoding: 'utf8' }).trim(), join(bin, tool)); // prettier-ignore
    symlinkSync(wget, join(bin, 'wget'));
    writeFileSync(join(dir, 'webhook.url'), `${url}/hook\n`);
    const { OMITTED, ...env } = told;
    const child = spawn('/bin/sh', [join(dir, 'auth-failed.d/50-webhook')], {
      env: { PATH: bin, ...env, OMITTED, USERNAME: hostile },
      stdio: 'inherit',
    });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    const [method, path, type, body] = await next();
    assert.deepEqual([method, path, type], ['POST', '/hook', json]);
    assert.deepEqual(parsed(body!), told);
    assert.equal(await ended, 0);
  });
