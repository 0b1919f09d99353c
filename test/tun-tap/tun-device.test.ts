import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, test } from 'node:test';
import { promisify } from 'node:util';
import { IoContext } from '../../src/native/io-context.ts';
import { IoError } from '../../src/native/io-error.ts';
import {
  sendTun,
  TunDevice,
  tunReceiveWords,
  tunSendWords,
  type Slots,
} from '../../src/tun-tap/tun-device.ts';
import { inNamespace, ip, nextUncaughtException } from '../native/namespace.ts';

inNamespace('TUN device', import.meta.url, () => {
  afterEach(() => {
    for (const tun of open) tun.close();
  });

  test('ping is answered by what JavaScript writes', async () => {
    const tun = new Tun('ping0', '10.9.0.1/24');
    tun.watch((offset, length) => {
      const packet = tun.octets.subarray(offset, offset + length);
      assert.equal(packet[0], 0x45);
      assert.equal(packet[20], 8, 'echo request');
      const source = packet.slice(12, 16);
      packet.copyWithin(12, 16, 20);
      packet.set(source, 16);
      packet[20] = 0; // echo reply: the checksum's sum falls by 0x0800
      let checksum = packet[22]! * 256 + packet[23]! + 0x0800;
      checksum = (checksum & 0xffff) + (checksum >> 16);
      packet.set([checksum >> 8, checksum & 0xff], 22);
      assert.equal(sendTun(tun.io, Int32Array.of(tun.device.fd, offset, length), 1), 1);
    });
    await run('ping', ['-c', '5', '-i', '0.01', '-W', '5', '-s', '1372', '10.9.0.2']);
    const counters = tun.device.counters();
    assert.equal(counters.received, 5);
    assert.equal(counters.sent, 5);
    assert.deepEqual(counters.errors, {});
    tun.close();
  });

  test('hands over more packets than slots in batches, in order', async () => {
    const tun = new Tun('batch0', '10.9.1.1/24');
    const batches: number[] = [];
    const sequence: number[] = [];
    const all = new Promise<void>((resolve) => {
      tun.watch(
        (offset, length) => {
          sequence.push(tun.octets[offset + length - 1]!);
          if (sequence.length === 50) resolve();
        },
        (count) => batches.push(count),
      );
    });
    const numbers = Array.from({ length: 50 }, (_, i) => i);
    await sendDatagrams(
      '10.9.1.2',
      numbers.map((n) => Buffer.of(n)),
    );
    await all;
    assert.deepEqual(sequence, numbers);
    assert.ok(batches.every((count) => count >= 1 && count <= slots.count));
    tun.close();
  });

  test('drops and counts a packet that does not fit a slot', async () => {
    const tun = new Tun('cut0', '10.9.2.1/24');
    const room = slots.size - slots.headroom;
    const lengths: number[] = [];
    const both = new Promise<void>((resolve) => {
      tun.watch((_, length) => {
        if (lengths.push(length) === 2) resolve();
      });
    });
    const payloads = [room - 28, room - 27, 1].map((length) => Buffer.alloc(length));
    await sendDatagrams('10.9.2.2', payloads);
    await both;
    assert.deepEqual(lengths, [room, 29]);
    assert.equal(tun.device.counters().truncated, 1);
    tun.close();
  });

  test('writes to several devices in one call, and counts what one of them refuses', () => {
    const first = new Tun('many0', '10.9.3.1/24');
    const second = new Tun('many1', '10.9.4.1/24', first.io);
    const packet = Buffer.from('450000150000000040110000', 'hex');
    first.octets.set(packet, 0);
    ip('link set many1 down');
    const meta = Int32Array.of(
      ...[second.device.fd, 0, 21],
      ...[first.device.fd, 0, 21],
      ...[first.device.fd, 12, 21], // begins with 0: neither IPv4 nor IPv6
      ...[first.device.fd, 0, 21],
    );
    assert.equal(meta.length / tunSendWords, 4);
    assert.equal(sendTun(first.io, meta, 4), 2);
    assert.deepEqual(first.device.counters().errors, { EINVAL: 1 });
    assert.equal(first.device.counters().sent, 2);
    assert.deepEqual(second.device.counters().errors, { EIO: 1 });
    assert.equal(second.device.counters().sent, 0);
    first.close();
    second.close();
  });

  test('names: the kernel counts, a second device of a name is refused', () => {
    const io = new IoContext(new ArrayBuffer(4096));
    const one = new TunDevice(io, 'auto%d');
    const two = new TunDevice(io, 'auto%d');
    assert.deepEqual([one.name, two.name], ['auto0', 'auto1']);
    assert.throws(
      () => new TunDevice(io, 'auto0'),
      (error) =>
        error instanceof IoError &&
        error.code === 'EBUSY' &&
        error.syscall === 'TUNSETIFF' &&
        error.message.includes('auto0'),
    );
    assert.throws(() => new TunDevice(io, ''), RangeError);
    assert.throws(() => new TunDevice(io, 'sixteen-letters-'), RangeError);
    assert.throws(() => new TunDevice(io, 'ñ'.repeat(8)), RangeError);
    assert.throws(() => new TunDevice(io, 'ze\0ro'), RangeError);
    assert.throws(() => new TunDevice(io, 7 as never), TypeError);
    one.close();
    const again = new TunDevice(io, 'auto0');
    again.close();
    two.close();
    assert.throws(() => execFileSync('ip', ['link', 'show', 'auto0'], { stdio: 'pipe' }));
  });

  test('a device deleted behind our back is reported once, and only close() is left', async () => {
    const tun = new Tun('lost0', '10.9.5.1/24');
    const lost = new Promise<IoError>((resolve) => {
      tun.watch(() => undefined, undefined, resolve);
    });
    ip('link delete lost0');
    const error = await lost;
    assert.equal(error.name, 'IoError');
    assert.equal(error.code, 'EBADFD');
    assert.equal(sendTun(tun.io, Int32Array.of(tun.device.fd, 0, 20), 1), 0);
    tun.close();
  });

  test('goes on when the device was down for a while', async () => {
    const tun = new Tun('updown0', '10.9.6.1/24');
    const packet = new Promise<void>((resolve) => {
      tun.watch(() => resolve());
    });
    ip('link set updown0 down');
    await new Promise(setImmediate);
    ip('link set updown0 up');
    await sendDatagrams('10.9.6.2', [Buffer.of(1)]);
    await packet;
    tun.close();
  });

  test('what the watcher throws is an uncaughtException; closing inside a batch ends it', async () => {
    const tun = new Tun('throw0', '10.9.7.1/24');
    const caught = nextUncaughtException();
    let calls = 0;
    const closed = new Promise<void>((resolve) => {
      tun.watch(() => {
        if (++calls === 1) throw new Error('thrown by the watcher');
        if (calls > 2) return;
        tun.close();
        resolve();
      }, undefined);
    });
    await sendDatagrams('10.9.7.2', [Buffer.of(1)]);
    assert.match(String(await caught), /thrown by the watcher/);
    await sendDatagrams('10.9.7.2', [Buffer.of(2)]);
    await closed;
    assert.throws(() => sendTun(tun.io, Int32Array.of(tun.device.fd, 0, 20), 1), RangeError);
  });

  test('misuse throws, and nothing of the batch is written then', () => {
    const tun = new Tun('wrong0', '10.9.8.1/24');
    const { fd } = tun.device;
    tun.octets.set(Buffer.from('45000015', 'hex'));
    const size = tun.octets.length;
    for (const wrong of [
      [fd, -1, 20],
      [fd, 0, 0],
      [fd, size, 1],
      [fd, 0, size + 1],
      [fd, 0x7fff_ffff, 0x7fff_ffff],
      [0, 0, 20],
      [-1, 0, 20],
      [1 << 20, 0, 20],
    ]) {
      const meta = Int32Array.of(fd, 0, 21, ...wrong);
      assert.throws(() => sendTun(tun.io, meta, 2), RangeError, String(wrong));
    }
    assert.throws(() => sendTun(tun.io, new Int32Array(2), 1), RangeError);
    assert.throws(() => sendTun(tun.io, new Int16Array(3) as never, 1), TypeError);
    assert.throws(() => tun.io.sendGre(fd, new Int32Array(4), 1), TypeError);
    assert.equal(tun.device.counters().sent, 0);
    tun.close();
    assert.throws(() => tun.device.close(), RangeError);
  });
});

