import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseArguments } from '../../../src/daemon/cli/arguments.ts';
import { commandTable } from '../../../src/daemon/cli/command-table.ts';
import { usage } from '../../../src/daemon/cli/usage.ts';
import { ExitCode, Fatal } from '../../../src/daemon/exit-codes.ts';

const defaults = {
  operands: [],
  configDir: '/etc/pptp-gateway', // this is no OpenWrt
  socket: '/var/run/pptp-gateway/ubus.sock',
  dial: false,
  router: 'auto',
  json: false,
  seconds: 600,
  secrets: false,
  ubus: '/var/run/ubus/ubus.sock',
  server: undefined,
  answers: {
    network: undefined,
    masquerade: undefined,
    dns: undefined,
    user: undefined,
  },
  passwordFile: undefined,
  month: undefined,
  sessions: false,
  address: undefined,
  output: undefined,
  all: false,
  sort: undefined,
  columns: undefined,
  watch: false,
  follow: false,
};

function fault(...words: string[]): string {
  try {
    parseArguments(words);
  } catch (error) {
    assert.ok(error instanceof Fatal);
    assert.equal(error.exitCode, ExitCode.Usage);
    return error.message;
  }
  return assert.fail(`accepted: ${words.join(' ')}`);
}

test('commands with their options, in any order', () => {
  assert.deepEqual(parseArguments(['status']), { ...defaults, command: 'status' });
  assert.deepEqual(parseArguments(['run', '--config-dir', '/tmp/x', '--dial']), {
    ...defaults,
    command: 'run',
    configDir: '/tmp/x',
    dial: true,
  });
  assert.deepEqual(
    parseArguments(['--socket=/s', 'capture', '--seconds', '5', 'file', '--secrets']),
    {
      ...defaults,
      command: 'capture',
      operands: ['file'],
      socket: '/s',
      seconds: 5,
      secrets: true,
    },
  );
  assert.deepEqual(parseArguments(['disconnect', '--', '-anna']).operands, ['-anna']);
});

test('check takes a server with or without a port', () => {
  const server = (text: string) => parseArguments(['check', '--server', text]).server;
  assert.deepEqual(server('vpn.example.com'), { host: 'vpn.example.com', port: 1723 });
  assert.deepEqual(server('192.0.2.1:99'), { host: '192.0.2.1', port: 99 });
  for (const text of ['', ':1', 'x:', 'x:y', 'x:1:2', 'x:123456'])
    assert.match(fault('check', `--server=${text}`), /^--server: expected HOST or HOST:PORT/);
  assert.match(fault('check', 'office', '--server', 'x'), /either NAME or --server/);
});

test('help and version, as people type them', () => {
  const asked = (...words: string[]) => {
    const { command, operands } = parseArguments(words);
    return [command, ...operands].join(' ');
  };
  for (const words of [['help'], ['--help'], ['-h'], ['-?'], ['help', '--help']])
    assert.equal(asked(...words), 'help');
  for (const words of [
    ['dial', '--help'],
    ['-h', 'dial'],
    ['help', 'dial'],
    ['dial', 'a', 'b', '-h'],
    ['dial', '--bogus', '-h'],
  ])
    assert.equal(asked(...words), 'help dial');
  for (const words of [['version'], ['--version'], ['-V'], ['-v'], ['status', '--version']])
    assert.equal(asked(...words), 'version');
  assert.match(fault('bogus', '-h'), /^unknown command 'bogus'/);
  assert.match(fault('help', 'stauts'), /did you mean status\?/);
});

test('what somebody may have meant', () => {
  for (const [word, meant] of Object.entries({
    stauts: 'status',
    sesions: 'sessions',
    disc: 'disconnect',
    recload: 'reload',
    hang_up: 'hangup',
    STATUS: 'status',
    radius_test: 'radius-test',
  }))
    assert.match(fault(word), new RegExp(`^unknown command '${word}': did you mean ${meant}\\?\n`));
  assert.match(fault('frobnicate'), /^unknown command 'frobnicate'\n/);
  assert.match(
    fault('status', '--jsno'),
    /^--jsno is no option of status: did you mean --json\?\n/,
  );
  assert.match(fault('status', '-json'), /^-json is no option of status: did you mean --json\?/);
});

test('usage errors say what is wrong, and how it is done', () => {
  assert.equal(fault(), `which command?\n${usage}`);
  assert.match(fault('bogus'), /^unknown command 'bogus'\npptp-gateway help /);
  assert.match(fault('toString'), /^unknown command/);
  assert.match(fault('dial'), /^dial needs NAME\nusage: pptp-gateway dial NAME$/);
  assert.match(fault('dial', 'a', 'b'), /^dial: 'b' is too much\nusage: /);
  assert.match(fault('disconnect', 'x', 'y'), /^disconnect: 'y' is too much/);
  assert.match(fault('status', '--bogus'), /^--bogus is no option of status.*\nusage: /s);
  assert.match(fault('disconnect', '-anna'), /^-anna is no option of disconnect .* behind --/);
  assert.match(fault('status', '--json=1'), /^--json takes no value/);
  assert.match(fault('run', '--config-dir', '--dial'), /^--config-dir: expected DIR/);
  assert.match(fault('run', '--config-dir'), /--config-dir/);
  for (const seconds of ['0', '-1', '1.5', 'x', '', '86401'])
    assert.match(
      fault('capture', 'f', `--seconds=${seconds}`),
      /--seconds: expected a whole number/,
    );
});

test('an option of another command is a usage error', () => {
  assert.match(fault('status', '--dial'), /^--dial is no option of status \(but of run\)\nusage: /);
  assert.match(fault('version', '--socket', 'x'), /^--socket is no option of version/);
});

test('every command of the usage is accepted and done by somebody', () => {
  const named = [...usage.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name]) => name);
  assert.deepEqual(
    named,
    commandTable.map(({ name }) => name),
  );
  for (const { name, operands = [] } of commandTable)
    assert.equal(
      parseArguments([name, ...operands.map(({ complete }) => (complete ? 'status' : 'x'))])
        .command,
      name,
    );
});

test('every exit code is in the usage', () => {
  for (const code of Object.values(ExitCode))
    assert.match(usage, new RegExp(`\\b${code}\\s[a-z]`), String(code));
});

test('no words make it throw anything but a usage error', () => {
  const word = fc.oneof(
    fc.constantFrom('run', 'status', 'dial', '--json', '--seconds', '--socket', '--', '-h', '5'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(word), (words) => {
      try {
        parseArguments(words);
      } catch (error) {
        assert.ok(error instanceof Fatal && error.exitCode === ExitCode.Usage, String(error));
      }
    }),
  );
});
