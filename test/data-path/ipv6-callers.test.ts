/** IPv6 of callers beyond link-local: whose prefix it is, what is for the session's machine, what the peer is sent by it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ipv6Routes } from '../../src/data-path/ip/ipv6-routes.ts';
import { parseIpv6Address, parseIpv6Prefix } from '../../src/wire/ipv6.ts';
import { isMalformed } from '../../src/wire/codec.ts';
import {
  decodePppFrame,
  encodePppFrame,
  PppProtocol,
  type PppFrame,
} from '../../src/wire/ppp-frame.ts';
import { octets } from '../crypto/hex.ts';
import { MPPE_MS_CHAP_V2 } from '../vectors/ms-chap.ts';
import {
  CLIENT_TUN,
  connect,
  greToServer,
  readDatagram,
  SERVER_TUN,
  type Datagram,
  type Pair,
} from './end.ts';
import { address, ipv6, ipv6Fault, ipv6With, synOverIpv6 } from './packets.ts';

const ID = '0011223344556677';
const OUR_ID = '0000000000000001';
const PEER = `fe80000000000000${ID}`;
const OURS = `fe80000000000000${OUR_ID}`;
const ALL_ROUTERS = `ff02${'0'.repeat(27)}2`;
const ALL_DHCP = `ff02${'0'.repeat(23)}10002`;
const NONE = '0'.repeat(32);
const hex = (text: string) => Buffer.from(parseIpv6Address(text)!).toString('hex');
const OWN = hex('2001:db8:1:5::9');
const BEHIND = hex('2001:db8:1:ff05::9');
const OTHER = hex('2001:db8:1:6::9');
const FAR = hex('2001:db8:f::1');
const ROUTER = hex('2001:db8:1::1');
const prefix = (text: string) => parseIpv6Prefix(text)!;
const PREFIXES = [prefix('2001:db8:1:5::/64'), prefix('2001:db8:1:ff00::/56')];
const SLOT = 0;
/** Of another caller, with an address outside that is its own. */
const OTHER_SLOT = 1;

interface Called extends Pair {
  in: (packet: Uint8Array, now?: number) => string;
  out: (source: string, destination: string, length?: number) => string;
}

/** @param isolate of the server @param hasMachine the session has one */
function called({ isolate = true, hasMachine = true } = {}): Called {
  const pair = connect();
  const { path } = pair.server;
  if (!isolate) {
    path.devices.close(SERVER_TUN);
    path.devices.open(SERVER_TUN, { isolate });
    attach(pair, SLOT);
  }
  path.calls.setIpv6(SLOT, { local: octets(OUR_ID), peer: octets(ID), hasMachine });
  path.devices.setIpv6Prefixes(SLOT, PREFIXES);
  assert.equal(path.calls.open(address('203.0.113.77'), 0, 7, 0), OTHER_SLOT);
  path.calls.connect(OTHER_SLOT, 8);
  attach(pair, OTHER_SLOT);
  path.calls.setIpv6(OTHER_SLOT, { local: octets(OUR_ID), peer: octets('2'.repeat(16)) });
  path.devices.setIpv6Prefixes(OTHER_SLOT, [prefix('2001:db8:1:6::/64')]);
  let sequence = 0;
  return {
    ...pair,
    in: (packet, now = 0) =>
      pair.server.gre(greToServer(sequence++, encodePppFrame(PppProtocol.Ipv6, packet)), now),
    out: (source, destination, length) =>
      pair.server.tun(SERVER_TUN, ipv6(source, destination, length), 0),
  };
}

function attach({ server }: Pair, slot: number): void {
  server.path.devices.attach(slot, SERVER_TUN, {
    localAddress: address('192.168.99.1'),
    peerAddress: address('192.168.99.10') + slot,
    prefixes: [],
  });
}

