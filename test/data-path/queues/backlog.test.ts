/** A socket that is full: who waits how long, and what of it reaches the wire. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RESERVED } from '../../../src/data-path/queues/backlog.ts';
import { octets } from '../../crypto/hex.ts';
import { MPPE_MS_CHAP_V2 } from '../../vectors/ms-chap.ts';
import { CALLER, CLIENT, connect, End, GATEWAY, readDatagram, SERVER, SERVER_TUN } from '../end.ts';
import { address, tagged } from '../packets.ts';

const SLOTS = 512;
const keys = {
  strength: 128,
  stateful: false,
  startKey: octets(MPPE_MS_CHAP_V2[2].startKey),
} as const;

/** A server with a session for each address, whose peers' call ids are 1, 2 ... */
function sessions(...addresses: string[]): { server: End; slots: number[] } {
  const server = new End();
  server.path.devices.open(SERVER_TUN, { isolate: true });
  const slots = addresses.map((peerAddress, n) => {
    const slot = server.path.calls.open(CLIENT, SERVER, 100 + n, 0);
    server.path.calls.connect(slot, n + 1);
    server.path.devices.attach(slot, SERVER_TUN, {
      localAddress: address(GATEWAY),
      peerAddress: address(peerAddress),
      prefixes: [],
    });
    return slot;
  });
  return { server, slots };
}

const to = (peer: string, tag: number, length = 1000) => tagged(GATEWAY, peer, tag, length);
const callIds = (server: End) => server.takeWire().map((datagram) => readDatagram(datagram).callId);
const echo = Uint8Array.of(0xff, 0x03, 0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 0);

/** The socket takes no more: one packet of the first session finds out. */
function fill(server: End, peer: string): void {
  server.room = 0;
  assert.equal(server.tun(SERVER_TUN, to(peer, 0), 1), 'sent');
  assert.ok(server.path.output.blocked);
}

test('a session that floods takes nothing from the others', () => {
  const { server, slots } = sessions('192.168.99.10', '192.168.99.11', '192.168.99.12');
  fill(server, '192.168.99.10');
  const flood = Array.from({ length: 2 * SLOTS }, () =>
    server.tun(SERVER_TUN, to('192.168.99.10', 1), 1),
  );
  for (const light of ['192.168.99.11', '192.168.99.12'])
    for (let n = 0; n < 20; n++) assert.equal(server.tun(SERVER_TUN, to(light, n), 1), 'nothing');
  const held = flood.filter((verdict) => verdict === 'nothing').length;
  assert.equal(held, (SLOTS - 1 - RESERVED) / 2 + 0.5, 'half of what there is');
  assert.equal(server.path.calls.counters(slots[0]!).drops.full, 2 * SLOTS - held);

  server.writable(61, 2);
  const [first, ...served] = callIds(server);
  assert.equal(first, 1, 'what had its number comes first');
  for (const callId of [1, 2, 3])
    assert.ok(Math.abs(served.filter((id) => id === callId).length - 20) <= 1, served.join());
  server.writable(Infinity, 3);
  assert.equal(callIds(server).length, held + 40 - 60);
  assert.ok(!server.path.output.blocked);
  assert.deepEqual(server.path.calls.counters(slots[1]!).drops, {});
});

test('sessions share octets, not packets', () => {
  const { server } = sessions('192.168.99.10', '192.168.99.11');
  fill(server, '192.168.99.10');
  for (let n = 0; n < 60; n++) {
    server.tun(SERVER_TUN, to('192.168.99.10', n, 1200), 1);
    server.tun(SERVER_TUN, to('192.168.99.11', n, 300), 1);
  }
  server.writable(1 + 50, 2);
  const served = callIds(server).slice(1);
  const large = served.filter((id) => id === 1).length;
  assert.ok(large >= 8 && large <= 12, `${large} of 1200 octets beside ${50 - large} of 300`);
});

