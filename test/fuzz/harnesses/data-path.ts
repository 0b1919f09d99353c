/**
 * GRE from a hostile caller and packets from the device, beside a good caller's: his packets pass before and after, his counters
 * stay, nobody speaks with another's address, counters add up, and time goes on.
 */
import assert from 'node:assert/strict';
import { createGreHeader, readGre } from '../../../src/wire/gre.ts';
import { parsePrefix } from '../../../src/wire/ip.ts';
import { encodePppFrame } from '../../../src/wire/ppp-frame.ts';
import { octets as hex } from '../../crypto/hex.ts';
import {
  CALLER,
  CLIENT,
  CLIENT_TUN,
  connect,
  End,
  SERVER,
  SERVER_CALL,
  SERVER_TUN,
  type Pair,
} from '../../data-path/end.ts';
import { address, ipv4, sum, tagged, tagOf, tcp } from '../../data-path/packets.ts';
import { MPPE_MS_CHAP_V2 } from '../../vectors/ms-chap.ts';
import { harness } from '../harness.ts';
import { grePacket, pppFrame } from '../messages.ts';
import type { Random } from '../random.ts';

const KEY = hex(MPPE_MS_CHAP_V2[2].startKey);
const header = createGreHeader();
const EVIL_CALL = 50;
const EVIL = '192.168.99.66';
const EVIL_NETWORK = parsePrefix('10.66.0.0/16')!;
/** Slots that are soon full, and made in no time. */
const SMALL = {
  greSlots: 2,
  tunSlots: 2,
  outSlots: 64,
  heldSlots: 64,
  backlogSlots: 32,
  shapedSlots: 16,
} as const;
/** kbit/s */
const RATES = [0, 1, 64, 1000, 10_000_000];

type Step =
  | { readonly kind: 'gre'; readonly octets: Uint8Array; readonly peer: number }
  | { readonly kind: 'tun'; readonly packet: Uint8Array }
  | { readonly kind: 'wait'; readonly time: number }
  | { readonly kind: 'mppe'; readonly mode: number }
  | { readonly kind: 'room'; readonly packets: number }
  | { readonly kind: 'rates'; readonly receive: number; readonly send: number }
  | { readonly kind: 'flush' | 'reopen' };

const addresses = [
  EVIL,
  CALLER,
  '10.66.1.1',
  '127.0.0.1',
  '8.8.8.8',
  '192.168.99.1',
  '255.255.255.255',
  '224.0.0.1',
  '0.0.0.0',
];

function inner(random: Random): Uint8Array {
  const [source, destination] = [random.pick(addresses), random.pick(addresses)];
  const payload = random.octets(random.chance(6) ? random.below(1900) : random.below(60));
  if (random.chance(3)) {
    const options = [...random.octets(random.pick([0, 4, 8, 40]))];
    return tcp(source, destination, random.below(256), options);
  }
  const extra = random.octets(4 * random.below(11));
  const packet = ipv4({
    source,
    destination,
    protocol: random.pick([1, 6, 17, 47, 50, random.below(256)]),
    payload,
    dontFragment: random.chance(2),
    options: extra,
  });
  return random.chance(4) ? random.damaged(packet) : packet;
}

function frame(random: Random): Uint8Array {
  switch (random.below(4)) {
    case 0:
      return encodePppFrame(0x21, inner(random));
    case 1: // MPPE, or what looks like it
      return encodePppFrame(
        0xfd,
        random.octets(random.chance(8) ? random.below(1900) : 2 + random.below(60)),
      );
    case 2:
      return random.anyOctets(100);
    default:
      return pppFrame(random);
  }
}

