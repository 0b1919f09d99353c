import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { on } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { IoContext } from '../../src/native/io-context.ts';
import { GreSocket, greReceiveWords, greSendWords } from '../../src/raw-socket/gre-socket.ts';
import {
  inNamespace,
  ip,
  ipv4,
  nextUncaughtException,
  spawnInNamespace,
} from '../native/namespace.ts';
import { grePacket } from './gre-packet.ts';
import type { PeerReport, PeerRequest } from './peer.ts';

const slotSize = 2048;
const slotCount = 8;
const sendBase = slotSize * slotCount * 2;
const loopback = ipv4('127.0.0.1');

/** Node 20's types have no WebAssembly without the DOM's. */
declare const WebAssembly: {
  readonly Memory: new (pages: { initial: number; maximum: number }) => { buffer: ArrayBuffer };
};

inNamespace('GRE socket', import.meta.url, () => {
  afterEach(() => {
    for (const end of open) end.close();
  });

  test('moves batches larger than the slots, in order', async () => {
    const end = new End();
    const batches: number[] = [];
    const ids = Array.from({ length: 100 }, (_, i) => i + 1);
    const arrived = end.collect(ids.length, (count) => batches.push(count));
    assert.equal(end.send(ids.map((id) => ({ callId: id, to: loopback }))), 100);
    assert.deepEqual(
      (await arrived).map((packet) => packet.callId),
      ids,
    );
    assert.ok(batches.every((count) => count >= 1 && count <= slotCount));
    assert.ok(batches.includes(slotCount), 'packets wait for one another in a batch');
    const counters = end.socket.counters();
    assert.equal(counters.received, 100);
    assert.equal(counters.sent, 100);
    assert.deepEqual(counters.errors, {});
    end.close();
  });

  test('describes GRE packets: offset, length, source, destination', async () => {
    const end = new End();
    const arrived = end.collect(1);
    end.send([{ callId: 77, payload: 5, to: ipv4('127.0.0.9'), from: ipv4('127.0.0.7') }]);
    const [packet] = await arrived;
    assert.deepEqual(packet, {
      callId: 77,
      octets: Buffer.from(grePacket(77, 5)).toString('hex'),
      source: ipv4('127.0.0.7'),
      destination: ipv4('127.0.0.9'),
    });
    end.close();
  });

  test('lets through the call ids that were set, as they change', async () => {
    const end = new End();
    const witness = new End();
    const many = Uint16Array.from({ length: 3000 }, (_, i) => i * 20);
    const marker = 1234;
    const sent = [0, 5, 7, 20, 7, 40, 41, 59_980, 59_981, 65_535];
    const cases: [Uint16Array | null, boolean][] = [
      [Uint16Array.of(), true],
      [Uint16Array.of(7), true],
      [Uint16Array.of(5, 40, 65_535, 5), true],
      [many, true],
      [Uint16Array.from({ length: 4000 }, (_, i) => i), false],
      [null, true],
    ];
    const heard: number[] = [];
    let markerHeard: () => void = () => undefined;
    end.listen((packets) => {
      for (const { callId } of packets) {
        if (callId === marker) markerHeard();
        else heard.push(callId);
      }
    });
    for (const [ids, exact] of cases) {
      heard.length = 0;
      assert.equal(end.socket.setCallIds(ids), exact);
      const seen = witness.collect(sent.length);
      witness.send(sent.map((callId) => ({ callId, to: loopback })));
      await seen; // so this filter has judged them too
      assert.equal(end.socket.setCallIds(null), true);
      const markerArrived = new Promise<void>((resolve) => (markerHeard = resolve));
      witness.send([{ callId: marker, to: loopback }]);
      await markerArrived;
      assert.deepEqual(
        heard,
        sent.filter((id) => ids === null || !exact || ids.includes(id)),
      );
      await witness.collect(1); // the marker
    }
    end.close();
    witness.close();
  });

  test('falls back to any call id where the kernel has too little memory for the list', async (context) => {
    const limit = '/proc/sys/net/core/optmem_max';
    if (!existsSync(limit)) {
      context.skip('before Linux 6.8 the limit belongs to no namespace, and is not ours to change');
      return;
    }
    const before = readFileSync(limit, 'latin1');
    const end = new End();
    assert.equal(end.socket.setCallIds(Uint16Array.of(5)), true);
    writeFileSync(limit, '4096');
    assert.equal(end.socket.setCallIds(Uint16Array.from({ length: 3000 }, (_, i) => i)), false);
    writeFileSync(limit, before);
    const arrived = end.collect(1);
    end.send([{ callId: 60_000, to: loopback }]);
    assert.equal((await arrived)[0]!.callId, 60_000);
    end.close();
  });

  test('does not hear GRE of other kinds', async () => {
    const end = new End();
    const arrived = end.collect(1);
    const plain = grePacket(3, 4);
    plain[1] = 0; // version 0
    end.sendRaw(plain, loopback);
    end.send([{ callId: 4, to: loopback }]);
    assert.equal((await arrived)[0]!.callId, 4);
    end.close();
  });

  test('drops and counts what does not fit a slot', async () => {
    const end = new End();
    const arrived = end.collect(1);
    end.send([
      { callId: 1, payload: slotSize, to: loopback },
      { callId: 2, to: loopback },
    ]);
    assert.equal((await arrived)[0]!.callId, 2);
    assert.equal(end.socket.counters().truncated, 1);
    end.close();
  });

  test('a full socket leaves the rest to us, says when it has room, and loses nothing', async () => {
    ip('link add slow type veth peer name slow1');
    ip('address add 192.0.2.129/25 dev slow');
    ip('link set slow up');
    ip('link set slow1 up');
    ip('neighbour add 192.0.2.130 lladdr 02:00:00:00:00:01 dev slow');
    execFileSync('tc', 'qdisc add dev slow root tbf rate 40mbit burst 20kb limit 8mb'.split(' '));
    const end = new End();
    const wanted = 600;
    let done = 0;
    let turns = 0;
    const packet = { callId: 1, payload: 1400, to: ipv4('192.0.2.130') };
    const send = () => {
      while (done < wanted) {
        const count = Math.min(50, wanted - done);
        const dealt = end.send(Array.from({ length: count }, () => packet));
        done += dealt;
        if (dealt < count) return;
      }
    };
    await new Promise<void>((resolve) => {
      end.listen(
        () => undefined,
        () => {
          turns++;
          send();
          if (done === wanted) resolve();
        },
      );
      send();
      assert.ok(done < wanted, 'the socket holds less than that');
    });
    assert.ok(turns > 1, `${turns} turns`);
    const { sent, errors } = end.socket.counters();
    assert.deepEqual([sent, errors], [wanted, {}]);
  });

  test('goes on behind packets the kernel refuses, and counts them by error', async () => {
    ip('link add left type veth peer name right');
    ip('address add 192.0.2.1/24 dev left');
    ip('link set left up');
    ip('route add prohibit 198.51.100.0/24');
    execFileSync('nft', [
      'table ip t { chain o { type filter hook output priority 0; ip daddr 192.0.2.66 drop; }; }',
    ]);
    const end = new End();
    const arrived = end.collect(2);
    const sent = end.send([
      { callId: 1, to: ipv4('203.0.113.1') }, // ENETUNREACH
      { callId: 2, to: ipv4('198.51.100.1') }, // EACCES
      { callId: 3, to: ipv4('192.0.2.66') }, // EPERM
      { callId: 4, to: loopback },
      { callId: 5, to: loopback, from: ipv4('192.0.2.2') }, // not our address
      { callId: 6, payload: 65_530, to: loopback }, // EMSGSIZE
      { callId: 7, to: loopback },
    ]);
    assert.equal(sent, 7);
    assert.equal(end.socket.counters().sent, 2);
    assert.deepEqual(
      (await arrived).map((packet) => packet.callId),
      [4, 7],
    );
    const { EINVAL = 0, ENETUNREACH = 0, ...others } = end.socket.counters().errors;
    assert.deepEqual(others, { EACCES: 1, EPERM: 1, EMSGSIZE: 1 });
    // Kernels differ in what they say to a source address that is not ours.
    assert.deepEqual([EINVAL + ENETUNREACH, ENETUNREACH >= 1], [2, true]);
    end.close();
  });

  test('counts what the kernel dropped because nobody read', () => {
    const end = new End();
    for (let i = 0; i < 150; i++) {
      end.send(Array.from({ length: 100 }, () => ({ callId: 1, payload: 1400, to: loopback })));
    }
    assert.ok(end.socket.counters().overflow > 0);
    end.close();
  });

  test('between hosts: source address per packet, no DF, fragments, silence after ICMP', async () => {
    const peer = spawnInNamespace(new URL('./peer.ts', import.meta.url).href, [
      'ignore',
      'inherit',
      'inherit',
      'ipc',
    ]);
    const reports = on(peer, 'message') as AsyncIterator<[PeerReport]>;
    const next = async (): Promise<PeerReport> => ((await reports.next()).value as [PeerReport])[0];
    const ask = async (request: PeerRequest): Promise<void> => {
      peer.send(request);
      assert.equal((await next()).ready, true);
    };
    try {
      await next();
      ip(`link add near type veth peer name peer netns ${peer.pid!}`);
      ip('address add 10.8.0.1/24 dev near');
      ip('address add 10.8.0.3/24 dev near');
      ip('link set near up');
      const [near, second, far] = ['10.8.0.1', '10.8.0.3', '10.8.0.2'].map(ipv4);
      await ask({ addresses: ['10.8.0.2/24'] });

      const end = new End();
      const packets = [
        { callId: 1, to: far! },
        { callId: 2, to: far!, from: near! },
        { callId: 3, to: far!, from: second! },
        { callId: 4, to: far!, payload: 3000, fill: 0xaa },
      ];
      assert.equal(end.send(packets), 4);
      const seen: NonNullable<PeerReport['packet']>[] = [];
      while (seen.length < 4) seen.push((await next()).packet!);
      assert.deepEqual(
        seen.map(({ callId, source, destination, length }) => [
          callId,
          source,
          destination,
          length,
        ]),
        [
          [1, near, far, 16],
          [2, near, far, 16],
          [3, second, far, 16],
          [4, near, far, 3012],
        ],
      );
      assert.ok(seen.every((packet) => !packet.dontFragment));
      assert.equal(seen[3]!.reassembled, 1);
      assert.equal(seen[3]!.fill, 0xaa);

      // Nobody listens now: the peer answers "protocol unreachable", which must not end anything here.
      await ask({ listen: false });
      assert.equal(end.send([{ callId: 5, to: far! }]), 1);
      assert.equal(end.send([{ callId: 6, to: far! }]), 1);
      await ask({ listen: true });
      assert.equal(end.send([{ callId: 7, to: far! }]), 1);
      assert.equal((await next()).packet!.callId, 7);
      assert.deepEqual(end.socket.counters().errors, {});
      end.close();
    } finally {
      peer.kill('SIGKILL');
    }
  });

  test('what the watcher throws is an uncaughtException, and later packets still come', async () => {
    const end = new End();
    const caught = nextUncaughtException();
    let calls = 0;
    const second = new Promise<void>((resolve) => {
      end.listen(() => {
        if (++calls === 1) throw new Error('thrown by the watcher');
        resolve();
      });
    });
    end.send([{ callId: 1, to: loopback }]);
    assert.match(String(await caught), /thrown by the watcher/);
    end.send([{ callId: 2, to: loopback }]);
    await second;
    end.close();
  });

  test('may be closed inside its own callback', async () => {
    const end = new End();
    let calls = 0;
    // More than one batch is waiting: nothing of it may come after the close.
    end.send(Array.from({ length: slotCount * 3 }, () => ({ callId: 1, to: loopback })));
    const closed = new Promise<void>((resolve) => {
      end.listen(() => {
        calls++;
        end.close();
        resolve();
      });
    });
    await closed;
    await new Promise(setImmediate);
    assert.equal(calls, 1);
    assert.throws(() => end.socket.counters(), RangeError);
  });

  test('sleeps again after masses of packets, and hears the next one', async () => {
    const end = new End();
    const masses = 1000;
    let seen = 0;
    const last = new Promise<void>((resolve) => {
      end.listen((packets) => {
        seen += packets.length;
        // More comes before the turn is over, so that the loop goes on without polling.
        if (seen < masses) end.send(packets.map(() => ({ callId: 1, to: loopback })));
        else if (packets.some(({ callId }) => callId === 2)) resolve();
      });
    });
    end.send(Array.from({ length: 2 * slotCount }, () => ({ callId: 1, to: loopback })));
    await until(() => seen >= masses);
    const before = performance.eventLoopUtilization();
    await until(() => performance.eventLoopUtilization(before).idle > 0);
    end.send([{ callId: 2, to: loopback }]);
    await last;
    end.close();
  });

  test('may be closed in the midst of masses', async () => {
    const end = new End();
    let calls = 0;
    await new Promise<void>((resolve) => {
      let seen = 0;
      end.listen((packets) => {
        calls++;
        seen += packets.length;
        end.send(packets.map(() => ({ callId: 1, to: loopback })));
        if (seen < 500) return;
        end.close();
        resolve();
      });
      end.send(Array.from({ length: 2 * slotCount }, () => ({ callId: 1, to: loopback })));
    });
    const before = calls;
    for (let turns = 0; turns < 3; turns++) await new Promise(setImmediate);
    assert.equal(calls, before);
  });

  test('misuse throws', () => {
    const end = new End();
    const { io, socket } = end;
    const size = io.arena.byteLength;
    const send = (...meta: number[]): number => socket.send(Int32Array.from(meta), 1);
    for (const meta of [
      [-1, 10, loopback, 0],
      [0, 0, loopback, 0],
      [0, -5, loopback, 0],
      [0, size + 1, loopback, 0],
      [size - 9, 10, loopback, 0],
      [0x7fff_ffff, 0x7fff_ffff, loopback, 0],
    ]) {
      assert.throws(() => send(...meta), RangeError, String(meta));
    }
    assert.throws(() => socket.send(new Int32Array(3), 1), RangeError);
    assert.throws(() => socket.send(new Int32Array(4), -1), RangeError);
    assert.throws(() => socket.send(new Int32Array(4), 0.5), RangeError);
    assert.throws(() => socket.send(new Int32Array(4), Number.NaN), RangeError);
    assert.throws(() => socket.send(new Int32Array(4), 2 ** 30), RangeError);
    assert.throws(() => socket.send(new Uint32Array(4) as never, 1), TypeError);
    assert.throws(() => socket.send(undefined as never, 1), TypeError);
    assert.throws(() => io.sendTun(Int32Array.of(socket.fd, 0, 20), 1), RangeError);
    assert.throws(() => io.sendGre('1' as never, new Int32Array(4), 1), TypeError);

    const watcher = { onBatch: () => undefined, onLost: () => undefined };
    const meta = new Int32Array(slotCount * greReceiveWords);
    const slots = { base: 0, size: slotSize, count: slotCount, headroom: 64 };
    for (const wrong of [
      { base: -1 },
      { base: size - slotSize * slotCount + 1 },
      { size: 0 },
      { size: 2 ** 31 - 1 },
      { count: 0 },
      { count: 1025 },
      { headroom: slotSize },
      { headroom: -1 },
    ]) {
      const asked = { ...slots, ...wrong };
      assert.throws(() => socket.watch(asked, meta, watcher), RangeError, JSON.stringify(wrong));
    }
    assert.throws(() => socket.watch(slots, meta.subarray(1), watcher), RangeError);
    socket.watch(slots, meta, watcher);
    assert.throws(() => socket.watch(slots, meta, watcher), RangeError, 'watched already');
    end.close();
    assert.throws(() => end.close(), RangeError);
    assert.throws(() => send(0, 16, loopback, 0), RangeError);
    assert.throws(() => socket.setCallIds(null), RangeError);
    assert.throws(() => socket.watch(slots, meta, watcher), RangeError);
  });

  test('an arena or meta that was detached is an error, not a crash', async () => {
    const end = new End();
    const caught = nextUncaughtException();
    end.listen(() => assert.fail('there is nothing to receive into'));
    end.send([{ callId: 1, to: loopback }]);
    structuredClone(end.io.arena, { transfer: [end.io.arena] });
    assert.match(String(await caught), /arena was detached/);
    assert.throws(() => end.socket.send(Int32Array.of(0, 16, loopback, 0), 1), TypeError);
    end.close();

    const other = new End();
    const caughtToo = nextUncaughtException();
    other.listen(() => assert.fail('there is nowhere to describe it'));
    other.send([{ callId: 1, to: loopback }]);
    structuredClone(other.receiveMeta.buffer, { transfer: [other.receiveMeta.buffer] });
    assert.match(String(await caughtToo), /meta is too short/);
    other.close();
  });

  test('the arena may be a WebAssembly memory', async () => {
    const { buffer } = new WebAssembly.Memory({ initial: 8, maximum: 8 });
    const end = new End(buffer);
    const arrived = end.collect(1);
    end.send([{ callId: 9, to: loopback }]);
    assert.equal((await arrived)[0]!.callId, 9);
    end.close();
  });
});

