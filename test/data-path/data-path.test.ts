import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Control } from '../../src/data-path/control.ts';
import { encodePppFrame, PppProtocol } from '../../src/wire/ppp-frame.ts';
import { octets } from '../crypto/hex.ts';
import { MPPE_MS_CHAP_V2 } from '../vectors/ms-chap.ts';
import {
  CALLER,
  CLIENT,
  CLIENT_CALL,
  CLIENT_TUN,
  connect,
  End,
  GATEWAY,
  greToServer,
  type Datagram,
  readDatagram,
  SERVER,
  SERVER_CALL,
  SERVER_TUN,
  type Pair,
} from './end.ts';
import { MppeTwinReceiver, MppeTwinSender } from './mppe/twin.ts';
import { address, ipv4, ipv6, tagged, tagOf, tcp, tcpFault } from './packets.ts';
import { parsePrefix } from '../../src/wire/ip.ts';

const ECHO = encodePppFrame(PppProtocol.Lcp, Uint8Array.of(9, 1, 0, 8, 1, 2, 3, 4));
const ip = (packet: Uint8Array) => encodePppFrame(PppProtocol.Ip, packet);
const KEY = octets(MPPE_MS_CHAP_V2[2].startKey);
const OTHER_KEY = octets(MPPE_MS_CHAP_V2[2].sessionKey);

/** IPv6: the caller's interface identifier and addresses. */
const ID = '0011223344556677';
const PEER = `fe80000000000000${ID}`;
const OUR_ID = 'aaaaaaaaaaaaaaaa';
const OURS = `fe80000000000000${OUR_ID}`;
const ALL_NODES = `ff02${'0'.repeat(27)}1`;
const GLOBAL = `20010db8${'0'.repeat(23)}1`;

/** Moves everything both ends have put on the wire, until both are silent. */
function exchange({ server, client }: Pair, now: number): void {
  for (;;) {
    const toServer = client.takeWire();
    const toClient = server.takeWire();
    if (toServer.length + toClient.length === 0) return;
    for (const datagram of toServer) server.gre(datagram, now);
    for (const datagram of toClient) client.gre(datagram, now);
  }
}

function encrypt({ server, client, serverSlot, clientSlot }: Pair, stateful = false): void {
  const keys = (startKey: Uint8Array) => ({ strength: 128, stateful, startKey }) as const;
  for (const [end, slot, send, receive] of [
    [server, serverSlot, KEY, OTHER_KEY],
    [client, clientSlot, OTHER_KEY, KEY],
  ] as const) {
    end.path.calls.setMppe(slot, 'receive', keys(receive));
    end.path.calls.setMppe(slot, 'send', keys(send));
    end.path.calls.requireEncryption(slot, true);
  }
}

test('IP goes through, both ways, with the call id and sequence numbers of each', () => {
  const pair = connect();
  const { server, client, serverSlot } = pair;
  for (let n = 0; n < 3; n++) {
    assert.equal(client.tun(CLIENT_TUN, tagged(CALLER, '8.8.8.8', n), 0), 'sent');
    assert.equal(server.tun(SERVER_TUN, tagged('8.8.8.8', CALLER, 100 + n), 0), 'sent');
  }
  client.wire.forEach((datagram, n) => {
    const gre = readDatagram(datagram);
    assert.deepEqual([gre.callId, gre.sequence], [SERVER_CALL, n]);
    assert.deepEqual([datagram.from, datagram.to], [CLIENT, SERVER]);
    assert.deepEqual(gre.payload, ip(tagged(CALLER, '8.8.8.8', n)));
  });
  assert.equal(readDatagram(server.wire[0]!).callId, CLIENT_CALL);
  exchange(pair, 0);
  assert.deepEqual(
    server.delivered.map(({ device }) => device),
    [11, 11, 11],
  );
  assert.deepEqual(server.takeDelivered().map(tagOf), [0, 1, 2]);
  assert.deepEqual(client.takeDelivered().map(tagOf), [100, 101, 102]);
  const { rxPackets, rxOctets, txPackets, txOctets, drops } =
    server.path.calls.counters(serverSlot);
  assert.deepEqual([rxPackets, rxOctets, txPackets, txOctets], [3, 300, 3, 300]);
  assert.deepEqual(drops, {});
});

test('frames leave as the peer agreed, in every form, and every form is understood', () => {
  for (const [pfc, acfc, header] of [
    [false, false, [0xff, 3, 0, 0x21]],
    [true, false, [0xff, 3, 0x21]],
    [false, true, [0, 0x21]],
    [true, true, [0x21]],
  ] as const) {
    const pair = connect();
    const { server, client, clientSlot } = pair;
    client.path.calls.setFraming(clientSlot, { pfc, acfc, mtu: 1400 });
    const packet = tagged(CALLER, '8.8.8.8', 5);
    client.tun(CLIENT_TUN, packet, 0);
    client.path.calls.transmit(clientSlot, ECHO);
    client.drain(0);
    assert.deepEqual(
      readDatagram(client.wire[0]!).payload,
      Uint8Array.from([...header, ...packet]),
    );
    assert.deepEqual(readDatagram(client.wire[1]!).payload, ECHO); // RFC 1661 §6.5, §6.6: never LCP
    exchange(pair, 0);
    assert.deepEqual(server.takeDelivered(), [packet]);
    assert.deepEqual(server.frames, [{ slot: 0, frame: ECHO }]);
  }
});

