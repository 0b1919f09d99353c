/** The control socket over a real unix socket: client, server, and guests that do not behave. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  existsSync,
  linkSync,
  mkdtempSync,
  mkdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ControlClient } from '../../../src/daemon/control/client.ts';
import { MethodError } from '../../../src/daemon/control/protocol.ts';
import { ControlServer, refuseSecond, type Methods } from '../../../src/daemon/control/server.ts';
import { ExitCode } from '../../../src/daemon/exit-codes.ts';

const methods: Methods = {
  echo: (params) => params,
  later: async ({ value }) => {
    await new Promise((resolve) => setImmediate(resolve));
    return { value };
  },
  refuse: () => {
    throw new MethodError('NOT_FOUND', 'there is none');
  },
  break: () => Promise.reject(new Error('broken')),
};

function folder(context: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'pptp-control-test-'));
  context.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

async function serve(context: TestContext, path = join(folder(context), 'run/control.sock')) {
  const server = await ControlServer.listen(path, methods);
  context.after(() => server.close());
  return { path, server };
}

async function open(context: TestContext, path: string): Promise<ControlClient> {
  const client = await ControlClient.open(path);
  context.after(() => client.close());
  return client;
}

/** A guest that writes what it likes. */
async function guest(context: TestContext, path: string): Promise<Socket> {
  const socket = connect(path);
  await once(socket, 'connect');
  socket.setEncoding('utf8').on('error', () => undefined);
  context.after(() => socket.destroy());
  return socket;
}

async function reply(socket: Socket): Promise<unknown> {
  const [line] = (await once(socket, 'data')) as [string];
  return JSON.parse(line);
}

test('methods are called with their arguments and answered with their results', async (context) => {
  const { path } = await serve(context);
  const client = await open(context, path);
  assert.deepEqual(await client.call('echo', { name: 'änna\n☃' }), { name: 'änna\n☃' });
  assert.deepEqual(await client.call('echo'), {});
});

test('calls at the same time each get their own answer', async (context) => {
  const { path } = await serve(context);
  const client = await open(context, path);
  const values = Array.from({ length: 50 }, (_, value) => ({ value }));
  assert.deepEqual(
    await Promise.all(values.map((value, i) => client.call(i % 2 ? 'later' : 'echo', value))),
    values,
  );
});

test('refusals keep their status and message', async (context) => {
  const { path } = await serve(context);
  const client = await open(context, path);
  await assert.rejects(client.call('refuse'), {
    name: 'MethodError',
    status: 'NOT_FOUND',
    message: 'there is none',
  });
  await assert.rejects(client.call('break'), { status: 'FAILED', message: 'broken' });
  for (const method of ['nothing', 'toString', '__proto__', 'constructor'])
    await assert.rejects(client.call(method), {
      status: 'METHOD_NOT_FOUND',
      message: `there is no method '${method}'`,
    });
});

test('only the owner can reach the socket', async (context) => {
  const { path } = await serve(context);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(join(path, '..')).mode & 0o777, 0o700);
});

test('a second daemon is refused and the first one keeps its socket', async (context) => {
  const { path } = await serve(context);
  const refused = {
    name: 'Fatal',
    exitCode: ExitCode.Failed,
    message: `another pptp-gateway is running: it serves ${path}`,
  };
  await assert.rejects(refuseSecond(path), refused);
  await assert.rejects(ControlServer.listen(path, methods), refused);
  const client = await open(context, path);
  assert.deepEqual(await client.call('echo', { a: 1 }), { a: 1 });
});

test('a socket that a killed daemon left is replaced', async (context) => {
  const path = join(folder(context), 'control.sock');
  const killed = createServer();
  killed.listen(path);
  await once(killed, 'listening');
  const left = `${path}.left`;
  linkSync(path, left); // Node removes the path when it closes: keep the inode, as kill -9 does
  killed.close();
  await once(killed, 'close');
  await refuseSecond(left);
  await serve(context, left);
  const client = await open(context, left);
  assert.deepEqual(await client.call('echo'), {});
});

test('a path with something else is refused and left alone', async (context) => {
  const path = join(folder(context), 'precious');
  writeFileSync(path, 'data');
  await assert.rejects(ControlServer.listen(path, methods), {
    name: 'Fatal',
    exitCode: ExitCode.Failed,
    message: `control socket ${path}: there is something that is not a socket`,
  });
  assert.equal(statSync(path).size, 4);
});

