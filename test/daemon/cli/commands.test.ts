/** What holds for every command of the table, whoever has added it: its help, --json, its exit codes, its place in the docs. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  commandTable,
  exitsOf,
  optionsOf,
  type CommandEntry,
} from '../../../src/daemon/cli/command-table.ts';
import { usageOf } from '../../../src/daemon/cli/usage.ts';
import { ExitCode } from '../../../src/daemon/exit-codes.ts';
import { always, answers, parts } from '../../../tools/docs/json-fields.ts';
import { network } from './gateway.ts';
import { folder, root, run, start } from './program.ts';

const page = readFileSync(join(root, 'docs/command-line.md'), 'utf8');

/** A document has what the docs say, and nothing else. */
function isDocumented(document: object, fields: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(document) as [string, unknown][]) {
    const meaning = fields[name];
    assert.ok(meaning !== undefined, `${name} is not in tools/docs/json-fields.ts`);
    const part = parts[/(\w+)$/.exec(meaning)?.[1] ?? ''];
    if (part === undefined) continue;
    for (const each of Array.isArray(value) ? (value as unknown[]) : [value])
      if (typeof each === 'object' && each !== null) isDocumented(each, part);
  }
}

/** @throws it is not one document */
function answerIn(name: keyof typeof answers, stdout: string): Record<string, unknown> {
  const answer = JSON.parse(stdout) as Record<string, unknown>;
  assert.equal(answer['schema'], 1);
  isDocumented(answer, { ...always, ...answers[name] });
  return answer;
}

/** Words for what a command must be told. */
function operandsOf({ operands = [] }: CommandEntry, dir: string): string[] {
  const words: Readonly<Record<string, string>> = {
    NAME: 'office',
    FILE: join(dir, 'file'),
    pptpd: 'pptpd',
    ADDRESS: '192.0.2.1',
  };
  return operands.filter(({ optional }) => !optional).map(({ name }) => words[name] ?? 'nobody');
}

/** Options without which a command would not do for a test. */
const options: Readonly<Record<string, readonly string[]>> = {
  capture: ['--seconds', '1'],
  init: ['--user', 'anna'],
};

/** Commands that can do their work for any daemon. */
const harmless = [
  'status',
  'sessions',
  'failures',
  'counters',
  'capture',
  'reload',
  'init',
  'version',
  'help',
];

for (const command of commandTable) {
  const { name } = command;
  test(`${name}: its help, and its place in the docs`, () => {
    const help = usageOf(command);
    assert.match(help, new RegExp(`^usage: pptp-gateway ${name}\\b`));
    for (const option of optionsOf(command)) assert.ok(help.includes(`--${option}`), option);
    for (const code of exitsOf(command)) assert.match(help, new RegExp(`\\b${code}\\s[a-z]`));
    assert.equal(new Set(exitsOf(command)).size, exitsOf(command).length, 'a code is there twice');
    assert.ok(page.includes(`| \`${name}\` |`), 'it is not in the table of answers');
    assert.match(command.doc, /^[a-z].*[^.]$/);
  });
}

test('every command with --json', { concurrency: 2 }, async (context) => {
  const dir = folder(context, { network, pptp_users: '', pptp: '' });
  const socket = join(dir, 'run', 'ubus.sock');
  const words = ['run', '--config-dir', dir, '--socket', socket];
  const daemon = start(context, words, ['unshare', '--net']);
  await daemon.says(/is running/);
  const tests: Promise<void>[] = [];

  for (const command of commandTable.filter(({ follows }) => follows === undefined)) {
    const { name, asks } = command;
    const tried = async (t: TestContext, ...more: readonly string[]) => {
      const { code, stdout, stderr } = await run(t, [name, ...more, '--json']);
      assert.equal(stderr, '');
      const answer = answerIn(name, stdout);
      assert.equal(answer['exit_code'], code);
      assert.ok(exitsOf(command).includes(code as ExitCode), `exit code ${code}`);
      return answer;
    };

    const one = context.test(
      `${name}: one document, documented, and an exit code that is`,
      async (t) => {
        const own = folder(t);
        const { error } = await tried(
          t,
          ...operandsOf(command, own),
          ...(options[name] ?? []),
          ...(asks === undefined ? [] : ['--socket', socket]),
          ...(optionsOf(command).includes('config-dir') ? ['--config-dir', own] : []),
        );
        if (harmless.includes(name)) assert.equal(error, undefined);
      },
    );
    tests.push(one);

    if (asks === undefined) continue;
    const none = context.test(`${name}: one document where there is no daemon`, async (t) => {
      const own = folder(t);
      const socketOfNobody = join(own, 'nobody.sock');
      const answer = await tried(t, ...operandsOf(command, own), '--socket', socketOfNobody);
      assert.equal(answer['exit_code'], ExitCode.NotRunning);
      assert.equal((answer['error'] as { code: string }).code, 'NOT_RUNNING');
    });
    tests.push(none);
  }

  const usage = context.test('a usage error is one document, too', async (t) => {
    for (const wrong of [['stauts'], ['status', '--bogus'], ['dial'], []]) {
      const { code, stdout, stderr } = await run(t, [...wrong, '--json']);
      const { error, exit_code } = JSON.parse(stdout) as Record<string, { code: string }>;
      assert.deepEqual([code, exit_code, error?.code, stderr], [64, 64, 'USAGE', '']);
    }
  });
  await Promise.all([...tests, usage]);
});
