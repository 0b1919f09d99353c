/** Sessions on the real data path: what PPP negotiates is what the packets need. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createArena } from '../../src/data-path/queues/arena.ts';
import { Control } from '../../src/data-path/control.ts';
import { DataPath } from '../../src/data-path/data-path.ts';
import { ClientLink } from '../../src/session/link/client-link.ts';
import type { Caller } from '../../src/session/server/caller.ts';
import type { MppeOptions } from '../../src/ppp/options.ts';
import type {
  CallerOutput,
  CallPath,
  CallPaths,
  ClientLinkOutput,
  FrameReceiver,
} from '../../src/session/ports.ts';
import { Server } from '../../src/session/server/server.ts';
import { ip, linkOptions, serverOptions, user, World } from '../support/world.ts';

const CLIENT = ip('198.51.100.2');
const SERVER = ip('203.0.113.1');
const TUN = 7;

/** A host with the packet machine of the daemon, joined to another one by a wire without delay. */
class Host {
  readonly arena = createArena({ greSlots: 4, tunSlots: 4, outSlots: 64, heldSlots: 16 });
  readonly dataPath = new DataPath({ arena: this.arena, maxSessions: 4 });
  readonly address: number;
  readonly delivered: Uint8Array[] = [];
  readonly sent: Uint8Array[] = [];
  readonly receivers: (FrameReceiver | undefined)[] = [];
  peer: Host | undefined;
  now = 0;
  /** IP flows. */
  isUp = false;
  #nextCallId = 1;

  constructor(address: number) {
    this.address = address;
    this.dataPath.devices.open(TUN, { isolate: true });
  }

  readonly paths: CallPaths = {
    open: (_machine, peer, local, now) => this.#open(peer, local, now),
    reopen: () => assert.fail('nothing was left here'),
  };

  #open(peer: number, local: number, now: number): CallPath | undefined {
    const { dataPath } = this;
    const callId = this.#nextCallId++;
    const slot = dataPath.calls.open(peer, local, callId, now);
    if (slot === -1) return undefined;
    return {
      slot,
      callId,
      connect: (peerCallId, receiver) => {
        this.receivers[slot] = receiver;
        dataPath.calls.connect(slot, peerCallId);
      },
      transmit: (frame) => dataPath.calls.transmit(slot, frame),
      transmitIpv6: (packet) => dataPath.calls.transmitIpv6(slot, packet),
      setFraming: (framing) => dataPath.calls.setFraming(slot, framing),
      setMppe: (direction, mppe) => dataPath.calls.setMppe(slot, direction, mppe),
      requireEncryption: (required) => dataPath.calls.requireEncryption(slot, required),
      setRates: (rates, at) => dataPath.calls.setRates(slot, rates, at),
      flush: () => dataPath.calls.flush(slot),
      counters: () => dataPath.calls.counters(slot),
      heard: () => dataPath.calls.heard(slot),
      obstacle: () => undefined,
      close: () => {
        this.flush();
        dataPath.calls.close(slot);
        this.receivers[slot] = undefined;
      },
    };
  }

  /** An IP packet comes from the TUN device. @returns whether it was sent */
  sendIp(packet: Uint8Array): boolean {
    const { base, headroom } = this.arena.tunSlots;
    const { dataPath } = this;
    this.arena.octets.set(packet, base + headroom);
    dataPath.receiveTun(TUN, Int32Array.of(base + headroom, packet.length), 1, this.now);
    const sent = dataPath.output.greCount === 1;
    this.flush();
    return sent;
  }

  flush(): void {
    const { dataPath, arena } = this;
    const { output } = dataPath;
    const gre: Uint8Array[] = [];
    dataPath.seal();
    for (let n = 0; n < output.greCount; n++) {
      const at = output.gre[4 * n]!;
      gre.push(arena.octets.slice(at, at + output.gre[4 * n + 1]!));
    }
    for (let n = 0; n < output.tunCount; n++) {
      const at = output.tun[3 * n + 1]!;
      this.delivered.push(arena.octets.slice(at, at + output.tun[3 * n + 2]!));
    }
    dataPath.sent(output.greCount);
    this.sent.push(...gre);
    for (const packet of gre) this.peer?.receive(packet, this.address);
  }

  receive(packet: Uint8Array, from: number): void {
    const { base, headroom } = this.arena.greSlots;
    const { dataPath, now } = this;
    this.arena.octets.set(packet, base + headroom);
    const batch = Int32Array.of(base + headroom, packet.length, from, this.address);
    dataPath.receiveGre(batch, 1, now);
    for (let what; (what = dataPath.nextControl(now)) !== Control.None;) {
      const { slot, offset, length } = dataPath.control;
      const frame = this.arena.octets.slice(offset, offset + length);
      if (what === Control.Frame) this.receivers[slot]?.handleFrame(frame, now);
      else this.receivers[slot]?.handleDesynchronized(now);
    }
    this.flush();
  }

  carryOut(output: CallerOutput | ClientLinkOutput): void {
    if (output.kind === 'tunnel-up') {
      const { localAddress, peerAddress, routes, ipv6 } = output.tunnel;
      this.dataPath.devices.attach(output.path.slot, TUN, {
        localAddress,
        peerAddress,
        prefixes: routes,
      });
      this.dataPath.calls.setIpv6(output.path.slot, ipv6);
      this.isUp = true;
    } else if (output.kind === 'tunnel-down') {
      this.dataPath.devices.detach(output.path.slot);
      this.isUp = false;
    }
  }
}

