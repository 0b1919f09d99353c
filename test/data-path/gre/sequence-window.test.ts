import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Drop } from '../../../src/data-path/drop.ts';
import {
  FOLLOWERS,
  MAX_JUMP,
  Sequence,
  SequenceWindow,
  WINDOW,
} from '../../../src/data-path/gre/sequence-window.ts';

/** The window as a list of all numbers ever seen. Numbers are not taken modulo 2^32. */
class Twin {
  #seen: Set<number> | undefined;
  #highest = 0;
  #far: number[] = [];

  accept(sequence: number): number {
    if (this.#seen === undefined) return this.#restart(sequence);
    const ahead = sequence - this.#highest;
    if (ahead > MAX_JUMP || ahead <= -WINDOW) return this.#farOff(sequence, ahead);
    if (this.#seen.has(sequence)) return Drop.duplicate;
    this.#far = [];
    this.#seen.add(sequence);
    if (ahead < 0) return Sequence.Reordered;
    this.#highest = sequence;
    return ahead === 1 ? Sequence.Next : Sequence.Ahead;
  }

  #farOff(sequence: number, ahead: number): number {
    const refused = ahead > 0 ? Drop.farFuture : Drop.late;
    const candidate = Math.max(...this.#far);
    if (this.#far.length === 0 || Math.abs(sequence - candidate) > WINDOW) this.#far = [sequence];
    else if (sequence !== candidate) this.#far.push(sequence);
    else return refused;
    if (this.#far.length < FOLLOWERS) return refused;
    const verdict = ahead > 1 ? Sequence.Ahead : Sequence.Next;
    this.#restart(sequence);
    return verdict;
  }

  #restart(sequence: number): number {
    this.#seen = new Set([sequence]);
    this.#highest = sequence;
    this.#far = [];
    return Sequence.Next;
  }
}

test('judges as a list of all numbers would, across the wrap at 2^32', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.constant(1) },
    { weight: 3, arbitrary: fc.integer({ min: -140, max: 140 }) },
    { weight: 1, arbitrary: fc.integer({ min: -3000, max: 3000 }) },
  );
  const start = fc.constantFrom(0, 1, 5000, 2 ** 31 - 40, 2 ** 32 - 40, 2 ** 32 - 1);
  fc.assert(
    fc.property(start, fc.array(step, { maxLength: 400 }), (from, steps) => {
      const window = new SequenceWindow(2);
      const twin = new Twin();
      let sequence = from + 2 ** 40; // the twin never wraps, and never gets below 0
      window.accept(0, 77); // another session
      for (const n of [0, ...steps]) {
        sequence += n;
        const wire = (sequence % 2 ** 32) | 0;
        assert.equal(window.accept(1, wire), twin.accept(sequence));
      }
    }),
    { numRuns: 200 },
  );
});

test('the first number may be any; the one before it may still come', () => {
  for (const first of [0, 1, 12345, -1]) {
    const window = new SequenceWindow(1);
    assert.equal(window.started(0), false);
    assert.equal(window.accept(0, first), Sequence.Next);
    assert.equal(window.accept(0, first - 1), Sequence.Reordered);
    assert.equal(window.accept(0, first - 1), Drop.duplicate);
    assert.equal(window.accept(0, first + 1), Sequence.Next);
  }
});

test('counts the numbers it passes over', () => {
  const window = new SequenceWindow(1);
  window.accept(0, 10);
  assert.equal(window.accept(0, 15), Sequence.Ahead);
  assert.equal(window.missing, 4);
  assert.equal(window.accept(0, 16), Sequence.Next);
  assert.equal(window.missing, 0);
});

test('a forged number far ahead does not shut the peer out', () => {
  const window = new SequenceWindow(1);
  for (let n = 0; n < 50; n++) {
    assert.equal(window.accept(0, n), Sequence.Next);
    assert.equal(window.accept(0, 1_000_000 + n), Drop.farFuture);
  }
});

test('a peer that went on far ahead is believed after a few packets, copies or swaps among them or not', () => {
  for (const numbers of [
    [5000, 5001, 5002, 5003],
    [5000, 5000, 5001, 5001, 5002, 5002, 5003],
    [5001, 5000, 5003, 5002],
    [5000, 5030, 5031, 5100],
  ]) {
    const window = new SequenceWindow(1);
    window.accept(0, 0);
    for (const n of numbers.slice(0, -1)) assert.equal(window.accept(0, n), Drop.farFuture);
    assert.equal(window.accept(0, numbers.at(-1)!), Sequence.Ahead);
    assert.equal(window.accept(0, 5103 + 1), Sequence.Ahead);
  }
});

test('a few forged numbers far ahead cannot spoil the count of lost packets for good', () => {
  const window = new SequenceWindow(1);
  window.accept(0, 0);
  for (let n = 0; n < FOLLOWERS; n++) window.accept(0, 2 ** 30 + n);
  assert.equal(window.missing, MAX_JUMP);
});

test('so is a peer that starts again from 0', () => {
  const window = new SequenceWindow(1);
  window.accept(0, 90_000);
  for (let n = 0; n < FOLLOWERS - 1; n++) assert.equal(window.accept(0, n), Drop.late);
  assert.equal(window.accept(0, FOLLOWERS - 1), Sequence.Next);
  assert.equal(window.accept(0, FOLLOWERS), Sequence.Next);
});

test('a reset slot starts anew', () => {
  const window = new SequenceWindow(1);
  window.accept(0, 500);
  window.reset(0);
  assert.equal(window.started(0), false);
  assert.equal(window.accept(0, 0), Sequence.Next);
  assert.equal(window.highest(0), 0);
});
