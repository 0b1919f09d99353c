/** The ubus object `pptp` of the running daemon, as others on the system's bus see it; in a network namespace. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { CheckDocument } from '../../src/daemon/tunnels/checks.ts';
import type { LogEntry } from '../../src/daemon/reports/log.ts';
import type { ProblemDocument, StatusDocument } from '../../src/daemon/reports/documents.ts';
import type { Table, UbusClient } from '../../src/ubus-js/index.ts';
import { inNamespace } from '../native/namespace.ts';
import { client, Inbox, onEachBus, serve } from '../ubus-js/bus.ts';
import { gateway, network } from './cli/gateway.ts';
import { folder, start } from './cli/program.ts';

const onBus = (context: TestContext, path: string) =>
  gateway(
    context,
    network,
    ['--ubus', path],
    /is running[^]*connected to|connected to[^]*is running/,
  );

/** Calls that reach the object once it is there. */
async function caller(context: TestContext, path: string) {
  const bus = await client(context, path);
  while ((await bus.lookup('pptp')).length === 0);
  const call = (method: string, args: Table = {}) => bus.call('pptp', method, args);
  const refused = (method: string, args: Table, status: string, message: string | RegExp) =>
    assert.rejects(call(method, args), { name: 'UbusError', status, message });
  return { bus, call, refused };
}

