import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GiveBack } from '../../../src/daemon/engine/give-back.ts';

/** @param sessions at each look @returns what was said */
const looks = (of: GiveBack, ...sessions: readonly number[]) => sessions.map((n) => of.isDue(n));

describe('memory is given back', () => {
  test('twice after a start, whoever is there, and then no more', () => {
    assert.deepEqual(looks(new GiveBack(false), 0, 0, 0, 0), [true, true, false, false]);
    assert.deepEqual(looks(new GiveBack(false), 1, 1, 1, 1), [true, true, false, false]);
  });

  test('not while sessions of the program before go on, but when the last has ended', () => {
    assert.deepEqual(looks(new GiveBack(true), 2, 1, 0, 0, 0), [false, false, true, true, false]);
    assert.deepEqual(looks(new GiveBack(true), 0, 0, 0), [true, true, false]);
  });

  test('anew each time the last session has ended', () => {
    const of = new GiveBack(false);
    looks(of, 0, 0);
    assert.deepEqual(looks(of, 0, 3, 0, 1, 0, 0, 0), [false, false, true, false, true, true, false]); // prettier-ignore
  });
});
