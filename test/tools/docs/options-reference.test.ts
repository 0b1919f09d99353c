/** README.md's reference of options is what the option table says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  optionsReference,
  referenceIn,
  withReference,
} from '../../../tools/docs/options-reference.ts';
import {
  globalOptions,
  linkOptions,
  relayOptions,
  serverOptions,
  userOptions,
} from '../../../src/daemon/configuration/options.ts';

test('README.md has the reference of today', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  assert.equal(
    referenceIn(readme),
    optionsReference(),
    'run: node --import tsx tools/docs/options-reference.ts --write',
  );
});

test('a README without the markers is refused', () => {
  for (const text of ['', '<!-- options:begin -->', '<!-- options:end --><!-- options:begin -->'])
    assert.throws(() => referenceIn(text), /README\.md needs the markers/);
});

test('what is between the markers is replaced, and nothing else', () => {
  const before = 'a\n<!-- options:begin -->\nold\n<!-- options:end -->\nz\n';
  const after = withReference(before, 'new');
  assert.equal(after, 'a\n<!-- options:begin -->\nnew\n<!-- options:end -->\nz\n');
  assert.equal(withReference(after, 'new'), after);
});

test('every option has one row of five cells', () => {
  const rows = optionsReference()
    .split('\n')
    .filter((line) => /^\| (list )?`/.test(line));
  const names = [serverOptions, linkOptions, userOptions, globalOptions, relayOptions].flatMap(
    Object.keys,
  );
  assert.deepEqual(
    rows.map((row) => /`(\w+)`/.exec(row)![1]),
    names,
  );
  for (const row of rows) assert.equal(row.split(/(?<!\\)\|/).length, 7, row);
});
