/** What the pages have from the sources is what `make docs` would write today. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { causesReference } from '../../../tools/docs/causes-reference.ts';
import { commandsReference } from '../../../tools/docs/commands-reference.ts';
import { generated } from '../../../tools/docs/main.ts';
import { between, withBetween } from '../../../tools/docs/markdown.ts';
import { optionsReference } from '../../../tools/docs/options-reference.ts';
import { commandTable, options } from '../../../src/daemon/cli/command-table.ts';
import {
  globalOptions,
  linkOptions,
  relayOptions,
  serverOptions,
  userOptions,
} from '../../../src/daemon/configuration/options.ts';
import { nasOptions, radiusOptions } from '../../../src/daemon/configuration/radius-options.ts';
import { causeCodes } from '../../../src/wire/cause.ts';

const root = resolve(import.meta.dirname, '../../..');

for (const { page, marker, text } of generated)
  test(`${page} is current`, () => {
    const current = between(readFileSync(join(root, page), 'utf8'), marker);
    assert.equal(current, text(), 'run: make docs');
  });

test('a page without the markers is refused', () => {
  for (const text of ['', '<!-- options:begin -->', '<!-- options:end --><!-- options:begin -->'])
    assert.throws(() => between(text, 'options'), /the page needs the markers/);
});

test('what is between the markers is replaced, and nothing else', () => {
  const before = 'a\n<!-- options:begin -->\nold\n<!-- options:end -->\nz\n';
  const after = withBetween(before, 'options', 'new');
  assert.equal(after, 'a\n<!-- options:begin -->\nnew\n<!-- options:end -->\nz\n');
  assert.equal(withBetween(after, 'options', 'new'), after);
});

/** The rows of all tables but their heads; each has as many cells as the head. */
function rows(text: string): string[][] {
  const cells = text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1));
  let width = 0;
  return cells.filter((row, index) => {
    const head = cells[index + 1]?.every((cell) => cell === ' --- ') === true;
    if (head) width = row.length;
    assert.equal(row.length, width, row.join('|'));
    return !head && row[0] !== ' --- ';
  });
}
const firstWords = (text: string) =>
  rows(text).map(([first = '']) => /[\w-]+(?=[` ])/.exec(first.replace('list ', ''))?.[0]);

test('every option, cause and command has one row', () => {
  const tables = [
    serverOptions,
    linkOptions,
    userOptions,
    globalOptions,
    relayOptions,
    radiusOptions,
    nasOptions,
  ];
  assert.deepEqual(firstWords(optionsReference()), tables.flatMap(Object.keys));
  assert.deepEqual(firstWords(causesReference()), causeCodes);
  const commands = commandTable.map(({ name }) => name);
  const named = firstWords(commandsReference());
  assert.deepEqual(named.slice(0, commands.length), commands);
  const ours = Object.keys(options).map((name) => `--${name}`);
  assert.deepEqual(named.slice(commands.length, commands.length + ours.length), ours);
  const answered = rows(commandsReference()).filter((cells) => cells.length === 3);
  assert.deepEqual(
    answered.map(([name]) => name?.trim()).slice(ours.length, ours.length + commands.length),
    commands.map((name) => `\`${name}\``),
  );
});
