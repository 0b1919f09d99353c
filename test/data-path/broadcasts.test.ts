/** What is relayed between the LAN and callers: how much, how often, to whom, and with right checksums. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Broadcasts, EVERYBODY, readdressed, type Side } from '../../src/data-path/broadcasts.ts';
import {
  CALLER,
  CLIENT,
  CLIENT_TUN,
  connect,
  End,
  readDatagram,
  SERVER,
  SERVER_TUN,
} from './end.ts';
import { address, ipv4, sum } from './packets.ts';

function udp(port: number, words: string): Uint8Array {
  const datagram = new Uint8Array(8 + words.length);
  const view = new DataView(datagram.buffer);
  view.setUint16(0, port);
  view.setUint16(2, port);
  view.setUint16(4, datagram.length);
  view.setUint16(6, 0x1234); // as a network card would leave it
  datagram.set(new TextEncoder().encode(words), 8);
  return datagram;
}
const said = (source: string, words: string, port = 137, destination = '192.168.1.255') =>
  ipv4({ source, destination, payload: udp(port, words) });

const fates = (judge: Broadcasts, packets: readonly Uint8Array[], side: Side, now: number) =>
  packets.map((packet) => judge.judge(packet, side, now));
const count = (all: readonly string[], fate: string) => all.filter((each) => each === fate).length;

test('of one machine twenty at once and ten a second, of a side a hundred and fifty', () => {
  const judge = new Broadcasts();
  const flood = (source: string, times: number) =>
    Array.from({ length: times }, (_, n) => said(source, `${source} ${n}`));
  assert.equal(count(fates(judge, flood(CALLER, 100), 'callers', 0), 'relayed'), 20);
  assert.equal(count(fates(judge, flood('192.168.99.11', 5), 'callers', 0), 'relayed'), 5);
  assert.equal(count(fates(judge, flood(CALLER, 100), 'callers', 1000), 'relayed'), 10);
  const many = Array.from({ length: 200 }, (_, n) => said(`192.168.99.${n}`, `machine ${n}`));
  const all = fates(new Broadcasts(), many, 'callers', 0);
  assert.deepEqual([count(all, 'relayed'), count(all, 'flood')], [100, 100]);
  // The other side has a measure of its own.
  assert.equal(judge.judge(said('192.168.1.10', 'x'), 'lan', 1000), 'relayed');
});

test('what another relay brings back does not go round: within a second, whoever it says it is from', () => {
  const judge = new Broadcasts();
  const question = said(CALLER, 'who is LANBOX?');
  assert.equal(judge.judge(question, 'callers', 0), 'relayed');
  assert.equal(judge.judge(question, 'lan', 500), 'echo');
  assert.equal(judge.judge(said('192.168.1.2', 'who is LANBOX?'), 'lan', 999), 'echo');
  assert.equal(judge.judge(question, 'callers', 750), 'relayed', 'it asks again, as it should');
  assert.equal(judge.judge(said('192.168.1.2', 'who is LANBOX?', 138), 'lan', 760), 'relayed');
  assert.equal(judge.judge(question, 'lan', 1750), 'relayed');
  // What it remembers is bounded.
  for (let n = 0; n < 200; n++)
    judge.judge(said(`10.0.0.${n}`, `other ${n}`), 'callers', 1800 + 30 * n);
  assert.equal(judge.judge(question, 'callers', 8000), 'relayed');
});

test('what is no whole datagram is malformed, whatever it is', () => {
  const good = said(CALLER, 'words');
  const bad = (change: (packet: Uint8Array) => void) => {
    const packet = good.slice();
    change(packet);
    return packet;
  };
  for (const packet of [
    new Uint8Array(),
    good.subarray(0, 30),
    Uint8Array.of(...good, 0),
    bad((packet) => (packet[6] = 0x20)),
    bad((packet) => (packet[7] = 1)),
    bad((packet) => (packet[25] = 40)),
    bad((packet) => (packet[25] = 7)),
    bad((packet) => (packet[9] = 6)),
    bad((packet) => (packet[0] = 0x4f)),
  ])
    assert.equal(new Broadcasts().judge(packet, 'lan', 0), 'malformed');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (octets) => {
      new Broadcasts().judge(octets, 'callers', 0);
    }),
  );
});

test('it goes on to another broadcast address, with right checksums; mDNS to its group as it is', () => {
  for (const words of ['even', 'odd']) {
    const there = readdressed(said(CALLER, words), EVERYBODY);
    const view = new DataView(there.buffer);
    assert.deepEqual([view.getUint32(12), view.getUint32(16)], [address(CALLER), EVERYBODY]);
    assert.equal(sum(there.subarray(0, 20)), 0);
    const datagram = there.subarray(20);
    const pseudo = [...there.subarray(12, 20), 0, 17, 0, datagram.length];
    assert.equal(sum(Uint8Array.from([...pseudo, ...datagram])), 0);
  }
  const mdns = readdressed(said(CALLER, 'x', 5353, '224.0.0.251'), EVERYBODY);
  assert.equal(new DataView(mdns.buffer).getUint32(16), address('224.0.0.251'));
  const without = said(CALLER, 'x');
  new DataView(without.buffer).setUint16(26, 0);
  assert.equal(new DataView(readdressed(without, EVERYBODY).buffer).getUint16(26), 0);
});

test('every caller on the device gets it but the one it is from; what is too large for one is not sent', () => {
  const { server, serverSlot } = connect(new End({}, { maxSessions: 8 }));
  const slots = [serverSlot];
  for (let n = 1; n < 4; n++) {
    const slot = server.path.calls.open(CLIENT, SERVER, 100 + n, 0);
    server.path.calls.connect(slot, 200 + n);
    server.path.devices.attach(slot, SERVER_TUN, {
      localAddress: address('192.168.99.1'),
      peerAddress: address(`192.168.99.${20 + n}`),
      prefixes: [],
    });
    slots.push(slot);
  }
  const told = (packet: Uint8Array) => {
    assert.equal(server.path.spread(SERVER_TUN, packet, 0, 0), -1);
    server.drain(0);
    return server.takeWire().map((datagram) => readDatagram(datagram).callId);
  };
  assert.equal(told(said('192.168.1.10', 'all')).length, 4);
  assert.deepEqual(told(said('192.168.99.22', 'the others')), [0xee88, 201, 203]);
  server.path.calls.setFraming(slots[1]!, { pfc: false, acfc: false, mtu: 100 });
  assert.deepEqual(told(said('192.168.1.10', 'x'.repeat(200))), [0xee88, 202, 203]);
  assert.equal(server.path.spread(CLIENT_TUN, said('192.168.1.10', 'nobody'), 0, 0), -1);
  assert.deepEqual(server.takeWire(), []);
});

test('with more callers than the batch has room for it goes on where it stopped', () => {
  const { server } = connect(new End({}, { maxSessions: 8, outSlots: 2 }));
  for (let n = 1; n < 5; n++) {
    const slot = server.path.calls.open(CLIENT, SERVER, 100 + n, 0);
    server.path.calls.connect(slot, 200 + n);
    server.path.devices.attach(slot, SERVER_TUN, {
      localAddress: address('192.168.99.1'),
      peerAddress: address(`192.168.99.${20 + n}`),
      prefixes: [],
    });
  }
  let rounds = 0;
  for (let slot = 0; slot !== -1; rounds++) {
    slot = server.path.spread(SERVER_TUN, said('192.168.1.10', 'all'), slot, 0);
    server.drain(0);
  }
  assert.deepEqual([rounds, server.takeWire().length], [3, 5]);
});
