import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeNeighborMessage, type NeighborMessage } from '../../src/wire/icmpv6.ts';
import {
  encodeIpv6,
  formatIpv6Address,
  linkLocalAddress,
  writeIpv6Checksum,
  type Ipv6Packet,
} from '../../src/wire/ipv6.ts';
import { encodeUdp } from '../../src/wire/udp.ts';
import {
  ALL_ROUTERS,
  Caller,
  client,
  ip6,
  net,
  PEER,
  rapid,
  SERVER,
  server,
  wanted,
} from './caller.ts';

const linkLayer = {
  name: 'source-link-layer-address',
  value: Uint8Array.of(2, 0, 0, 0, 0, 1),
} as const;
const solicitation: NeighborMessage = { name: 'router-solicitation', options: [] };
const soliciting = (target: string): NeighborMessage => ({
  name: 'neighbor-solicitation',
  target: ip6(target),
  options: [],
});
const SOLICITED_NODE = ip6('ff02::1:ff00:1');

/** What `give` gives is counted as this, once, answered by nothing, and nothing of it is kept. */
function isCounted(what: string, give: (caller: Caller) => unknown): void {
  const caller = new Caller().start();
  const due = caller.machine.nextTimeout();
  assert.deepEqual(give(caller), []);
  assert.deepEqual([...caller.counted], [[`ipv6: ${what}`, 1]]);
  assert.equal(caller.machine.nextTimeout(), due);
  assert.deepEqual(caller.routes, []);
}

/** ICMPv6 with these octets, and the right checksum. */
function icmp(octets: readonly number[]): Uint8Array {
  const payload = Uint8Array.from(octets);
  const [source, destination] = [PEER, ALL_ROUTERS];
  const packet = { nextHeader: 58, hopLimit: 255, source, destination, payload };
  writeIpv6Checksum(packet, 2);
  return encodeIpv6(packet);
}

test('it is our neighbor, with all of our addresses', () => {
  const caller = new Caller().start();
  for (const target of ['fe80::1', '2001:db8::1']) {
    const [answer, more] = caller.neighbor(soliciting(target), PEER, SERVER);
    assert.equal(more, undefined);
    assert.equal(answer!.to, formatIpv6Address(PEER));
    assert.deepEqual(answer!.message, {
      name: 'neighbor-advertisement',
      // Router, solicited, override.
      flags: 0xe0000000,
      target: ip6(target),
      options: [],
    });
  }
  assert.deepEqual([...caller.counted], []);
});

test('one that would have our address is told that it is ours: RFC 4862 §5.4.3', () => {
  const caller = new Caller().start();
  const [answer] = caller.neighbor(soliciting('fe80::1'), ip6('::'), SOLICITED_NODE);
  assert.equal(answer!.to, 'ff02::1');
  const { message } = answer!;
  assert.ok(message.name === 'neighbor-advertisement');
  assert.equal(message.flags, 0xa0000000);
});

test('what is no business of ours is neither answered nor counted', () => {
  const caller = new Caller().start();
  const told: NeighborMessage = {
    name: 'neighbor-advertisement',
    flags: 0x20000000,
    target: PEER,
    options: [],
  };
  assert.deepEqual(caller.neighbor(soliciting('2001:db8:0:5::9'), ip6('::'), SOLICITED_NODE), []);
  assert.deepEqual(caller.neighbor(soliciting('fe80::9'), PEER, SOLICITED_NODE), []);
  assert.deepEqual(caller.neighbor(told), []);
  // MLDv2, which every host sends: hop-by-hop options with a router alert.
  const payload = Uint8Array.of(58, 0, 5, 2, 0, 0, 1, 0, 143, 0, 0, 0, 0, 0, 0, 0);
  const report = { hopLimit: 1, source: PEER, destination: ip6('ff02::16'), nextHeader: 0 };
  assert.deepEqual(caller.give(encodeIpv6({ ...report, payload })), []);
  assert.deepEqual([...caller.counted], []);
});

test('a caller that plays router or DHCPv6 server', () => {
  const advertisement = {
    hopLimit: 64,
    flags: 0,
    lifetime: 1800,
    reachableTime: 0,
    retransmitTimer: 0,
    options: [{ name: 'mtu', value: { mtu: 1280 } }],
  } as const;
  const messages: readonly NeighborMessage[] = [
    { name: 'router-advertisement', ...advertisement },
    { name: 'redirect', target: PEER, destination: ip6('2001:db8::9'), options: [] },
    { name: 'neighbor-advertisement', flags: 0xa0000000, target: PEER, options: [] },
  ];
  for (const message of messages)
    isCounted(`unexpected ${message.name}`, (caller) =>
      caller.neighbor(message, PEER, ip6('ff02::1')),
    );
  for (const name of ['advertise', 'reply', 'reconfigure'] as const) {
    isCounted(`unexpected DHCPv6 ${name}`, (caller) => caller.dhcp(name, [client, server]));
    isCounted('unexpected DHCPv6 server', (caller) =>
      caller.give(
        caller.datagram(name, [client, server], { destination: ip6('ff02::1'), port: 546 }),
      ),
    );
  }
});

