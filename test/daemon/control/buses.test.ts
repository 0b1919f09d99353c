/** The daemon's own bus and its place on the system's, over real unix sockets. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Buses, refuseSecond } from '../../../src/daemon/control/buses.ts';
import { ControlClient } from '../../../src/daemon/control/client.ts';
import { ExitCode } from '../../../src/daemon/exit-codes.ts';
import { Log } from '../../../src/daemon/reports/log.ts';
import { method, UbusError, type ObjectDefinition } from '../../../src/ubus-js/index.ts';
import { client, Inbox, serve } from '../../ubus-js/bus.ts';
import { folder } from '../cli/program.ts';
import { noFaults } from '../../support/no-faults.ts';

const object: ObjectDefinition = {
  path: 'pptp',
  methods: {
    echo: method({ name: 'string?' }, (args) => ({ ...args })),
    refuse: method({}, () => {
      throw new UbusError('NOT_FOUND', 'there is none');
    }),
    wait: method({}, () => new Promise(() => undefined)),
  },
};

interface Opened {
  readonly buses: Buses;
  readonly path: string;
  readonly systemPath: string;
  readonly lines: Inbox<string>;
}

async function open(
  context: TestContext,
  dir = folder(context),
  path = join(dir, 'run/ubus.sock'),
): Promise<Opened> {
  const lines = new Inbox<string>();
  const systemPath = join(dir, 'system.sock');
  const buses = new Buses(systemPath, new Log(lines.put), noFaults());
  context.after(() => {
    buses.withdraw();
    buses.close();
  });
  await buses.open(path, object);
  return { buses, path, systemPath, lines };
}

async function connect(context: TestContext, path: string): Promise<ControlClient> {
  const control = await ControlClient.open(path);
  context.after(() => control.close());
  return control;
}

test('the command line is answered, and refused with a sentence', async (context) => {
  const { path } = await open(context);
  const control = await connect(context, path);
  assert.deepEqual(await control.call('echo', { name: 'änna\n☃' }), { name: 'änna\n☃' });
  await assert.rejects(control.call('refuse'), {
    name: 'UbusError',
    status: 'NOT_FOUND',
    message: 'there is none',
  });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(join(path, '..')).mode & 0o777, 0o700);
});

test('a second daemon is refused and the first one keeps its socket', async (context) => {
  const dir = folder(context);
  const { path } = await open(context, dir);
  const refused = {
    name: 'Fatal',
    exitCode: ExitCode.Failed,
    message: `another pptp-gateway is running: it serves ${path}`,
  };
  await assert.rejects(refuseSecond(path), refused);
  await assert.rejects(open(context, dir), refused);
  const control = await connect(context, path);
  assert.deepEqual(await control.call('echo'), {});
});

test('a path that cannot be served is one clear line, and nothing is lost', async (context) => {
  const dir = folder(context);
  const precious = join(dir, 'precious');
  writeFileSync(precious, 'data');
  await assert.rejects(open(context, dir, precious), {
    name: 'Fatal',
    exitCode: ExitCode.Failed,
    message: `control socket ${precious}: there is something that is not a socket`,
  });
  assert.equal(statSync(precious).size, 4);
  await assert.rejects(open(context, dir, join(precious, 'ubus.sock')), {
    name: 'Fatal',
    exitCode: ExitCode.Failed,
    message: /^control socket .*precious\/ubus\.sock: /,
  });
});

test('a daemon that is not running, or goes away, is one clear line', async (context) => {
  const dir = folder(context);
  mkdirSync(join(dir, 'empty'));
  for (const path of [join(dir, 'empty/ubus.sock'), join(dir, 'missing/ubus.sock')])
    await assert.rejects(ControlClient.open(path), {
      name: 'Fatal',
      exitCode: ExitCode.NotRunning,
      message: `the daemon is not running (nobody serves ${path}): start its service, or see in the log why it ended`,
    });
  const { buses, path } = await open(context);
  const control = await connect(context, path);
  const gone = {
    name: 'Fatal',
    exitCode: ExitCode.NotRunning,
    message: 'the daemon has gone away',
  };
  const waiting = assert.rejects(control.call('wait'), gone);
  await control.call('echo'); // the one before has arrived
  buses.withdraw();
  await waiting;
  await assert.rejects(control.call('echo'), gone);
  assert.equal(existsSync(path), false);
});

test('no ubusd is one quiet line; one that comes, goes and comes back has the object each time', async (context) => {
  const { buses, lines, systemPath } = await open(context);
  assert.equal(
    await lines.next(),
    `pptp info: ubus: nobody serves ${systemPath}; it is looked for quietly\n`,
  );
  buses.send('pptp.session', { action: 'up' }); // to nobody
  for (let round = 0; round < 2; round++) {
    const { server } = await serve(context, {}, systemPath);
    assert.equal(await lines.next(), `pptp info: ubus: connected to ${systemPath}\n`);
    const caller = await client(context, systemPath);
    const heard = new Inbox<unknown>();
    caller.listen('pptp.*', (event, data) => heard.put([event, data]));
    await caller.lookup('*');
    await caller.lookup('*');
    assert.deepEqual(await caller.call('pptp', 'echo', { name: 'x' }), { name: 'x' });
    buses.send('pptp.session', { action: 'up' });
    assert.deepEqual(await heard.next(), ['pptp.session', { action: 'up' }]);
    caller.close();
    server.close();
    assert.match(
      await lines.next(),
      /^pptp warning: ubus: .*system\.sock: .*; it is looked for again\n$/,
    );
  }
  assert.deepEqual(lines.left, []);
});

test('a bus that refuses the object is one line', async (context) => {
  const dir = folder(context);
  const { server } = await serve(context, { publish: false }, join(dir, 'system.sock'));
  const { lines, path } = await open(context, dir);
  assert.match(await lines.next(), /connected to/);
  assert.equal(
    await lines.next(),
    'pptp warning: ubus: object pptp was refused (PERMISSION_DENIED: permission denied); it is tried again\n',
  );
  const control = await connect(context, path);
  assert.deepEqual(await control.call('echo'), {}); // the own bus does not mind
  server.close();
});

test('events are heard on the own bus; its guests publish nothing', async (context) => {
  const { buses, path } = await open(context);
  const guest = await client(context, path);
  const heard = new Inbox<unknown>();
  guest.listen('pptp.session', (event, data) => heard.put([event, data]));
  await guest.lookup('*');
  await guest.lookup('*');
  buses.send('pptp.session', { action: 'down' });
  assert.deepEqual(await heard.next(), ['pptp.session', { action: 'down' }]);
  await assert.rejects(guest.send('pptp.session', {}), { status: 'PERMISSION_DENIED' });
});
