import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NeighborMessage, NeighborOption } from '../../src/wire/icmpv6.ts';
import { formatIpv6Address, formatIpv6Prefix } from '../../src/wire/ipv6.ts';
import { Caller, ip6, net, OPTIONS } from './caller.ts';

const text = ({ name, value }: NeighborOption): string => {
  switch (name) {
    case 'prefix':
      return `prefix ${formatIpv6Prefix(value)} ${value.flags} ${value.preferredLifetime} ${value.validLifetime}`;
    case 'route':
      return `route ${formatIpv6Prefix(value)} ${value.flags} ${value.lifetime}`;
    case 'mtu':
      return `mtu ${value.mtu}`;
    case 'name-servers':
      return `dns ${value.addresses.map(formatIpv6Address).join()} ${value.lifetime}`;
    case 'search-list':
      return `domains ${value.names.join()} ${value.lifetime}`;
    case 'source-link-layer-address':
      return 'link layer';
  }
};
const texts = ({ options }: NeighborMessage): readonly string[] => options.map(text);
const times = ({ advertisements, clock }: Caller) => advertisements.map(({ at }) => at - clock.now);

test('what a caller is told of its prefix, the server and the way out', () => {
  const caller = new Caller().start();
  assert.equal(caller.sent.length, 1);
  assert.equal(caller.sent[0]!.to, 'ff02::1');
  const { advertisement } = caller;
  assert.deepEqual(texts(advertisement), [
    // Autonomous, not on-link.
    'prefix 2001:db8:0:5::/64 64 2700 5400',
    'mtu 1400',
    'dns 2001:db8::53 1800',
    'route 2001:db8::/48 0 1800',
    'domains example.net 1800',
  ]);
  const { hopLimit, flags, lifetime, reachableTime, retransmitTimer } = advertisement;
  // Other: DHCPv6 has name servers; not managed, there are no addresses.
  assert.deepEqual(
    [hopLimit, flags, lifetime, reachableTime, retransmitTimer],
    [64, 0x40, 1800, 0, 0],
  );
});

test('no way out where there is none, or without addresses that anybody there could answer to', () => {
  assert.equal(new Caller({ isDefault: false }).start().advertisement.lifetime, 0);
  const local = { prefixes: [net('fd00:1:2:3::/64')], networks: [net('fd00:1:2::/48')] };
  assert.equal(new Caller(local).start().advertisement.lifetime, 0);
  const both = { prefixes: [...local.prefixes, net('2001:db8:0:5::/64')] };
  assert.equal(new Caller(both).start().advertisement.lifetime, 1800);
});

test('shared: DHCPv6 has an address', () => {
  assert.equal(new Caller({ mode: 'shared' }).start().advertisement.flags, 0xc0);
});

test('three soon, and then one in 200 to 600 s: RFC 4861 §6.2.4', () => {
  const caller = new Caller().start();
  caller.advance(2_000_000);
  assert.deepEqual(
    times(caller).map((at) => at + 2_000_000),
    [0, 16_000, 32_000, 432_000, 832_000, 1_232_000, 1_632_000],
  );
});

test('a solicitation is answered to who asked, within half a second: RFC 4861 §6.2.6', () => {
  const caller = new Caller().start();
  caller.advance(1_000);
  assert.deepEqual(caller.solicitRouter(), []);
  caller.advance(500);
  assert.equal(caller.advertisements.length, 2);
  assert.deepEqual(
    { ...caller.sent[1]!, message: undefined },
    { at: caller.clock.now - 250, to: 'fe80::d800:0:0:42', message: undefined },
  );
});

test('who has no address yet is answered to all, not more often than every 3 s', () => {
  const caller = new Caller().start();
  caller.advance(1_000);
  for (let n = 0; n < 5; n++) caller.solicitRouter(ip6('::'));
  caller.advance(10_000);
  assert.deepEqual(
    caller.advertisements.slice(1).map(({ at, to }) => [at - caller.clock.now, to]),
    [[3_000 - 11_000, 'ff02::1']],
  );
});

test('a flood of solicitations has few answers, and is counted', () => {
  const caller = new Caller().start();
  for (let n = 0; n < 1_000; n++) {
    caller.solicitRouter();
    caller.solicitRouter(ip6('::'));
    caller.advance(10);
  }
  // 10 s: four at once and one in four seconds to the caller, one in three seconds to all.
  assert.ok(caller.advertisements.length <= 1 + 7 + 4, `${caller.advertisements.length}`);
  const flood = caller.counted.get('ipv6: flood') ?? 0;
  assert.ok(flood > 1_800, `${flood}`);
});

