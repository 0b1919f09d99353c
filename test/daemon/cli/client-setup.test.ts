/** `windows`, `networkmanager` and `routeros` on the command line. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ExitCode } from '../../../src/daemon/exit-codes.ts';
import { folder, run, start } from './program.ts';

const PASSWORD = 'Quartz-Lantern-62-Orbit';

test('files for a user, printed or written, and what is wrong with a wish for one', async (t) => {
  const server = (name: string, third: number) => `config interface '${name}'
	option proto 'pptpserver'
	option localip '192.168.${third}.1'
	option network '192.168.${third}.0/24'
	option disabled '${name === 'lab' ? 1 : 0}'
	list client_route '10.20.0.0/16'
	option domain 'office.lan'
`;
  const dir = folder(t, {
    network: server('home', 99) + server('lab', 98),
    pptp_users: `config user\n\toption username "o'brien"\n\toption password '${PASSWORD}'\n`,
  });
  const socket = join(dir, 'run', 'ubus.sock');
  const daemon = start(t, ['run', '--config-dir', dir, '--socket', socket]);
  await daemon.says(/is running/);
  const output = join(dir, 'home.ps1');
  const asked = (...words: string[]) => run(t, [...words, '--socket', socket]);
  const address = ['--address', 'vpn.example.com'];
  const [
    printed,
    written,
    manager,
    mikrotik,
    json,
    unfilled,
    unknown,
    elsewhere,
    impossible,
    noFolder,
  ] = await Promise.all([
    asked('windows', "o'brien", ...address),
    asked('windows', "o'brien", 'home', ...address, '--output', output),
    asked('networkmanager', "o'brien", ...address),
    asked('routeros', "o'brien", ...address),
    asked('routeros', "o'brien", ...address, '--json'),
    asked('windows', "o'brien"),
    asked('windows', 'bert'),
    asked('windows', "o'brien", 'lab'),
    asked('windows', "o'brien", '--address', 'a b'),
    asked('windows', "o'brien", '--output', join(dir, 'none', 'x.ps1')),
  ]);
  for (const { code, stderr } of [printed, written, manager, mikrotik, json, unfilled])
    assert.deepEqual([code, stderr], [ExitCode.Ok, '']);
  assert.match(printed.stdout, /^\$User = 'o''brien'\r$/m);
  assert.match(printed.stdout, /^\$Server = 'vpn\.example\.com'\r$/m);
  assert.equal(written.stdout, '');
  assert.equal(readFileSync(output, 'utf8'), printed.stdout);
  assert.equal(statSync(output).mode & 0o777, 0o600);
  assert.match(manager.stdout, /^user=o'brien$/m);
  assert.match(mikrotik.stdout, /user="o\\27brien"/);
  const { file, text } = JSON.parse(json.stdout) as Record<string, unknown>;
  assert.deepEqual([file, text], ['home.rsc', mikrotik.stdout]);
  assert.match(unfilled.stdout, /ADDRESS-OF-THIS-ROUTER/);
  for (const { stdout } of [printed, manager, mikrotik, unfilled])
    assert.ok(!stdout.includes(PASSWORD));

  assert.deepEqual([unknown.code, elsewhere.code], [ExitCode.NotFound, ExitCode.NotFound]);
  assert.match(unknown.stderr, /there is no user 'bert'/);
  assert.match(elsewhere.stderr, /may call home, not 'lab'/);
  assert.match(impossible.stderr, /address: expected a host name or an IPv4 address/);
  assert.deepEqual([impossible.code, noFolder.code], [ExitCode.Usage, ExitCode.Failed]);
  assert.match(noFolder.stderr, /x\.ps1 cannot be written/);
});
