/** IPv6 on links: what passes, what is answered, what is clamped. Callers: data-path.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayAnswerIpv6 } from '../../src/data-path/ip/icmpv6.ts';
import { Ipv6Networks } from '../../src/data-path/ip/ipv6-networks.ts';
import { clampMssIpv6 } from '../../src/data-path/ip/mss-clamp.ts';
import type { Ipv6Prefix } from '../../src/wire/ipv6.ts';
import { encodePppFrame, PppProtocol } from '../../src/wire/ppp-frame.ts';
import { octets } from '../crypto/hex.ts';
import { MPPE_MS_CHAP_V2 } from '../vectors/ms-chap.ts';
import { CLIENT_TUN, connect, greToServer, type Pair, readDatagram } from './end.ts';
import { ipv6, ipv6Fault, ipv6With, synOverIpv6 } from './packets.ts';

const ID = '0011223344556677';
const PEER_ID = 'aaaaaaaaaaaaaaaa';
const OURS = `fe80000000000000${ID}`;
const PEER = `fe80000000000000${PEER_ID}`;
const ALL_NODES = `ff02${'0'.repeat(27)}1`;
const NONE = '0'.repeat(32);
const LOOPBACK = `${'0'.repeat(31)}1`;
const MAPPED = '00000000000000000000ffffc0a80101';
/** Of the Internet, of the network behind us, and the address of our device. */
const FAR = `20010db8000f${'0'.repeat(19)}1`;
const LAN_HOST = `20010db800010005${'0'.repeat(15)}9`;
const DEVICE = `20010db800ff${'0'.repeat(19)}2`;
/** Addresses of ours that the peer did not give. */
const ULA = `fd001234${'0'.repeat(23)}1`;

const prefix = (hex: string, length: number): Ipv6Prefix => ({
  address: octets(hex.padEnd(32, '0')),
  length,
});
const GIVEN = [prefix('20010db80001', 56), prefix(DEVICE, 128)];

/** The two ends of a link, with IPV6CP open. */
function linked(): Pair & {
  out: (source: string, destination: string, length?: number) => string;
  in: (source: string, destination: string) => string;
} {
  const pair = connect();
  const { client, clientSlot, server, serverSlot } = pair;
  client.path.calls.setIpv6(clientSlot, { local: octets(ID), peer: octets(PEER_ID) });
  server.path.calls.setIpv6(serverSlot, { local: octets(PEER_ID), peer: octets(ID) });
  let sequence = 0;
  return {
    ...pair,
    out: (source, destination, length) =>
      client.tun(CLIENT_TUN, ipv6(source, destination, length), 0),
    in: (source, destination) => client.gre(fromServer(sequence++, ipv6(source, destination)), 0),
  };
}

/** greToServer, the other way. */
function fromServer(sequence: number, packet: Uint8Array) {
  const {
    octets: gre,
    from,
    to,
  } = greToServer(sequence, encodePppFrame(PppProtocol.Ipv6, packet), undefined, 0xee88);
  return { octets: gre, from: to, to: from };
}

test('nothing passes before IPV6CP, nor after it', () => {
  const { client, clientSlot } = connect();
  const out = () => client.tun(CLIENT_TUN, ipv6(DEVICE, FAR), 0);
  assert.equal(out(), 'ipv6');
  client.path.calls.setIpv6(clientSlot, { local: octets(ID), peer: octets(PEER_ID) });
  assert.equal(out(), 'sent');
  client.path.calls.setIpv6(clientSlot, undefined);
  assert.equal(out(), 'ipv6');
  client.path.devices.detach(clientSlot);
  assert.equal(out(), 'notAttached');
});

test('what the kernel routes into the link goes to the peer, and back, whole, encrypted as any packet', () => {
  const pair = linked();
  const { client, clientSlot, server, serverSlot } = pair;
  const mppe = {
    strength: 128,
    stateful: false,
    startKey: octets(MPPE_MS_CHAP_V2[2].startKey),
  } as const;
  client.path.calls.setMppe(clientSlot, 'receive', mppe);
  server.path.calls.setMppe(serverSlot, 'send', mppe);
  assert.equal(pair.out(LAN_HOST, FAR), 'sent');
  const [datagram] = client.takeWire();
  assert.deepEqual(
    readDatagram(datagram!).payload,
    encodePppFrame(PppProtocol.Ipv6, ipv6(LAN_HOST, FAR)),
  );
  // The server's end is a caller's here, which sends only link-local: it stands for what comes encrypted.
  server.tun(11, ipv6(PEER, OURS), 0);
  for (const packet of server.takeWire()) client.gre(packet, 0);
  assert.deepEqual(client.takeDelivered(), [ipv6(PEER, OURS)]);
});

