import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Checks } from '../../src/daemon/checks.ts';
import { steps } from '../../src/session/ports.ts';
import { session } from './status.ts';

test('a link that is up has passed every step, and says what it found', () => {
  const checks = new Checks();
  const id = checks.passedLink('office', { ...session, kind: 'link', name: 'office' });
  const document = checks.status(id);
  assert.ok(document);
  assert.deepEqual(
    [document.id, document.name, document.done, document.cause],
    [id, 'office', true, undefined],
  );
  assert.deepEqual(
    document.steps.map(({ step, result }) => [step, result]),
    steps.map((step) => [step, 'ok']),
  );
  const details = Object.fromEntries(document.steps.map(({ step, detail }) => [step, detail]));
  assert.equal(details['tcp'], '203.0.113.9 (the link is up)');
  assert.equal(details['encryption'], 'mppe-128 (the link is up)');
  assert.equal(details['name'], '(the link is up)');
});

test('old checks are forgotten, the newest are kept', () => {
  const checks = new Checks();
  const ids = Array.from({ length: 100 }, () => checks.passedLink('office', session));
  assert.equal(new Set(ids).size, 100);
  const kept = ids.filter((id) => checks.status(id) !== undefined);
  assert.deepEqual(kept, ids.slice(-16));
  assert.equal(checks.status(12345), undefined);
});
