/** Rates of sessions, on a virtual clock: what passes when, what is dropped, and that nothing is lost besides. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodePppFrame, PppProtocol } from '../../../src/wire/ppp-frame.ts';
import { octets } from '../../crypto/hex.ts';
import { MPPE_MS_CHAP_V2 } from '../../vectors/ms-chap.ts';
import {
  CALLER,
  CLIENT,
  connect,
  End,
  GATEWAY,
  greToServer,
  readDatagram,
  SERVER,
  SERVER_TUN,
} from '../end.ts';
import { address, ipv4 } from '../packets.ts';

const BURST = 50;
const peers = ['192.168.99.10', '192.168.99.11', '192.168.99.12', '192.168.99.13'];

const headers = new Map<string, Uint8Array>();
function header(source: string, destination: string, length: number): Uint8Array {
  const key = `${source} ${destination} ${length}`;
  const payload = new Uint8Array(length - 20);
  const made = headers.get(key) ?? ipv4({ source, destination, payload }).slice(0, 20);
  headers.set(key, made);
  return made;
}

/** A UDP packet of `length` octets with the number `tag`, of the flow to `port`. */
function udp(source: string, destination: string, port: number, tag: number, length = 1000) {
  const packet = new Uint8Array(length);
  packet.set(header(source, destination, length));
  const view = new DataView(packet.buffer);
  view.setUint16(20, 5000);
  view.setUint16(22, port);
  view.setUint32(28, tag);
  return packet;
}
const down = (peer: string, port: number, tag: number, length?: number) =>
  udp(GATEWAY, peer, port, tag, length);

function read(packet: Uint8Array): { port: number; tag: number; length: number } {
  const view = new DataView(packet.buffer, packet.byteOffset);
  return { port: view.getUint16(22), tag: view.getUint32(28), length: packet.length };
}

/** A server with a session for each peer, whose call ids are 1, 2 ... */
function sessions(count: number, shapedSlots?: number): { server: End; slots: number[] } {
  const server = new End({}, shapedSlots === undefined ? {} : { shapedSlots });
  server.path.devices.open(SERVER_TUN, { isolate: true });
  const slots = peers.slice(0, count).map((peer, n) => {
    const slot = server.path.calls.open(CLIENT, SERVER, 100 + n, 0);
    server.path.calls.connect(slot, n + 1);
    attach(server, slot, peer);
    return slot;
  });
  return { server, slots };
}

function attach(server: End, slot: number, peer: string): void {
  server.path.devices.attach(slot, SERVER_TUN, {
    localAddress: address(GATEWAY),
    peerAddress: address(peer),
    prefixes: [],
  });
}

function limit(end: End, slot: number, send: number, receive = 0, burst = BURST, now = 0): void {
  end.path.calls.setRates(slot, { receive, send, burst }, now);
  end.drain(now);
}

interface Passed {
  readonly at: number;
  readonly session: number;
  readonly port: number;
  readonly tag: number;
  readonly length: number;
}

/** Lives through the time from `from` to `to`, with `each` at every ms, and tells what passed in it. */
function live(end: End, from: number, to: number, each: (now: number) => void = () => undefined) {
  const passed: Passed[] = [];
  const collect = (at: number) => {
    for (const datagram of end.takeWire()) {
      const { callId, payload, hasSequence } = readDatagram(datagram);
      if (hasSequence) passed.push({ at, session: callId - 1, ...read(payload.slice(4)) });
    }
    for (const packet of end.takeDelivered()) passed.push({ at, session: 0, ...read(packet) });
  };
  for (let now = from; now < to; now++) {
    for (let due = end.path.nextTimeout(); due !== undefined && due <= now;) {
      end.path.handleTimeout(due);
      end.drain(due);
      collect(due);
      const next = end.path.nextTimeout();
      assert.ok(next === undefined || next > due, 'a timer that comes to nothing');
      due = next;
    }
    each(now);
    collect(now);
  }
  return passed;
}

const sum = (passed: readonly Passed[]) => passed.reduce((total, { length }) => total + length, 0);
const drops = (end: End, slot: number) => end.path.calls.counters(slot).drops;

