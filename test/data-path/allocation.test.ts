/** The packet path allocates nothing per packet: the heap does not grow with their number. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GCProfiler, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Control } from '../../src/data-path/control.ts';
import { octets } from '../crypto/hex.ts';
import { MPPE_MS_CHAP_V2 } from '../vectors/ms-chap.ts';
import { encodePppFrame, PppProtocol } from '../../src/wire/ppp-frame.ts';
import {
  CALLER,
  CLIENT,
  CLIENT_TUN,
  connect,
  greToServer,
  type Pair,
  SERVER,
  SERVER_TUN,
} from './end.ts';
import { ipv6, tagged } from './packets.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

const PACKETS = 1_000_000;
const WARM_UP = 20_000;
/**
 * The heap is looked at after each of so many parts: a compiler that is late, on a busy machine, costs an object for each
 * packet until it is done, but what the code itself allocates is there in every part.
 */
const PARTS = 4;
/** An object of two words per packet would be 16 octets a packet and more. */
const OCTETS_PER_PACKET = 4;

const OURS = `20010db80001${'0'.repeat(19)}9`;
const THEIRS = `20010db8000f${'0'.repeat(19)}1`;
const LINK_TUN = 13;

for (const [what, encrypted, packets] of [
  [
    'in the clear over a link, IPv4 and IPv6',
    false,
    [tagged(CALLER, '8.8.8.8', 1, 64), ipv6(OURS, THEIRS, 64)],
  ],
  [
    'with MPPE-128 from a caller, IPv4 and IPv6',
    true,
    [tagged(CALLER, '8.8.8.8', 1, 64), ipv6(OURS, THEIRS, 64)],
  ],
] as const) {
  test(`${PACKETS} packets ${what}, through both ends`, () => {
    const pair = connect();
    const { server, client, serverSlot, clientSlot } = pair;
    if (encrypted) giveIpv6(pair);
    else carryIpv6(pair);
    const keys = {
      strength: 128,
      stateful: false,
      startKey: octets(MPPE_MS_CHAP_V2[2].startKey),
    } as const;
    if (encrypted) {
      client.path.calls.setMppe(clientSlot, 'send', keys);
      server.path.calls.setMppe(serverSlot, 'receive', keys);
    }
    const from = client.arena.tunSlots.base + client.arena.tunSlots.headroom;
    const to = server.arena.greSlots.base + server.arena.greSlots.headroom + 20;
    const batch = { tun: new Int32Array(2), gre: Int32Array.of(to, 0, CLIENT, SERVER) };
    batch.tun[0] = from;
    const run = (count: number) => {
      let now = 0.5;
      for (let n = 0; n < count; n++) {
        const packet = packets[n % packets.length]!;
        client.arena.octets.set(packet, from);
        batch.tun[1] = packet.length;
        client.path.receiveTun(CLIENT_TUN, batch.tun, 1, now);
        client.path.seal();
        assert.equal(client.path.output.greCount, 1);
        const offset = client.path.output.gre[0]!;
        const length = client.path.output.gre[1]!;
        for (let k = 0; k < length; k++)
          server.arena.octets[to + k] = client.arena.octets[offset + k]!;
        batch.gre[1] = length;
        server.path.receiveGre(batch.gre, 1, now);
        assert.equal(server.path.nextControl(now), Control.None);
        server.path.seal();
        client.path.sent(1);
        server.path.sent(server.path.output.greCount);
        if (n % 64 === 0) now += 1.5;
      }
    };
    allocatesNothing(run);
    assert.equal(server.path.calls.counters(serverSlot).rxPackets, WARM_UP + PACKETS);
  });
}