test('MPPE: the twins of both ends read and write what passes', () => {
  for (const stateful of [false, true]) {
    for (const [pfc, header] of [
      [false, [0xff, 3, 0, 0xfd]],
      [true, [0xff, 3, 0xfd]],
    ] as const) {
      const pair = connect();
      const { server, client, clientSlot } = pair;
      encrypt(pair, stateful);
      client.path.calls.setFraming(clientSlot, { pfc, acfc: false, mtu: 1400 });
      const twin = new MppeTwinReceiver({ startKey: OTHER_KEY, bits: 128, stateful });
      const sender = new MppeTwinSender({ startKey: OTHER_KEY, bits: 128, stateful });
      for (let n = 0; n < 10; n++) {
        const packet = tagged(CALLER, '8.8.8.8', n, 100 + n);
        client.tun(CLIENT_TUN, packet, 0);
        const gre = readDatagram(client.wire.at(-1)!);
        assert.deepEqual([...gre.payload.subarray(0, header.length)], header);
        const inner = Uint8Array.from([0, 0x21, ...packet]);
        assert.deepEqual(twin.decrypt(gre.payload.subarray(header.length)), inner);
        const twins = greToServer(n, encodePppFrame(PppProtocol.Compressed, sender.encrypt(inner)));
        assert.equal(server.gre(twins, 0), 'delivered');
        assert.deepEqual(server.takeDelivered(), [packet]);
      }
    }
  }
});

for (const webAssembly of [true, false]) {
  test(`MPPE: a batch of several packets, ${webAssembly ? 'two at a time' : 'one by one'}`, () => {
    const pair = connect(new End({}, { webAssembly }), new End({}, { webAssembly }));
    const { server, client, serverSlot, clientSlot } = pair;
    encrypt(pair);
    const send = (end: End, packets: Uint8Array[]) => {
      end.path.receiveTun(CLIENT_TUN, end.tunBatch(packets), packets.length, 0);
      assert.equal(end.path.output.greCount, packets.length);
      end.drain(0);
    };
    const receive = (datagrams: Datagram[]) => {
      server.path.receiveGre(server.greBatch(datagrams), datagrams.length, 5);
    };
    for (const count of [5, 4, 1, 2]) {
      const packets = Array.from({ length: count }, (_, n) =>
        tagged(CALLER, '8.8.8.8', n, 60 + 300 * n),
      );
      send(client, packets);
      receive(client.takeWire());
      server.drain(5);
      assert.deepEqual(server.takeDelivered(), packets);
    }

    // What changes the session, or looks at it, comes after the packets that came before it.
    const changes: (() => void)[] = [
      () => assert.equal(server.path.calls.counters(serverSlot).rxPackets, 15),
      () => assert.equal(server.path.totals().rxPackets, 18),
      () => server.path.calls.requireEncryption(serverSlot, true),
      () => server.path.calls.setMppe(serverSlot, 'receive', undefined),
    ];
    const three = [1, 2, 3].map((n) => tagged(CALLER, '8.8.8.8', n));
    for (const change of changes) {
      send(client, three);
      receive(client.takeWire());
      change();
      server.drain(5);
      assert.deepEqual(server.takeDelivered(), three);
    }
    encrypt(pair);
    send(client, three);
    receive(client.takeWire());
    server.path.calls.close(serverSlot);
    server.drain(5);
    assert.deepEqual(server.takeDelivered(), three);
    assert.equal(server.path.totals().rxPackets, 27);
    assert.deepEqual(server.path.totals().drops, {});
    assert.equal(client.path.calls.counters(clientSlot).txPackets, 27);
  });
}

for (const encrypted of [false, true]) {
  test(`what is done about a control frame concerns the packets behind it, ${encrypted ? 'encrypted' : 'in the clear'}`, () => {
    const pair = connect();
    const { server, client, serverSlot, clientSlot } = pair;
    const { path } = server;
    if (encrypted) encrypt(pair);
    const [before, behind] = [1, 2].map((tag) => tagged(CALLER, '8.8.8.8', tag));
    client.tun(CLIENT_TUN, before!, 0);
    client.path.calls.transmit(clientSlot, ECHO);
    client.tun(CLIENT_TUN, behind!, 0);
    client.path.calls.transmit(clientSlot, ECHO);
    client.drain(0);
    path.devices.detach(serverSlot);

    const batch = server.greBatch(client.takeWire());
    path.receiveGre(batch, 4, 0);
    assert.throws(() => path.receiveGre(batch, 4, 0), /before the last one has ended/);
    assert.equal(path.nextControl(0), Control.Frame);
    assert.deepEqual(path.totals().drops, { notAttached: 1 });
    path.devices.attach(serverSlot, SERVER_TUN, {
      localAddress: address(GATEWAY),
      peerAddress: address(CALLER),
      prefixes: [],
    });
    assert.equal(path.nextControl(0), Control.Frame);
    path.calls.close(serverSlot);
    assert.equal(path.nextControl(0), Control.None);
    server.drain(0);
    assert.deepEqual(server.takeDelivered(), [behind]);
  });
}

test('control frames are never encrypted, and need no IP', () => {
  const pair = connect();
  const { server, client, clientSlot } = pair;
  encrypt(pair);
  client.path.devices.detach(clientSlot);
  for (const protocol of [0xc021, 0x8021, 0x80fd, 0xc223, 0x002d]) {
    const frame = encodePppFrame(protocol, Uint8Array.of(1, 2, 0, 4));
    client.path.calls.transmit(clientSlot, frame);
    client.drain(0);
    assert.deepEqual(readDatagram(client.wire.at(-1)!).payload, frame);
    exchange(pair, 0);
    assert.deepEqual(server.frames.at(-1)!.frame, frame);
  }
});

test('no IP before attach, none after detach, none from one device to the sessions of another', () => {
  const { server, client, serverSlot, clientSlot } = connect();
  const packet = ip(tagged(CALLER, '8.8.8.8', 1));
  server.path.devices.detach(serverSlot);
  assert.equal(server.gre(greToServer(0, packet), 0), 'notAttached');
  assert.equal(server.tun(SERVER_TUN, tagged('8.8.8.8', CALLER, 1), 0), 'noRoute');
  client.path.devices.detach(clientSlot);
  assert.equal(client.tun(CLIENT_TUN, tagged(CALLER, '8.8.8.8', 1), 0), 'notAttached');
  assert.equal(client.tun(99, tagged(CALLER, '8.8.8.8', 1), 0), 'notAttached');
  assert.deepEqual([server.delivered, client.wire], [[], []]);
});