test('a flood passes at the rate, to the peer and from it, and no timer is armed afterwards', () => {
  for (const [kilobits, seconds] of [
    [256, 10],
    [2000, 2],
    [30_000, 1],
  ] as const) {
    const expected = (kilobits / 8) * (seconds * 1000 + BURST);
    const perMs = Math.ceil((kilobits * 2) / 8000);
    const { server, slots } = sessions(1);
    limit(server, slots[0]!, kilobits);
    let tag = 0;
    const toPeer = live(server, 0, seconds * 1000, (now) => {
      for (let n = 0; n < perMs; n++) server.tun(SERVER_TUN, down(CALLER, 9, tag++), now);
    });
    const sent = sum(toPeer);
    assert.ok(Math.abs(sent - expected) <= 2000 + (3 * kilobits) / 8, `${kilobits}: ${sent}`);
    live(server, seconds * 1000, seconds * 1000 + 2000);
    assert.equal(server.path.nextTimeout(), undefined);

    const pair = connect();
    limit(pair.server, pair.serverSlot, 0, kilobits);
    let sequence = 0;
    const packet = encodePppFrame(PppProtocol.Ip, udp(CALLER, '8.8.8.8', 9, 0));
    const fromPeer = live(pair.server, 0, seconds * 1000, (now) => {
      for (let n = 0; n < perMs; n++) pair.server.gre(greToServer(sequence++, packet), now);
    });
    const came = sum(fromPeer);
    assert.ok(Math.abs(came - expected) <= 2000 + (3 * kilobits) / 8, `${kilobits}: ${came}`);
    const counters = pair.server.path.calls.counters(pair.serverSlot);
    assert.equal(counters.rxOctets, came, 'what is dropped does not count as received');
  }
});

test('a pause gives the burst as configured, and never more', () => {
  for (const burst of [10, 100, 1000]) {
    const { server, slots } = sessions(1);
    limit(server, slots[0]!, 8000, 0, burst); // 1000 octets a ms
    const flood = (now: number) => {
      for (let n = 0; n < 2 * burst; n++) server.tun(SERVER_TUN, down(CALLER, 9, n), now);
    };
    assert.equal(
      sum(live(server, 0, 1, flood)),
      1000 * (burst + 1),
      'and the packet that is begun',
    );
    live(server, 1, 200);
    assert.equal(sum(live(server, 60_000, 60_001, flood)), 1000 * (burst + 1));
    live(server, 60_001, 60_200); // what waits
    const half = sum(live(server, 60_200 + burst / 2, 60_201 + burst / 2, flood));
    assert.ok(half <= 1000 * (burst + 1), `${half}`);
  }
});

test('sessions do not feel each other, whatever the rate of each; one without a rate waits for nothing', () => {
  const { server, slots } = sessions(4);
  const rates = [1000, 4000, 4000, 0];
  slots.forEach((slot, n) => limit(server, slot, rates[n]!));
  let tag = 0;
  const passed = live(server, 0, 1000, (now) => {
    for (const peer of peers) server.tun(SERVER_TUN, down(peer, 9, tag++), now); // 8 Mbit/s each
  });
  rates.forEach((rate, n) => {
    const own = passed.filter(({ session }) => session === n);
    const expected = rate === 0 ? 1000 * 1000 : (rate / 8) * (1000 + BURST);
    assert.ok(Math.abs(sum(own) - expected) <= 2000, `${n}: ${sum(own)} of ${expected}`);
  });
  assert.deepEqual(drops(server, slots[3]!), {});
  for (const slot of slots.slice(0, 3))
    assert.deepEqual(Object.keys(drops(server, slot)), ['overRate']);
});

test('a ping and acknowledgments do not wait behind floods, however many, and none is dropped; floods share', () => {
  const floods = Array.from({ length: 12 }, (_, n) => n + 1);
  const { server, slots } = sessions(1);
  limit(server, slots[0]!, 4000); // a packet of 1000 octets in 2 ms, 50 of them in LONGEST
  let began = 0;
  let tag = 0;
  const passed = live(server, 0, 2000, (now) => {
    for (const port of floods) server.tun(SERVER_TUN, down(CALLER, port, tag++), now);
    if (now % 100 === 50) server.tun(SERVER_TUN, down(CALLER, 77, now, 84), now);
    if (now % 10 === 0) {
      server.tun(SERVER_TUN, down(CALLER, 88, now, 52), now);
      began++;
    }
  });
  for (const { port, tag: sentAt, at } of passed)
    // A ping: the packet that is being paid for, an acknowledgment, and the next look at the session. Acknowledgments, which
    // come more often than each flood has its turn: all of those.
    if (port > 70) {
      const most = port === 77 ? 7 : floods.length * 4 + 4; // two packets of each
      assert.ok(at - sentAt <= most, `port ${port} waited ${at - sentAt} ms`);
    }
  const of = (port: number) => passed.filter((each) => each.port === port);
  assert.equal(of(77).length, 20);
  assert.ok(of(88).length >= began - 3);
  const shares = floods.map((port) => of(port).length);
  assert.ok(Math.max(...shares) <= 1.1 * Math.min(...shares), shares.join());
});

test('what is slower than the rate is not touched: not delayed, not dropped', () => {
  const { server, slots } = sessions(1);
  limit(server, slots[0]!, 1000);
  const passed = live(server, 0, 3000, (now) => {
    // 52 octets each 3 ms, as acknowledgments of a fast download: 139 kbit/s
    if (now % 3 === 0) server.tun(SERVER_TUN, down(CALLER, 9, now, 52), now);
  });
  assert.equal(passed.length, 1000);
  assert.ok(passed.every(({ at, tag }) => at === tag));
  assert.deepEqual(drops(server, slots[0]!), {});
});