test('an LCP echo does not wait behind packets, and the order of numbers is that of sending', () => {
  const { server, client, serverSlot, clientSlot } = connect();
  server.path.calls.setMppe(serverSlot, 'send', keys);
  client.path.calls.setMppe(clientSlot, 'receive', keys);
  fill(server, CALLER);
  for (let n = 1; n <= 100; n++) server.tun(SERVER_TUN, to(CALLER, n), 1);
  server.path.calls.transmit(serverSlot, echo);
  server.drain(1);
  for (let n = 101; n <= 120; n++) server.tun(SERVER_TUN, to(CALLER, n), 1);
  assert.deepEqual(server.takeWire(), []);

  for (const room of [1, 1, 7, 40, 3, Infinity]) server.writable(room, 2);
  const wire = server.takeWire();
  assert.deepEqual(
    wire.map((datagram) => readDatagram(datagram).sequence),
    Array.from({ length: 122 }, (_, n) => n),
  );
  wire.forEach((datagram) => client.gre(datagram, 3));
  assert.deepEqual(
    client.takeDelivered(),
    Array.from({ length: 121 }, (_, n) => to(CALLER, n)),
  );
  assert.equal(
    readDatagram(wire[1]!).payload.length,
    echo.length,
    'second, behind what had its number',
  );
});

test('nothing is sent for a call that ended, and its slots are free again', () => {
  const { server, slots } = sessions('192.168.99.10', '192.168.99.11');
  fill(server, '192.168.99.11');
  for (let times = 0; times < 5; times++) {
    for (let n = 0; n < SLOTS; n++) server.tun(SERVER_TUN, to('192.168.99.10', n), 1);
    server.tun(SERVER_TUN, to('192.168.99.11', times), 1);
    server.path.devices.detach(slots[0]!);
    server.path.devices.attach(slots[0]!, SERVER_TUN, {
      localAddress: address(GATEWAY),
      peerAddress: address('192.168.99.10'),
      prefixes: [],
    });
    server.drain(1);
  }
  const drops = server.path.calls.counters(slots[0]!).drops;
  assert.equal((drops.full ?? 0) + (drops.notAttached ?? 0), 5 * SLOTS);
  assert.ok(drops.notAttached! > 5 * 200);
  server.path.calls.close(slots[0]!);
  server.writable(Infinity, 2);
  assert.deepEqual(callIds(server), [2, 2, 2, 2, 2, 2]);
});

test('what waits is still sent when its session gets other addresses', () => {
  const { server, slots } = sessions('192.168.99.10');
  fill(server, '192.168.99.10');
  for (let n = 0; n < 5; n++) server.tun(SERVER_TUN, to('192.168.99.10', n), 1);
  server.path.devices.attach(slots[0]!, SERVER_TUN, {
    localAddress: address(GATEWAY),
    peerAddress: address('192.168.99.11'),
    prefixes: [],
  });
  server.writable(Infinity, 2);
  assert.equal(server.takeWire().length, 6);
  assert.deepEqual(server.path.calls.counters(slots[0]!).drops, {});
});

test('whatever room the socket has, each session keeps its order and no slot is lost', () => {
  const peers = ['192.168.99.10', '192.168.99.11', '192.168.99.12'];
  const { server, slots } = sessions(...peers);
  let seed = 7;
  const draw = (below: number) => (seed = (seed * 48271) % 0x7fffffff) % below;
  const next = [0, 0, 0];
  const sent: number[][] = [[], [], []];
  for (let step = 0; step < 3000; step++) {
    const n = draw(3);
    if (draw(4) === 0 && server.path.output.blocked) server.writable(draw(30), step);
    else if (draw(9) === 0) {
      server.path.calls.transmit(slots[n]!, echo);
      server.drain(step);
    } else server.tun(SERVER_TUN, to(peers[n]!, next[n]!++, 40 + draw(1300)), step);
    if (!server.path.output.blocked) server.room = draw(40);
  }
  if (server.path.output.blocked) server.writable(Infinity, 3000);
  for (const datagram of server.takeWire()) {
    const { callId, sequence } = readDatagram(datagram);
    sent[callId - 1]!.push(sequence);
  }
  for (const sequences of sent) {
    assert.ok(sequences.length > 300);
    assert.deepEqual(
      [...sequences].sort((a, b) => a - b),
      sequences,
    );
  }
  server.room = 0;
  const free = Array.from({ length: SLOTS }, (_, n) =>
    server.tun(SERVER_TUN, to(peers[n % 3]!, n), 3001),
  ).filter((verdict) => verdict === 'nothing' || verdict === 'sent').length;
  assert.ok(free >= Math.floor(((SLOTS - 1 - RESERVED) * 3) / 4), `${free} found room`);
});
