import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseConfiguration } from '../../../src/daemon/configuration/configuration.ts';
import { ExitCode } from '../../../src/daemon/exit-codes.ts';
import { folder, root, run } from './program.ts';

const text = (dir: string, file: string) => readFileSync(join(dir, file), 'utf8');
const parsed = (dir: string) =>
  parseConfiguration({ network: text(dir, 'network'), pptp_users: text(dir, 'pptp_users') });

test('init: options become a server and a user, and the password stands nowhere but in its file', async (t) => {
  const dir = folder(t, { network: '# mine\n', password: "it's geheim\nnot this\n" });
  const { code, stdout, stderr } = await run(t, [
    ...['init', '--config-dir', dir, '--network', '10.99.0.0/24', '--masquerade', 'no'],
    ...[
      '--dns',
      '9.9.9.9,1.1.1.1',
      '--user',
      'DOM\\anna',
      '--password-file',
      join(dir, 'password'),
    ],
  ]);
  assert.deepEqual([code, stderr], [ExitCode.Ok, '']);
  assert.doesNotMatch(stdout, /geheim/);
  assert.match(stdout, /rasdial pptp-gateway 'DOM\\anna' \*/);
  assert.match(text(dir, 'network'), /^# mine\n\nconfig interface 'home'\n/);
  const { servers, users, warnings } = parsed(dir);
  assert.deepEqual(warnings, []);
  assert.deepEqual(
    [servers[0]!.localAddress, servers[0]!.dns.length, servers[0]!.masquerade],
    [0x0a630001, 2, false],
  );
  assert.equal(users[0]!.username, 'DOM\\anna');
  assert.equal(statSync(join(dir, 'pptp_users')).mode & 0o777, 0o600);
});

test('init: without a terminal what is proposed is taken, and a password is made up', async (t) => {
  const dir = join(folder(t), 'etc/pptp-gateway');
  const { code, stdout } = await run(t, ['init', '--config-dir', dir, '--user', 'anna']);
  assert.equal(code, ExitCode.Ok);
  const [, password = ''] = /password {5}([a-zA-Z2-9]{20}) /.exec(stdout) ?? [];
  assert.match(text(dir, 'pptp_users'), new RegExp(`option password '${password}'`));
  assert.equal(parsed(dir).servers[0]!.masquerade, true);

  const again = await run(t, ['init', '--config-dir', dir, '--user', 'bob']);
  assert.equal(again.code, ExitCode.Failed);
  assert.match(again.stderr, /there is a server already, interface 'home' in .*: nothing was/);
  assert.doesNotMatch(text(dir, 'pptp_users'), /bob/);
});

test('init: what is no answer is a usage error, and changes nothing', async (t) => {
  const dir = folder(t, { pptp_users: "config user 'anna'\n\toption username 'anna'\n" });
  const before = text(dir, 'pptp_users');
  for (const [words, said] of [
    [[], '--user: expected a user name'],
    [['--user', 'anna'], '--user: expected .* that nobody has yet'],
    [['--user', 'bob', '--network', '127.0.0.0/24'], '--network: expected a network from /16'],
    [['--user', 'bob', '--masquerade', 'perhaps'], '--masquerade: expected yes or no'],
    [['--user', 'bob', '--dns', '1.1.1.1,9.9.9.9,8.8.8.8'], '--dns: expected one or two'],
    [['--user', 'bob', '--password-file', '/dev/null'], '--password-file: expected a password'],
  ] as const) {
    const { code, stderr } = await run(t, ['init', '--config-dir', dir, ...words]);
    assert.equal(code, ExitCode.Usage, said);
    assert.match(stderr, new RegExp(`^pptp-gateway: ${said}`));
  }
  assert.deepEqual([readdirSync(dir), text(dir, 'pptp_users')], [['pptp_users'], before]);
});

test('init: a full disk is said, and leaves everything as it was', async (t) => {
  const dir = folder(t);
  const full = `mount -t tmpfs -o size=4k none ${dir} && (head -c 4k /dev/zero >${dir}/filler; true) && "$0" "$@"; code=$?; ls -A ${dir}; exit $code`;
  const { code, stdout, stderr } = await run(
    t,
    ['init', '--config-dir', dir, '--user', 'anna'],
    ['unshare', '--mount', 'sh', '-c', full],
  );
  assert.equal(code, ExitCode.Failed);
  assert.match(stderr, /^pptp-gateway: .* cannot be written to: ENOSPC: no space left on device/);
  assert.equal(stdout, 'filler\n');
});

test('init: five questions at a terminal, asked again where the answer is none', async (t) => {
  const dir = join(folder(t), 'new');
  const program = `${process.execPath} --import tsx ${join(root, 'src/daemon/main.ts')}`;
  const terminal = spawn('script', ['-qec', `${program} init --config-dir ${dir}`, '/dev/null'], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  const asked = async (question: RegExp, answer: string) => {
    while (!question.test(shown)) await once(terminal.stdout, 'data');
    shown = '';
    terminal.stdin.write(`${answer}\n`);
  };
  terminal.stdout.setEncoding('utf8').on('data', (more: string) => (shown += more));
  const ended = once(terminal, 'close');
  await asked(/Network of the tunnels.*\[192\.168\.9\d\.0\/24\]: /, '');
  await asked(/May callers reach.*\[yes\]: /, 'perhaps');
  await asked(/Expected yes or no[^]*May callers reach.*\[yes\]: /, 'y');
  await asked(/DNS servers.*: /, 'none');
  await asked(/Name of the first user: /, 'anna');
  await asked(/Password, twice the same.*: /, 'geheim');
  await asked(/Once more: /, 'geheim');
  const [code] = (await ended) as [number];
  assert.equal(code, 0);
  assert.doesNotMatch(shown, /geheim/);
  assert.match(text(dir, 'pptp_users'), /option password 'geheim'/);
  assert.ok(existsSync(join(dir, 'network')));
});