test(`${PACKETS} packets that wait for their rate, most of which are dropped, in both directions`, () => {
  const { server, serverSlot } = connect();
  const { path, arena } = server;
  path.calls.setRates(serverSlot, { receive: 4000, send: 4000, burst: 50 }, 0);
  const tunAt = arena.tunSlots.base + arena.tunSlots.headroom;
  const greAt = arena.greSlots.base + arena.greSlots.headroom + 20;
  const packets = [1, 2, 3].map((port) => tagged('8.8.8.8', CALLER, port, 100));
  const datagram = greToServer(
    0,
    encodePppFrame(PppProtocol.Ip, tagged(CALLER, '8.8.8.8', 1, 100)),
  ).octets;
  const tun = Int32Array.of(tunAt, 100);
  const gre = Int32Array.of(greAt, datagram.length, CLIENT, SERVER);
  const sequence = new DataView(arena.buffer, greAt + 8);
  let now = 0;
  let number = 0;
  allocatesNothing((count) => {
    for (let n = 0; n < count; n++) {
      if (n % 16 === 0) {
        now += 1; // 1600 octets come each way, 500 may pass
        path.handleTimeout(now);
        path.seal();
        path.sent(path.output.greCount);
      }
      if (n % 2 === 0) {
        arena.octets.set(packets[(n >> 1) % packets.length]!, tunAt);
        path.receiveTun(SERVER_TUN, tun, 1, now);
      } else {
        arena.octets.set(datagram, greAt);
        sequence.setUint32(0, number++);
        path.receiveGre(gre, 1, now);
        assert.equal(path.nextControl(now), Control.None);
      }
      path.seal();
      path.sent(path.output.greCount);
    }
  });
  const { rxPackets, txPackets, drops } = path.calls.counters(serverSlot);
  for (const passed of [rxPackets, txPackets])
    assert.ok(Math.abs(passed - 5 * now) < 400, `${passed} packets in ${now} ms`);
  assert.deepEqual(Object.keys(drops), ['overRate']);
});

/** Of packets in this number. */
function allocatesNothing(run: (count: number) => void): void {
  run(WARM_UP);
  const parts = Array.from({ length: PARTS }, () => {
    gc();
    const profiler = new GCProfiler();
    profiler.start();
    const before = process.memoryUsage().heapUsed;
    run(PACKETS / PARTS);
    const grown = process.memoryUsage().heapUsed - before;
    // Without a collection in between all that was allocated is still there.
    return profiler.stop().statistics.length > 0 ? Infinity : (grown * PARTS) / PACKETS;
  });
  assert.ok(Math.min(...parts) < OCTETS_PER_PACKET, `${parts.join(', ')} octets a packet`);
}

/** Both ends are links, with a source filter. */
function carryIpv6({ server, client, serverSlot, clientSlot }: Pair): void {
  server.path.devices.open(LINK_TUN, { isolate: false, isLink: true });
  server.path.devices.attach(serverSlot, LINK_TUN, {
    localAddress: 1,
    peerAddress: 2,
    prefixes: [],
  });
  for (const [path, slot, device, own] of [
    [server.path, serverSlot, LINK_TUN, THEIRS],
    [client.path, clientSlot, CLIENT_TUN, OURS],
  ] as const) {
    path.calls.setIpv6(slot, {
      local: new Uint8Array(8).fill(slot + 1),
      peer: new Uint8Array(8).fill(9),
    });
    path.devices.setGivenIpv6(device, [{ address: octets(own), length: 56 }], true);
  }
}

/** The server's end has a caller with prefixes, beside those of others. */
function giveIpv6({ server, client, serverSlot, clientSlot }: Pair): void {
  const identifiers = { local: new Uint8Array(8).fill(1), peer: new Uint8Array(8).fill(9) };
  client.path.calls.setIpv6(clientSlot, identifiers);
  server.path.calls.setIpv6(serverSlot, { ...identifiers, hasMachine: true });
  server.path.devices.setIpv6Prefixes(serverSlot, [
    { address: octets(`20010db80002${'0'.repeat(20)}`), length: 56 },
    { address: octets(OURS), length: 64 },
  ]);
}
