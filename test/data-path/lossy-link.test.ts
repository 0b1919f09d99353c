/** Pairs of data paths over a link that loses, swaps and doubles packets, on a virtual clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodePppFrame, PppProtocol } from '../../src/wire/ppp-frame.ts';
import { octets } from '../crypto/hex.ts';
import { VirtualClock } from '../support/clock.ts';
import { MPPE_MS_CHAP_V2 } from '../vectors/ms-chap.ts';
import {
  attachClient,
  attachServer,
  CALLER,
  CLIENT_TUN,
  connect,
  type Datagram,
  type End,
  SERVER_TUN,
} from './end.ts';
import { tagged, tagOf } from './packets.ts';

/** What the link does to one packet. */
interface Fate {
  readonly lost: boolean;
  readonly delay: number;
  /** ms after which a copy comes; undefined: none. */
  readonly copy: number | undefined;
}

const GOOD: Fate = { lost: false, delay: 5, copy: undefined };

function fates(lossInTen: number, spread: number): fc.Arbitrary<Fate> {
  return fc.record({
    lost: fc.nat(9).map((n) => n < lossInTen),
    delay: fc.integer({ min: 5, max: 5 + spread }),
    copy: fc.option(fc.integer({ min: 5, max: 5 + spread }), { freq: 4, nil: undefined }),
  });
}

interface Encryption {
  readonly bits: 128 | 56 | 40;
  readonly stateful: boolean;
}

const ENCRYPTIONS: (Encryption | undefined)[] = [
  undefined,
  ...MPPE_MS_CHAP_V2.flatMap(({ bits }) => [
    { bits, stateful: false },
    { bits, stateful: true },
  ]),
];

/** Both ends of a tunnel with a daemon that answers lost synchronization by a reset, at most every 50 ms. */
class Tunnel {
  readonly clock = new VirtualClock();
  readonly pair = connect();
  readonly sent = { up: new Map<number, Uint8Array>(), down: new Map<number, Uint8Array>() };
  #fates: Fate[] = [];
  /** Of packets with these tags, whatever else there is on the link. */
  byTag: readonly Fate[] = [];
  readonly #lastReset = new Map<End, number>();
  /** Tags of packets that the link brought at least once. */
  readonly arrived = new Set<number>();
  #tags: (number | undefined)[] = [];

  constructor(encryption: Encryption | undefined, list: readonly Fate[]) {
    // Before encryption there is always something: LCP and CCP.
    this.control(0);
    this.advance(10);
    this.#fates = [...list];
    if (encryption === undefined) return;
    const { bits: strength, stateful } = encryption;
    const vector = MPPE_MS_CHAP_V2.find(({ bits }) => bits === strength)!;
    const down = { strength, stateful, startKey: octets(vector.startKey) };
    const up = { strength, stateful, startKey: octets(vector.sessionKey) };
    const { server, client, serverSlot, clientSlot } = this.pair;
    server.path.calls.setMppe(serverSlot, 'send', down);
    client.path.calls.setMppe(clientSlot, 'receive', down);
    client.path.calls.setMppe(clientSlot, 'send', up);
    server.path.calls.setMppe(serverSlot, 'receive', up);
  }

  up(tag: number): void {
    const packet = tagged(CALLER, '8.8.8.8', tag, 40 + (tag % 200));
    this.sent.up.set(tag, packet);
    this.pair.client.tun(CLIENT_TUN, packet.slice(), this.clock.now);
    this.#tags = [tag];
    this.move();
  }

  down(tag: number): void {
    const packet = tagged('8.8.8.8', CALLER, tag, 40 + (tag % 200));
    this.sent.down.set(tag, packet);
    this.pair.server.tun(SERVER_TUN, packet.slice(), this.clock.now);
    this.#tags = [tag];
    this.move();
  }

  control(tag: number): void {
    const frame = encodePppFrame(PppProtocol.Lcp, Uint8Array.of(9, tag, 0, 4));
    this.pair.client.path.calls.transmit(this.pair.clientSlot, frame);
    this.pair.client.drain(this.clock.now);
    this.#tags = [];
    this.move();
  }

  /** Other programs take the place of these, at one end. */
  succeedServer(): void {
    this.pair.server.succeed(attachServer, this.clock.now);
  }

  succeedClient(): void {
    this.pair.client.succeed(attachClient, this.clock.now);
  }

  /** From now on the link is good. */
  heal(): void {
    this.#fates = [];
  }

  advance(duration: number): void {
    const machines = [this.pair.server, this.pair.client].map((end) => ({
      nextTimeout: () => end.path.nextTimeout(),
      handleTimeout: (now: number) => end.path.handleTimeout(now),
    }));
    this.clock.advance(duration, machines, () => {
      this.#tags = [];
      this.move();
    });
  }

  /** Puts on the link what the ends have made; the last packet is that of #tags. */
  move(): void {
    const { server, client } = this.pair;
    const { now } = this.clock;
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.drain(now);
      for (const datagram of from.takeWire()) this.#carry(datagram, to, this.#tags[0]);
      this.#reset(from, to);
    }
  }

  #carry(datagram: Datagram, to: End, tag: number | undefined): void {
    const own = tag === undefined ? undefined : this.byTag[tag];
    const fate = own ?? this.#fates.shift() ?? GOOD;
    const arrive = () => {
      if (tag !== undefined) this.arrived.add(tag);
      to.gre(datagram, this.clock.now);
    };
    if (!fate.lost) this.clock.after(fate.delay, arrive);
    if (fate.copy !== undefined) this.clock.after(fate.copy, arrive);
  }

  #reset(end: End, other: End): void {
    if (end.desynchronized.length === 0) return;
    end.desynchronized = [];
    const { now } = this.clock;
    if (now - (this.#lastReset.get(end) ?? -Infinity) < 50) return;
    this.#lastReset.set(end, now);
    this.clock.after(10, () => other.path.calls.flush(0)); // both ends use slot 0
  }
}

