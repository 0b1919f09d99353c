import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AddressPool } from '../../../src/session/server/pool.ts';
import { ip } from '../../support/world.ts';

const nowhere = { address: 0, length: 32 };

function pool(ranges: [number, number][], reserved: number[] = []): AddressPool {
  return new AddressPool({
    ranges: ranges.map(([first, last]) => ({ first, last })),
    reserved,
    network: nowhere,
  });
}

test('the lowest free address first, in ascending ranges, without the reserved ones', () => {
  const addresses = pool([[20, 21], [10, 12]], [11]); // prettier-ignore
  const given = ['a', 'b', 'c', 'd', 'e'].map((user) => addresses.allocate(user));
  assert.deepEqual(given, [10, 12, 20, 21, undefined]);
  assert(!addresses.hasFree());
  addresses.release(20);
  addresses.release(12);
  assert(addresses.hasFree());
  assert.equal(addresses.allocate('f'), 12);
  assert.equal(addresses.allocate('g'), 20);
  assert.equal(addresses.allocate('h'), undefined);
});

test('a user gets the address back that he had last', () => {
  const addresses = pool([[10, 20]]);
  assert.equal(addresses.allocate('a'), 10);
  assert.equal(addresses.allocate('b'), 11);
  addresses.release(10);
  addresses.release(11);
  assert.equal(addresses.allocate('b'), 11);
  assert.equal(addresses.allocate('c'), 10);
  assert.equal(addresses.allocate('a'), 12, 'his is taken');
});

test('network and broadcast addresses are not for callers', () => {
  const addresses = new AddressPool({
    ranges: [{ first: ip('10.0.0.0'), last: ip('10.0.0.3') }],
    reserved: [],
    network: { address: ip('10.0.0.1'), length: 30 },
  });
  assert.equal(addresses.allocate('a'), ip('10.0.0.1'));
  assert.equal(addresses.allocate('b'), ip('10.0.0.2'));
  assert.equal(addresses.allocate('c'), undefined);
});

test('a fixed address, in or out of the ranges, has one holder', () => {
  const addresses = pool([[10, 11]], [11]);
  assert(addresses.take(11));
  assert(!addresses.take(11));
  assert(addresses.take(99));
  assert.equal(addresses.allocate('a'), 10);
  assert.equal(addresses.allocate('b'), undefined);
  addresses.release(11);
  assert.equal(addresses.allocate('b'), undefined, 'still reserved');
  assert.throws(() => addresses.release(11), /twice/);
});

test('a whole /8 costs nothing', () => {
  const addresses = pool([[ip('10.0.0.0'), ip('10.255.255.255')]]);
  assert.equal(addresses.allocate('a'), ip('10.0.0.0'));
});

test('property: an address has one holder, and all are found before the pool is empty', () => {
  const operation = fc.oneof(
    fc.record({ kind: fc.constant('allocate' as const), user: fc.integer({ min: 0, max: 9 }) }),
    fc.record({ kind: fc.constant('release' as const), nth: fc.nat(20) }),
    fc.record({ kind: fc.constant('look' as const) }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const addresses = pool([[1, 4], [3, 6], [9, 9]], [2]); // prettier-ignore
      const all = [1, 3, 4, 5, 6, 9];
      const held: number[] = [];
      for (const step of operations) {
        if (step.kind === 'allocate') {
          const address = addresses.allocate(`${step.user}`);
          if (held.length === all.length) assert.equal(address, undefined);
          else {
            assert(address !== undefined && all.includes(address) && !held.includes(address));
            held.push(address);
          }
        } else if (step.kind === 'look') {
          assert.equal(addresses.hasFree(), held.length < all.length);
        } else if (held.length > 0) {
          addresses.release(held.splice(step.nth % held.length, 1)[0]!);
        }
      }
    }),
  );
});