test('a caller sends from its prefixes and from nothing else', () => {
  const pair = called();
  for (const [source, destination, verdict] of [
    [OWN, FAR, 'delivered'],
    [BEHIND, FAR, 'delivered'],
    [OWN, ROUTER, 'delivered'],
    [OWN, OURS, 'delivered'],
    [OWN, ALL_ROUTERS, 'delivered'],
    [PEER, OURS, 'delivered'],
    [OTHER, FAR, 'badSource'],
    [ROUTER, FAR, 'badSource'],
    [FAR, ROUTER, 'badSource'],
    [hex('2001:db8:1:feff::1'), FAR, 'badSource'],
    [hex('::1'), FAR, 'badSource'],
    [hex('::ffff:1:1'), FAR, 'badSource'],
    [OURS, OURS, 'ipv6'],
    [PEER, FAR, 'ipv6'],
    [PEER, ROUTER, 'ipv6'],
    [NONE, ROUTER, 'ipv6'],
    [OWN, hex('ff05::2'), 'ipv6'],
    [OWN, hex('::1'), 'ipv6'],
    [OWN, NONE, 'ipv6'],
  ] as const)
    assert.equal(pair.in(ipv6(source, destination)), verdict, `${source} to ${destination}`);
});

test('callers do not reach each other where they are isolated; else the kernel decides; nobody reaches himself', () => {
  for (const isolate of [true, false]) {
    const pair = called({ isolate });
    assert.equal(pair.in(ipv6(OWN, OTHER)), isolate ? 'isolated' : 'delivered');
    assert.equal(pair.in(ipv6(OWN, BEHIND)), 'isolated');
    assert.equal(pair.in(ipv6(OWN, FAR)), 'delivered');
  }
});

test('what the kernel routes into the device goes to whose prefix it is', () => {
  const pair = called();
  for (const [source, destination, verdict] of [
    [FAR, OWN, 'sent'],
    [FAR, BEHIND, 'sent'],
    [OTHER, OWN, 'sent'],
    [OURS, PEER, 'sent'],
    [FAR, hex('2001:db8:1:7::1'), 'noRoute'],
    [OURS, hex('fe80::77'), 'noRoute'],
    [FAR, PEER, 'ipv6'],
    [OURS, OWN, 'ipv6'],
    [NONE, OWN, 'ipv6'],
    [FAR, ALL_ROUTERS, 'multicast'],
    [FAR, hex('ff0e::1'), 'multicast'],
  ] as const)
    assert.equal(pair.out(source, destination), verdict, `${source} to ${destination}`);
  pair.server.path.calls.setIpv6(SLOT, undefined);
  assert.equal(pair.out(FAR, OWN), 'ipv6');
  pair.server.path.devices.detach(SLOT);
  assert.equal(pair.out(FAR, OWN), 'noRoute');
});

test('other prefixes take the place of the old ones while packets flow', () => {
  const pair = called();
  pair.server.path.devices.setIpv6Prefixes(SLOT, [prefix('2001:db8:2:5::/64')]);
  assert.equal(pair.in(ipv6(OWN, FAR)), 'badSource');
  assert.equal(pair.in(ipv6(hex('2001:db8:2:5::9'), FAR)), 'delivered');
  assert.equal(pair.out(FAR, OWN), 'noRoute');
  assert.equal(pair.out(FAR, hex('2001:db8:2:5::9')), 'sent');
  assert.equal(pair.out(FAR, OTHER), 'sent');
});

test('segments and packets are kept to what the caller takes, both ways', () => {
  const pair = called();
  const { server } = pair;
  const mss = (packet: Uint8Array) => new DataView(packet.buffer).getUint16(62);
  assert.equal(pair.in(synOverIpv6(OWN, FAR)), 'delivered');
  const [inward] = server.takeDelivered();
  assert.equal(mss(inward!), 1340);
  assert.equal(ipv6Fault(inward!, 6), 0);
  assert.equal(server.tun(SERVER_TUN, synOverIpv6(FAR, OWN), 0), 'sent');
  const { packet } = ipv6In(server.takeWire()[0]!);
  assert.equal(mss(packet), 1340);
  assert.equal(ipv6Fault(packet, 6), 0);
  assert.equal(pair.out(FAR, OWN, 1401), 'tooBig');
  const [told] = server.takeDelivered();
  assert.deepEqual([told![40], new DataView(told!.buffer).getUint32(44)], [2, 1400]);
  assert.equal(Buffer.from(told!.subarray(8, 40)).toString('hex'), OWN + FAR);
});