test('a flow never waits for more than 50 ms, and CoDel makes a queue that stands short', () => {
  for (const [overload, most] of [
    [4, 51],
    [1.02, 30],
  ] as const) {
    const { server, slots } = sessions(1);
    limit(server, slots[0]!, 8000); // 1000 octets a ms
    const came: number[] = [];
    let owed = 0;
    const passed = live(server, 0, 5000, (now) => {
      for (owed += overload; owed >= 1; owed--) {
        server.tun(SERVER_TUN, down(CALLER, 9, came.length), now);
        came.push(now);
      }
    });
    const waits = passed.map(({ at, tag }) => at - came[tag]!);
    assert.ok(Math.max(...waits) <= 52, `${Math.max(...waits)} ms`);
    const late = waits.slice(waits.length / 2);
    assert.ok(Math.max(...late) <= most, `${overload}: ${Math.max(...late)} ms`);
    assert.ok(drops(server, slots[0]!).overRate! > 0);
  }
});

test('at a slow rate a few packets may wait, whatever that takes', () => {
  const { server, slots } = sessions(1);
  limit(server, slots[0]!, 64, 0, 10); // 1400 octets take 175 ms
  for (let n = 0; n < 20; n++) server.tun(SERVER_TUN, down(CALLER, 9, n, 1400), 0);
  const passed = live(server, 0, 5000);
  assert.ok(passed.length >= 4 && passed.length <= 6, `${passed.length} packets`);
});

test('the order in which packets are sent is that of their MPPE counts and GRE numbers', () => {
  const { server, client, serverSlot, clientSlot } = connect();
  const keys = {
    strength: 128,
    stateful: false,
    startKey: octets(MPPE_MS_CHAP_V2[2].startKey),
  } as const;
  server.path.calls.setMppe(serverSlot, 'send', keys);
  client.path.calls.setMppe(clientSlot, 'receive', keys);
  limit(server, serverSlot, 8000);
  const echo = Uint8Array.of(0xff, 0x03, 0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 0);
  let tag = 0;
  for (let now = 0; now < 1000; now++) {
    server.path.handleTimeout(now);
    server.drain(now);
    for (const port of [1, 2]) server.tun(SERVER_TUN, down(CALLER, port, tag++), now);
    if (now % 50 === 0) server.path.calls.transmit(serverSlot, echo);
    server.drain(now);
    for (const datagram of server.takeWire()) client.gre(datagram, now);
  }
  const {
    rxPackets,
    rxControl,
    lost,
    reordered,
    drops: lostHere,
  } = client.path.calls.counters(clientSlot);
  assert.deepEqual([lost, reordered, lostHere, rxControl], [0, 0, {}, 20]);
  assert.ok(Math.abs(rxPackets - 1000 - BURST) <= 2, `${rxPackets} packets`);
  const of = (port: number) =>
    client.delivered.map(({ packet }) => read(packet)).filter((each) => each.port === port);
  for (const port of [1, 2]) {
    const tags = of(port).map((each) => each.tag);
    assert.deepEqual(
      tags,
      [...tags].sort((a, b) => a - b),
    );
  }
});

test('another rate holds at once for what waits; without one all of it goes, before what comes', () => {
  for (const [to, least, most] of [
    [80_000, 2, 5],
    [0, 0, 0],
    [800, 240, 320],
  ] as const) {
    const { server, slots } = sessions(1);
    limit(server, slots[0]!, 8000);
    for (let n = 0; n < 90; n++) server.tun(SERVER_TUN, down(CALLER, 9, n), 0);
    const before = live(server, 0, 10);
    limit(server, slots[0]!, to, 0, BURST, 10);
    server.tun(SERVER_TUN, down(CALLER, 9, 90), 10);
    const after = live(server, 10, 1000);
    const tags = [...before, ...after].map(({ tag }) => tag);
    const all = Array.from({ length: 91 }, (_, n) => n);
    const { overRate = 0 } = drops(server, slots[0]!);
    assert.deepEqual(tags, to === 800 ? all.filter((tag) => tags.includes(tag)) : all);
    assert.equal(tags.length + overRate, 91);
    assert.ok(overRate <= 3, 'CoDel, where they wait for longer than before');
    const last = after.at(-1)!.at - 10;
    assert.ok(last >= least && last <= most, `${to}: ${last} ms`);
    assert.equal(server.path.nextTimeout(), undefined);
  }
});