test('sources that cannot be, and our own, come from no peer', () => {
  const pair = linked();
  pair.client.path.devices.setGivenIpv6(CLIENT_TUN, GIVEN, false);
  for (const [source, destination, verdict] of [
    [FAR, LAN_HOST, 'delivered'],
    [FAR, DEVICE, 'delivered'],
    [FAR, OURS, 'delivered'],
    [PEER, DEVICE, 'delivered'],
    [PEER, ALL_NODES, 'delivered'],
    [NONE, ALL_NODES, 'delivered'], // duplicate address detection
    [FAR, ULA, 'delivered'], // the kernel's routes and firewall decide, as with IPv4
    [LAN_HOST, DEVICE, 'badSource'],
    [DEVICE, LAN_HOST, 'badSource'],
    [OURS, DEVICE, 'badSource'],
    [NONE, DEVICE, 'badSource'],
    [LOOPBACK, DEVICE, 'badSource'],
    [MAPPED, DEVICE, 'badSource'],
    [ALL_NODES, DEVICE, 'badSource'],
    [FAR, `ff0e${'0'.repeat(27)}1`, 'ipv6'],
  ] as const)
    assert.equal(pair.in(source, destination), verdict, `${source} to ${destination}`);
  assert.deepEqual(pair.client.path.calls.counters(pair.clientSlot).drops, {
    badSource: 7,
    ipv6: 1,
  });
});

test('to the peer goes no source that cannot be, and no group with routing', () => {
  const pair = linked();
  pair.client.path.devices.setGivenIpv6(CLIENT_TUN, GIVEN, false);
  for (const [source, destination, verdict] of [
    [LAN_HOST, FAR, 'sent'],
    [ULA, FAR, 'sent'], // without the source filter that is the owner's
    [OURS, PEER, 'sent'],
    [OURS, ALL_NODES, 'sent'],
    [NONE, ALL_NODES, 'sent'],
    [DEVICE, ALL_NODES, 'sent'],
    [NONE, FAR, 'badSource'],
    [LOOPBACK, FAR, 'badSource'],
    [MAPPED, FAR, 'badSource'],
    [ALL_NODES, FAR, 'badSource'],
    [DEVICE, `ff05${'0'.repeat(27)}2`, 'ipv6'],
  ] as const)
    assert.equal(pair.out(source, destination), verdict, `${source} to ${destination}`);
});

test('with the source filter what the peer gave passes alone, both ways; until it is known all does', () => {
  const pair = linked();
  pair.client.path.devices.setGivenIpv6(CLIENT_TUN, [], true);
  assert.equal(pair.out(ULA, FAR), 'sent');
  assert.equal(pair.in(FAR, ULA), 'delivered');
  pair.client.path.devices.setGivenIpv6(CLIENT_TUN, GIVEN, true);
  for (const [source, destination, verdict] of [
    [LAN_HOST, FAR, 'sent'],
    [DEVICE, FAR, 'sent'],
    [OURS, PEER, 'sent'],
    [ULA, FAR, 'badSource'],
    [FAR, LAN_HOST, 'badSource'],
    [`20010db800010100${'0'.repeat(16)}`, FAR, 'badSource'], // just behind the /56
  ] as const)
    assert.equal(pair.out(source, destination), verdict, `${source} to ${destination}`);
  for (const [source, destination, verdict] of [
    [FAR, LAN_HOST, 'delivered'],
    [FAR, DEVICE, 'delivered'],
    [PEER, OURS, 'delivered'],
    [FAR, ALL_NODES, 'delivered'],
    [FAR, ULA, 'noRoute'],
    [FAR, FAR, 'noRoute'],
    [LAN_HOST, DEVICE, 'badSource'],
  ] as const)
    assert.equal(pair.in(source, destination), verdict, `${source} to ${destination}`);
});

test('a prefix matches to its last bit, whatever stands behind it', () => {
  const ones = (1n << 128n) - 1n;
  const has = (length: number, value: bigint) =>
    new Ipv6Networks([prefix('f'.repeat(32), length)]).has(
      octets(value.toString(16).padStart(32, '0')),
      0,
    );
  for (let length = 0; length <= 128; length++) {
    const behind = BigInt(128 - length);
    const first = (ones >> behind) << behind;
    assert.ok(has(length, first) && has(length, ones), `/${length}`);
    if (length > 0) assert.ok(!has(length, first ^ (1n << behind)), `not /${length}`);
  }
  assert.ok(!new Ipv6Networks([]).has(octets(FAR), 0));
});