test('a folder that cannot be made is one clear line', async (context) => {
  const file = join(folder(context), 'file');
  writeFileSync(file, '');
  await assert.rejects(ControlServer.listen(join(file, 'control.sock'), methods), {
    name: 'Fatal',
    exitCode: ExitCode.Failed,
    message: /^control socket .*file\/control\.sock: /,
  });
});

test('the socket goes with the server', async (context) => {
  const { path, server } = await serve(context);
  server.close();
  assert.equal(existsSync(path), false);
});

test('lines that are no requests are answered and the connection goes on', async (context) => {
  const { path } = await serve(context);
  const socket = await guest(context, path);
  for (const line of ['hello', '{"id":7}', '[[[', '\u0000\u0001', '{"id":1,"method":"echo"}{}']) {
    socket.write(`${line}\n`);
    assert.deepEqual(await reply(socket), {
      id: 0,
      error: { status: 'INVALID_ARGUMENT', message: 'expected {"id", "method", "params"}' },
    });
  }
  socket.write('{"id":3,"method":"echo","params":{"a":[1]}}\n');
  assert.deepEqual(await reply(socket), { id: 3, result: { a: [1] } });
});

test('octets that are no UTF-8 are no harm', async (context) => {
  const { path } = await serve(context);
  const socket = await guest(context, path);
  socket.write(Uint8Array.from([0xff, 0xfe, 0xc3, 0x0a]));
  assert.equal(((await reply(socket)) as { id: number }).id, 0);
});

test('an endless line ends the connection, and others go on', async (context) => {
  const { path } = await serve(context);
  const socket = await guest(context, path);
  const ended = new Promise((resolve) => socket.once('close', resolve)); // whatever error came before
  const chunk = 'x'.repeat(1 << 20);
  const write = () => {
    while (socket.writable && socket.write(chunk));
  };
  socket.on('drain', write);
  write();
  await ended;
  const client = await open(context, path);
  assert.deepEqual(await client.call('echo'), {});
});

test('one who asks and never reads is dropped, and others go on', async (context) => {
  const { path } = await serve(context);
  const socket = await guest(context, path);
  socket.pause();
  const ended = new Promise((resolve) => socket.once('close', resolve)); // whatever error came before
  const request = `{"id":1,"method":"echo","params":{"x":"${'x'.repeat(1 << 20)}"}}\n`;
  const write = () => {
    while (socket.writable && socket.write(request));
  };
  socket.on('drain', write);
  write();
  await ended;
  const client = await open(context, path);
  assert.deepEqual(await client.call('echo'), {});
});

test('a guest that leaves before its answer is no harm', async (context) => {
  const { path } = await serve(context);
  const socket = await guest(context, path);
  socket.write('{"id":1,"method":"later"}\n'.repeat(20));
  socket.destroy();
  const client = await open(context, path);
  assert.deepEqual(await client.call('later', { value: 1 }), { value: 1 });
});

test('a client whose daemon goes away is told so, also when it asks later', async (context) => {
  const dir = folder(context);
  const path = join(dir, 'control.sock');
  const never: Methods = { wait: () => new Promise(() => undefined) };
  const server = await ControlServer.listen(path, never);
  const client = await open(context, path);
  const waiting = client.call('wait');
  const gone = {
    name: 'Fatal',
    exitCode: ExitCode.NotRunning,
    message: 'the daemon has gone away',
  };
  // The request has arrived once a second client is answered.
  const other = await open(context, path);
  await assert.rejects(other.call('nothing'), { status: 'METHOD_NOT_FOUND' });
  server.close();
  await assert.rejects(waiting, gone);
  await assert.rejects(client.call('wait'), gone);
});

test('a daemon that is not running is one clear line', async (context) => {
  const dir = folder(context);
  mkdirSync(join(dir, 'empty'));
  for (const path of [join(dir, 'empty/control.sock'), join(dir, 'missing/control.sock')])
    await assert.rejects(ControlClient.open(path), {
      name: 'Fatal',
      exitCode: ExitCode.NotRunning,
      message: `pptp-gateway is not running (nobody serves ${path}): start it with 'pptp-gateway run'`,
    });
});