test('no plaintext IP once encryption is required or on, in either direction', () => {
  const pair = connect();
  const { server, client, serverSlot, clientSlot } = pair;
  client.path.calls.requireEncryption(clientSlot, true);
  assert.equal(client.tun(CLIENT_TUN, tagged(CALLER, '8.8.8.8', 1), 0), 'notEncrypted');
  assert.deepEqual(client.wire, []);
  server.path.calls.requireEncryption(serverSlot, true);
  const plain = ip(tagged(CALLER, '8.8.8.8', 1));
  assert.equal(server.gre(greToServer(0, plain), 0), 'notEncrypted');
  server.path.calls.requireEncryption(serverSlot, false);
  server.path.calls.setMppe(serverSlot, 'receive', {
    strength: 128,
    stateful: false,
    startKey: KEY,
  });
  assert.equal(server.gre(greToServer(1, plain), 0), 'notEncrypted');
  server.path.calls.setMppe(serverSlot, 'receive', undefined);
  assert.equal(server.gre(greToServer(2, plain), 0), 'delivered');
  const encrypted = encodePppFrame(PppProtocol.Compressed, Uint8Array.of(0x90, 0, 1, 2, 3));
  assert.equal(server.gre(greToServer(3, encrypted), 0), 'notNegotiated');
  assert.deepEqual(server.path.calls.counters(serverSlot).drops, {
    notEncrypted: 2,
    notNegotiated: 1,
  });
});

test('acknowledgments ride on packets, or go alone after a while: 12 octets without a sequence number', () => {
  const { server } = connect(new End({ ackDelay: 100 }));
  assert.equal(server.path.nextTimeout(), undefined);
  server.gre(greToServer(41, ip(tagged(CALLER, '8.8.8.8', 1))), 1000);
  server.gre(greToServer(42, ip(tagged(CALLER, '8.8.8.8', 2))), 1050);
  assert.equal(server.path.nextTimeout(), 1100);
  server.path.handleTimeout(1099);
  server.drain(1099);
  assert.deepEqual(server.wire, []);
  server.path.handleTimeout(1100);
  server.drain(1100);
  const [alone] = server.takeWire();
  assert.equal(alone!.octets.length, 12);
  const { hasSequence, hasAcknowledgment, acknowledgment, payloadLength, callId } = readDatagram(
    alone!,
  );
  assert.deepEqual(
    [hasSequence, hasAcknowledgment, acknowledgment, payloadLength, callId],
    [false, true, 42, 0, CLIENT_CALL],
  );
  assert.equal(server.path.nextTimeout(), undefined);

  server.gre(greToServer(43, ip(tagged(CALLER, '8.8.8.8', 3))), 2000);
  server.tun(SERVER_TUN, tagged('8.8.8.8', CALLER, 4), 2010);
  server.tun(SERVER_TUN, tagged('8.8.8.8', CALLER, 5), 2010);
  const [first, second] = server.takeWire().map(readDatagram);
  assert.deepEqual([first!.hasAcknowledgment, first!.acknowledgment], [true, 43]);
  assert.equal(second!.hasAcknowledgment, false);
  assert.equal(server.path.nextTimeout(), undefined);
});

test('many packets are acknowledged without delay; acknowledgments are not', () => {
  const { server } = connect(new End({ ackEvery: 8 }));
  for (let n = 0; n < 16; n++) server.gre(greToServer(n, ip(tagged(CALLER, '8.8.8.8', n))), 0);
  assert.deepEqual(
    server.takeWire().map((datagram) => readDatagram(datagram).acknowledgment),
    [7, 15],
  );
  assert.equal(server.gre(greToServer(undefined, new Uint8Array(), 5), 7), 'nothing');
  assert.equal(server.path.nextTimeout(), undefined);
});

test('a peer was heard with its first packet, or acknowledgment, whatever a call before it heard', () => {
  for (const first of [greToServer(0, ECHO), greToServer(undefined, new Uint8Array(), 5)]) {
    const { server, serverSlot } = connect(new End({}, { maxSessions: 1 }));
    assert.equal(server.path.calls.heard(serverSlot), false);
    server.gre(first, 0);
    assert.equal(server.path.calls.heard(serverSlot), true);
    server.path.calls.close(serverSlot);
    assert.equal(server.path.calls.open(CLIENT, SERVER, SERVER_CALL, 0), serverSlot);
    assert.equal(server.path.calls.heard(serverSlot), false);
  }
});

test('a peer that never acknowledges stalls nothing', () => {
  const { client } = connect();
  for (let n = 0; n < 5000; n++) {
    assert.equal(client.tun(CLIENT_TUN, tagged(CALLER, '8.8.8.8', n), n), 'sent');
  }
  assert.equal(readDatagram(client.wire.at(-1)!).sequence, 4999);
});

test('duplicates, late and far numbers are dropped and counted; losses and swaps are counted', () => {
  const { server, serverSlot } = connect();
  const send = (sequence: number) =>
    server.gre(greToServer(sequence, ip(tagged(CALLER, '8.8.8.8', sequence))), 0);
  assert.deepEqual([1000, 1000, 1005, 1003, 999, 1005 - 128, 9000, 1006].map(send), [
    'delivered',
    'duplicate',
    'delivered',
    'delivered',
    'delivered',
    'late',
    'farFuture',
    'delivered',
  ]);
  const { lost, reordered, duplicates, drops } = server.path.calls.counters(serverSlot);
  assert.deepEqual([lost, reordered, duplicates], [2, 2, 1]); // 1001, 1002, 1004 less one found and the one before the first
  assert.deepEqual(drops, { duplicate: 1, late: 1, farFuture: 1 });
  assert.deepEqual(server.takeDelivered().map(tagOf), [1000, 1005, 1003, 999, 1006]);
});