function step(random: Random, sequence: number): Step {
  switch (random.below(16)) {
    case 0:
      return { kind: 'wait', time: random.below(random.chance(4) ? 4000 : 200) };
    case 1:
      return { kind: 'mppe', mode: random.below(6) };
    case 2:
      if (random.chance(3))
        return { kind: 'rates', receive: random.pick(RATES), send: random.pick(RATES) };
      return random.chance(2)
        ? { kind: 'room', packets: random.below(40) }
        : { kind: random.pick(['flush', 'reopen']) };
    case 3:
    case 4:
      return { kind: 'tun', packet: random.chance(6) ? random.anyOctets(1900) : inner(random) };
    case 5:
      return {
        kind: 'gre',
        octets: random.damaged(grePacket(random, EVIL_CALL, sequence, frame(random))),
        peer: random.chance(2) ? CLIENT : random.u32(),
      };
    default:
      return {
        kind: 'gre',
        octets: grePacket(random, EVIL_CALL, sequence, frame(random)),
        peer: CLIENT,
      };
  }
}

export const dataPath = harness({
  name: 'data-path',
  slow: true,
  generate: (random) => ({
    stateful: random.chance(2),
    webAssembly: !random.chance(4),
    steps: Array.from({ length: random.below(100) }, (_, n) => step(random, n)),
  }),
  run({ stateful, webAssembly, steps }) {
    const siege = new Siege(stateful, webAssembly);
    siege.works(1);
    const before = siege.pair.server.path.calls.counters(siege.pair.serverSlot);
    for (const one of steps) siege.take(one);
    siege.relieve();
    const { rxPackets, rxOctets, drops } = siege.pair.server.path.calls.counters(
      siege.pair.serverSlot,
    );
    assert.deepEqual(
      { rxPackets, rxOctets, drops: inward(drops) },
      { rxPackets: before.rxPackets, rxOctets: before.rxOctets, drops: inward(before.drops) },
    );
    siege.works(2);
  },
});

/** What is dropped on the way from him; on the way to him the device's packets are, which anybody may send. */
function inward(drops: Readonly<Record<string, number>>): Record<string, number> {
  const outward = [
    'tooBig',
    'full',
    'multicast',
    'noRoute',
    'isolated',
    'loop',
    'malformed',
    'ipv6',
  ];
  return Object.fromEntries(Object.entries(drops).filter(([reason]) => !outward.includes(reason)));
}

/** The kernel hands over no IPv4 header with a wrong checksum. */
function asOfTheKernel(packet: Uint8Array): Uint8Array {
  const length = (packet[0]! & 15) * 4;
  if (packet[0]! >> 4 !== 4 || length < 20 || length > packet.length) return packet;
  const header = packet.slice(0, length);
  header.fill(0, 10, 12);
  const checksum = sum(header);
  const right = packet.slice();
  right[10] = checksum >> 8;
  right[11] = checksum;
  return right;
}

class Siege {
  readonly pair: Pair;
  private evil = -1;
  private now = 0;
  /** The hostile caller's packets are put into order. */
  private holds = false;
  /** They wait for their rate. */
  private isLimited = false;

  constructor(stateful: boolean, webAssembly: boolean) {
    const pair = connect(
      new End({}, { webAssembly, ...SMALL }),
      new End({}, { webAssembly, ...SMALL }),
    );
    const { server, client } = pair;
    const keys = { strength: 128, stateful, startKey: KEY } as const;
    client.path.calls.setMppe(pair.clientSlot, 'send', keys);
    client.path.calls.setMppe(pair.clientSlot, 'receive', keys);
    server.path.calls.setMppe(pair.serverSlot, 'receive', keys);
    server.path.calls.setMppe(pair.serverSlot, 'send', keys);
    server.path.calls.requireEncryption(pair.serverSlot, true);
    this.pair = pair;
    this.open();
  }

