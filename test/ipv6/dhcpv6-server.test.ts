import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dhcpv6Option, type Dhcpv6Message, type Dhcpv6Option } from '../../src/wire/dhcpv6.ts';
import { formatIpv6Address } from '../../src/wire/ipv6.ts';
import {
  Caller,
  client,
  given,
  inAssociation,
  ip6,
  net,
  rapid,
  server,
  SERVER_DUID,
  wanted,
  wantedAddress,
} from './caller.ts';

/** Where alice's are in 2001:db8::/48. */
const PREFIX = given(new Caller().start().ask('solicit', [client, wanted(1)]))[0]!.split(' ')[0]!;
const names = ({ options }: Dhcpv6Message) => options.map(({ name }) => name);
const asked = (...codes: readonly number[]): Dhcpv6Option => ({
  name: 'option-request',
  value: codes,
});
const duid = (last: number): Dhcpv6Option => ({
  name: 'client-identifier',
  value: Uint8Array.of(0, 3, 0, 1, 2, 0, 0x5e, 0x10, 0, last),
});

test('a prefix: advertised, bound with its route, renewed, released', () => {
  const caller = new Caller().start();
  const advertise = caller.ask('solicit', [client, wanted(7)])!;
  assert.equal(advertise.name, 'advertise');
  assert.match(PREFIX, /^2001:db8:0:[89a-f][0-9a-f]{2}0::\/60$/);
  assert.deepEqual(given(advertise), [`${PREFIX} 2700 5400`]);
  assert.deepEqual(caller.routes, []);

  const reply = caller.ask('request', [client, server, wanted(7, PREFIX)])!;
  assert.equal(reply.name, 'reply');
  assert.deepEqual(given(reply), [`${PREFIX} 2700 5400`]);
  const { iaid, t1, t2 } = dhcpv6Option(reply, 'prefixes')!;
  assert.deepEqual([iaid, t1, t2], [7, 600, 2160]);
  assert.deepEqual(caller.routes, [`delegated ${PREFIX}`]);

  for (const name of ['renew', 'rebind', 'renew'] as const) {
    caller.advance(600_000);
    const ids = name === 'rebind' ? [client] : [client, server];
    assert.deepEqual(given(caller.ask(name, [...ids, wanted(7, PREFIX)])), [`${PREFIX} 2700 5400`]);
  }
  assert.deepEqual(caller.routes, [`delegated ${PREFIX}`]);

  const released = caller.ask('release', [client, server, wanted(7, PREFIX)])!;
  assert.equal(dhcpv6Option(released, 'status')!.code, 0);
  assert.equal(dhcpv6Option(released, 'prefixes'), undefined);
  assert.deepEqual(caller.routes, [`delegated ${PREFIX}`, `released ${PREFIX}`]);
  assert.deepEqual(
    given(caller.ask('release', [client, server, wanted(7, PREFIX)])),
    ['status 3'],
    'NoBinding',
  );
});

test('a lease that nobody renews ends with its valid lifetime', () => {
  const caller = new Caller().start();
  caller.ask('request', [client, server, wanted(1)]);
  caller.advance(5_399_999);
  assert.deepEqual(caller.routes, [`delegated ${PREFIX}`]);
  caller.advance(1);
  assert.deepEqual(caller.routes, [`delegated ${PREFIX}`, `released ${PREFIX}`]);
  // The session may have it again.
  assert.deepEqual(given(caller.ask('renew', [client, server, wanted(1, PREFIX)])), [
    `${PREFIX} 2700 5400`,
  ]);
});

test('Rapid Commit: bound at once, and said so', () => {
  const caller = new Caller().start();
  const reply = caller.ask('solicit', [client, rapid, wanted(1)])!;
  assert.equal(reply.name, 'reply');
  assert.ok(names(reply).includes('rapid-commit'));
  assert.deepEqual(caller.routes, [`delegated ${PREFIX}`]);
});

test('a prefix shorter or longer than asked', () => {
  const lengthFor = (hint: string, network = '2001:db8::/48') =>
    given(
      new Caller({ networks: [net(network)] }).start().ask('solicit', [client, wanted(1, hint)]),
    ).map((line) => /\/(\d+) /.exec(line)?.[1] ?? line);
  assert.deepEqual(lengthFor('::/56'), ['56']);
  assert.deepEqual(lengthFor('::/62'), ['62']);
  assert.deepEqual(lengthFor('::/48'), ['56'], 'nobody has more than a /56');
  assert.deepEqual(lengthFor('::/0'), ['60'], 'no hint');
  assert.deepEqual(lengthFor('::/80'), ['64']);
  assert.deepEqual(lengthFor('::'), ['64']);
  assert.deepEqual(lengthFor('::/56', '2001:db8::/56'), ['60'], 'a sixteenth of the network');
  assert.deepEqual(lengthFor('::/60', '2001:db8::/60'), ['64']);
  assert.deepEqual(lengthFor('::/60', '2001:db8::/64'), ['status 6'], 'NoPrefixAvail');
});