test('GRE before the call is connected is held, given out in order, and not for ever', () => {
  const server = new End();
  const slot = server.path.calls.open(CLIENT, SERVER, SERVER_CALL, 0);
  const frames = [1, 2, 3].map((id) => encodePppFrame(PppProtocol.Lcp, Uint8Array.of(1, id, 0, 4)));
  frames.forEach((frame, n) => assert.equal(server.gre(greToServer(n, frame), 10 * n), 'nothing'));
  assert.deepEqual(server.frames, []);
  server.path.calls.connect(slot, CLIENT_CALL);
  server.drain(100);
  assert.deepEqual(
    server.frames.map(({ frame }) => frame),
    frames,
  );
  assert.equal(server.gre(greToServer(1, frames[1]!), 100), 'duplicate');

  const other = server.path.calls.open(CLIENT, SERVER, 7, 200);
  for (let n = 0; n < 40; n++) {
    const verdict = server.gre(greToServer(n, frames[0]!, undefined, 7), 200);
    assert.equal(verdict, n < 16 ? 'nothing' : 'full');
  }
  assert.equal(server.path.nextTimeout(), 200); // the acknowledgment of the first call
  server.path.handleTimeout(200);
  assert.equal(server.path.nextTimeout(), 3200);
  server.path.handleTimeout(3200);
  server.path.calls.connect(other, 1);
  server.drain(3300);
  assert.equal(server.frames.length, 3);
  assert.deepEqual(server.path.calls.counters(other).drops, { full: 24, holdExpired: 16 });
});

test('held packets do not run out, however many calls come and go', () => {
  const server = new End({}, { heldSlots: 20 });
  for (let n = 0; n < 50; n++) {
    const slot = server.path.calls.open(CLIENT, SERVER, SERVER_CALL, 0);
    for (let k = 0; k < 12; k++) assert.equal(server.gre(greToServer(k, ECHO), 0), 'nothing');
    if (n % 2 === 0) server.path.calls.connect(slot, CLIENT_CALL);
    if (n % 4 === 0) server.drain(0);
    server.path.calls.close(slot);
    server.drain(0);
  }
});

test('foreign GRE changes nothing: other ids, other peers, another of our addresses', () => {
  const { server, serverSlot } = connect();
  const good = greToServer(0, ip(tagged(CALLER, '8.8.8.8', 1)));
  assert.equal(server.gre({ ...good, from: CLIENT + 1 }, 0), 'unknownCall');
  assert.equal(server.gre({ ...good, to: SERVER + 1 }, 0), 'unknownCall');
  assert.equal(server.gre(greToServer(0, ECHO, undefined, 5), 0), 'unknownCall');
  assert.equal(server.path.calls.heard(serverSlot), false);
  assert.equal(server.gre(good, 5), 'delivered');
  assert.equal(server.path.calls.heard(serverSlot), true);
  assert.deepEqual(server.path.totals().drops, { unknownCall: 3 });
  assert.deepEqual(server.path.calls.counters(serverSlot).drops, {});
});

test('malformed GRE and PPP are dropped and counted', () => {
  const { server, serverSlot } = connect();
  const good = greToServer(0, ECHO);
  const broken = (at: number, value: number) => ({ ...good, octets: good.octets.with(at, value) });
  for (const datagram of [
    broken(0, 0x10), // no key
    broken(0, 0xb0), // checksum
    broken(1, 0x00), // version 0
    broken(3, 0x0c), // not PPP
    broken(5, 200), // payload beyond the packet
    { ...good, octets: good.octets.subarray(0, 11) },
    { ...good, octets: good.octets.subarray(0, 0) },
  ]) {
    assert.equal(server.gre(datagram, 0), 'malformed');
  }
  assert.equal(server.gre(greToServer(undefined, ECHO), 0), 'malformed'); // payload without a number
  assert.equal(server.gre(greToServer(0, Uint8Array.of(0xff, 3)), 0), 'malformed');
  assert.equal(server.gre(greToServer(1, ip(Uint8Array.of(0x45, 0, 0))), 0), 'malformed');
  const short = ip(tagged(CALLER, '8.8.8.8', 1).subarray(0, 99));
  assert.equal(server.gre(greToServer(2, short), 0), 'malformed');
  assert.equal(server.gre(greToServer(3, new Uint8Array()), 0), 'nothing');
  assert.equal(server.path.totals().drops.malformed, 11);
  assert.equal(server.path.calls.counters(serverSlot).drops.malformed, 4);
  assert.deepEqual([server.frames, server.delivered], [[], []]);
});

test('octets behind an IP packet are not delivered', () => {
  const { server } = connect();
  const packet = tagged(CALLER, '8.8.8.8', 1);
  server.gre(greToServer(0, ip(Uint8Array.from([...packet, 1, 2, 3]))), 0);
  assert.deepEqual(server.takeDelivered(), [packet]);
});

/** A second caller on the server's device, with a network behind it. */
function second(server: End): number {
  const slot = server.path.calls.open(CLIENT, SERVER, 50, 0);
  server.path.calls.connect(slot, 51);
  server.path.devices.attach(slot, SERVER_TUN, {
    localAddress: address(GATEWAY),
    peerAddress: address('192.168.99.20'),
    prefixes: [parsePrefix('10.1.0.0/16')!],
  });
  return slot;
}

