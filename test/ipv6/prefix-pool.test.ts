import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PrefixPool } from '../../src/ipv6/prefix-pool.ts';
import { PrefixSet } from '../../src/ipv6/prefix-set.ts';
import { formatIpv6Prefix, ipv6PrefixCovers, type Ipv6Prefix } from '../../src/wire/ipv6.ts';
import { net } from './caller.ts';

const pool = (...networks: readonly string[]) =>
  new PrefixPool({ networks: networks.map(net), reserved: [] });
const texts = (prefixes: readonly Ipv6Prefix[]) => prefixes.map(formatIpv6Prefix);
const SERVERS = net('2001:db8::/64');

function areApart(prefixes: readonly Ipv6Prefix[]): void {
  const sorted = prefixes.map(formatIpv6Prefix);
  assert.equal(new Set(sorted).size, sorted.length);
  for (const [n, one] of prefixes.entries())
    for (const [m, other] of prefixes.entries())
      assert.ok(n === m || !ipv6PrefixCovers(one, other), `${sorted[n]} and ${sorted[m]}`);
}

test('a user has the same ones each time, in any pool, and another user others', () => {
  const [one] = pool('2001:db8::/48').own(1, 'alice');
  const again = pool('2001:db8::/48');
  const other = again.own(1, 'bob');
  assert.deepEqual(texts(again.own(2, 'alice')), texts([one!]));
  assert.notDeepEqual(texts(other), texts([one!]));
  again.release(2);
  assert.deepEqual(texts(again.own(3, 'alice')), texts([one!]));
  // A second session of the user has the next one.
  const [second] = again.own(4, 'alice');
  areApart([one!, second!]);
});

test('a session has what it has, whatever is asked for again', () => {
  const each = pool('2001:db8::/48');
  assert.deepEqual(each.own(1, 'alice'), each.own(1, 'alice'));
  assert.deepEqual(each.delegate(1, 'alice', 60), each.delegate(1, 'alice', 56));
});

test('all that there are are given out, each once, and none is left then', () => {
  for (const length of [48, 56, 60, 62, 63, 64]) {
    const each = pool(`2001:db8::/${length}`);
    const size = 2 ** (64 - length);
    const given: Ipv6Prefix[] = [];
    for (let n = 0; n < Math.min(size - 1, 600); n++) given.push(...each.own(n, `user ${n}`));
    assert.equal(given.length, Math.min(size - 1, 600));
    areApart([SERVERS, ...given]);
    for (const { length: bits } of given) assert.equal(bits, 64);
    if (size > 600) continue;
    assert.deepEqual(each.own(9_999, 'one more'), []);
    if (given.length === 0) continue;
    each.release(0);
    assert.deepEqual(texts(each.own(9_999, 'one more')), texts(given.slice(0, 1)));
  }
});

test('delegated ones and own ones: single /64s do not break all of the blocks', () => {
  const each = pool('2001:db8::/56');
  const given: Ipv6Prefix[] = [];
  for (let n = 0; n < 8; n++) {
    given.push(...each.own(n, `user ${n}`));
    given.push(...each.delegate(n, `user ${n}`, 60));
  }
  assert.equal(given.length, 16);
  areApart([SERVERS, ...given]);
  // The upper half is full of them: others are where there is room below, and shorter ones at last.
  for (let n = 8; n < 80; n++) given.push(...each.delegate(n, `user ${n}`, 60));
  areApart([SERVERS, ...given]);
  const lengths = new Set(given.map(({ length }) => length));
  assert.ok(lengths.has(60) && lengths.has(64));
});

test('one of each network: global and local ones', () => {
  const each = pool('2001:db8::/56', 'fd00:1:2::/48', '2001:db8:9::/64');
  const own = each.own(1, 'alice');
  assert.deepEqual(
    own.map((prefix) => formatIpv6Prefix(prefix).slice(0, 4)),
    ['2001', 'fd00'],
  );
  assert.deepEqual(
    each.delegate(1, 'alice', 56).map(({ length }) => length),
    [60, 56],
  );
});

test('very large networks', () => {
  const each = pool('2001:db8::/20');
  const given = [...each.own(1, 'alice'), ...each.delegate(1, 'alice', 56)];
  assert.equal(given.length, 2);
  areApart(given);
});