test('a client that asks for a prefix a second is given the same one', () => {
  const caller = new Caller().start();
  const routes = new Set<string>();
  for (let n = 0; n < 1_000; n++) {
    const id = n % 2 === 0 ? client : duid(n & 0xff);
    const [answer] = caller.dhcp('solicit', [id, rapid, wanted(n, `::/${56 + (n % 9)}`)]);
    if (answer !== undefined)
      for (const line of given(answer.message as Dhcpv6Message)) routes.add(line);
    caller.advance(1_000);
  }
  // One identity association of a client has it at a time.
  const [, delegated] = /^delegated (.*)$/.exec(caller.routes.join())!;
  assert.match(delegated!, /\/56$/);
  assert.deepEqual([...routes].sort(), [`${delegated} 2700 5400`, 'status 6']);
});

test('a client that takes and releases it all the time changes routes but rarely', () => {
  const caller = new Caller().start();
  for (let n = 0; n < 300; n++) {
    caller.dhcp('solicit', [client, rapid, wanted(1)]);
    caller.dhcp('release', [client, server, wanted(1, PREFIX)]);
    caller.advance(1_000);
  }
  assert.ok(caller.routes.length <= 2 * (4 + 10), `${caller.routes.length}`);
  assert.ok(caller.counted.get('ipv6: flood')! > 250);
});

test('a client behind which another one stands takes the prefix over', () => {
  const caller = new Caller().start();
  caller.ask('request', [client, server, wanted(1)]);
  assert.deepEqual(given(caller.ask('request', [duid(9), server, wanted(1)])), [
    `${PREFIX} 2700 5400`,
  ]);
  // The one before does not take it from it by its goodbye.
  assert.deepEqual(given(caller.ask('release', [client, server, wanted(1, PREFIX)])), ['status 3']);
  assert.deepEqual(caller.routes, [`delegated ${PREFIX}`]);
});

test('of several associations of one client one has it', () => {
  for (const name of ['solicit', 'request'] as const) {
    const ids = name === 'solicit' ? [client] : [client, server];
    const answer = new Caller().start().ask(name, [...ids, wanted(1), wanted(2), wanted(3)])!;
    const lines = answer.options.flatMap((option) =>
      option.name === 'prefixes' ? [inAssociation(option.value)] : [],
    );
    assert.deepEqual(lines, [[`${PREFIX} 2700 5400`], ['status 6'], ['status 6']]);
  }
});

test('associations without number are answered so far', () => {
  const many = Array.from({ length: 60 }, (_, n) => wanted(n, PREFIX));
  const answer = new Caller().start().ask('request', [client, server, ...many])!;
  assert.equal(names(answer).filter((name) => name === 'prefixes').length, 4);
});

test('the network is another: the old lease ends when it is renewed, the new one is in the same answer', () => {
  const caller = new Caller().start();
  caller.ask('request', [client, server, wanted(1)]);
  caller.change({ networks: [net('2001:db8:1::/48')], prefixes: [net('2001:db8:1:5::/64')] });
  assert.deepEqual(caller.routes, [`delegated ${PREFIX}`]);
  caller.advance(600_000);
  const after = PREFIX.replace('2001:db8:0:', '2001:db8:1:');
  assert.deepEqual(given(caller.ask('renew', [client, server, wanted(1, PREFIX)])), [
    `${after} 2700 5400`,
    `${PREFIX} 0 0`,
  ]);
  assert.deepEqual(caller.routes.slice(1), [`released ${PREFIX}`, `delegated ${after}`]);
});

test('the network is another, and the client is gone: the old lease ends by itself', () => {
  const caller = new Caller().start();
  caller.ask('request', [client, server, wanted(1)]);
  caller.change({ networks: [net('2001:db8:1::/48')] });
  caller.advance(5_400_000);
  assert.deepEqual(
    caller.routes,
    [`delegated ${PREFIX}`, 'released 2001:db8:0:5::/64', `released ${PREFIX}`].filter(
      (line) => !line.includes(':5::'),
    ),
  );
});