/** A UDP packet with this many octets. */
function packet(source: number, destination: number, length: number): Uint8Array {
  const octets = new Uint8Array(length).fill(0x5a);
  const view = new DataView(octets.buffer);
  view.setUint32(0, 0x45000000 | length);
  view.setUint32(4, 0x00014000);
  view.setUint32(8, 0x40110000);
  view.setUint32(12, source);
  view.setUint32(16, destination);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(10, ~sum & 0xffff);
  return octets;
}

/** A client link and the server that it calls, each on a host of its own. */
class Tunnel {
  readonly client = new Host(CLIENT);
  readonly server = new Host(SERVER);
  readonly home: Server;
  readonly link: ClientLink;
  readonly caller: Caller;
  /** Of both ends; of what they count the counter's name. */
  readonly events: string[];

  constructor(mppe: MppeOptions) {
    const { client, server } = this;
    const world = new World();
    this.events = world.counted;
    client.peer = server;
    server.peer = client;
    const access = world.access(world.gateway([user('anna')]));
    this.home = new Server({ ...serverOptions, mppe }, access, {
      paths: server.paths,
      feed: (_caller, act) => act(),
      neighbours: { ask: () => undefined, holder: () => undefined },
      report: () => undefined,
    });
    this.link = new ClientLink({ ...linkOptions, mppe }, world.gateway([]), {
      paths: client.paths,
      feed: (_link, act) => act(),
    });
    const caller = this.home.accept(CLIENT, SERVER, 0);
    assert('poll' in caller);
    this.caller = caller;
    this.link.dial(0);
    this.drain();
    this.run();
  }

  /** Until IP flows. */
  run(): void {
    const { link, caller, client, server } = this;
    for (let step = 0; step < 100 && !(client.isUp && server.isUp); step++) {
      const next = Math.min(link.nextTimeout() ?? Infinity, caller.nextTimeout() ?? Infinity);
      this.client.now = this.server.now = next;
      link.handleTimeout(next);
      caller.handleTimeout(next);
      this.drain();
    }
  }

  drain(): void {
    const { client, server, link, caller } = this;
    const { now } = client;
    for (let again = true; again;) {
      again = false;
      for (let output = link.poll(); output !== undefined; output = link.poll()) {
        again = true;
        client.carryOut(output);
        this.#note(output);
        if (output.kind === 'host-route') link.handleHostRoute(output.address, undefined, now);
        else if (output.kind === 'connect') link.handleConnected(CLIENT, now);
        else if (output.kind === 'write') caller.handleOctets(output.octets, now);
        else if (output.kind === 'tunnel-up') link.handleTunnelUp(undefined, now);
      }
      for (const output of outputs(caller)) {
        again = true;
        server.carryOut(output);
        this.#note(output);
        if (output.kind === 'write') link.handleOctets(output.octets, now);
      }
      client.flush();
      server.flush();
    }
  }