test('packets are routed to the session that owns the longest prefix; a caller sends only from what it owns', () => {
  const { server, serverSlot } = connect();
  const slot = second(server);
  const sendFrom = (source: string, callId: number, sequence: number) =>
    server.gre(greToServer(sequence, ip(tagged(source, '8.8.8.8', 1)), undefined, callId), 0);
  const tun = (destination: string) => {
    const verdict = server.tun(SERVER_TUN, tagged('8.8.8.8', destination, 1), 0);
    return verdict === 'sent' ? readDatagram(server.takeWire()[0]!).callId : verdict;
  };
  assert.deepEqual(['192.168.99.20', '10.1.2.3', CALLER, '10.2.0.1'].map(tun), [
    51,
    51,
    CLIENT_CALL,
    'noRoute',
  ]);
  assert.equal(sendFrom('10.1.255.1', 50, 0), 'delivered');
  assert.equal(sendFrom('192.168.99.20', 50, 1), 'delivered');
  for (const [n, source] of [
    CALLER,
    GATEWAY,
    '8.8.4.4',
    '0.0.0.0',
    '127.0.0.1',
    '10.2.0.1',
  ].entries()) {
    assert.equal(sendFrom(source, 50, 2 + n), 'badSource');
  }
  assert.equal(server.path.calls.counters(slot).drops.badSource, 6);
  server.path.calls.close(slot);
  assert.deepEqual(['192.168.99.20', '10.1.2.3', CALLER].map(tun), [
    'noRoute',
    'noRoute',
    CLIENT_CALL,
  ]);
  assert.equal(server.path.calls.counters(serverSlot).txPackets, 2);
});

test('callers reach each other only where isolate is off, and never themselves', () => {
  for (const isolate of [true, false]) {
    const { server } = connect();
    server.path.devices.close(SERVER_TUN);
    server.path.devices.open(SERVER_TUN, { isolate });
    second(server);
    server.path.devices.attach(0, SERVER_TUN, {
      localAddress: address(GATEWAY),
      peerAddress: address(CALLER),
      prefixes: [],
    });
    const send = (destination: string, n: number) =>
      server.gre(greToServer(n, ip(tagged(CALLER, destination, n))), 0);
    assert.equal(send('192.168.99.20', 0), isolate ? 'isolated' : 'delivered');
    assert.equal(send('10.1.2.3', 1), isolate ? 'isolated' : 'delivered');
    assert.equal(send(CALLER, 2), 'isolated');
    assert.equal(send(GATEWAY, 3), 'delivered');
    assert.equal(send('255.255.255.255', 4), 'delivered'); // DHCPINFORM
  }
});

test('on a link any source may come, but none that cannot be, and not our own address', () => {
  const { client } = connect();
  const from = (source: string, sequence: number) => {
    const datagram = greToServer(sequence, ip(tagged(source, CALLER, 1)), undefined, CLIENT_CALL);
    return client.gre({ ...datagram, from: SERVER, to: CLIENT }, 0);
  };
  assert.equal(from('8.8.8.8', 0), 'delivered');
  assert.equal(from(GATEWAY, 1), 'delivered');
  for (const [n, source] of [
    '127.0.0.1',
    '224.0.0.5',
    '0.1.2.3',
    '255.255.255.255',
    CALLER,
  ].entries()) {
    assert.equal(from(source, 2 + n), 'badSource');
  }
});

test('our own GRE that a route leads back into a tunnel is dropped; other GRE passes', () => {
  const { server, client, serverSlot, clientSlot } = connect();
  const own = { protocol: 47, destination: '203.0.113.9' };
  server.path.devices.attach(serverSlot, SERVER_TUN, {
    localAddress: address(GATEWAY),
    peerAddress: address(CALLER),
    prefixes: [parsePrefix('203.0.113.0/24')!],
  });
  assert.equal(server.tun(SERVER_TUN, ipv4({ ...own, source: '198.51.100.1' }), 0), 'loop');
  assert.equal(server.tun(SERVER_TUN, ipv4({ ...own, source: '10.9.8.7' }), 0), 'sent');
  assert.equal(server.path.calls.counters(serverSlot).drops.loop, 1);
  const back = { protocol: 47, source: '203.0.113.9', destination: '198.51.100.1' };
  assert.equal(client.tun(CLIENT_TUN, ipv4(back), 0), 'loop');
  assert.equal(client.path.calls.counters(clientSlot).drops.loop, 1);
});

test('multicast and broadcast do not go to callers, but to the other end of a link', () => {
  const { server, client } = connect();
  for (const destination of ['224.0.0.251', '239.255.255.250', '255.255.255.255']) {
    assert.equal(server.tun(SERVER_TUN, tagged(GATEWAY, destination, 1), 0), 'multicast');
    assert.equal(client.tun(CLIENT_TUN, tagged(CALLER, destination, 1), 0), 'sent');
  }
  assert.equal(server.path.totals().drops.multicast, 3);
});

/** What ICMP says that fits. */
function toldMtu(server: End): number {
  assert.equal(server.tun(SERVER_TUN, tagged('10.9.8.7', CALLER, 1, 1500, true), 0), 'tooBig');
  const [icmp] = server.takeDelivered();
  return new DataView(icmp!.buffer).getUint16(26);
}

test('the MTU follows the peer and the encryption', () => {
  const pair = connect();
  const { server } = pair;
  const mtu = (framed: number) => {
    server.path.calls.setFraming(0, { pfc: false, acfc: false, mtu: framed });
    return toldMtu(server);
  };
  assert.deepEqual([1400, 1000, 10].map(mtu), [1400, 1000, 68]);
  encrypt(pair);
  assert.deepEqual([1400, 1402, 1000].map(mtu), [1396, 1398, 996]);
});