test('a network that comes back before the lease was renewed changes nothing', () => {
  const caller = new Caller().start();
  caller.ask('request', [client, server, wanted(1)]);
  caller.change({ networks: [net('2001:db8:1::/48')] });
  caller.change({ networks: [net('2001:db8::/48')] });
  assert.deepEqual(given(caller.ask('renew', [client, server, wanted(1, PREFIX)])), [
    `${PREFIX} 2700 5400`,
  ]);
  assert.deepEqual(caller.routes, [`delegated ${PREFIX}`]);
});

test('networks that change all the time: what is kept of leases is bounded', () => {
  const caller = new Caller().start();
  for (let n = 0; n < 40; n++) {
    caller.change({ networks: [net(`2001:db8:${(n + 16).toString(16)}::/48`)] });
    caller.ask('solicit', [client, wanted(1)]);
    caller.ask('request', [client, server, wanted(1)]);
    caller.advance(31_000);
  }
  const [delegated, released] = ['delegated', 'released'].map(
    (word) => caller.routes.filter((line) => line.startsWith(word)).length,
  );
  assert.deepEqual([delegated, released], [40, 39]);
});

test('prefixes that are fixed are those and no others', () => {
  const delegated = [net('2001:db8:ffff::/56'), net('fd00:1:2:300::/56')];
  const caller = new Caller({ delegated }).start();
  const both = ['2001:db8:ffff::/56 2700 5400', 'fd00:1:2:300::/56 2700 5400'];
  assert.deepEqual(given(caller.ask('request', [client, server, wanted(1, '::/64')])), both);
  assert.deepEqual(caller.routes, ['delegated 2001:db8:ffff::/56', 'delegated fd00:1:2:300::/56']);
  // The server's own networks have nothing to do with them.
  caller.change({ networks: [net('2001:db8:1::/48')] });
  assert.deepEqual(given(caller.ask('renew', [client, server, wanted(1)])), both);
  caller.change({ delegated: delegated.slice(0, 1) });
  assert.deepEqual(given(caller.ask('renew', [client, server, wanted(1)])), [
    both[0],
    'fd00:1:2:300::/56 0 0',
  ]);
});

test('a lease of another session or server is ended, and ours is in its place', () => {
  const caller = new Caller().start();
  for (const name of ['renew', 'rebind'] as const) {
    const ids = name === 'renew' ? [client, server] : [client];
    assert.deepEqual(given(caller.ask(name, [...ids, wanted(1, '2001:db8:9::/60')])), [
      `${PREFIX} 2700 5400`,
      '2001:db8:9::/60 0 0',
    ]);
  }
});

test('addresses callers make themselves: none is left to be had', () => {
  const caller = new Caller().start();
  assert.deepEqual(given(caller.ask('solicit', [client, wantedAddress(1)]), 'addresses'), [
    'status 2',
  ]);
  assert.deepEqual(
    given(caller.ask('renew', [client, server, wantedAddress(1, '2001:db8::9')]), 'addresses'),
    ['status 3'],
  );
  const answer = caller.ask('release', [client, server, wantedAddress(1, '2001:db8::9')])!;
  assert.deepEqual(given(answer, 'addresses'), ['status 3']);
});

test('shared: the address with the identifier of IPV6CP, and no other', () => {
  const caller = new Caller({ mode: 'shared' }).start();
  const own = '2001:db8:0:5:d800::42';
  const shown = formatIpv6Address(ip6('2001:db8:0:5:d800::42'));
  for (const ask of [
    () => caller.ask('solicit', [client, wantedAddress(1)]),
    () => caller.ask('request', [client, server, wantedAddress(1, '2001:db8::9')]),
    () => caller.ask('renew', [client, server, wantedAddress(1, own)]),
  ])
    assert.deepEqual(given(ask(), 'addresses'), [`${shown} 2700 5400`]);
  assert.deepEqual(
    given(caller.ask('rebind', [client, wantedAddress(1, '2001:db8::9')]), 'addresses'),
    [`${shown} 2700 5400`, '2001:db8::9 0 0'],
  );
  const released = caller.ask('release', [client, server, wantedAddress(1, own)])!;
  assert.deepEqual(names(released), ['server-identifier', 'client-identifier', 'status']);
});

