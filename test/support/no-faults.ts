/** Faults where none is expected: a fault fails the test. */
import assert from 'node:assert/strict';
import { Faults } from '../../src/daemon/engine/faults.ts';

export function noFaults(): Faults {
  return new Faults({
    line: (_level, text) => assert.fail(text),
    end: (what) => assert.fail(what),
  });
}