test('too large with DF: an ICMP message from the peer to the sender, at a limited rate', () => {
  const { server, serverSlot } = connect();
  const packet = tagged('10.9.8.7', CALLER, 1, 1401, true);
  assert.equal(server.tun(SERVER_TUN, packet, 0), 'tooBig');
  assert.deepEqual(server.wire, []);
  const [icmp] = server.delivered;
  assert.equal(icmp!.device, SERVER_TUN);
  const view = new DataView(icmp!.packet.buffer);
  assert.deepEqual(
    [view.getUint32(12), view.getUint32(16)],
    [address(CALLER), address('10.9.8.7')],
  );
  assert.deepEqual([view.getUint16(20), view.getUint16(26)], [0x0304, 1400]);
  for (let n = 0; n < 1000; n++) server.tun(SERVER_TUN, packet, 10);
  assert.equal(server.delivered.length, 50);
  server.tun(SERVER_TUN, packet, 1000);
  assert.equal(server.delivered.length, 51);
  assert.equal(server.path.calls.counters(serverSlot).drops.tooBig, 1002);
  assert.equal(server.tun(SERVER_TUN, tagged('10.9.8.7', CALLER, 1, 1400, true), 0), 'sent');
});

test('too large without DF: fragments, encrypted as any packet', () => {
  const pair = connect();
  const { server, client } = pair;
  encrypt(pair);
  const packet = tagged(CALLER, '8.8.8.8', 1, 1500);
  assert.equal(client.tun(CLIENT_TUN, packet, 0), 'sent');
  exchange(pair, 0);
  const fragments = server.takeDelivered();
  assert.deepEqual(
    fragments.map((fragment) => fragment.length),
    [1396, 124],
  );
  const payload = fragments.flatMap((fragment) => [...fragment.subarray(20)]);
  assert.deepEqual(Uint8Array.from(payload), packet.subarray(20));
});

test('the MSS of SYNs is clamped in both directions', () => {
  const pair = connect();
  const { server, client } = pair;
  server.path.calls.setFraming(0, { pfc: false, acfc: false, mtu: 1300 });
  const syn = [2, 4, 0x05, 0xb4];
  server.tun(SERVER_TUN, tcp('8.8.8.8', CALLER, 0x12, syn), 0);
  const [datagram] = server.takeWire();
  const outward = readDatagram(datagram!).payload.subarray(4);
  server.gre(greToServer(0, ip(tcp(CALLER, '8.8.8.8', 0x02, syn))), 0);
  const [inward] = server.takeDelivered();
  for (const packet of [outward, inward!]) {
    assert.equal(new DataView(packet.slice().buffer).getUint16(42), 1260);
    assert.equal(tcpFault(packet.slice()), 0);
  }
  assert.equal(client.delivered.length, 0);
});

test('IPv6: link-local only, only when on, and from callers only under their identifier', () => {
  const { server } = connect();
  let sequence = 0;
  const send = (source: string, destination: string) =>
    server.gre(
      greToServer(sequence++, encodePppFrame(PppProtocol.Ipv6, ipv6(source, destination))),
      0,
    );
  assert.equal(send(PEER, OURS), 'ipv6');
  server.path.calls.setIpv6(0, { local: octets(OUR_ID), peer: octets(ID) });
  assert.equal(send(PEER, OURS), 'delivered');
  assert.equal(send(PEER, ALL_NODES), 'delivered');
  assert.equal(send('0'.repeat(32), ALL_NODES), 'delivered'); // duplicate address detection
  for (const [source, destination] of [
    [OURS, ALL_NODES],
    [GLOBAL, OURS],
    [PEER, GLOBAL],
    [PEER, `ff05${'0'.repeat(27)}1`],
    ['0'.repeat(32), OURS],
  ] as const) {
    assert.equal(send(source, destination), 'ipv6');
  }
  const tun = (source: string, destination: string) =>
    server.tun(SERVER_TUN, ipv6(source, destination), 0);
  assert.equal(tun(OURS, PEER), 'sent');
  assert.equal(tun(OURS, ALL_NODES), 'multicast');
  assert.equal(tun(OURS, `${OURS.slice(0, 31)}b`), 'noRoute');
  assert.equal(tun(OURS, GLOBAL), 'ipv6');
  assert.equal(tun(GLOBAL, PEER), 'ipv6');
  assert.equal(server.tun(SERVER_TUN, ipv6(OURS, PEER, 1500), 0), 'tooBig');
  server.path.calls.setIpv6(0, undefined);
  assert.equal(tun(OURS, PEER), 'noRoute');
  assert.equal(send(PEER, OURS), 'ipv6');
});

test('stateful MPPE waits 50 ms for a missing packet; control frames do not', () => {
  const pair = connect();
  const { server, client, clientSlot } = pair;
  encrypt(pair, true);
  for (let n = 0; n < 6; n++) client.tun(CLIENT_TUN, tagged(CALLER, '8.8.8.8', n), 0);
  client.path.calls.transmit(clientSlot, ECHO);
  client.drain(0);
  for (let n = 6; n < 8; n++) client.tun(CLIENT_TUN, tagged(CALLER, '8.8.8.8', n), 0);
  const wire = client.takeWire();
  const give = (n: number, now: number) => server.gre(wire[n]!, now);
  assert.equal(give(0, 0), 'delivered');
  assert.equal(give(2, 10), 'nothing');
  assert.equal(give(6, 11), 'control');
  assert.equal(give(4, 12), 'nothing');
  assert.equal(give(2, 13), 'duplicate');
  assert.equal(server.path.nextTimeout(), 60);
  assert.equal(give(1, 15), 'delivered'); // and 2
  assert.deepEqual(server.takeDelivered().map(tagOf), [0, 1, 2]);
  assert.equal(server.path.nextTimeout(), 65);
  assert.equal(give(3, 20), 'delivered'); // and 4
  assert.equal(give(7, 21), 'nothing');
  assert.equal(give(5, 22), 'delivered'); // the control frame came already, so 7 is next
  assert.deepEqual(server.takeDelivered().map(tagOf), [3, 4, 5, 6]);
  assert.deepEqual(server.desynchronized, []);
  assert.equal(server.path.nextTimeout(), 100); // only the acknowledgment
});

