import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { IoContext } from '../../src/native/io-context.ts';
import { sendTun, TunDevice, tunReceiveWords, tunSendWords } from '../../src/tun-tap/tun-device.ts';
import { inNamespace, ip } from '../native/namespace.ts';

const mtu = 1400;

inNamespace('TUN offload', import.meta.url, () => {
  for (const [name, version, slots] of [
    ['IPv4', 4, 128],
    ['IPv6', 6, 128],
    ['IPv4, more segments in a packet than slots', 4, 4],
  ] as const) {
    test(`TCP over ${name}: large packets at the kernel, small ones here`, async () => {
      const mirror = new Mirror(version, { slots });
      assert.ok(mirror.device.offload);
      await mirror.transfer(16 << 20);
      const { received, sent, errors, malformed, truncated } = mirror.device.counters();
      assert.deepEqual(
        { errors, malformed, truncated },
        { errors: {}, malformed: 0, truncated: 0 },
      );
      assert.equal(sent, received);
      const kernel = mirror.kernelPackets();
      assert.ok(received > (16 << 20) / mtu);
      assert.ok(kernel.out < received / 3, `split: ${kernel.out} to ${received}`);
      if (slots > 4) assert.ok(kernel.in < sent / 2, `joined: ${sent} to ${kernel.in}`);
      mirror.close();
    });
  }

  test('TCP without offload: packet by packet', async () => {
    const mirror = new Mirror(4, { offload: false });
    assert.equal(mirror.device.offload, false);
    await mirror.transfer(4 << 20);
    const { received, sent } = mirror.device.counters();
    assert.deepEqual(mirror.kernelPackets(), { out: received, in: sent });
    mirror.close();
  });

  for (const version of [4, 6] as const) {
    test(`loss, disorder and wrong checksums over IPv${version}: the kernel sees the faults, not the octets`, async () => {
      const before = wrongChecksums();
      const mirror = new Mirror(version, { faults: true });
      await mirror.transfer(8 << 20);
      assert.ok(mirror.spoiled > 20);
      // Each reached the kernel as it was, joined to nothing.
      assert.equal(wrongChecksums() - before, mirror.spoiled);
      mirror.close();
    });
  }

  for (const [port, isJoined] of [
    [7000, true],
    [137, false], // relayed by who sees them one by one
    [138, false],
    [5353, false],
  ] as const)
    test(`UDP datagrams of a batch to port ${port} are ${isJoined ? '' : 'not '}joined, and arrive each by itself`, async () => {
      const mirror = new Mirror(4);
      const receiver = createSocket('udp4').bind(port, mirror.here);
      const sender = createSocket('udp4').bind(7001, mirror.here);
      await Promise.all([once(receiver, 'listening'), once(sender, 'listening')]);
      const payloads = Array.from({ length: 100 }, (_, n) =>
        Buffer.from(`datagram ${n}`.padEnd(64)),
      );
      const got: string[] = [];
      const all = new Promise<void>((resolve) => {
        receiver.on('message', (octets, from) => {
          assert.equal(from.address, mirror.there);
          if (got.push(octets.toString()) === payloads.length) resolve();
        });
      });
      for (const payload of payloads) sender.send(payload, port, mirror.there);
      await all;
      assert.deepEqual(got, payloads.map(String));
      const { in: seen } = mirror.kernelPackets();
      const { sent } = mirror.device.counters();
      assert.ok(isJoined ? seen < sent / 2 : seen === sent, `${seen} of ${sent}`);
      receiver.close();
      sender.close();
      mirror.close();
    });
});

interface MirrorOptions {
  readonly slots?: number;
  readonly offload?: boolean;
  /** Drops, delays and spoils a packet now and then. */
  readonly faults?: boolean;
}

/**
 * A device that sends every packet back with its addresses exchanged, which no checksum notices. So whoever connects to
 * `there` reaches a listener `here`, as if it were called from `there`.
 */