const slots: Slots = { base: 4096, size: 1500, count: 4, headroom: 50 };
const open = new Set<Tun>();
const run = promisify(execFile);

/** A device with an address, and its arena. */
class Tun {
  readonly io: IoContext;
  readonly octets: Uint8Array;
  readonly device: TunDevice;
  readonly meta = new Int32Array(slots.count * tunReceiveWords);

  constructor(name: string, address: string, io = new IoContext(new ArrayBuffer(16_384))) {
    this.io = io;
    this.octets = new Uint8Array(io.arena);
    this.device = new TunDevice(io, name);
    open.add(this);
    ip(`address add ${address} dev ${name}`);
    ip(`link set ${name} up mtu 1500`);
  }

  watch(
    onPacket: (offset: number, length: number) => void,
    onBatch?: (count: number) => void,
    onLost?: (error: IoError) => void,
  ): void {
    this.device.watch(slots, this.meta, {
      onBatch: (count) => {
        onBatch?.(count);
        for (let i = 0; i < count; i++) onPacket(this.meta[i * 2]!, this.meta[i * 2 + 1]!);
      },
      onLost: (error) => {
        if (onLost === undefined) throw error;
        onLost(error);
      },
    });
  }

  close(): void {
    open.delete(this);
    this.device.close();
  }
}

async function sendDatagrams(address: string, payloads: readonly Buffer[]): Promise<void> {
  const socket: Socket = createSocket('udp4');
  for (const payload of payloads) socket.send(payload, 9, address);
  socket.send(Buffer.alloc(0), 9, '127.0.0.1', () => socket.close());
  await once(socket, 'close');
}
