/** Lines for OpenWrt's logd, on our own bus. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Log } from '../../../src/daemon/reports/log.ts';
import { syslogLine, SystemLog } from '../../../src/daemon/reports/system-log.ts';
import { method, UbusError, type ObjectDefinition } from '../../../src/ubus-js/index.ts';
import { client, folder, Inbox, serve } from '../../ubus-js/bus.ts';

function logd(write: (event: string) => void | Promise<void>): ObjectDefinition {
  const handle = async ({ event }: { event: string }) => {
    await write(event);
    return {};
  };
  return { path: 'log', methods: { write: method({ event: 'string' }, handle) } };
}

async function open(context: TestContext, path: string) {
  const stderr: string[] = [];
  const system = new SystemLog(path, (line) => stderr.push(line));
  context.after(() => system.close());
  await system.open();
  const log = new Log(
    (line) => stderr.push(line),
    (level, text) => system.take(level, text),
  );
  return { system, log, stderr };
}

test('a line has its severity and one name', () => {
  const date = new Date(2026, 10, 6, 7, 8, 9);
  const line = (level: 'error' | 'warning' | 'info' | 'debug') =>
    syslogLine(level, 'link office: connecting', 77, date);
  assert.equal(line('info'), '<30>Nov 06 07:08:09 pptp[77]: link office: connecting');
  // logd takes off 16 octets after the priority where the last one is a blank.
  assert.equal(line('info').replace('<30>', '').slice(16), 'pptp[77]: link office: connecting');
  assert.deepEqual(
    (['error', 'warning', 'debug'] as const).map((level) => line(level).slice(0, 4)),
    ['<27>', '<28>', '<31>'],
  );
});

test('lines go to logd in order, from the first one on', async (context) => {
  const { path, server } = await serve(context);
  const written = new Inbox<string>();
  server.add(logd(written.put));
  const { log, stderr } = await open(context, path);
  for (const n of [1, 2, 3]) log.line('warning', `line ${n}\nforged`);
  for (const n of [1, 2, 3]) {
    const line = await written.next();
    assert.match(line, /^<28>.{15} pptp\[\d+\]: /);
    assert.ok(line.endsWith(`: line ${n}?forged`), line);
  }
  assert.deepEqual(stderr, []);
});

test('without a bus or a logd lines go to stderr at once; a logd that comes gets the next ones', async (context) => {
  const none = await open(context, join(folder(context), 'nobody'));
  none.log.line('info', 'one');
  assert.deepEqual(none.stderr, ['pptp info: one\n']);

  const { path } = await serve(context);
  const { log, stderr } = await open(context, path);
  log.line('info', 'one');
  assert.deepEqual(stderr, ['pptp info: one\n']);
  const written = new Inbox<string>();
  (await client(context, path)).add(logd(written.put));
  for (let n = 0; written.left.length === 0; n++) {
    log.line('info', `again ${n}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const last = stderr.length;
  log.line('error', 'two');
  while (!(await written.next()).endsWith(': two'));
  assert.equal(stderr.length, last);
});

test('lines that logd refuses, or never answers, go to stderr', async (context) => {
  const { path, server } = await serve(context);
  server.add(
    logd(() => {
      throw new UbusError('UNKNOWN_ERROR', 'no memory');
    }),
  );
  const { log, stderr } = await open(context, path);
  log.line('info', 'one');
  while (stderr.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(stderr, ['pptp info: one\n']);

  const deaf = await serve(context);
  deaf.server.add(logd(() => new Promise(() => undefined)));
  const other = await open(context, deaf.path);
  for (let n = 0; n < 300; n++) other.log.line('info', `line ${n}`);
  assert.deepEqual(other.stderr[0], 'pptp info: line 256\n'); // as many are on their way
  assert.equal(other.stderr.length, 300 - 256);
  await other.system.close();
  assert.equal(new Set(other.stderr).size, 300); // none is lost
});
