/** The short way of relayed GRE with the real kernel, between two devices of a network namespace of its own. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { kernel, relayShortcut } from '../../src/daemon/engine/kernel.ts';
import { closeDescriptor } from '../../src/native/succession.ts';
import { Assembler } from '../../src/router/relay-shortcut/assembler.ts';
import { devicesNamed } from '../../src/router/relay-shortcut/devices.ts';
import type { RelayShortcut } from '../../src/router/relay-shortcut/shortcut.ts';
import type { RelayRules } from '../../src/router/relay-rules.ts';
import type { RelayWay } from '../../src/router/relay-way.ts';
import { internetChecksum } from '../../src/wire/checksum.ts';
import * as bpf from '../../src/native/bpf.ts';
import { IoContext } from '../../src/native/io-context.ts';
import { sendTun, TunDevice, tunReceiveWords } from '../../src/tun-tap/index.ts';
import { inNamespace, ip, ipv4 } from '../native/namespace.ts';

const client = ipv4('192.168.1.10');
const far = ipv4('198.51.100.2');
const own = ipv4('203.0.113.1');
const TOLD = 0xbeef;
const CALL_ID = 7;

const rules: RelayRules = {
  key: 1,
  direction: 'outbound',
  src: ['lan*'],
  dest: ['wan0'],
  clients: [],
  port: 4001,
  hasShortcut: true,
};
const outwards: RelayWay = {
  relay: 1,
  towards: 'server',
  from: { address: client, local: far },
  to: { address: far, local: own, callId: CALL_ID, toldCallId: TOLD },
};
const inwards: RelayWay = {
  relay: 1,
  towards: 'client',
  from: { address: far, local: own },
  to: { address: client, local: far, callId: 9, toldCallId: 0xfeed },
};

interface Packet {
  readonly source: number;
  readonly destination: number;
  readonly callId: number;
  readonly ttl: number;
  readonly octets: Uint8Array;
}

/** A GRE packet of a call, as its sender sends it. */
function packet(change: (octets: Uint8Array, view: DataView) => void = () => undefined, size = 60) {
  const octets = new Uint8Array(size);
  const view = new DataView(octets.buffer);
  octets.set([0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 47]);
  view.setUint16(2, size);
  view.setUint32(12, client);
  view.setUint32(16, far);
  view.setUint32(20, 0x3001880b);
  view.setUint16(24, size - 32);
  view.setUint16(26, TOLD);
  change(octets, view);
  view.setUint16(10, 0);
  view.setUint16(10, internetChecksum(octets, 0, (octets[0]! & 15) * 4));
  return octets;
}

function read(octets: Uint8Array): Packet {
  const view = new DataView(octets.buffer, octets.byteOffset);
  const header = (octets[0]! & 15) * 4;
  return {
    source: view.getUint32(12),
    destination: view.getUint32(16),
    callId: view.getUint16(header + 6),
    ttl: octets[8]!,
    octets,
  };
}

class Wire {
  readonly tun: TunDevice;
  readonly #io = new IoContext(new ArrayBuffer(1 << 18));
  readonly #waiting: ((packet: Packet) => void)[] = [];
  readonly #come: Packet[] = [];