test("neighbour discovery and DHCPv6 come to the session's machine, whole, and go no further", () => {
  const pair = called();
  const { server } = pair;
  const icmp = (type: number) => Uint8Array.of(type, ...new Uint8Array(15));
  for (const [what, packet] of [
    ['RS', ipv6With(PEER, ALL_ROUTERS, 58, icmp(133))],
    ['RS without an address', ipv6With(NONE, ALL_ROUTERS, 58, icmp(133))],
    ['RA', ipv6With(PEER, hex('ff02::1'), 58, icmp(134))],
    ['NS to the router', ipv6With(OWN, ROUTER, 58, icmp(135))],
    ['NA', ipv6With(PEER, OURS, 58, icmp(136))],
    ['Redirect', ipv6With(PEER, OURS, 58, icmp(137))],
    ['to a DHCPv6 server', udp(PEER, ALL_DHCP, 547)],
    ['to a DHCPv6 client', udp(PEER, OURS, 546)],
  ] as const) {
    assert.equal(pair.in(packet), 'control', what);
    const { slot, frame } = server.frames.at(-1)!;
    assert.equal(slot, SLOT);
    assert.deepEqual(decodePppFrame(frame), { protocol: PppProtocol.Ipv6, payload: packet }, what);
  }
  for (const [what, packet] of [
    ['an echo', ipv6With(PEER, OURS, 58, icmp(128))],
    [
      'MLD',
      ipv6With(PEER, hex('ff02::16'), 0, Uint8Array.of(58, 0, 5, 2, 0, 0, 1, 0, ...icmp(143))),
    ],
    ['a DHCPv6 server elsewhere', udp(OWN, FAR, 547)],
    ['DNS', udp(OWN, OURS, 53)],
    [
      'a later fragment',
      ipv6With(OWN, OURS, 44, Uint8Array.of(58, 0, 5, 0, 0, 0, 0, 7, ...icmp(133))),
    ],
    ['no header at all', ipv6With(OWN, OURS, 59, new Uint8Array())],
  ] as const)
    assert.equal(pair.in(packet), 'delivered', what);
  assert.deepEqual(server.path.calls.counters(SLOT).drops, {});
  assert.equal(server.path.calls.counters(SLOT).rxControl, 8);
});

test('behind extension headers and in fragments it is dropped, and so are endless chains', () => {
  const pair = called();
  const icmp = Uint8Array.of(134, ...new Uint8Array(15));
  const before = (next: number) => Uint8Array.of(next, 0, 0, 0, 0, 0, 0, 0);
  const after = (...heads: number[]) =>
    Uint8Array.from([
      ...heads.slice(1).flatMap((next) => [...before(next)]),
      ...before(58),
      ...icmp,
    ]);
  for (const [what, packet] of [
    ['options', ipv6With(PEER, OURS, 60, after(60))],
    ['hop by hop and routing', ipv6With(PEER, OURS, 0, after(0, 43))],
    ['an authentication header', ipv6With(PEER, OURS, 51, after(51))],
    ['a first fragment', ipv6With(PEER, OURS, 44, Uint8Array.of(58, 0, 0, 1, 0, 0, 0, 7, ...icmp))],
    [
      'an atomic fragment',
      ipv6With(PEER, OURS, 44, Uint8Array.of(58, 0, 0, 0, 0, 0, 0, 7, ...icmp)),
    ],
    [
      'DHCPv6',
      ipv6With(PEER, ALL_DHCP, 60, Uint8Array.from([...before(17), 2, 34, 2, 35, 0, 8, 0, 0])),
    ],
    ['a chain without end', ipv6With(PEER, OURS, 60, after(60, 60, 60, 60, 60, 60, 60, 60))],
    ['a chain that is cut off', ipv6With(PEER, OURS, 60, Uint8Array.of(58, 0, 0, 0))],
    [
      'a length beyond the packet',
      ipv6With(PEER, OURS, 60, Uint8Array.of(60, 255, 0, 0, 0, 0, 0, 0)),
    ],
  ] as const) {
    const verdict = pair.in(packet);
    assert.equal(
      verdict,
      what === 'a length beyond the packet' ? 'ipv6Hidden' : 'ipv6Hidden',
      what,
    );
  }
  assert.deepEqual(pair.server.frames, []);
});