test('Confirm: whether addresses are of this link', () => {
  const caller = new Caller().start();
  const status = (...addresses: string[]) =>
    dhcpv6Option(
      caller.ask('confirm', [client, wantedAddress(1, ...addresses)]) ?? {
        name: 'reply',
        transaction: 0,
        options: [],
      },
      'status',
    )?.code;
  assert.equal(status('2001:db8:0:5::9'), 0);
  assert.equal(status('2001:db8:0:5::9', '2001:db8:0:6::9'), 4, 'NotOnLink');
  assert.equal(status(), undefined, 'no answer');
});

test('Decline: taken note of', () => {
  const answer = new Caller()
    .start()
    .ask('decline', [client, server, wantedAddress(1, '2001:db8::9')])!;
  assert.equal(dhcpv6Option(answer, 'status')!.code, 0);
  assert.deepEqual(given(answer, 'addresses'), ['status 3']);
});

test('name servers and domains for whoever asks, without leases and without an identifier', () => {
  const caller = new Caller().start();
  const answer = caller.ask('information-request', [asked(23, 24, 32)])!;
  assert.deepEqual(names(answer), [
    'server-identifier',
    'name-servers',
    'refresh-time',
    'search-list',
  ]);
  assert.deepEqual(dhcpv6Option(answer, 'name-servers')!.map(formatIpv6Address), ['2001:db8::53']);
  assert.deepEqual(dhcpv6Option(answer, 'search-list'), ['example.net']);
  assert.equal(dhcpv6Option(answer, 'refresh-time'), 600);
  assert.deepEqual(names(caller.ask('information-request', [client, asked(24)])!), [
    'server-identifier',
    'client-identifier',
    'search-list',
  ]);
  assert.deepEqual(names(caller.ask('information-request', [server])!).slice(1), [
    'name-servers',
    'refresh-time',
    'search-list',
  ]);
  assert.deepEqual(names(caller.ask('solicit', [client, wanted(1), asked(23)])!).slice(2), [
    'prefixes',
    'name-servers',
  ]);
});

test('an answer is never larger than the tunnel', () => {
  const domains = Array.from({ length: 40 }, (_, n) => `${'x'.repeat(50)}${n}.example.net`);
  const caller = new Caller({ domains, mtu: 1280 }).start();
  const answer = caller.ask('solicit', [client, wanted(1)])!;
  assert.deepEqual(names(answer).slice(2), ['prefixes', 'name-servers']);
});

test('messages that RFC 8415 §16 has discarded', () => {
  const other: Dhcpv6Option = {
    ...server,
    value: Uint8Array.of(...SERVER_DUID.subarray(1), 9),
  } as Dhcpv6Option;
  const short: Dhcpv6Option = { name: 'client-identifier', value: Uint8Array.of(0) };
  const long: Dhcpv6Option = { name: 'client-identifier', value: new Uint8Array(131) };
  const malformed: [Parameters<Caller['dhcp']>[0], readonly Dhcpv6Option[]][] = [
    ['solicit', [wanted(1)]],
    ['solicit', [client, server, wanted(1)]],
    ['solicit', [short, wanted(1)]],
    ['solicit', [long, wanted(1)]],
    ['request', [client, wanted(1)]],
    ['request', [server, wanted(1)]],
    ['confirm', [client, server]],
    ['renew', [client, wanted(1)]],
    ['rebind', [client, server, wanted(1)]],
    ['release', [client]],
    ['decline', [server]],
    ['information-request', [client, wanted(1)]],
    ['information-request', [client, wantedAddress(1)]],
  ];
  const caller = new Caller().start();
  for (const [name, options] of malformed) {
    caller.advance(1_000);
    assert.deepEqual(caller.dhcp(name, options), [], name);
  }
  assert.equal(caller.counted.get('ipv6: malformed'), malformed.length);
  for (const name of ['request', 'renew', 'release', 'decline', 'information-request'] as const) {
    const leases = name === 'information-request' ? [] : [wanted(1)];
    assert.deepEqual(caller.dhcp(name, [client, other, ...leases]), [], name);
  }
  assert.equal(caller.counted.get('ipv6: another server'), 5);
  assert.deepEqual(caller.routes, []);
});

test('another program goes on with the lease', () => {
  const caller = new Caller().start();
  caller.ask('request', [client, server, wanted(1)]);
  caller.advance(100_000);
  caller.succeed();
  assert.deepEqual(given(caller.ask('renew', [client, server, wanted(1, PREFIX)])), [
    `${PREFIX} 2700 5400`,
  ]);
  caller.succeed();
  caller.advance(5_400_000);
  assert.deepEqual(caller.routes, [`delegated ${PREFIX}`, `released ${PREFIX}`]);
});