test('a slow rate that ends leaves no debt', () => {
  const { server, slots } = sessions(1);
  limit(server, slots[0]!, 8, 0, 10);
  server.tun(SERVER_TUN, down(CALLER, 9, 0, 1400), 0); // 1.4 s
  limit(server, slots[0]!, 8000, 0, 10, 1);
  server.tun(SERVER_TUN, down(CALLER, 9, 1), 1);
  assert.equal(live(server, 1, 10).length, 2);
});

test('a session that ends drops what waits, and its slots are free again; the next one has no rate', () => {
  const { server, slots } = sessions(2, 64);
  limit(server, slots[1]!, 8000);
  for (let times = 0; times < 50; times++) {
    limit(server, slots[0]!, 1000, 1000, 10, times);
    for (let n = 0; n < 30; n++) server.tun(SERVER_TUN, down(peers[0]!, n % 5, n), times);
    const before = drops(server, slots[0]!);
    server.path.devices.detach(slots[0]!);
    server.drain(times);
    assert.ok((drops(server, slots[0]!).notAttached ?? 0) > (before.notAttached ?? 0) + 5);
    if (times % 2 === 0) attach(server, slots[0]!, peers[0]!);
    else {
      server.path.calls.close(slots[0]!);
      slots[0] = server.path.calls.open(CLIENT, SERVER, 100, times);
      server.path.calls.connect(slots[0], 1);
      attach(server, slots[0], peers[0]!);
      for (let n = 0; n < 30; n++)
        assert.equal(server.tun(SERVER_TUN, down(peers[0]!, 9, n), times), 'sent');
    }
    server.takeWire();
  }
  assert.equal(server.path.nextTimeout(), undefined);
});

test('what waits to go into a device goes nowhere else', () => {
  const pair = connect();
  limit(pair.server, pair.serverSlot, 0, 1000, 10);
  const packet = encodePppFrame(PppProtocol.Ip, udp(CALLER, '8.8.8.8', 9, 0));
  for (let n = 0; n < 8; n++) pair.server.gre(greToServer(n, packet), 0);
  const before = pair.server.takeDelivered().length;
  pair.server.path.devices.open(77, { isolate: true });
  pair.server.path.devices.attach(pair.serverSlot, 77, {
    localAddress: address(GATEWAY),
    peerAddress: address('192.168.99.99'),
    prefixes: [],
  });
  live(pair.server, 0, 1000);
  assert.deepEqual(pair.server.takeDelivered(), []);
  assert.deepEqual(drops(pair.server, pair.serverSlot), { notAttached: 8 - before });
});

test('with a socket that is full, what the rate lets through waits in the backlog', () => {
  const { server, slots } = sessions(1);
  limit(server, slots[0]!, 8000);
  server.room = 20;
  for (let n = 0; n < 80; n++) server.tun(SERVER_TUN, down(CALLER, 9, n), 0);
  const before = live(server, 0, 100);
  assert.equal(before.length, 20);
  server.writable(Infinity, 100);
  const after = live(server, 100, 101);
  assert.deepEqual(
    [...before, ...after].map(({ tag }) => tag),
    Array.from({ length: 80 }, (_, n) => n),
  );
  assert.deepEqual(drops(server, slots[0]!), {});
});

test('whatever happens, no slot is lost, and a flow keeps its order', () => {
  const { server, slots } = sessions(3, 96);
  let seed = 11;
  const draw = (below: number) => (seed = (seed * 48271) % 0x7fffffff) % below;
  const last = new Map<string, number>();
  let tag = 0;
  for (let now = 0; now < 5000; now++) {
    const n = draw(3);
    const slot = slots[n]!;
    switch (draw(40)) {
      case 0:
        limit(server, slot, [0, 100, 1000, 20_000][draw(4)]!, draw(2) * 500, 10 + draw(100), now);
        break;
      case 1:
        server.path.devices.detach(slot);
        server.drain(now);
        attach(server, slot, peers[n]!);
        break;
      default:
        for (let times = draw(4); times > 0; times--)
          server.tun(SERVER_TUN, down(peers[n]!, draw(30), tag++, 40 + draw(1300)), now);
    }
    for (const { session, port, tag: number } of live(server, now, now + 1)) {
      const flow = `${session} ${port}`;
      assert.ok(number > (last.get(flow) ?? -1), `${flow}: ${number} after ${last.get(flow)}`);
      last.set(flow, number);
    }
  }
  slots.forEach((slot) => limit(server, slot, 0, 0, BURST, 5000));
  assert.equal(server.path.nextTimeout(), undefined);
  server.takeWire();
  limit(server, slots[0]!, 8, 0, 10, 5000);
  const waiting = Array.from({ length: 200 }, (_, n) =>
    server.tun(SERVER_TUN, down(peers[0]!, n, n, 40), 5000),
  ).filter((verdict) => verdict === 'nothing').length;
  assert.equal(waiting, 96 / 2, 'as many as there are for one session');
});