function check(delivered: Uint8Array[], sent: Map<number, Uint8Array>): number[] {
  const tags = delivered.map(tagOf);
  assert.equal(new Set(tags).size, tags.length, 'delivered twice');
  for (const packet of delivered) assert.deepEqual(packet, sent.get(tagOf(packet)));
  return tags;
}

for (const encryption of ENCRYPTIONS) {
  const { bits, stateful } = encryption ?? { bits: 0, stateful: false };
  const name =
    encryption === undefined ? 'no MPPE' : `MPPE-${bits} ${stateful ? 'stateful' : 'stateless'}`;

  test(`nothing wrong is ever delivered, and nothing twice: ${name}`, () => {
    const step = fc.record({
      what: fc.constantFrom('up', 'up', 'down', 'down', 'control' as const),
      wait: fc.constantFrom(0, 0, 1, 3, 60),
    });
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 120, size: 'max' }),
        fc.array(fates(2, 40), { maxLength: 400, size: 'max' }),
        (steps, list) => {
          const tunnel = new Tunnel(encryption, list);
          const { server, client } = tunnel.pair;
          steps.forEach(({ what, wait }, tag) => {
            tunnel[what](tag);
            tunnel.advance(wait);
          });
          tunnel.advance(1000);
          const tags = [
            ...check(server.takeDelivered(), tunnel.sent.up),
            ...check(client.takeDelivered(), tunnel.sent.down),
          ];
          if (!stateful) {
            // Everything that arrived came out: the window is wider than the list of steps.
            assert.deepEqual(new Set(tags), tunnel.arrived);
          }
          // After a moment on a good link everything passes.
          tunnel.heal();
          tunnel.up(1000);
          tunnel.down(1001);
          tunnel.advance(200);
          server.takeDelivered();
          client.takeDelivered();
          for (let tag = 2000; tag < 2010; tag++) {
            tunnel.up(tag);
            tunnel.down(tag);
          }
          tunnel.advance(200);
          assert.deepEqual(check(server.takeDelivered(), tunnel.sent.up).length, 10);
          assert.deepEqual(check(client.takeDelivered(), tunnel.sent.down).length, 10);
        },
      ),
      { numRuns: 40 },
    );
  });

  test(`a program that takes the place of another loses nothing: ${name}`, () => {
    const step = fc.record({
      what: fc.constantFrom('up', 'up', 'down', 'down', 'control' as const),
      wait: fc.constantFrom(0, 0, 1, 3, 60),
      succeeds: fc.constantFrom(
        undefined,
        undefined,
        undefined,
        undefined,
        'succeedServer',
        'succeedClient' as const,
      ),
    });
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 80, size: 'max' }),
        fc.array(fates(2, 40), { maxLength: 300, size: 'max' }),
        (steps, list) => {
          const run = (isSucceeded: boolean) => {
            const tunnel = new Tunnel(encryption, []);
            tunnel.byTag = list;
            const { server, client } = tunnel.pair;
            const came: number[][] = [[], []];
            steps.forEach(({ what, wait, succeeds }, tag) => {
              tunnel[what](tag);
              if (isSucceeded && succeeds !== undefined) tunnel[succeeds]();
              tunnel.advance(wait);
            });
            tunnel.advance(1000);
            came[0]!.push(...check(server.takeDelivered(), tunnel.sent.up));
            came[1]!.push(...check(client.takeDelivered(), tunnel.sent.down));
            const { rxPackets, txPackets, lost } = server.path.calls.counters(0);
            tunnel.up(1000);
            tunnel.down(1001);
            tunnel.advance(200);
            server.takeDelivered();
            client.takeDelivered();
            for (let tag = 2000; tag < 2010; tag++) {
              tunnel.up(tag);
              tunnel.down(tag);
            }
            tunnel.advance(200);
            const after = [server.takeDelivered().length, client.takeDelivered().length];
            assert.deepEqual(after, [10, 10]);
            return { came, counters: { rxPackets, txPackets, lost } };
          };
          const [saved, twin] = [run(true), run(false)];
          // Stateful: what waits for a packet before it goes at once, and so a gap may show earlier.
          if (!stateful) assert.deepEqual(saved, twin);
        },
      ),
      { numRuns: 40 },
    );
  });

  test(`swaps and copies alone lose nothing: ${name}`, () => {
    fc.assert(
      fc.property(fc.array(fates(0, 30), { minLength: 60, maxLength: 200 }), (list) => {
        const tunnel = new Tunnel(encryption, list);
        for (let tag = 0; tag < 60; tag++) {
          tunnel.up(tag);
          tunnel.advance(1);
        }
        tunnel.advance(1000);
        const tags = check(tunnel.pair.server.takeDelivered(), tunnel.sent.up);
        assert.equal(tags.length, 60);
        if (stateful) assert.deepEqual(tags, [...tunnel.sent.up.keys()]);
      }),
      { numRuns: 30 },
    );
  });
}
