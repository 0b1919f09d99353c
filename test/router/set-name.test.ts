import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSetName, shownSetName } from '../../src/router/set-name.ts';

test('a name alone is of the table that fw4 has', () => {
  assert.equal(parseSetName('staff'), 'inet fw4 staff');
  assert.equal(parseSetName(' inet  fw4 staff '), 'inet fw4 staff');
  assert.equal(parseSetName('ip filter guests.v4-2'), 'ip filter guests.v4-2');
  assert.equal(shownSetName('inet fw4 staff'), 'staff');
  assert.equal(shownSetName('ip filter staff'), 'ip filter staff');
});

test('what no set is called, or what nft would take for more than a name', () => {
  for (const text of [
    '',
    'fw4 staff',
    'inet fw4 staff extra',
    'bridge fw4 staff',
    'inet', // the family of a name that was taken apart
    'staff;flush',
    'staff}',
    '@staff',
    '"staff"',
    'st\naff',
    '-f',
    '1st',
    'größe',
    'a'.repeat(65),
  ])
    assert.equal(parseSetName(text), undefined, text);
});
