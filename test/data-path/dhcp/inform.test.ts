/** DHCPINFORM through a session: what Windows sends, who is answered and with what, floods and nonsense. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { InformParameters } from '../../../src/data-path/dhcp/answer.ts';
import { isMalformed } from '../../../src/wire/codec.ts';
import {
  decodeDhcp,
  DhcpMessageType,
  encodeDhcp,
  type DhcpMessage,
  type DhcpOption,
} from '../../../src/wire/dhcp.ts';
import { parsePrefix } from '../../../src/wire/ip.ts';
import { octets } from '../../crypto/hex.ts';
import { CALLER, CLIENT_TUN, connect, GATEWAY, SERVER_TUN, type Pair } from '../end.ts';
import { address, ipv4, sum } from '../packets.ts';

const PARAMETERS: InformParameters = {
  prefixLength: 24,
  dns: [address('192.168.1.1'), address('192.168.1.2')],
  domains: ['office.lan', 'example.com'],
  routes: [parsePrefix('10.20.0.0/16')!, parsePrefix('192.168.1.0/24')!],
};

/**
 * The form in which Windows 7 and later ask, field by field as public captures have it (and dnsmasq's log-dhcp tells): hardware type
 * 8 with the address 00:53:45:00:00:00 of its "WAN (PPP/SLIP) Interface", the same as client identifier, a host name, "MSFT 5.0", and
 * this list. Addresses and name are ours.
 */
const WINDOWS = octets(
  '01080600' + // request, hardware type, its length, hops
    '7f0c1a2b' + // transaction
    '00000000' + // seconds, flags
    'c0a8630a' + // ciaddr 192.168.99.10
    '000000000000000000000000' + // yiaddr, siaddr, giaddr
    '00534500000000000000000000000000' + // chaddr
    '00'.repeat(192) + // sname, file
    '63825363' +
    '350108' + // DHCPINFORM
    '3d0708005345000000' + // client identifier
    '0c074445534b544f50' + // host name DESKTOP
    '3c084d53465420352e30' + // MSFT 5.0
    '370d010f03062c2e2f1f2179f92bfc' + // 1 15 3 6 44 46 47 31 33 121 249 43 252
    'ff',
);

function udp(payload: Uint8Array, from = 68, to = 67): Uint8Array {
  const datagram = new Uint8Array(8 + payload.length);
  const view = new DataView(datagram.buffer);
  view.setUint16(0, from);
  view.setUint16(2, to);
  view.setUint16(4, datagram.length);
  datagram.set(payload, 8);
  return datagram;
}

/** Without a checksum, as UDP allows. */
const packet = (payload: Uint8Array, destination = '255.255.255.255', source = CALLER) =>
  ipv4({ source, destination, payload: udp(payload) });

function world(parameters: InformParameters | undefined = PARAMETERS): Pair {
  const pair = connect();
  pair.server.path.calls.setInform(pair.serverSlot, parameters);
  return pair;
}

/** A packet of the caller's. @returns what comes back to it, and what the server's device gets */
function ask({ server, client }: Pair, sent: Uint8Array, now = 0) {
  client.tun(CLIENT_TUN, sent, now);
  for (const datagram of client.takeWire()) server.gre(datagram, now);
  for (const datagram of server.takeWire()) client.gre(datagram, now);
  return { back: client.takeDelivered(), passed: server.takeDelivered() };
}

function answerIn(found: Uint8Array | undefined): DhcpMessage {
  assert.ok(found !== undefined, 'no answer');
  const view = new DataView(found.buffer, found.byteOffset, found.length);
  assert.equal(sum(found.subarray(0, 20)), 0);
  assert.deepEqual([view.getUint32(12), view.getUint32(16)], [address(GATEWAY), address(CALLER)]);
  assert.deepEqual([view.getUint16(20), view.getUint16(22)], [67, 68]);
  const datagram = found.subarray(20);
  const pseudo = [...found.subarray(12, 20), 0, 17, datagram.length >> 8, datagram.length & 255];
  assert.equal(sum(Uint8Array.from([...pseudo, ...datagram])), 0);
  const message = decodeDhcp(datagram.subarray(8));
  assert.ok(!isMalformed(message));
  return message;
}

const drops = ({ server, serverSlot }: Pair) => server.path.calls.counters(serverSlot).drops;

const value = ({ options }: DhcpMessage, name: DhcpOption['name']) =>
  options.find((option) => option.name === name)?.value;

const inform = (more: readonly DhcpOption[] = [], fields: Partial<DhcpMessage> = {}) => {
  const message = decodeDhcp(WINDOWS);
  assert.ok(!isMalformed(message));
  return encodeDhcp({
    ...message,
    options: [{ name: 'message-type', value: DhcpMessageType.Inform }, ...more],
    ...fields,
  });
};

