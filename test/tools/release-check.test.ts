/** What make release-check looks at in the sources is in order at every commit, but for changes that no version has yet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { licenceFaults, sourceFaults } from '../../tools/release-check.ts';

test('licences stand where they are looked for', () => {
  assert.deepEqual(licenceFaults(), []);
});

test('one version, a changelog of it, pages that are current', () => {
  const faults = sourceFaults().filter((fault) => !fault.endsWith('changes that no version has'));
  assert.deepEqual(faults, []);
});
