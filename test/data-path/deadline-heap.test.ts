import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DeadlineHeap } from '../../src/data-path/deadline-heap.ts';

test('behaves as deadlines that are searched', () => {
  const operation = fc.record({
    what: fc.constantFrom('set', 'set', 'set', 'remove', 'first'),
    slot: fc.nat(7),
    due: fc.nat(40),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const heap = new DeadlineHeap(8);
      const twin = new Map<number, number>();
      for (const { what, slot, due } of operations) {
        const chosen = what === 'first' ? heap.first() : slot;
        if (what === 'set') {
          heap.set(slot, due);
          twin.set(slot, due);
        } else if (chosen !== -1) {
          heap.remove(chosen);
          twin.delete(chosen);
        }
        const earliest = Math.min(Infinity, ...twin.values());
        assert.equal(heap.earliest(), earliest);
        if (twin.size === 0) assert.equal(heap.first(), -1);
        else assert.equal(twin.get(heap.first()), earliest);
      }
    }),
  );
});