  #note(output: CallerOutput | ClientLinkOutput): void {
    if (output.kind !== 'event') return;
    this.events.push(output.event.what);
  }
}

for (const [policy, strengths, stateful] of [
  ['required', [128], false],
  ['required', [40], false],
  ['off', [], false],
] as const) {
  test(`packets both ways, ${policy} ${strengths.join(' ')}`, () => {
    const tunnel = new Tunnel({ policy, strengths, stateful });
    const { client, server, link, home } = tunnel;
    const { session } = link.status();
    assert(session !== undefined);

    const there = packet(session.localAddress, session.peerAddress, session.mtu);
    const back = packet(session.peerAddress, session.localAddress, session.mtu);
    const before = client.sent.length;
    for (let n = 0; n < 300; n++) {
      assert(client.sendIp(there));
      assert(server.sendIp(back));
    }
    assert.equal(server.delivered.length, 300);
    assert.equal(client.delivered.length, 300);
    assert.deepEqual(server.delivered[299], there);
    assert.deepEqual(client.delivered[299], back);
    const isClear = client.sent
      .slice(before)
      .some((octets) => hex(octets).includes('5a5a5a5a5a5a'));
    assert.equal(isClear, policy === 'off');
    assert.equal(link.status().session?.counters.rxPackets, 300);
    assert.equal(home.sessions()[0]?.counters.rxPackets, 300);

    link.hangup(client.now);
    tunnel.drain();
    assert.deepEqual(
      client.receivers.filter((receiver) => receiver !== undefined),
      [],
    );
    assert.deepEqual(
      server.receivers.filter((receiver) => receiver !== undefined),
      [],
    );
    assert.deepEqual(server.dataPath.totals().drops, {});
    assert.equal(link.status().state, 'down');
  });
}

for (const forgedBy of ['client', 'server'] as const) {
  test(`CCP that starts again and again: one key stream is repeated once at most (forged: ${forgedBy})`, () => {
    const tunnel = new Tunnel({ policy: 'required', strengths: [128], stateful: false });
    const { client, server, link } = tunnel;
    const rounds = 6;
    const each = 20;
    for (let round = 1; round <= rounds; round++) {
      const { session } = link.status();
      assert(session !== undefined, `round ${round}`);
      const there = packet(session.localAddress, session.peerAddress, session.mtu);
      const back = packet(session.peerAddress, session.localAddress, session.mtu);
      for (let n = 0; n < each; n++) {
        assert(client.sendIp(there));
        assert(server.sendIp(back));
      }
      assert.equal(server.delivered.length, round * each);
      assert.equal(client.delivered.length, round * each);
      // What anybody on the way can send, who knows the numbers of the call.
      const request = Uint8Array.of(0xff, 3, 0x80, 0xfd, 1, 77, 0, 10, 18, 6, 1, 0, 0, 0x40);
      const forged = forgedBy === 'client' ? server : client;
      forged.receivers[0]?.handleFrame(request, forged.now);
      tunnel.drain();
      tunnel.run();
    }
    for (const host of [client, server]) {
      // Equal packets, so equal key streams are equal octets.
      const seen = host.sent
        .filter((octets) => octets.length > 1000)
        .map((o) => hex(o.subarray(-100)));
      assert.equal(seen.length, rounds * each);
      assert.equal(new Set(seen).size, (rounds - 1) * each);
    }
    const times = (name: string): number => tunnel.events.filter((event) => event === name).length;
    assert.equal(times('ppp: repeated-keys'), 2);
    assert.equal(times('ppp: spent-keys'), rounds - 1);
    assert.equal(times('session-up'), 2);
    assert.equal(times('session-down'), 0);
  });
}

/** One at a time: each is carried out before the next is polled. */
function* outputs(caller: Caller): Generator<CallerOutput> {
  for (let output = caller.poll(); output !== undefined; output = caller.poll()) yield output;
}

function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex');
}