interface Sent {
  readonly callId: number;
  readonly to: number;
  readonly from?: number;
  readonly payload?: number;
  readonly fill?: number;
}

interface Received {
  readonly callId: number;
  readonly octets: string;
  readonly source: number;
  readonly destination: number;
}

/** Asks in every few turns of the loop, which may sleep between them. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const open = new Set<End>();

/** A socket, its arena, and what is needed to send and collect packets. */
class End {
  readonly io: IoContext;
  readonly socket: GreSocket;
  readonly receiveMeta = new Int32Array(slotCount * greReceiveWords);
  #isCollecting = false;
  readonly #arrived: Received[] = [];
  #look: () => void = () => undefined;

  constructor(arena = new ArrayBuffer(512 * 1024)) {
    this.io = new IoContext(arena);
    this.socket = new GreSocket(this.io);
    open.add(this);
  }

  send(packets: readonly Sent[]): number {
    const octets = new Uint8Array(this.io.arena);
    const meta = new Int32Array(packets.length * greSendWords);
    let at = sendBase;
    packets.forEach(({ callId, to, from, payload, fill }, i) => {
      const packet = grePacket(callId, payload ?? 4, fill);
      octets.set(packet, at);
      meta.set([at, packet.length, to, from ?? 0], i * greSendWords);
      at += packet.length;
    });
    return this.socket.send(meta, packets.length);
  }