test('stateful MPPE gives a packet up after 50 ms, asks for a reset, and goes on after it', () => {
  const pair = connect();
  const { server, client, serverSlot, clientSlot } = pair;
  encrypt(pair, true);
  const send = (n: number) => {
    client.tun(CLIENT_TUN, tagged(CALLER, '8.8.8.8', n), 0);
    return client.takeWire().at(-1)!;
  };
  server.gre(send(0), 0);
  send(1); // lost
  server.gre(send(2), 100);
  server.gre(send(3), 120);
  server.path.handleTimeout(149);
  server.drain(149);
  assert.deepEqual(server.desynchronized, []);
  server.path.handleTimeout(150);
  server.drain(150);
  assert.deepEqual(server.desynchronized, [serverSlot]);
  assert.equal(server.gre(send(4), 160), 'desynchronized');
  client.path.calls.flush(clientSlot);
  assert.equal(server.gre(send(5), 200), 'delivered');
  assert.equal(server.gre(send(6), 200), 'delivered');
  assert.deepEqual(server.takeDelivered().map(tagOf), [0, 5, 6]);
  assert.equal(server.path.calls.counters(serverSlot).drops.desynchronized, 3);
  assert.equal(server.path.calls.counters(serverSlot).lost, 1);
});

test('stateful MPPE holds at most 64 packets, and no more than there is room for', () => {
  const pair = connect(new End({}, { maxSessions: 2, heldSlots: 70 }));
  const { server, client } = pair;
  encrypt(pair, true);
  const wire = Array.from({ length: 100 }, (_, n) => {
    client.tun(CLIENT_TUN, tagged(CALLER, '8.8.8.8', n), 0);
    return client.takeWire()[0]!;
  });
  server.gre(wire[0]!, 0);
  for (let n = 2; n < 65; n++) assert.equal(server.gre(wire[n]!, 0), 'nothing');
  // One more does not fit beside the missing one, which is given up.
  assert.equal(server.gre(wire[65]!, 0), 'desynchronized');
  assert.deepEqual(server.desynchronized, [0]); // by those that were released and by the packet itself: told once
  assert.equal(server.path.nextTimeout(), 100);
  // A gap wider than the queue.
  assert.equal(server.gre(greToServer(1000, ECHO), 0), 'control');
  assert.equal(server.gre(greToServer(1001, ECHO), 0), 'control');
});

test('a renegotiation starts MPPE anew in the order of the packets', () => {
  for (const stateful of [false, true]) {
    const pair = connect();
    const { server, client, clientSlot } = pair;
    for (let round = 0; round < 3; round++) {
      encrypt(pair, stateful);
      for (let n = 0; n < 5; n++) client.tun(CLIENT_TUN, tagged(CALLER, '8.8.8.8', n), 0);
      exchange(pair, 0);
      assert.deepEqual(server.takeDelivered().map(tagOf), [0, 1, 2, 3, 4]);
      client.path.calls.transmit(clientSlot, ECHO);
      client.drain(0);
      exchange(pair, 0);
    }
  }
});

test('a call ends without a trace, its counters in the totals', () => {
  const { server, serverSlot } = connect();
  server.gre(greToServer(0, ip(tagged(CALLER, '8.8.8.8', 1))), 0);
  server.path.calls.close(serverSlot);
  assert.equal(server.path.nextTimeout(), undefined);
  assert.equal(server.gre(greToServer(1, ECHO), 0), 'unknownCall');
  assert.equal(server.tun(SERVER_TUN, tagged('8.8.8.8', CALLER, 1), 0), 'noRoute');
  assert.equal(server.path.totals().rxPackets, 1);
  assert.throws(() => server.path.calls.counters(serverSlot), RangeError);
  assert.throws(() => server.path.calls.transmit(serverSlot, ECHO), RangeError);
  const again = server.path.calls.open(CLIENT, SERVER, SERVER_CALL, 0);
  assert.equal(server.path.calls.counters(again).rxPackets, 0);
  server.path.calls.connect(again, 9);
  assert.equal(server.gre(greToServer(700, ECHO), 0), 'control'); // any first number
});

test('a slot that is used again remembers nothing of the call before', () => {
  const pair = connect(new End({}, { maxSessions: 1 }));
  const { server, client } = pair;
  encrypt(pair, true);
  server.path.calls.setIpv6(0, { local: octets(OUR_ID), peer: octets(ID) });
  server.path.calls.setFraming(0, { pfc: true, acfc: true, mtu: 500 });
  server.path.calls.flush(0);
  for (let n = 0; n < 5; n++) {
    client.tun(CLIENT_TUN, tagged(CALLER, '8.8.8.8', n), 0);
    if (n !== 2) server.gre(client.takeWire()[0]!, 0);
    else client.takeWire();
  }
  server.path.calls.close(0);
  assert.equal(server.path.nextTimeout(), undefined);
  server.takeDelivered();
  server.takeWire();

  assert.equal(server.path.calls.open(CLIENT, SERVER, SERVER_CALL, 0), 0);
  server.path.calls.connect(0, CLIENT_CALL);
  server.path.devices.attach(0, SERVER_TUN, {
    localAddress: address(GATEWAY),
    peerAddress: address(CALLER),
    prefixes: [],
  });
  assert.equal(toldMtu(server), 1400);
  const packet = tagged('8.8.8.8', CALLER, 1);
  assert.equal(server.tun(SERVER_TUN, packet, 0), 'sent');
  const sent = readDatagram(server.takeWire()[0]!);
  assert.deepEqual([sent.sequence, sent.hasAcknowledgment], [0, false]);
  assert.deepEqual(sent.payload, ip(packet));
  assert.equal(server.gre(greToServer(0, ip(tagged(CALLER, '8.8.8.8', 9))), 0), 'delivered');
  const v6 = encodePppFrame(PppProtocol.Ipv6, ipv6(PEER, OURS));
  assert.equal(server.gre(greToServer(1, v6), 0), 'ipv6');
  const encrypted = encodePppFrame(PppProtocol.Compressed, Uint8Array.of(0x10, 5, 1, 2, 3));
  assert.equal(server.gre(greToServer(2, encrypted), 0), 'notNegotiated');
});

