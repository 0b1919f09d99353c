import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Routes } from '../../../src/data-path/ip/routes.ts';
import { formatPrefix, prefixContains, prefixOf } from '../../../src/wire/ip.ts';
import { address } from '../packets.ts';

// Addresses that share prefixes of many lengths.
const near = fc
  .tuple(fc.constantFrom(0xc0a86300, 0x0a000000, 0xffffffff, 0), fc.nat(31))
  .map(([base, bit]) => (base ^ (1 << bit)) >>> 0);
const prefix = fc.tuple(near, fc.nat(32)).map(([base, length]) => prefixOf(base, length));

test('finds the longest prefix that a search of all would find', () => {
  const operation = fc.record({ add: fc.boolean(), prefix, slot: fc.nat(4) });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), fc.array(near), (operations, sought) => {
      const routes = new Routes();
      const twin = new Map<string, { prefix: ReturnType<typeof prefixOf>; slot: number }>();
      for (const { add, prefix: changed, slot } of operations) {
        const key = formatPrefix(changed);
        if (add) {
          routes.add(changed, slot);
          twin.set(key, { prefix: changed, slot });
        } else {
          routes.remove(changed, slot);
          if (twin.get(key)?.slot === slot) twin.delete(key);
        }
      }
      for (const wanted of sought) {
        const [longest] = [...twin.values()]
          .filter((route) => prefixContains(route.prefix, wanted))
          .sort((a, b) => b.prefix.length - a.prefix.length);
        assert.equal(routes.find(wanted), longest?.slot ?? -1);
        assert.equal(routes.find(wanted | 0), longest?.slot ?? -1);
      }
    }),
  );
});

test('a prefix goes over to the newest login, and stays there when the older session ends', () => {
  const routes = new Routes();
  const network = prefixOf(address('10.1.0.0'), 16);
  routes.add(network, 1);
  routes.add(network, 2);
  routes.remove(network, 1);
  assert.equal(routes.find(address('10.1.2.3')), 2);
  routes.remove(network, 2);
  assert.equal(routes.find(address('10.1.2.3')), -1);
});