class Mirror {
  readonly here: string;
  readonly there: string;
  readonly device: TunDevice;
  spoiled = 0;
  readonly #io: IoContext;
  readonly #octets: Uint8Array;
  readonly #faults: boolean;
  readonly #version: 4 | 6;
  #packets = 0;

  constructor(
    version: 4 | 6,
    { slots: count = 128, offload = true, faults = false }: MirrorOptions = {},
  ) {
    const prefix = version === 4 ? '10.9.9.' : 'fd09::';
    this.here = `${prefix}1`;
    this.there = `${prefix}2`;
    this.#version = version;
    this.#faults = faults;
    const slots = { base: 0, size: 2048, count, headroom: 64 };
    this.#io = new IoContext(new ArrayBuffer(slots.size * count));
    this.#octets = new Uint8Array(this.#io.arena);
    this.device = new TunDevice(this.#io, 'mirror0', { offload });
    if (version === 6) writeFileSync('/proc/sys/net/ipv6/conf/mirror0/disable_ipv6', '0');
    ip(`link set mirror0 up mtu ${mtu}`);
    ip(`address add ${this.here}/${version === 4 ? '24' : '64 nodad'} dev mirror0`);
    const meta = new Int32Array(count * tunReceiveWords);
    const out = new Int32Array(count * tunSendWords);
    this.device.watch(slots, meta, {
      onBatch: (packets) => {
        assert.ok(packets <= count);
        const order: number[] = [];
        for (let n = 0; n < packets; n++) this.#mirror(meta[n * 2]!, meta[n * 2 + 1]!, n, order);
        order.forEach((n, at) => {
          out.set([this.device.fd, meta[n * 2]!, meta[n * 2 + 1]!], at * tunSendWords);
        });
        sendTun(this.#io, out, order.length);
      },
      onLost: (error) => {
        throw error;
      },
    });
  }

  #mirror(at: number, length: number, n: number, order: number[]): void {
    assert.ok(length <= mtu, `${length} octets`);
    const packet = this.#octets.subarray(at, at + length);
    const [addresses, size] = this.#version === 4 ? [12, 4] : [8, 16];
    const source = packet.slice(addresses, addresses + size);
    packet.copyWithin(addresses, addresses + size, addresses + 2 * size);
    packet.set(source, addresses + size);
    order.push(n);
    if (!this.#faults || length < 200) return;
    this.#packets++;
    if (this.#packets % 197 === 0) order.pop();
    else if (this.#packets % 83 === 0 && order.length > 1) order.splice(-2, 2, n, order.at(-2)!);
    else if (this.#packets % 211 === 0) {
      packet[length - 1]! ^= 0x10;
      this.spoiled++;
    }
  }

  /** Octets through the mirror, there and compared. */
  async transfer(length: number): Promise<void> {
    const octets = randomBytes(length);
    const hash = createHash('sha256');
    const server = createServer((socket) => {
      socket.on('data', (chunk) => hash.update(chunk));
      socket.on('end', () => socket.end());
    }).listen(7000, this.here);
    await once(server, 'listening');
    const client = connect(7000, this.there);
    client.end(octets);
    client.resume();
    await once(client, 'close');
    server.close();
    await once(server, 'close');
    assert.equal(hash.digest('hex'), createHash('sha256').update(octets).digest('hex'));
  }

  /** As the kernel counts them: large ones once. */
  kernelPackets(): { in: number; out: number } {
    const line = /mirror0:(.*)/.exec(readFileSync('/proc/net/dev', 'latin1'))![1]!;
    const columns = line.trim().split(/\s+/).map(Number);
    return { in: columns[1]!, out: columns[9]! };
  }

  close(): void {
    this.device.close();
  }
}

/** Segments that this namespace's kernel has refused. */
function wrongChecksums(): number {
  const [names, values] = readFileSync('/proc/net/snmp', 'latin1')
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
    .map((line) => line.split(' '));
  return Number(values![names!.indexOf('InCsumErrors')]);
}