async function checked(
  call: (method: string, args?: Table) => Promise<Table>,
  args: Table,
): Promise<CheckDocument> {
  const { id } = await call('server' in args ? 'check_server' : 'check', args);
  assert.equal(typeof id, 'number');
  for (;;) {
    const found = (await call('check_status', { id: id! })) as CheckDocument;
    if (found.done) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const results = ({ steps }: CheckDocument) =>
  steps.map(({ step, result }) => `${step} ${result}`).join(', ');

inNamespace('ubus', import.meta.url, () => {
  onEachBus((bus, real) => {
    test('its methods have signatures, and hold callers to them', async (context) => {
      const path = await bus(context);
      await onBus(context, path);
      const { bus: other, refused } = await caller(context, path);
      const [found] = await other.lookup('pptp');
      assert.deepEqual(found?.signature, {
        status: {},
        log: { after: 'int32' },
        metrics: { sessions: 'bool' },
        usage: { username: 'string', link: 'string', month: 'string', after: 'string' },
        usage_save: {},
        upgrade: {},
        failures: {},
        counters: {},
        reload: {},
        sessions: { server: 'string', after: 'int32' },
        disconnect: { id: 'int32', username: 'string' },
        bans: { after: 'string' },
        unban: { address: 'string', all: 'bool' },
        dial: { interface: 'string' },
        hangup: { interface: 'string' },
        link_setup: { interface: 'string' },
        link_teardown: { interface: 'string' },
        check: { interface: 'string' },
        check_server: { server: 'string', port: 'int32' },
        radius_test: { name: 'string', username: 'string', password: 'string' },
        client_setup: {
          format: 'string',
          username: 'string',
          server: 'string',
          address: 'string',
          routes: 'array',
        },
        check_status: { id: 'int32' },
        ping: { interface: 'string' },
        capture_start: { seconds: 'int32', bytes: 'int32' },
        capture_secrets: { seconds: 'int32', bytes: 'int32' },
        capture_stop: {},
      });
      for (const [method, types] of Object.entries(found.signature)) {
        await refused(method, { nonsense: 1 }, 'INVALID_ARGUMENT', /^expected|^unknown argument/);
        for (const name of Object.keys(types))
          await refused(method, { [name]: [] }, 'INVALID_ARGUMENT', /^expected \w+ \(\w+\)$/);
      }
      await refused('dial', {}, 'INVALID_ARGUMENT', 'expected interface (string)');
      await refused('check_status', {}, 'INVALID_ARGUMENT', 'expected id (int32)');
      await refused('disconnect', {}, 'INVALID_ARGUMENT', /^expected id/);
      await refused('disconnect', { id: 1, username: 'x' }, 'INVALID_ARGUMENT', /^expected id/);
      await refused('check', {}, 'INVALID_ARGUMENT', /^expected interface/);
      await refused('capture_start', { seconds: 0 }, 'INVALID_ARGUMENT', /^expected seconds/);
      for (const server of ['', 'no host', "x'y", '-x', 'a:1'])
        await refused('check_server', { server }, 'INVALID_ARGUMENT', /expected a host name/);
      await refused(
        'check_server',
        { server: 'x', port: 0 },
        'INVALID_ARGUMENT',
        /^port: expected/,
      );
      for (const login of [
        { username: 'anna' },
        { password: 'x' },
        { username: 'a\n', password: 'x' },
      ])
        await refused(
          'radius_test',
          { name: 'main', ...login },
          'INVALID_ARGUMENT',
          /^(username|password): expected/,
        );
      await refused('nonsense', {}, 'METHOD_NOT_FOUND', "pptp has no method 'nonsense'");
    });

    test('what is not there is NOT_FOUND, with a sentence', async (context) => {
      const path = await bus(context);
      await onBus(context, path);
      const { call, refused } = await caller(context, path);
      await refused('disconnect', { id: 9 }, 'NOT_FOUND', 'there is no session with id 9');
      await refused('disconnect', { username: 'eve' }, 'NOT_FOUND', /of user 'eve'$/);
      await refused('dial', { interface: 'home' }, 'NOT_FOUND', /^there is no link 'home'/);
      await refused('hangup', { interface: 'x' }, 'NOT_FOUND', /there are: office$/);
      await refused('check', { interface: 'x' }, 'NOT_FOUND', /there are: office$/);
      await refused('radius_test', { name: 'x' }, 'NOT_FOUND', /^there is no RADIUS server 'x'/);
      await refused('ping', { interface: 'x' }, 'NOT_FOUND', /there are: office$/);
      await refused('ping', { interface: 'office' }, 'NOT_FOUND', "link 'office' is not up");
      await refused(
        'client_setup',
        { format: 'x', username: 'a' },
        'INVALID_ARGUMENT',
        /^format: expected windows/,
      );
      const bad = { format: 'windows', username: 'a', routes: ['10.1'] };
      await refused('client_setup', bad, 'INVALID_ARGUMENT', /^routes: expected networks/);
      await refused(
        'client_setup',
        { format: 'windows', username: 'x' },
        'NOT_FOUND',
        /^there is no user 'x'/,
      );
      await refused('check_status', { id: 99 }, 'NOT_FOUND', /^there is no such check/);
      await refused('sessions', { server: 'x' }, 'NOT_FOUND', "there is no server 'x'");
      await refused('capture_stop', {}, 'NOT_FOUND', 'no capture is running');
      assert.deepEqual(await call('sessions', { server: 'home', after: 3 }), { sessions: [] });
      assert.deepEqual(await call('failures'), { failures: [] });
      const { servers, links, relays } = await call('status');
      assert.deepEqual(
        [servers, links, relays].map((list) => (list as Table[]).map(({ name }) => name)),
        [['home'], ['office'], []],
      );
      const { gre, calls, counted } = await call('counters');
      for (const counters of [gre, calls, counted]) assert.equal(typeof counters, 'object');
    });

    test('checks are started and polled: a link, and a server without an account', async (context) => {
      const path = await bus(context);
      await onBus(context, path);
      const { call } = await caller(context, path);
      const link = await checked(call, { interface: 'office' });
      assert.equal(link.name, 'office');
      assert.equal(link.cause?.code, 'NO_ROUTE');
      assert.match(results(link), /^name ok, tcp failed, control not reached/);
      const server = await checked(call, { server: '127.0.0.1' }); // ourselves
      assert.equal(server.name, '127.0.0.1');
      assert.equal(results(server), 'name ok, tcp ok, control ok, call ok, gre ok');
      assert.equal(server.cause, undefined);
      const closed = await checked(call, { server: '127.0.0.1', port: 1 });
      assert.equal(closed.cause?.code, 'CONNECT_REFUSED');
      const { failures } = await call('failures');
      assert.doesNotMatch(JSON.stringify(failures), /AUTH/); // nobody tried to log in
    });

    test('a capture is a file of ours; one at a time', async (context) => {
      const path = await bus(context);
      const daemon = await onBus(context, path);
      const { call, refused } = await caller(context, path);
      const args = { seconds: 60, bytes: 1000 };
      const { path: file } = (await call('capture_start', args)) as { path: string };
      assert.equal(dirname(file), join(daemon.dir, 'run'));
      await refused('capture_start', {}, 'UNKNOWN_ERROR', /^a capture is running already/);
      const { capture } = (await call('status')) as StatusDocument;
      assert.deepEqual(
        { ...capture, since: 0, seconds_left: 0 },
        {
          path: file,
          since: 0,
          packets: 0,
          seconds_left: 0,
        },
      );
      assert.ok(capture!.seconds_left > 30 && Math.abs(capture!.since - Date.now() / 1000) < 30);
      const stopped = await call('capture_stop');
      assert.deepEqual(stopped, { path: file, packets: 0, omitted: 0 });
      assert.ok(existsSync(file));
      await refused('capture_stop', {}, 'NOT_FOUND', 'no capture is running');

      const { path: second } = (await call('capture_start', { seconds: 1 })) as { path: string };
      while (((await call('status')) as StatusDocument).capture !== undefined)
        await new Promise((resolve) => setTimeout(resolve, 50));
      assert.deepEqual(await call('capture_stop'), { path: second, packets: 0, omitted: 0 });
      await refused('capture_stop', {}, 'NOT_FOUND', 'no capture is running');

      // One with secrets has another name, so that rights can tell.
      await refused('capture_start', { secrets: true }, 'INVALID_ARGUMENT', /secrets/);
      assert.match(second, /\/capture-\d+\.pcap$/);
      const { path: third } = (await call('capture_secrets', {})) as { path: string };
      assert.match(third, /\/secrets-\d+\.pcap$/);
      await call('capture_stop');
      await call('capture_start', {});
      assert.equal(existsSync(third), false);
      await call('capture_stop');
    });

    test('the last lines of our own log', async (context) => {
      const path = await bus(context);
      await onBus(context, path);
      const { call } = await caller(context, path);
      await call('reload');
      const { log } = (await call('log')) as { log: readonly LogEntry[] };
      assert.ok(log.some(({ text }) => text.startsWith('server home: listening on port 1723')));
      assert.deepEqual(
        { ...log.at(-1)!, time: 0 },
        { time: 0, level: 'info', text: 'configuration read again' },
      );
      assert.ok(Math.abs(log.at(-1)!.time - Date.now() / 1000) < 60);
    });

    test('reload answers with what is not in force, and why', async (context) => {
      const path = await bus(context);
      const daemon = await onBus(context, path);
      const { call } = await caller(context, path);
      writeFileSync(join(daemon.dir, 'network'), network.replaceAll(/192.168.99.0.24|geheim/g, ''));
      const { faults } = (await call('reload')) as { faults: readonly ProblemDocument[] };
      const status = async () => (await call('status')) as StatusDocument;
      const { config, problems, servers } = await status();
      assert.equal(config, 'partial');
      const errors = problems.filter(({ severity }) => severity === 'error');
      assert.deepEqual(errors, faults);
      assert.deepEqual(
        errors.map(({ severity, file, section, option, kept }) => [
          severity,
          file,
          section,
          option,
          kept,
        ]),
        [
          ['error', 'network', 'home', 'network', true],
          ['error', 'network', 'office', 'password', true],
        ],
      );
      assert.deepEqual(
        servers.map(({ name, state }) => [name, state]),
        [['home', 'listening']],
      );
      writeFileSync(join(daemon.dir, 'network'), network);
      assert.deepEqual(await call('reload'), { faults: [] });
      const mended = await status();
      assert.deepEqual([mended.config, mended.problems], ['current', []]);
    });

    test('events tell of links', async (context) => {
      const path = await bus(context);
      await onBus(context, path);
      const { bus: other, call } = await caller(context, path);
      const heard = await listening(other);
      const next = async () => {
        const [event, data] = await heard.next();
        assert.deepEqual([event, data['link']], ['pptp.link', 'office']);
        return data;
      };
      await call('dial', { interface: 'office' });
      assert.equal((await next())['state'], 'connecting');
      const { state, cause } = await next();
      assert.equal(state, 'waiting');
      assert.equal((cause as { code: string }).code, 'NO_ROUTE');
      await call('hangup', { interface: 'office' });
      assert.equal((await next())['state'], 'down');
    });

    test('the object goes with the daemon, which ends at once', async (context) => {
      const path = await bus(context);
      const daemon = await onBus(context, path);
      const { bus: other } = await caller(context, path);
      daemon.process.kill('SIGTERM');
      assert.equal((await daemon.ended).code, 0);
      assert.deepEqual(await other.lookup('pptp'), []);
    });

    if (real) return;
    test('an ubusd that starts later, and anew, has the object again', async (context) => {
      const path = join(folder(context), 'ubus.sock');
      const dir = folder(context, { network });
      const words = ['run', '--config-dir', dir, '--socket', join(dir, 'ubus.sock')];
      const daemon = start(context, [...words, '--ubus', path]);
      await daemon.says(/nobody serves .*ubus\.sock; it is looked for quietly/);
      for (let round = 0; round < 3; round++) {
        const { server } = await serve(context, {}, path);
        const { call } = await caller(context, path);
        assert.deepEqual(await call('sessions'), { sessions: [] });
        server.close();
      }
      daemon.process.kill('SIGTERM');
      const { code, stderr } = await daemon.ended;
      assert.equal(code, 0);
      assert.equal(stderr.match(/nobody serves/g)?.length, 1, stderr);
    });
  });
});

async function listening(bus: UbusClient): Promise<Inbox<[string, Table]>> {
  const heard = new Inbox<[string, Table]>();
  bus.listen('pptp.*', (event, data) => heard.put([event, data]));
  await bus.lookup('pptp');
  await bus.lookup('pptp');
  return heard;
}