test('too large: the sender is told, at no more than a certain rate, and the message is right', () => {
  const pair = linked();
  const { client, clientSlot } = pair;
  client.path.calls.setFraming(clientSlot, { pfc: false, acfc: false, mtu: 1300 });
  assert.equal(pair.out(LAN_HOST, FAR, 1300), 'sent');
  assert.equal(pair.out(LAN_HOST, FAR, 1301), 'tooBig');
  const [message] = client.takeDelivered();
  const view = new DataView(message!.buffer);
  assert.equal(message!.length, 1280);
  assert.deepEqual([message![40], message![41], view.getUint32(44)], [2, 0, 1300]);
  assert.deepEqual(message!.subarray(8, 24), octets(FAR));
  assert.deepEqual(message!.subarray(24, 40), octets(LAN_HOST));
  assert.deepEqual(message!.subarray(48), ipv6(LAN_HOST, FAR, 1301).subarray(0, 1280 - 48));
  assert.equal(ipv6Fault(message!, 58), 0);
  for (let n = 0; n < 100; n++) pair.out(LAN_HOST, FAR, 1400);
  assert.equal(client.takeDelivered().length, 49);
  assert.deepEqual(client.path.calls.counters(clientSlot).drops, { tooBig: 101 });
});

test('no error answers an error, a group, or nobody: RFC 4443 §2.4', () => {
  const may = (source: string, destination: string, next: number, payload: readonly number[]) => {
    const packet = ipv6With(source, destination, next, Uint8Array.from(payload));
    return mayAnswerIpv6(packet, 0, packet.length);
  };
  const icmp = (type: number) => [type, 0, 0, 0, 0, 0, 0, 0];
  assert.ok(may(LAN_HOST, FAR, 17, icmp(0)));
  assert.ok(may(LAN_HOST, FAR, 58, icmp(128)));
  assert.ok(!may(LAN_HOST, FAR, 58, icmp(3)));
  assert.ok(!may(LAN_HOST, FAR, 58, icmp(137)));
  assert.ok(!may(LAN_HOST, FAR, 60, [58, 0, 0, 0, 0, 0, 0, 0, ...icmp(1)]));
  assert.ok(!may(LAN_HOST, ALL_NODES, 17, icmp(0)));
  assert.ok(!may(NONE, FAR, 17, icmp(0)));
});

test('the MSS of SYNs is clamped, behind extension headers too', () => {
  const mssOf = (packet: Uint8Array) => new DataView(packet.buffer).getUint16(packet.length - 2);
  const clamped = (packet: Uint8Array) => {
    const result = packet.slice();
    clampMssIpv6(result, 0, result.length, 1400);
    return result;
  };
  const hopByHop = Uint8Array.of(6, 0, 1, 4, 0, 0, 0, 0);
  const twoUnits = Uint8Array.from([6, 1, 1, 12, ...new Uint8Array(12)]);
  const fragment = (word: number) => Uint8Array.of(6, 99, word >> 8, word & 255, 0, 0, 0, 7);
  for (const packet of [
    synOverIpv6(LAN_HOST, FAR),
    synOverIpv6(LAN_HOST, FAR, hopByHop, 0),
    synOverIpv6(LAN_HOST, FAR, twoUnits, 60),
    synOverIpv6(LAN_HOST, FAR, fragment(1), 44), // the first one
  ]) {
    const result = clamped(packet);
    assert.equal(mssOf(result), 1340);
    assert.equal(ipv6Fault(result, 6, result.length - 24), 0);
  }
  for (const packet of [
    synOverIpv6(LAN_HOST, FAR, fragment(8), 44), // a later one
    synOverIpv6(LAN_HOST, FAR, hopByHop, 17),
    synOverIpv6(LAN_HOST, FAR, Uint8Array.of(6, 255, 0, 0, 0, 0, 0, 0), 0), // beyond the packet
    synOverIpv6(LAN_HOST, FAR).subarray(0, 50),
  ])
    assert.deepEqual(clamped(packet), packet.slice());

  const pair = linked();
  assert.equal(pair.client.tun(CLIENT_TUN, synOverIpv6(LAN_HOST, FAR), 0), 'sent');
  const [datagram] = pair.client.takeWire();
  assert.equal(mssOf(readDatagram(datagram!).payload), 1340);
  pair.client.gre(fromServer(0, synOverIpv6(FAR, LAN_HOST)), 0);
  assert.equal(mssOf(pair.client.takeDelivered()[0]!), 1340);
});