test('discovery that RFC 4861 §6.1 and §7.1 have discarded', () => {
  const good = encodeNeighborMessage(solicitation, PEER, ALL_ROUTERS);
  const changed: readonly Ipv6Packet[] = [
    // It has come through a router.
    { ...good, hopLimit: 254 },
    { ...good, payload: with1(good.payload, 2, good.payload[2]! ^ 1) },
    { ...good, payload: good.payload.subarray(0, 3) },
  ];
  for (const packet of changed) isCounted('malformed', (caller) => caller.give(encodeIpv6(packet)));
  const head = [133, 0, 0, 0, 0, 0, 0, 0];
  const malformed: readonly (readonly number[])[] = [
    // Another code.
    [133, 1, 0, 0, 0, 0, 0, 0],
    // Without all of its fields.
    [133, 0, 0, 0],
    [133, 0, 0, 0, 0, 0, 0],
    [135, 0, 0, 0, 0, 0, 0, 0, ...PEER.subarray(1)],
    // An option of length 0, one that goes over the end, one without a length.
    [...head, 1, 0, 0, 0, 0, 0, 0, 0],
    [...head, 1, 2, 0, 0, 0, 0, 0, 0],
    [...head, 1, 1, 0, 0, 0, 0, 0, 0, 1],
    // An unknown option is passed over, but not one of length 0 behind it.
    [...head, 77, 1, 0, 0, 0, 0, 0, 0, 77, 0],
    // A prefix that is too short, an MTU that is too long.
    [...head, 3, 1, 64, 0, 0, 0, 0, 0],
    [...head, 5, 2, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    // A neighbor that is a group.
    [135, 0, 0, 0, 0, 0, 0, 0, ...ip6('ff02::1')],
  ];
  for (const octets of malformed) isCounted('malformed', (caller) => caller.give(icmp(octets)));
  isCounted('unexpected ICMPv6', (caller) => caller.give(icmp([128, 0, 0, 0, 0, 1, 0, 1])));
});

test('who has no address has no link-layer address either, and asks the right group', () => {
  const nobody = ip6('::');
  isCounted('malformed', (caller) =>
    caller.neighbor({ name: 'router-solicitation', options: [linkLayer] }, nobody),
  );
  isCounted('malformed', (caller) =>
    caller.neighbor({ ...soliciting('fe80::1'), options: [linkLayer] }, nobody, SOLICITED_NODE),
  );
  isCounted('malformed', (caller) =>
    caller.neighbor(soliciting('fe80::1'), nobody, ip6('ff02::1')),
  );
});

test('a link-local source that IPV6CP has not agreed', () => {
  const other = linkLocalAddress(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  isCounted('bad source', (caller) => caller.solicitRouter(other));
  isCounted('bad source', (caller) => caller.neighbor(soliciting('fe80::1'), other, SERVER));
  isCounted('bad source', (caller) =>
    caller.give(caller.datagram('solicit', [client, rapid, wanted(1)], { source: other })),
  );
});

test('extension headers and fragments are not looked behind', () => {
  const { payload } = encodeNeighborMessage(solicitation, PEER, ALL_ROUTERS);
  const behind = (nextHeader: number, octets: readonly number[]) =>
    encodeIpv6({
      nextHeader,
      hopLimit: 255,
      source: PEER,
      destination: ALL_ROUTERS,
      payload: Uint8Array.from(octets),
    });
  const padded = (next: number, rest: Iterable<number>) => [next, 0, 1, 4, 0, 0, 0, 0, ...rest];
  const [hops, routing, options] = [0, 43, 60];
  for (const header of [hops, routing, options])
    isCounted('extension header', (caller) => caller.give(behind(header, padded(58, payload))));
  const chain = padded(options, padded(routing, padded(58, payload)));
  isCounted('extension header', (caller) => caller.give(behind(hops, chain)));
  isCounted('extension header', (caller) => caller.give(behind(hops, [58])));
  // RFC 6980 §5: the first, a later one, and one that is all of it (RFC 6946).
  for (const offset of [1, 8, 0])
    isCounted('fragment', (caller) =>
      caller.give(behind(44, [58, 0, 0, offset, 0, 0, 0, 1, ...payload])),
    );
  isCounted('unexpected packet', (caller) => caller.give(behind(6, new Array<number>(20).fill(0))));
});

test('datagrams that are not right', () => {
  const carrier = { hopLimit: 1, source: PEER, destination: ip6('ff02::1:2') };
  const packet = (change: (payload: Uint8Array) => Uint8Array, destinationPort = 547) => {
    const good = encodeUdp(
      { sourcePort: 546, destinationPort },
      Uint8Array.of(11, 0, 0, 1),
      carrier,
    );
    return encodeIpv6({ ...good, payload: change(good.payload) });
  };
  for (const change of [
    (payload: Uint8Array) => payload.subarray(0, 7),
    // A length of 0, one that is shorter, and one that is longer than what there is.
    (payload: Uint8Array) => with1(payload, 5, 0),
    (payload: Uint8Array) => with1(payload, 5, 8),
    (payload: Uint8Array) => with1(payload, 5, 200),
    // No checksum, and a wrong one.
    (payload: Uint8Array) => with1(with1(payload, 6, 0), 7, 0),
    (payload: Uint8Array) => with1(payload, 7, payload[7]! ^ 1),
  ])
    isCounted('malformed', (caller) => caller.give(packet(change)));
  isCounted('unexpected UDP', (caller) => caller.give(packet((payload) => payload, 53)));
  isCounted('unexpected DHCPv6 destination', (caller) =>
    caller.give(caller.datagram('information-request', [], { destination: SERVER })),
  );
});

test('DHCPv6 that is not right', () => {
  const carrier = { hopLimit: 1, source: PEER, destination: ip6('ff02::1:2') };
  const ports = { sourcePort: 546, destinationPort: 547 };
  const message = (...octets: readonly number[]) =>
    encodeIpv6(encodeUdp(ports, Uint8Array.from(octets), carrier));
  const association = [0, 25, 0, 16, ...new Array<number>(12).fill(0)];
  for (const octets of [
    [],
    [1, 0, 0],
    // An option without its length, one that goes over the end, and fields that are too short.
    [1, 0, 0, 1, 0, 1, 0],
    [1, 0, 0, 1, 0, 1, 0, 9, 1],
    [1, 0, 0, 1, 0, 8, 0, 1, 0],
    [1, 0, 0, 1, 0, 25, 0, 4, 0, 0, 0, 1],
    [1, 0, 0, 1, 0, 1, 0, 0],
    // Likewise in an association: its prefix is too short, or goes over its end.
    [1, 0, 0, 1, ...association, 0, 26, 0, 0],
    [1, 0, 0, 1, ...association, 0, 26, 0, 25],
  ])
    isCounted('malformed', (caller) => caller.give(message(...octets)));
  // A relay agent, and a type that nobody has.
  for (const type of [12, 13, 0, 99])
    isCounted('unexpected DHCPv6', (caller) => caller.give(message(type, 0, 0, 1)));
});

test('a prefix of a length that there is not', () => {
  const asked = wanted(1, '2001:db8:9::/60');
  assert.ok(asked.name === 'prefixes');
  const [prefix] = asked.value.options;
  const options = [{ ...prefix!, value: { ...prefix!.value, length: 200 } }];
  isCounted('malformed', (caller) =>
    caller.dhcp('rebind', [
      client,
      { name: 'prefixes', value: { ...asked.value, options: options as never } },
    ]),
  );
});

test('packets that are none', () => {
  const whole = encodeIpv6(encodeNeighborMessage(solicitation, PEER, ALL_ROUTERS));
  for (const octets of [
    new Uint8Array(0),
    whole.subarray(0, 39),
    whole.subarray(0, 44),
    with1(whole, 0, 0x45),
  ])
    isCounted('malformed', (caller) => caller.give(octets));
});

test('a flood is counted, and a good message gets through when it is over', () => {
  const caller = new Caller().start();
  for (let n = 0; n < 10_000; n++) caller.give(new Uint8Array(40).fill(n));
  assert.equal(caller.counted.get('ipv6: malformed'), 30);
  assert.equal(caller.counted.get('ipv6: flood'), 9_970);
  caller.advance(200);
  assert.equal(caller.dhcp('information-request', []).length, 1);
});

test('two callers with the same interface identifier: each has its own prefix', () => {
  const callers = [new Caller(), new Caller({ prefixes: [net('2001:db8:0:6::/64')] })];
  const prefixes = callers.map((caller) => {
    assert.equal(caller.start().neighbor(soliciting('fe80::1'), PEER, SERVER).length, 1);
    return caller.advertisement.options[0];
  });
  assert.notDeepEqual(prefixes[0], prefixes[1]);
});

function with1(octets: Uint8Array, at: number, value: number): Uint8Array {
  const changed = octets.slice();
  changed[at] = value;
  return changed;
}