test('stateful MPPE survives a peer that starts its sequence numbers again', () => {
  const pair = connect();
  const { server, client, clientSlot } = pair;
  encrypt(pair, true);
  const twin = new MppeTwinSender({ startKey: OTHER_KEY, bits: 128, stateful: true });
  const send = (sequence: number, tag: number) => {
    const inner = Uint8Array.from([0, 0x21, ...tagged(CALLER, '8.8.8.8', tag)]);
    const frame = encodePppFrame(PppProtocol.Compressed, twin.encrypt(inner));
    return server.gre(greToServer(sequence, frame), 0);
  };
  for (let n = 0; n < 10; n++) assert.equal(send(90_000 + n, n), 'delivered');
  const verdicts = [0, 1, 2, 3].map((n) => send(n, n));
  assert.deepEqual(verdicts, ['late', 'late', 'late', 'desynchronized']);
  twin.flush();
  assert.equal(send(4, 70), 'delivered');
  assert.equal(send(5, 71), 'delivered');
  assert.equal(client.path.calls.counters(clientSlot).rxPackets, 0);
});

test('calls: one id per peer at a time, as many as there is room for', () => {
  const { path } = new End({}, { maxSessions: 3 });
  const slots = [path.calls.open(CLIENT, SERVER, 0, 0), path.calls.open(SERVER, 0, 0, 0)];
  assert.equal(path.calls.open(CLIENT, SERVER, 0, 0), -1);
  slots.push(path.calls.open(CLIENT, SERVER, 65535, 0));
  assert.equal(new Set(slots).size, 3);
  assert.equal(path.calls.open(CLIENT, SERVER, 2, 0), -1);
  path.calls.close(slots[0]!);
  assert.notEqual(path.calls.open(CLIENT, SERVER, 2, 0), -1);
});

test('our own mistakes throw', () => {
  const { path } = connect().server;
  const attachment = { localAddress: 1, peerAddress: 2, prefixes: [] };
  assert.throws(() => path.devices.open(SERVER_TUN, { isolate: true }), /open already/);
  assert.throws(() => path.devices.attach(0, 99, attachment), /not open/);
  assert.throws(() => path.devices.attach(3, SERVER_TUN, attachment), RangeError);
  assert.throws(
    () => path.calls.setIpv6(0, { local: octets(ID), peer: new Uint8Array(7) }),
    RangeError,
  );
  assert.throws(() => path.devices.setGivenIpv6(99, [], false), /not open/);
  assert.throws(() => path.calls.transmit(0, new Uint8Array(2000)), RangeError);
  path.devices.open(50, { isolate: false, isLink: true });
  path.devices.attach(0, 50, attachment);
  const other = path.calls.open(CLIENT, SERVER, 9, 0);
  assert.throws(() => path.devices.attach(other, 50, attachment), /belongs to slot 0/);
});

test('a closed device takes its packets out of the queue', () => {
  const { server } = connect();
  const datagram = greToServer(0, ip(tagged(CALLER, '8.8.8.8', 1)));
  server.path.receiveGre(server.greBatch([datagram]), 1, 0);
  assert.equal(server.path.output.tunCount, 1);
  server.path.devices.close(SERVER_TUN);
  assert.equal(server.path.output.tunCount, 0);
  assert.equal(server.gre(greToServer(1, ip(tagged(CALLER, '8.8.8.8', 1))), 0), 'notAttached');
});

test('full queues drop and count; a late acknowledgment is tried again', () => {
  const server = new End({ ackDelay: 10 }, { outSlots: 2 });
  connect(server);
  server.gre(greToServer(0, ECHO), 0);
  for (let n = 0; n < 4; n++) server.path.calls.transmit(0, ECHO);
  assert.equal(server.path.output.greCount, 2);
  assert.deepEqual(server.path.calls.counters(0).drops, { full: 2 });
  server.path.sent(2);
  server.gre(greToServer(1, ECHO), 20);
  const other = server.path.calls.open(CLIENT, SERVER, 8, 20);
  server.path.calls.connect(other, 8);
  for (let n = 0; n < 2; n++) server.path.calls.transmit(other, ECHO);
  server.path.handleTimeout(30);
  assert.equal(server.path.nextTimeout(), 40);
  server.drain(30);
  server.path.handleTimeout(40);
  server.drain(40);
  assert.equal(readDatagram(server.wire.at(-1)!).acknowledgment, 1);
});

test('a control frame before the call is connected is dropped and counted', () => {
  const { path } = new End();
  const slot = path.calls.open(CLIENT, SERVER, 1, 0);
  path.calls.transmit(slot, ECHO);
  assert.equal(path.output.greCount, 0);
  assert.deepEqual(path.calls.counters(slot).drops, { notConnected: 1 });
});

test('what is no IP packet is not sent', () => {
  const { client } = connect();
  for (const packet of [
    new Uint8Array(),
    Uint8Array.of(0x45),
    tagged(CALLER, '8.8.8.8', 1).subarray(0, 50),
    ipv4({ source: CALLER, destination: '8.8.8.8' }).with(0, 0x95),
  ]) {
    assert.equal(client.tun(CLIENT_TUN, packet, 0), 'malformed');
  }
  assert.equal(client.path.totals().drops.malformed, 4);
});