  sendRaw(packet: Uint8Array, to: number): void {
    new Uint8Array(this.io.arena).set(packet, sendBase);
    assert.equal(this.socket.send(Int32Array.of(sendBase, packet.length, to, 0), 1), 1);
  }

  listen(onBatch: (packets: Received[]) => void, onWritable: () => void = () => undefined): void {
    const octets = Buffer.from(this.io.arena);
    const meta = this.receiveMeta;
    this.socket.watch({ base: slotSize, size: slotSize, count: slotCount, headroom: 64 }, meta, {
      onBatch(count) {
        const packets: Received[] = [];
        for (let i = 0; i < count; i++) {
          const at = meta[i * 4]!;
          const packet = octets.subarray(at, at + meta[i * 4 + 1]!);
          packets.push({
            callId: packet.readUInt16BE(6),
            octets: packet.toString('hex'),
            source: meta[i * 4 + 2]! >>> 0,
            destination: meta[i * 4 + 3]! >>> 0,
          });
        }
        onBatch(packets);
      },
      onWritable,
      onLost(error) {
        throw error;
      },
    });
  }

  /** The next packets that come, from the first call on. */
  collect(count: number, onBatch: (count: number) => void = () => undefined): Promise<Received[]> {
    return new Promise((resolve) => {
      this.#look = () => {
        if (this.#arrived.length < count) return;
        this.#look = () => undefined;
        resolve(this.#arrived.splice(0, count));
      };
      if (this.#isCollecting) {
        this.#look();
        return;
      }
      this.#isCollecting = true;
      this.listen((packets) => {
        onBatch(packets.length);
        this.#arrived.push(...packets);
        this.#look();
      });
    });
  }

  close(): void {
    open.delete(this);
    this.socket.close();
  }
}