  take(step: Step): void {
    const { server } = this.pair;
    const { path } = server;
    switch (step.kind) {
      case 'gre': {
        // In the good caller's name: test/data-path/hostile.test.ts says what forgeries do.
        if (step.peer === CLIENT && step.octets[6] === 0 && step.octets[7] === SERVER_CALL) break;
        const octets = step.octets.subarray(0, 1900);
        const outcome = server.gre({ octets, from: step.peer, to: SERVER }, this.now);
        // What has a payload is delivered, fed, dropped and counted, or held for one that is missing, or by its rate.
        const isEmpty =
          readGre(octets, 0, octets.length, header) === 0 && header.payloadLength === 0;
        const mayWait = this.holds || this.isLimited;
        assert.ok(outcome !== 'nothing' || isEmpty || mayWait, 'it is gone, and not counted');
        break;
      }
      case 'tun':
        if (step.packet.length > 0)
          server.tun(SERVER_TUN, asOfTheKernel(step.packet.subarray(0, 1900)), this.now);
        break;
      case 'wait':
        this.wait(step.time);
        break;
      case 'mppe': {
        if (step.mode < 3) this.holds = step.mode === 1;
        const keys = { strength: 128, stateful: step.mode % 2 === 1, startKey: KEY } as const;
        path.calls.setMppe(
          this.evil,
          step.mode < 3 ? 'receive' : 'send',
          step.mode === 2 ? undefined : keys,
        );
        break;
      }
      case 'room':
        server.room = step.packets;
        break;
      case 'rates':
        this.isLimited = step.receive > 0;
        path.calls.setRates(this.evil, { ...step, burst: 10 }, this.now);
        server.drain(this.now);
        break;
      case 'flush':
        path.calls.flush(this.evil);
        break;
      case 'reopen':
        path.calls.close(this.evil);
        this.open();
    }
    this.check();
  }

  /** The socket has room again, and what waited is sent. */
  relieve(): void {
    const { server, client } = this.pair;
    server.writable(Infinity, this.now);
    this.wait(5000);
    // What the device's packets brought the good caller.
    for (const datagram of server.takeWire()) client.gre(datagram, this.now);
    client.takeDelivered();
  }

  /** The good caller gets a packet through in both directions. */
  works(tag: number): void {
    const { server, client } = this.pair;
    server.takeDelivered();
    client.takeWire();
    client.tun(CLIENT_TUN, tagged(CALLER, '8.8.8.8', tag), this.now);
    for (const datagram of client.takeWire()) server.gre(datagram, this.now);
    assert.deepEqual(server.takeDelivered().map(tagOf), [tag]);
    server.takeWire();
    server.tun(SERVER_TUN, tagged('8.8.8.8', CALLER, tag), this.now);
    for (const datagram of server.takeWire()) client.gre(datagram, this.now);
    assert.deepEqual(client.takeDelivered().map(tagOf), [tag]);
  }

  private open(): void {
    const { path } = this.pair.server;
    this.evil = path.calls.open(CLIENT, SERVER, EVIL_CALL, this.now);
    this.holds = false;
    this.isLimited = false;
    path.calls.connect(this.evil, 51);
    path.devices.attach(this.evil, SERVER_TUN, {
      localAddress: address('192.168.99.1'),
      peerAddress: address(EVIL),
      prefixes: [EVIL_NETWORK],
    });
  }

  private wait(time: number): void {
    const { server } = this.pair;
    const end = this.now + time;
    for (
      let due = server.path.nextTimeout();
      due !== undefined && due <= end;
      due = server.path.nextTimeout()
    ) {
      this.now = Math.max(this.now, due);
      server.path.handleTimeout(this.now);
      server.drain(this.now);
      const next = server.path.nextTimeout();
      assert.ok(next === undefined || next > this.now, 'time stands still');
    }
    this.now = end;
  }

  /** What went to the device came from an address of the hostile caller's, or is our ICMP. */
  private check(): void {
    const { server } = this.pair;
    for (const packet of server.takeDelivered()) {
      assert.equal(packet[0]! >> 4, 4);
      const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
      const source = view.getUint32(12);
      const own = source === address(EVIL) || source >>> 16 === EVIL_NETWORK.address >>> 16;
      // "Fragmentation needed" comes from the next hop, which is whom the packet was for.
      const isIcmp = packet[9] === 1 && packet[20] === 3 && packet[21] === 4;
      assert.ok(own || isIcmp, `a packet of ${source.toString(16)}`);
    }
    assert.ok(server.path.output.greCount === 0 && server.path.output.tunCount === 0);
  }
}