test('fixed ones are nobody else’s, and have one holder', () => {
  const fixed = net('2001:db8:0:1::/64');
  const each = new PrefixPool({ networks: [net('2001:db8::/62')], reserved: [fixed] });
  assert.equal(each.own(1, 'alice').length, 1);
  assert.equal(each.own(2, 'bob').length, 1);
  assert.deepEqual(each.own(3, 'carol'), []);
  assert.ok(each.take(4, fixed));
  assert.ok(each.take(4, fixed));
  assert.ok(!each.take(5, fixed));
  assert.ok(!each.take(5, net('2001:db8::/61')), 'part of it is somebody else’s');
  assert.ok(!each.take(5, net('2001:db8:0:1::9')));
  each.release(4);
  assert.ok(each.take(5, fixed));
});

test('shared: an address for each identifier; a second caller with the same one has none', () => {
  const each = pool('2001:db8::/64', 'fd00::/48');
  const identifier = Uint8Array.of(0xd8, 0, 0, 0, 0, 0, 0, 0x42);
  const addresses = ['2001:db8::d800:0:0:42', 'fd00::d800:0:0:42'];
  assert.deepEqual(texts(each.shared(1, identifier)), addresses);
  assert.deepEqual(texts(each.shared(1, identifier)), addresses);
  assert.deepEqual(each.shared(2, identifier), []);
  each.release(1);
  assert.deepEqual(texts(each.shared(2, identifier)), addresses);
});

test('other networks: what is held stays held, and is the same when the network comes back', () => {
  const each = pool('2001:db8::/62');
  const before = each.own(1, 'alice');
  each.reconfigure({ networks: [net('2001:db8:1::/62')], reserved: [] });
  const between = each.own(1, 'alice');
  assert.equal(between.length, 1);
  assert.ok(ipv6PrefixCovers(net('2001:db8:1::/62'), between[0]!));
  each.reconfigure({ networks: [net('2001:db8::/62')], reserved: [] });
  const others = [...each.own(2, 'alice'), ...each.own(3, 'alice'), ...each.own(4, 'alice')];
  assert.equal(others.length, 2);
  areApart([...others, ...before]);
  assert.deepEqual(each.own(1, 'alice'), before);
});

test('networks that change all the time: what a session holds is bounded', () => {
  const each = pool('2001:db8::/56');
  for (let n = 0; n < 200; n++) {
    each.reconfigure({ networks: [net(`2001:db8:${n.toString(16)}::/56`)], reserved: [] });
    each.own(1, 'alice');
  }
  // The first of them is free again, the last one is not.
  const alices = each.own(1, 'alice')[0]!;
  assert.ok(!each.take(2, alices));
  const first = Uint8Array.from(alices.address);
  first.set([0, 0], 4);
  assert.ok(each.take(2, { address: first, length: 64 }));
});

test('another program goes on: sessions have what they had, though the places of their names are taken', () => {
  const [before, after] = [pool('2001:db8::/60'), pool('2001:db8::/60')];
  const own = [1, 2, 3].map((holder) => before.own(holder, 'alice'));
  const delegated = before.delegate(3, 'alice', 64);
  for (const holder of [2, 3]) after.restore(holder, before.save(holder));
  assert.deepEqual(before.save(9), []);
  assert.deepEqual(after.own(2, 'alice'), own[1]);
  assert.deepEqual(after.own(3, 'alice'), own[2]);
  assert.deepEqual(after.delegate(3, 'alice', 64), delegated);
  assert.deepEqual(after.own(4, 'alice'), own[0]);
});

test('a set finds what a prefix meets: the same, a larger, and a smaller one', () => {
  const set = new PrefixSet(0);
  assert.ok(set.add(net('2001:db8:0:10::/60')));
  for (const text of ['2001:db8:0:10::/60', '2001:db8:0:1f::/64', '2001:db8::/48', '::/0'])
    assert.ok(set.overlaps(net(text)) && !set.add(net(text)), text);
  for (const text of ['2001:db8:0:20::/60', '2001:db8:1::/48', '2001:db8:0:20::1'])
    assert.ok(!set.overlaps(net(text)), text);
  assert.equal(set.coveringLength(net('2001:db8:0:1f::1')), 60);
  assert.equal(set.coveringLength(net('2001:db8::/48')), -1);
  set.delete(net('2001:db8::/48'));
  set.delete(net('2001:db8:0:10::/60'));
  assert.ok(set.add(net('2001:db8::/48')));
});