test('a flood of solicitations is dropped and counted, and ends with it', () => {
  const pair = called();
  const solicitation = ipv6With(PEER, ALL_ROUTERS, 58, Uint8Array.of(133, ...new Uint8Array(7)));
  const outcomes = Array.from({ length: 100 }, () => pair.in(solicitation));
  assert.equal(outcomes.filter((outcome) => outcome === 'control').length, 40);
  assert.equal(pair.server.path.calls.counters(SLOT).drops.ipv6Flood, 60);
  assert.equal(pair.in(solicitation, 1000), 'control');
});

test('without a machine it is the kernel that sees it, as link-local always was', () => {
  const pair = called({ hasMachine: false });
  const solicitation = ipv6With(PEER, ALL_ROUTERS, 58, Uint8Array.of(133, ...new Uint8Array(7)));
  assert.equal(pair.in(solicitation), 'delivered');
});

test('with encryption the machine sees what was decrypted beside another packet, in order, and its own is encrypted', () => {
  const pair = called();
  const { server, client, clientSlot } = pair;
  const keys = {
    strength: 128,
    stateful: false,
    startKey: octets(MPPE_MS_CHAP_V2[2].startKey),
  } as const;
  for (const [end, slot, directions] of [
    [server, SLOT, ['receive', 'send']],
    [client, clientSlot, ['send', 'receive']],
  ] as const) {
    end.path.calls.setIpv6(slot, {
      local: octets(slot === SLOT && end === server ? OUR_ID : ID),
      peer: octets(end === server ? ID : OUR_ID),
      hasMachine: end === server,
    });
    for (const direction of directions) end.path.calls.setMppe(slot, direction, keys);
    end.path.calls.requireEncryption(slot, true);
  }
  const solicitation = (n: number) =>
    ipv6With(PEER, ALL_ROUTERS, 58, Uint8Array.of(133, ...new Uint8Array(6), n));
  for (let n = 0; n < 5; n++) client.tun(CLIENT_TUN, solicitation(n), 0);
  const wire = client.takeWire();
  assert.equal(wire.length, 5);
  server.path.receiveGre(server.greBatch(wire), wire.length, 0);
  server.drain(0);
  assert.deepEqual(
    server.frames.map(({ frame }) => frame.at(-1)),
    [0, 1, 2, 3, 4],
  );
  const advertisement = ipv6With(OURS, PEER, 58, Uint8Array.of(134, ...new Uint8Array(15)));
  const before = server.path.calls.counters(SLOT);
  server.path.calls.transmitIpv6(SLOT, advertisement);
  server.drain(0);
  const [answer] = server.takeWire();
  assert.equal(frameIn(answer!).protocol, PppProtocol.Compressed);
  assert.equal(client.gre(answer!, 0), 'delivered');
  assert.deepEqual(client.takeDelivered(), [advertisement]);
  const { txPackets, txControl } = server.path.calls.counters(SLOT);
  assert.deepEqual([txPackets, txControl], [before.txPackets, before.txControl + 1]);
});