test('the prefix is another: the old one fades, the new one is told at once, and again', () => {
  const caller = new Caller().start();
  caller.advance(100_000);
  const before = caller.advertisements.length;
  caller.change({
    prefixes: [net('2001:db8:1:5::/64')],
    networks: [net('2001:db8:1::/48')],
    dns: [ip6('2001:db8:1::53')],
    domains: [],
  });
  assert.equal(caller.advertisements.length, before + 1);
  assert.deepEqual(texts(caller.advertisement), [
    'prefix 2001:db8:1:5::/64 64 2700 5400',
    // Told last at 32 s.
    'prefix 2001:db8:0:5::/64 64 0 5332',
    'mtu 1400',
    'dns 2001:db8:1::53 1800',
    'route 2001:db8:1::/48 0 1800',
    'dns 2001:db8::53 0',
    'route 2001:db8::/48 0 0',
    'domains example.net 0',
  ]);
  caller.advance(33_000);
  assert.equal(caller.advertisements.length, before + 3);
  caller.advance(2_000_000);
  assert.deepEqual(
    texts(caller.advertisement).map((line) => line.split(' ').slice(0, 2).join(' ')),
    [
      'prefix 2001:db8:1:5::/64',
      'prefix 2001:db8:0:5::/64',
      'mtu 1400',
      'dns 2001:db8:1::53',
      'route 2001:db8:1::/48',
    ],
  );
  assert.deepEqual(caller.routes, []);
  caller.advance(5_332_000 - 2_033_000 - 1);
  assert.deepEqual(caller.routes, []);
  caller.advance(1);
  assert.deepEqual(caller.routes, ['released 2001:db8:0:5::/64']);
  caller.advance(600_000);
  assert.equal(texts(caller.advertisement).length, 4);
});

test('a prefix that comes back is as if it had never gone', () => {
  const caller = new Caller().start();
  const { prefixes, networks } = OPTIONS;
  caller.change({ prefixes: [net('2001:db8:1:5::/64')], networks: [net('2001:db8:1::/48')] });
  caller.advance(3_000);
  caller.change({ prefixes, networks });
  caller.advance(10_000_000);
  assert.deepEqual(caller.routes, ['released 2001:db8:1:5::/64']);
  assert.equal(texts(caller.advertisement)[0], 'prefix 2001:db8:0:5::/64 64 2700 5400');
});

test('the prefixes are gone: the router is none any more', () => {
  const caller = new Caller().start();
  caller.advance(100_000);
  caller.change({ prefixes: [], networks: [] });
  assert.equal(caller.advertisement.lifetime, 0);
  assert.equal(texts(caller.advertisement)[0], 'prefix 2001:db8:0:5::/64 64 0 5332');
});

test('prefixes that change all the time: what is told is bounded, and so is how often', () => {
  const caller = new Caller().start();
  for (let n = 0; n < 100; n++) {
    caller.change({ prefixes: [net(`2001:db8:0:${(100 + n).toString(16)}::/64`)] });
    caller.advance(100);
  }
  assert.ok(caller.advertisements.length <= 5, `${caller.advertisements.length}`);
  caller.advance(3_000);
  const told = texts(caller.advertisement).filter((line) => line.startsWith('prefix'));
  assert.equal(told.length, 1 + 8);
  // Every one that is told no longer is released, once.
  assert.equal(caller.routes.length, 100 - 8);
  assert.equal(new Set(caller.routes).size, 100 - 8);
});

test('what does not fit is left out, the least important first', () => {
  const dns = Array.from({ length: 60 }, (_, n) => ip6(`2001:db8::${n + 1}`));
  const domains = Array.from({ length: 20 }, (_, n) => `${'x'.repeat(50)}${n}.example.net`);
  const caller = new Caller({ dns, domains, mtu: 1280 }).start();
  assert.deepEqual(
    texts(caller.advertisement).map((line) => line.split(' ')[0]),
    ['prefix', 'mtu', 'dns', 'route'],
  );
});

test('another program goes on where this one was', () => {
  const [twin, caller] = [new Caller().start(), new Caller().start()];
  const renumbered = { prefixes: [net('2001:db8:0:6::/64')], dns: [ip6('2001:db8::54')] };
  for (const each of [twin, caller]) {
    each.advance(20_000);
    each.change(renumbered);
    each.solicitRouter();
  }
  caller.succeed();
  for (const each of [twin, caller]) each.advance(6_000_000);
  assert.deepEqual(caller.sent, twin.sent);
  assert.deepEqual(caller.routes, twin.routes);
  assert.equal(twin.routes.length, 1);
});