  constructor(name: string, address: string) {
    this.tun = new TunDevice(this.#io, name);
    const octets = new Uint8Array(this.#io.arena);
    const slots = { base: 1 << 17, size: 2048, count: 64, headroom: 64 };
    const meta = new Int32Array(slots.count * tunReceiveWords);
    this.tun.watch(slots, meta, {
      onBatch: (count) => {
        for (let i = 0; i < count; i++) {
          const [at, length] = [meta[2 * i]!, meta[2 * i + 1]!];
          if (octets[at]! >> 4 === 4) this.#take(read(octets.slice(at, at + length)));
        }
      },
      onLost: (error) => assert.fail(error),
    });
    ip(`link set ${name} up`);
    ip(`address add ${address} dev ${name}`);
  }

  send(octets: Uint8Array): void {
    new Uint8Array(this.#io.arena).set(octets);
    assert.equal(sendTun(this.#io, Int32Array.of(this.tun.fd, 0, octets.length), 1), 1);
  }

  next(): Promise<Packet> {
    const packet = this.#come.shift();
    if (packet !== undefined) return Promise.resolve(packet);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.tun.close();
  }

  #take(packet: Packet): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#come.push(packet);
    else waiting(packet);
  }
}

inNamespace('the shortcut of relays', import.meta.url, () => {
  let lan: Wire;
  let wan: Wire;
  let shortcut: RelayShortcut;

  before(() => {
    ip('link set lo up');
    writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
    lan = new Wire('lan0', '192.168.1.1/24');
    wan = new Wire('wan0', '203.0.113.1/24');
    ip('route add default dev wan0');
  });

  beforeEach(() => {
    shortcut = relayShortcut();
    shortcut.load();
    assert.equal(shortcut.lacks, undefined);
    shortcut.install([rules]);
    shortcut.add(outwards);
    shortcut.add(inwards);
  });

  afterEach(() => unload(shortcut));

  after(() => {
    lan.close();
    wan.close();
  });

  function unload(one: RelayShortcut): void {
    one.install([]);
    for (const descriptor of one.save().descriptors) closeDescriptor(descriptor);
  }

  /** What is no packet of a call goes the ordinary way, which has no tables here: as it came. */
  async function leftAlone(octets: Uint8Array): Promise<void> {
    lan.send(octets);
    const { source, callId } = await wan.next();
    const sent = read(octets);
    assert.deepEqual([source, callId], [sent.source, sent.callId]);
  }

  test('both ways: addresses, call id, one hop less, a right checksum, and they are counted', async () => {
    lan.send(packet());
    const there = await wan.next();
    assert.deepEqual(
      { ...there, octets: undefined },
      { source: own, destination: far, callId: CALL_ID, ttl: 63, octets: undefined },
    );
    assert.equal(internetChecksum(there.octets, 0, 20), 0);
    assert.deepEqual(there.octets.subarray(28), packet().subarray(28));
    wan.send(
      packet((_, view) => {
        view.setUint32(12, far);
        view.setUint32(16, own);
        view.setUint16(26, 0xfeed);
      }),
    );
    const back = await lan.next();
    assert.deepEqual([back.source, back.destination, back.callId], [far, client, 9]);
    assert.equal(internetChecksum(back.octets, 0, 20), 0);
    assert.deepEqual(shortcut.count(outwards), { packets: 1, octets: 60 });
    assert.deepEqual(shortcut.count(inwards), { packets: 1, octets: 60 });
  });

  for (const [what, change] of [
    ['another call id', (_, view) => view.setUint16(26, TOLD + 1)],
    ['another sender', (_, view) => view.setUint32(12, client + 1)],
    ['to another server', (_, view) => view.setUint32(16, far + 1)],
    ['another protocol', (octets) => (octets[9] = 50)],
    ['GRE of another version', (octets) => (octets[21] = 0x80)],
    ['GRE without a call id', (octets) => (octets[20] = 0x10)],
    ['IP options', (octets) => (octets[0] = 0x46)],
    ['the first piece of a packet', (octets) => (octets[6] = 0x20)],
    ['a later piece of a packet', (octets) => (octets[7] = 0x10)],
  ] as const satisfies readonly (readonly [string, (octets: Uint8Array, view: DataView) => void])[])
    test(`left alone: ${what}`, async () => {
      if (what === 'IP options') {
        // Then the call id stands four octets further on.
        const plain = packet();
        const longer = new Uint8Array(plain.length + 4);
        longer.set(plain.subarray(0, 20));
        longer.set([1, 1, 1, 0], 20);
        longer.set(plain.subarray(20), 24);
        longer[0] = 0x46;
        const view = new DataView(longer.buffer);
        view.setUint16(2, longer.length);
        view.setUint16(10, 0);
        view.setUint16(10, internetChecksum(longer, 0, 24));
        return leftAlone(longer);
      }
      await leftAlone(packet(change));
      assert.equal(shortcut.count(outwards).packets, 0);
    });

  test('a damaged header is not mended, and the last hop is the last', async () => {
    const damaged = packet();
    damaged[5] = 99;
    lan.send(damaged);
    lan.send(packet((octets) => (octets[8] = 1)));
    lan.send(packet());
    assert.equal((await wan.next()).octets[5], 1);
    assert.equal((await lan.next()).octets[20], 11); // ICMP: Time Exceeded, the kernel's
    assert.equal(shortcut.count(outwards).packets, 1);
  });

  test('what is too long for the way is the kernel’s to refuse', async () => {
    ip('link set wan0 mtu 1400');
    shortcut.look();
    lan.send(packet(undefined, 1401));
    const { octets } = await lan.next();
    assert.deepEqual([octets[20], octets[21]], [3, 4]); // ICMP: Fragmentation Needed
    lan.send(packet(undefined, 1400));
    assert.equal((await wan.next()).source, own);
    ip('link set wan0 mtu 1500');
  });

  test('a route to elsewhere takes it away, and back; counters go on', async () => {
    lan.send(packet());
    assert.equal((await wan.next()).source, own);
    ip('route add blackhole 198.51.100.2');
    shortcut.look();
    lan.send(packet());
    ip('route del blackhole 198.51.100.2');
    await leftAlone(packet());
    shortcut.look();
    lan.send(packet());
    assert.equal((await wan.next()).source, own);
    assert.deepEqual(shortcut.count(outwards), { packets: 2, octets: 120 });
  });

  test('devices come and go', async () => {
    const other = new Wire('lan1', '192.168.2.1/24');
    ip('route add 192.168.1.10/32 dev lan1'); // he has moved
    await leftAloneBy(other);
    shortcut.look();
    other.send(packet());
    assert.equal((await wan.next()).source, own);
    other.close();
    shortcut.look();
    lan.send(packet());
    assert.equal((await wan.next()).source, own);
    assert.equal(shortcut.count(outwards).packets, 1); // what has gone with its device is not told any more
  });

  async function leftAloneBy(wire: Wire): Promise<void> {
    wire.send(packet());
    assert.equal((await wan.next()).source, client);
  }

  test('a call that ended, and rules that went', async () => {
    shortcut.remove(outwards);
    await leftAlone(packet());
    shortcut.add(outwards);
    shortcut.install([]);
    await leftAlone(packet());
    shortcut.install([rules]);
    lan.send(packet());
    assert.equal((await wan.next()).source, own);
  });

  test('the next program goes on with it, without capabilities', async () => {
    lan.send(packet());
    await wan.next();
    const saved = shortcut.save();
    const next = relayShortcut();
    next.adopt(saved);
    assert.equal(next.lacks, undefined);
    next.add(outwards); // the other call has ended meanwhile
    next.install([rules]);
    lan.send(packet());
    assert.equal((await wan.next()).source, own);
    assert.deepEqual(next.count(outwards), { packets: 2, octets: 120 });
    assert.equal(saved.entries.length, 2);
    const found = saved.entries.filter(({ key }) =>
      bpf.readEntry(saved.loaded!.map, key, new Uint8Array(32)),
    );
    assert.equal(found.length, 1);
    next.install([]);
  });

  test('another program than ours is not taken over', () => {
    const other = relayShortcut();
    other.load();
    const saved = other.save();
    const next = relayShortcut();
    next.adopt({ ...saved, programs: saved.programs.map((one) => one.slice(8)) });
    assert.match(next.lacks ?? '', /a restart brings it/);
    assert.throws(() => closeDescriptor(saved.loaded!.map), /EBADF/);
  });

  test('devices are found by name and beginning; what has no header that we know is none', () => {
    const names = (...asked: string[]) =>
      devicesNamed(kernel.route, asked)
        .map(({ name, isEthernet }) => `${name} ${isEthernet}`)
        .sort();
    assert.deepEqual(names('lan*', 'wan0', 'wan0', 'none'), ['lan0 false', 'wan0 false']);
    ip('link add veth0 type veth peer name veth1');
    assert.deepEqual(names('veth*'), ['veth0 true', 'veth1 true']);
    assert.deepEqual(names('lo'), []);
  });

  test('wrong arguments are errors', () => {
    const map = bpf.createMap(4, 8, 1);
    assert.throws(() => bpf.createMap(0, 8, 1), RangeError);
    assert.throws(() => bpf.createMap(4, 8192, 1), RangeError);
    assert.throws(() => bpf.writeEntry(map, new Uint8Array(3), new Uint8Array(8)), RangeError);
    assert.throws(() => bpf.writeEntry(map, new Uint8Array(4), new Uint8Array(7)), RangeError);
    assert.throws(() => bpf.readEntry(map, new Uint8Array(4), new Uint8Array(9)), RangeError);
    assert.equal(bpf.readEntry(map, new Uint8Array(4), new Uint8Array(8)), false);
    assert.equal(bpf.eraseEntry(map, new Uint8Array(4)), false);
    bpf.writeEntry(map, new Uint8Array(4), new Uint8Array(8));
    assert.equal(bpf.eraseEntry(map, new Uint8Array(4)), true);
    closeDescriptor(map);
    assert.throws(() => bpf.readEntry(map, new Uint8Array(4), new Uint8Array(8)), /EBADF/);
    assert.throws(() => bpf.loadProgram(new Uint8Array(7)), RangeError);
    const wild = new Assembler().load(8, 0, 1, 9999).return().assemble();
    assert.throws(() => bpf.loadProgram(wild), /invalid bpf_context access/);
    assert.throws(() => new Assembler().jump('nowhere').assemble(), /nowhere/);
  });
});