test('Windows gets its routes, by broadcast and by the address of the server', () => {
  for (const destination of ['255.255.255.255', GATEWAY]) {
    const pair = world();
    const { back, passed } = ask(pair, packet(WINDOWS, destination));
    assert.deepEqual(passed, []);
    assert.equal(back.length, 1);
    const answer = answerIn(back[0]);
    const router = address(GATEWAY);
    const routes = PARAMETERS.routes.map((route) => ({ ...route, router }));
    assert.deepEqual(answer.options, [
      { name: 'message-type', value: DhcpMessageType.Ack },
      { name: 'server-identifier', value: router },
      { name: 'client-identifier', value: octets('08005345000000') },
      { name: 'subnet-mask', value: address('255.255.255.0') },
      { name: 'domain-name-servers', value: PARAMETERS.dns },
      { name: 'domain-name', value: 'office.lan' },
      { name: 'classless-routes', value: routes },
      { name: 'microsoft-classless-routes', value: routes },
    ]);
    const { operation, transaction, clientAddress, yourAddress, hardwareType, hardwareLength } =
      answer;
    assert.deepEqual(
      [operation, transaction, clientAddress, yourAddress, hardwareType, hardwareLength],
      [2, 0x7f0c1a2b, address(CALLER), 0, 8, 6],
    );
    assert.deepEqual(answer.hardwareAddress.subarray(0, 6), octets('005345000000'));
    // The lease time (51) must not be there: RFC 2131 §4.3.5.
    assert.ok(!Buffer.from(back[0]!).includes(Buffer.from([51, 4])));
    assert.deepEqual(drops(pair), {});
  }
});

test('who asks for nothing in particular gets what the RFCs have, others what they ask for', () => {
  const names = (message: DhcpMessage) => message.options.slice(2).map(({ name }) => name);
  const answer = answerIn(ask(world(), packet(inform())).back[0]);
  assert.deepEqual(names(answer), [
    'subnet-mask',
    'domain-name-servers',
    'domain-name',
    'classless-routes',
    'domain-search',
  ]);
  assert.deepEqual(value(answer, 'domain-search'), PARAMETERS.domains);
  const wanted = (...codes: number[]) =>
    inform([{ name: 'parameter-request-list', value: Uint8Array.from(codes) }]);
  assert.deepEqual(names(answerIn(ask(world(), packet(wanted(249))).back[0])), [
    'microsoft-classless-routes',
  ]);
  assert.deepEqual(names(answerIn(ask(world(), packet(wanted(119, 3, 51))).back[0])), [
    'domain-search',
  ]);
  const nothing = { prefixLength: 32, dns: [], domains: [], routes: [] };
  assert.deepEqual(names(answerIn(ask(world(nothing), packet(WINDOWS)).back[0])), [
    'client-identifier',
    'subnet-mask',
  ]);
});

test('an answer is no longer than the client takes: what does not fit is left out whole', () => {
  const routes = Array.from({ length: 30 }, (_, n) => parsePrefix(`10.${n}.7.0/24`)!);
  const crowded = { ...PARAMETERS, routes };
  const plain = ask(world(crowded), packet(WINDOWS)).back[0]!;
  assert.ok(plain.length <= 576);
  const answer = answerIn(plain);
  assert.equal((value(answer, 'classless-routes') as unknown[]).length, 30);
  assert.equal(value(answer, 'microsoft-classless-routes'), undefined);
  const wanted = [
    { name: 'parameter-request-list', value: Uint8Array.of(121, 249) },
    { name: 'maximum-message-size', value: 1400 },
  ] as const;
  const roomy = answerIn(ask(world(crowded), packet(inform(wanted))).back[0]);
  assert.equal((value(roomy, 'microsoft-classless-routes') as unknown[]).length, 30);
  const many = Array.from({ length: 500 }, (_, n) => parsePrefix(`10.${n >> 8}.${n & 255}.0/24`)!);
  const pair = world({ ...PARAMETERS, routes: many });
  const most = ask(pair, packet(inform([{ name: 'maximum-message-size', value: 65535 }]))).back[0]!;
  assert.ok(most.length <= 1400);
  assert.equal(value(answerIn(most), 'classless-routes'), undefined);
});

test('a flood has ten answers, then one a second, and passes nothing on', () => {
  const pair = world();
  let answers = 0;
  for (let n = 0; n < 500; n++) {
    const { back, passed } = ask(pair, packet(WINDOWS));
    answers += back.length;
    assert.deepEqual(passed, []);
  }
  assert.equal(answers, 10);
  assert.deepEqual(drops(pair), { dhcpFlood: 490 });
  assert.equal(ask(pair, packet(WINDOWS), 1000).back.length, 1);
});