test('what the machine sends passes a full socket, and is dropped where IPv6 does not pass', () => {
  const pair = called();
  const { server } = pair;
  const advertisement = ipv6With(OURS, PEER, 58, Uint8Array.of(134, ...new Uint8Array(15)));
  server.room = 0;
  pair.out(FAR, OWN);
  assert.ok(server.path.output.blocked);
  server.path.calls.transmitIpv6(SLOT, advertisement);
  server.drain(0);
  server.writable(9, 0);
  assert.deepEqual(
    server.takeWire().map((datagram) => ipv6In(datagram).packet.length),
    [48, 56],
  );
  const drops = () => server.path.calls.counters(SLOT).drops;
  server.path.calls.transmitIpv6(SLOT, ipv6(OURS, PEER, 1401));
  assert.deepEqual(drops(), { tooBig: 1 });
  server.path.calls.requireEncryption(SLOT, true);
  server.path.calls.transmitIpv6(SLOT, advertisement);
  assert.deepEqual(drops(), { tooBig: 1, notEncrypted: 1 });
  server.path.calls.setIpv6(SLOT, undefined);
  server.path.calls.transmitIpv6(SLOT, advertisement);
  server.path.devices.detach(SLOT);
  server.path.calls.transmitIpv6(SLOT, advertisement);
  assert.deepEqual(drops(), { tooBig: 1, notEncrypted: 1, ipv6: 1, notAttached: 1 });
  assert.throws(() => server.path.calls.transmitIpv6(3, advertisement), RangeError);
});

test('routes by longest prefix agree with a list of them, whatever comes and goes', () => {
  const routes = new Ipv6Routes();
  let list: { text: string; slot: number }[] = [];
  const random = randomNumbers(7);
  const found = (text: string) => routes.find(parseIpv6Address(text)!, 0);
  const expected = (text: string) => {
    const all = list.filter((entry) => covers(entry.text, text));
    return (
      all.sort((a, b) => Number(b.text.split('/')[1]) - Number(a.text.split('/')[1]))[0]?.slot ?? -1
    );
  };
  for (let n = 0; n < 3000; n++) {
    const length = [48, 56, 60, 64, 128][random(5)]!;
    const text = `2001:db8:${random(3)}:${random(40).toString(16)}::/${length}`;
    const slot = random(20);
    const same = list.find((entry) => isSame(entry.text, text));
    if (random(3) === 0) {
      routes.remove(prefix(text), slot);
      if (same?.slot === slot) list = list.filter((entry) => entry !== same);
    } else {
      routes.add(prefix(text), slot);
      list = [...list.filter((entry) => entry !== same), { text, slot }];
    }
    const probe = `2001:db8:${random(3)}:${random(40).toString(16)}::${random(2)}`;
    assert.equal(found(probe), expected(probe), `${n}: ${probe}`);
  }
  assert.ok(list.length > 200, `${list.length}`);
  for (const { text, slot } of list) routes.remove(prefix(text), slot);
  assert.ok(routes.isEmpty);
  assert.equal(found('2001:db8::'), -1);
});

const bits = (text: string) =>
  [...parseIpv6Address(text)!].map((octet) => octet.toString(2).padStart(8, '0')).join('');

function covers(network: string, text: string): boolean {
  const [start, length] = network.split('/');
  return bits(text).startsWith(bits(start!).slice(0, Number(length)));
}

function isSame(a: string, b: string): boolean {
  return a.split('/')[1] === b.split('/')[1] && covers(a, b.split('/')[0]!);
}

function udp(source: string, destination: string, port: number): Uint8Array {
  const datagram = Uint8Array.of(0x30, 0x39, port >> 8, port & 255, 0, 8, 0, 0);
  return ipv6With(source, destination, 17, datagram);
}

function ipv6In(datagram: Datagram) {
  const { protocol, payload } = frameIn(datagram);
  assert.equal(protocol, PppProtocol.Ipv6);
  return { packet: payload.slice() };
}

function frameIn(datagram: Datagram): PppFrame {
  const frame = decodePppFrame(readDatagram(datagram).payload);
  assert.ok(!isMalformed(frame));
  return frame;
}

/** The same each time: a linear congruential generator. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
