import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DeadlineList } from '../../src/data-path/deadline-list.ts';

test('behaves as a list of deadlines that is searched', () => {
  const operation = fc.record({
    what: fc.constantFrom('arm', 'disarm', 'take'),
    slot: fc.nat(5),
    wait: fc.nat(30),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 100 }), (operations) => {
      const list = new DeadlineList(6, 50);
      const twin: { slot: number; due: number }[] = [];
      let now = 1000;
      for (const { what, slot, wait } of operations) {
        now += wait;
        const at = twin.findIndex((entry) => entry.slot === slot);
        if (what === 'arm') {
          list.arm(slot, now);
          if (at === -1) twin.push({ slot, due: now + 50 });
        } else if (what === 'disarm') {
          list.disarm(slot);
          if (at !== -1) twin.splice(at, 1);
        } else {
          const due = twin[0] !== undefined && twin[0].due <= now ? twin.shift()!.slot : -1;
          assert.equal(list.take(now), due);
        }
        assert.equal(list.earliest(), twin[0]?.due ?? Infinity);
        assert.equal(list.first(), twin[0]?.slot ?? -1);
      }
    }),
  );
});
