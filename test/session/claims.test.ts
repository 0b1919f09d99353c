import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Claims } from '../../src/session/claims.ts';

function taken(claims: Claims): { given: string[]; take: (name: string) => () => void } {
  const given: string[] = [];
  return { given, take: (name) => claims.add(() => given.push(name)) };
}

test('what was taken is given back once, by whoever is first', () => {
  const claims = new Claims();
  const { given, take } = taken(claims);
  const release = take('place');
  take('address');
  release();
  release();
  assert.deepEqual(given, ['place']);
  claims.close();
  claims.close();
  assert.deepEqual(given, ['place', 'address']);
});

test('what is taken after the end is given back at once', () => {
  const claims = new Claims();
  const { given, take } = taken(claims);
  claims.close();
  take('late');
  assert.deepEqual(given, ['late']);
});

test('what cannot be given back keeps nothing else from it', () => {
  const claims = new Claims();
  const { given, take } = taken(claims);
  take('first');
  claims.add(() => {
    throw new Error('second');
  });
  take('third');
  assert.throws(() => claims.close(), /second/);
  assert.deepEqual(given, ['first', 'third']);
});
