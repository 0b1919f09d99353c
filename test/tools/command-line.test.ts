/** Manual page and completion follow from the command table. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { commandTable, exitCodes, options } from '../../src/daemon/cli/command-table.ts';
import { bashCompletion, manual, zshCompletion } from '../../tools/command-line.ts';

const names = commandTable.map(({ name }) => name);

test('the manual has every command, option and exit code', () => {
  const page = manual('1.2.3', new Date(0));
  assert.match(page, /^\.TH PPTP\\-GATEWAY 8 1970-01-01 "pptp\\-gateway 1\.2\.3"/);
  for (const name of names)
    assert.match(page, new RegExp(`^\\.B ${name.replace('-', '\\\\-')}( |$)`, 'm'));
  for (const name of Object.keys(options))
    assert.ok(page.includes(`\\-\\-${name.replaceAll('-', '\\-')}`), name);
  for (const code of Object.keys(exitCodes)) assert.match(page, new RegExp(`^\\.B ${code}$`, 'm'));
});

test('bash completes commands, options of a command, and their values', () => {
  const complete = (...words: string[]) => {
    const script = `${bashCompletion()}COMP_WORDS=(pptp-gateway "$@"); COMP_CWORD=$#; _pptp_gateway; echo "\${COMPREPLY[*]}"`;
    return execFileSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' }).trim();
  };
  assert.equal(complete(''), names.join(' '));
  assert.equal(complete('st'), 'status');
  assert.equal(complete('check', ''), '--server --socket --json --help');
  assert.equal(complete('import', 'p'), 'pptpd');
  assert.equal(complete('help', 'st'), 'status');
  assert.equal(complete('run', '--router', 'i'), 'iproute');
  assert.match(complete('capture', '/etc/hostnam'), /\/etc\/hostname/);
});

test('zsh is told of every command and option', () => {
  const text = zshCompletion();
  for (const name of names) assert.ok(text.includes(`  '${name}:`), name);
  for (const name of Object.keys(options).filter((each) => each !== 'version'))
    assert.ok(text.includes(`'--${name}[`), name);
});
