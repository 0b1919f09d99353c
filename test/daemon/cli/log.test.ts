import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExitCode } from '../../../src/daemon/exit-codes.ts';
import { Log } from '../../../src/daemon/reports/log.ts';
import { method, UbusServer } from '../../../src/ubus-js/index.ts';
import { standIn } from './stand-in.ts';
import { start } from './program.ts';

const serving = (log: Log) => ({
  log: method({ after: 'int32?' }, ({ after }: { after?: number }) => log.recent(after)),
});

test('the last lines, and with --follow those to come, over a new start of the daemon', async (context) => {
  const log = new Log(() => undefined);
  log.line('info', 'pptp-gateway 1.0.0 is running');
  const { bus, command, socket } = await standIn(context, {}, serving(log));
  const { stdout } = await command('log');
  assert.match(stdout, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d info: pptp-gateway 1\.0\.0 is running\n$/);

  const following = start(context, ['log', '--follow', '--socket', socket]);
  const json = start(context, ['log', '--follow', '--json', '--socket', socket]);
  await Promise.all([following.says(/is running\n/), json.says(/is running"\}\n/)]);
  log.line('warning', 'link office: waiting');
  await Promise.all([following.says(/warning: link office: waiting\n/), json.says(/waiting"\}\n/)]);

  bus.close();
  await following.says(/the daemon has gone away; waiting for it\n/);
  const next = new Log(() => undefined);
  next.line('info', 'it is another one now');
  const anew = await UbusServer.listen(socket, { publish: false });
  context.after(() => anew.close());
  anew.add({ path: 'pptp', methods: serving(next) });
  await Promise.all([following.says(/another one now\n/), json.says(/another one now"\}\n/)]);

  for (const each of [following, json]) each.process.kill('SIGTERM');
  const [text, lines] = await Promise.all([following.ended, json.ended]);
  assert.deepEqual([text.code, lines.code], [ExitCode.Ok, ExitCode.Ok]);
  assert.equal(text.stdout.split('\n').length, 4, text.stdout);
  const documents = lines.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  assert.deepEqual(Object.keys(documents[1]!), ['schema', 'time', 'level', 'text']);
});
