import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SlotTable } from '../../src/data-path/slot-table.ts';

// Few different keys, so that they meet; extremes of both ranges among them.
const first = fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xc0a86301, 0xcb007109);
const second = fc.oneof(fc.nat(9), fc.constantFrom(0xffff, 0x8000));

test('finds what a Map would find, through any insertions and deletions', () => {
  const operation = fc.record({ add: fc.boolean(), first, second, slot: fc.nat(1000) });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300, size: 'max' }), (operations) => {
      const table = new SlotTable(4);
      const twin = new Map<string, number>();
      for (const { add, first: a, second: b, slot } of operations) {
        const key = `${a},${b}`;
        if (add) {
          table.set(a, b, slot);
          twin.set(key, slot);
        } else {
          assert.equal(table.delete(a, b), twin.delete(key));
        }
        assert.equal(table.size, twin.size);
        assert.equal(table.find(a, b), twin.get(key) ?? -1);
      }
      for (const [key, slot] of twin) {
        const [a, b] = key.split(',').map(Number);
        assert.equal(table.find(a!, b!), slot);
      }
    }),
  );
});

test('an address is the same as u32 and as int32', () => {
  const table = new SlotTable(4);
  table.set(0xcb007109, 0, 3);
  assert.equal(table.find(0xcb007109 | 0, 0), 3);
  assert.equal(table.find(0xcb007109, 1), -1);
});