test('nobody gets a lease, and DHCP of callers goes nowhere', () => {
  const lease = [1, 2, 3, 4, 5, 6, 7].map((type) =>
    inform([], { options: [{ name: 'message-type', value: type }] }),
  );
  for (const [reason, payloads] of [
    ['dhcpLease', [...lease, inform([], { options: [] })]],
    [
      'dhcpMalformed',
      [
        new Uint8Array(),
        WINDOWS.subarray(0, 100),
        inform([], { operation: 2 }),
        inform([], { clientAddress: 0 }),
        inform([], { clientAddress: address('192.168.99.11') }),
      ],
    ],
  ] as const)
    for (const payload of payloads) {
      const pair = world();
      const { back, passed } = ask(pair, packet(payload));
      assert.deepEqual([back, passed, drops(pair)], [[], [], { [reason]: 1 }]);
    }
});

test('a wrong checksum, a length that is too great and fragments are malformed; a right checksum is not', () => {
  const right = udp(WINDOWS);
  const pseudo = [...octets('c0a8630affffffff'), 0, 17, right.length >> 8, right.length & 255];
  const check = sum(Uint8Array.from([...pseudo, ...right]));
  const sealed = right.slice();
  new DataView(sealed.buffer).setUint16(6, check);
  const build = (payload: Uint8Array) =>
    ipv4({ source: CALLER, destination: '255.255.255.255', payload });
  assert.equal(ask(world(), build(sealed)).back.length, 1);
  const wrong = sealed.slice();
  wrong[200]! ^= 1;
  const long = right.slice();
  new DataView(long.buffer).setUint16(4, long.length + 1);
  const fragment = build(right);
  fragment[6] = 0x20; // more fragments
  for (const bad of [build(wrong), build(long), fragment]) {
    const pair = world();
    assert.deepEqual(ask(pair, bad), { back: [], passed: [] });
    assert.deepEqual(drops(pair), { dhcpMalformed: 1 });
  }
});

test('only its own session asks, and only for itself', () => {
  const pair = world();
  const { server, serverSlot } = pair;
  server.path.devices.attach(serverSlot, SERVER_TUN, {
    localAddress: address(GATEWAY),
    peerAddress: address(CALLER),
    prefixes: [parsePrefix('10.66.0.0/16')!],
  });
  // A machine behind the caller, another caller, and nobody at all.
  for (const source of ['10.66.0.5', '192.168.99.11', '0.0.0.0'])
    assert.deepEqual(ask(pair, packet(WINDOWS, '255.255.255.255', source)), {
      back: [],
      passed: [],
    });
  assert.deepEqual(drops(pair), { badSource: 3 });
});

test('everything else goes to the device as before: other ports, other destinations, links', () => {
  const others = [
    ipv4({ source: CALLER, destination: '255.255.255.255', payload: udp(WINDOWS, 68, 4011) }),
    ipv4({ source: CALLER, destination: GATEWAY, payload: udp(WINDOWS, 67, 67) }),
    ipv4({ source: CALLER, destination: '8.8.8.8', payload: udp(WINDOWS) }),
    ipv4({ source: CALLER, destination: GATEWAY, protocol: 6, payload: udp(WINDOWS) }),
    ipv4({ source: CALLER, destination: GATEWAY, payload: new Uint8Array(3) }),
  ];
  for (const other of others) assert.deepEqual(ask(world(), other), { back: [], passed: [other] });
  const { server, client, clientSlot } = connect();
  client.path.calls.setInform(clientSlot, PARAMETERS);
  const toLink = ipv4({ source: GATEWAY, destination: CALLER, payload: udp(WINDOWS) });
  server.tun(SERVER_TUN, toLink, 0);
  for (const datagram of server.takeWire()) client.gre(datagram, 0);
  assert.deepEqual(client.takeDelivered(), [toLink]);
});

test('a slot that is used again knows nothing of the session before', () => {
  const pair = world();
  ask(pair, packet(WINDOWS));
  const { server, serverSlot } = pair;
  server.path.calls.close(serverSlot);
  server.path.devices.close(SERVER_TUN);
  const again = connect(server, undefined, 0);
  assert.equal(again.serverSlot, serverSlot);
  const sent = packet(WINDOWS);
  assert.deepEqual(ask(again, sent), { back: [], passed: [sent] });
});

test('whatever stands in it, one packet has one answer at most, and none goes elsewhere', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(WINDOWS.length - 1), fc.nat(255)), { maxLength: 8 }),
      fc.nat(WINDOWS.length),
      (changes, length) => {
        const payload = WINDOWS.slice(0, length);
        for (const [at, octet] of changes) if (at < length) payload[at] = octet;
        const { back, passed } = ask(world(), packet(payload));
        assert.deepEqual(passed, []);
        assert.ok(back.length <= 1);
        if (back.length === 1) answerIn(back[0]);
      },
    ),
  );
});
