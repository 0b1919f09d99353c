import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Schedule } from '../../../src/daemon/engine/schedule.ts';

/** The same by looking at everything every time. */
class SlowSchedule {
  private readonly deadlines = new Map<string, number>();

  set(item: string, at: number | undefined): void {
    if (at === undefined) this.deadlines.delete(item);
    else this.deadlines.set(item, at);
  }

  next(): number | undefined {
    return this.deadlines.size === 0 ? undefined : Math.min(...this.deadlines.values());
  }

  /** All that may come next: of equal deadlines either does. */
  candidates(now: number): string[] {
    const first = this.next();
    return first === undefined || first > now
      ? []
      : [...this.deadlines].filter(([, at]) => at === first).map(([item]) => item);
  }
}

type Step = { set: string; at: number | undefined } | { due: number };

const item = fc.constantFrom(...'abcdefghijklmnop'.split(''));
const time = fc.integer({ min: 0, max: 20 }); // few, so that many are equal
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ set: item, at: fc.option(time, { nil: undefined }) }), weight: 4 },
  { arbitrary: fc.record({ due: time }), weight: 1 },
);

test('does what looking at everything would do', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const schedule = new Schedule<string>();
      const twin = new SlowSchedule();
      const takeDue = (now: number) => {
        const expected = twin.candidates(now);
        const found = schedule.due(now);
        assert.equal(found !== undefined, expected.length > 0);
        if (found === undefined) return false;
        assert.ok(expected.includes(found), `${found} instead of one of ${expected.join()}`);
        twin.set(found, undefined);
        return true;
      };
      for (const each of steps) {
        if ('due' in each) takeDue(each.due);
        else {
          schedule.set(each.set, each.at);
          twin.set(each.set, each.at);
        }
        assert.equal(schedule.next(), twin.next());
      }
      while (takeDue(Infinity)); // everything comes out once, in order
      assert.equal(schedule.next(), undefined);
    }),
    { numRuns: 500 },
  );
});

test('an item that is moved is not due at its old time', () => {
  const schedule = new Schedule<string>();
  schedule.set('a', 10);
  schedule.set('a', 30);
  assert.equal(schedule.due(29), undefined);
  assert.equal(schedule.due(30), 'a');
  assert.equal(schedule.due(30), undefined);
});

test('removing what was never set is nothing', () => {
  const schedule = new Schedule<string>();
  schedule.set('a', undefined);
  assert.equal(schedule.next(), undefined);
});
