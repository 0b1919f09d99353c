import assert from 'node:assert/strict';
import { test as nodeTest } from 'node:test';
import fc from 'fast-check';
import { createArena } from '../../../src/data-path/queues/arena.ts';
import type { MppeCipher } from '../../../src/data-path/mppe/cipher.ts';
import { dropReasons, PASS } from '../../../src/data-path/drop.ts';
import { WAITS } from '../../../src/data-path/mppe/inner.ts';
import { MppeReceiver } from '../../../src/data-path/mppe/receiver.ts';
import { MppeSender } from '../../../src/data-path/mppe/sender.ts';
import { TypeScriptCipher } from '../../../src/data-path/mppe/typescript.ts';
import { WasmCipher } from '../../../src/data-path/mppe/wasm/wasm-cipher.ts';
import { IoContext } from '../../../src/native/io-context.ts';
import { hex, octets } from '../../crypto/hex.ts';
import { MPPE_MS_CHAP_V2, MPPE_SESSION_KEYS } from '../../vectors/ms-chap.ts';
import { rc4TwinApply } from '../../crypto/rc4-twin.ts';
import { MppeTwinReceiver, MppeTwinSender, type TwinOptions } from './twin.ts';
import { tagged, tagOf } from '../packets.ts';

const STRENGTHS = [128, 56, 40] as const;
const startKeyOf = (bits: 128 | 56 | 40): Uint8Array =>
  octets(MPPE_MS_CHAP_V2.find((vector) => vector.bits === bits)!.startKey);
const A = '192.168.99.10';
const B = '10.9.8.7';

/** What is encrypted: inner protocol and packet. */
function plain(tag: number, length = 60): Uint8Array {
  return Uint8Array.from([0, 0x21, ...tagged(A, B, tag, length)]);
}

/** One memory, and all ciphers at work in it; `cipher` is that of the running test. */
const arena = createArena({ maxSessions: 2, greSlots: 2, tunSlots: 0, outSlots: 0, heldSlots: 0 });
const memory = arena.octets.subarray(arena.greSlots.base);
const CIPHERS: Record<string, MppeCipher> = {
  TypeScript: new TypeScriptCipher(arena.octets),
  WebAssembly: new WasmCipher(arena.memory!),
  addon: new IoContext(arena.buffer).cipher!,
};
let cipher: MppeCipher;

/** A test with each cipher. */
function test(name: string, run: () => void): void {
  for (const [language, its] of Object.entries(CIPHERS)) {
    nodeTest(`${name} (${language})`, () => {
      cipher = its;
      run();
    });
  }
}

class Receiver {
  readonly mppe = new MppeReceiver(arena, cipher);
  constructor(options: TwinOptions) {
    const { bits: strength, stateful, startKey } = options;
    this.mppe.configure(1, { strength, stateful, startKey });
  }

  /** The tag of the packet that came out, or why it is to be dropped. */
  open(packet: Uint8Array, sequence: number, now = 0): number | string {
    memory.fill(0xee, 0, packet.length + 20);
    memory.set(packet, 10);
    const at = arena.greSlots.base + 10;
    let result = this.mppe.open(1, at, packet.length, sequence, now);
    let { inner } = this.mppe;
    if (result === WAITS) {
      const { waited } = this.mppe;
      this.mppe.finish();
      assert.ok(this.mppe.take(now));
      assert.equal(waited.slot, 1);
      ({ result, inner } = waited);
    }
    assert.ok(!this.mppe.take(now));
    const behind = memory.subarray(packet.length + 10, packet.length + 20);
    assert.ok(behind.every((octet) => octet === 0xee));
    if (result !== PASS) return dropReasons[result - 1]![0];
    assert.equal(inner.protocol, 0x21);
    return tagOf(arena.octets.slice(inner.at, inner.at + inner.length));
  }
}

function sender(options: TwinOptions): {
  mppe: MppeSender;
  send: (plain: Uint8Array) => Uint8Array;
} {
  const mppe = new MppeSender(arena, cipher);
  const { bits: strength, stateful, startKey } = options;
  mppe.configure(1, { strength, stateful, startKey });
  const send = (inner: Uint8Array) => {
    memory.fill(0, 0, inner.length + 12);
    memory.set(inner, 7);
    mppe.encrypt(1, arena.greSlots.base + 7, inner.length);
    mppe.finish();
    assert.deepEqual(memory.slice(0, 5), new Uint8Array(5));
    assert.deepEqual(memory.slice(inner.length + 7, inner.length + 12), new Uint8Array(5));
    return memory.slice(5, 7 + inner.length);
  };
  return { mppe, send };
}

test('stateless packets have the keys of the vectors, A and D, and count from 0', () => {
  const { send } = sender({ startKey: startKeyOf(128), bits: 128, stateful: false });
  const text = plain(7);
  MPPE_SESSION_KEYS.authenticatorPackets.forEach((key, count) => {
    const packet = send(text);
    assert.equal(hex(packet.subarray(0, 2)), `900${count}`);
    assert.equal(hex(packet.subarray(2)), hex(rc4TwinApply(octets(key), text)));
  });
});

for (const { bits, startKey, testMessage } of MPPE_MS_CHAP_V2) {
  test(`RFC 3079 §3.5: the first stateful packet of ${bits} bits is the sample's`, () => {
    const { send } = sender({ startKey: octets(startKey), bits, stateful: true });
    const packet = send(new TextEncoder().encode('test message'));
    assert.equal(hex(packet), `1000${testMessage}`);
  });
}

for (const bits of STRENGTHS) {
  for (const stateful of [false, true]) {
    const mode = `${bits} bits ${stateful ? 'stateful' : 'stateless'}`;
    const options = { startKey: startKeyOf(bits), bits, stateful };

    test(`sender and receiver equal their twins, round the count: ${mode}`, () => {
      const { mppe, send } = sender(options);
      const twinSender = new MppeTwinSender(options);
      const twinReceiver = new MppeTwinReceiver(options);
      const receiver = new Receiver(options);
      for (let n = 0; n < 4400; n++) {
        if (n % 700 === 300) {
          mppe.flush(1, true);
          mppe.flush(1, true); // repeated requests change the key once
          twinSender.flush();
        }
        const text = plain(n, 60 + (n % 50));
        const packet = send(text);
        assert.deepEqual(packet, twinSender.encrypt(text), `packet ${n}`);
        assert.deepEqual(twinReceiver.decrypt(packet), text, `packet ${n}`);
        assert.equal(receiver.open(packet, n), n);
      }
    });
  }
}

test('stateless: whatever is lost, doubled or swapped within the window, the rest decrypts', () => {
  const fate = fc.record({ drop: fc.nat(9), copies: fc.nat(9), delay: fc.nat(100) });
  fc.assert(
    fc.property(
      fc.constantFrom(...STRENGTHS),
      fc.array(fate, { minLength: 1, maxLength: 300 }),
      (bits, fates) => {
        const options = { startKey: startKeyOf(bits), bits, stateful: false };
        const twin = new MppeTwinSender(options);
        const receiver = new Receiver(options);
        const arriving = fates
          .map(({ drop, delay }, n) => ({ n, drop, at: n + delay, packet: twin.encrypt(plain(n)) }))
          .filter(({ drop }) => drop > 1)
          .sort((a, b) => a.at - b.at || a.n - b.n);
        for (const { n, packet } of arriving) assert.equal(receiver.open(packet, n), n);
      },
    ),
    { numRuns: 60 },
  );
});

test('stateless: a late packet decrypts once, then its key is gone', () => {
  const options = { startKey: startKeyOf(128), bits: 128, stateful: false } as const;
  const twin = new MppeTwinSender(options);
  const packets = Array.from({ length: 300 }, (_, n) => twin.encrypt(plain(n)));
  const receiver = new Receiver(options);
  assert.equal(receiver.open(packets[200]!, 200), 200);
  assert.equal(receiver.open(packets[150]!, 150), 150);
  assert.equal(receiver.open(packets[150]!, 150), 'late');
  assert.equal(receiver.open(packets[200]!, 200), 'late');
  assert.equal(receiver.open(packets[73]!, 73), 73);
  assert.equal(receiver.open(packets[71]!, 71), 'late'); // farther back than keys are kept
  assert.equal(receiver.open(packets[201]!, 201), 201);
});

test('stateless: gaps of many packets, and of more than the count can tell', () => {
  const options = { startKey: startKeyOf(128), bits: 128, stateful: false } as const;
  for (const gap of [1, 128, 1000, 2047, 2048, 2049, 3000, 4095, 4096, 4097, 7000]) {
    const twin = new MppeTwinSender(options);
    const receiver = new Receiver(options);
    assert.equal(receiver.open(twin.encrypt(plain(0)), 50), 0);
    for (let n = 1; n <= gap; n++) twin.encrypt(plain(n, 30));
    // Two control frames among them had GRE numbers too, but no count.
    const sequence = 50 + gap + 3;
    assert.equal(receiver.open(twin.encrypt(plain(gap + 1)), sequence), gap + 1, `gap ${gap}`);
    assert.equal(receiver.open(twin.encrypt(plain(gap + 2)), sequence + 1), gap + 2);
  }
});

test('stateless: the first packet may have any count within the window', () => {
  const options = { startKey: startKeyOf(128), bits: 128, stateful: false } as const;
  const twin = new MppeTwinSender(options);
  for (let n = 0; n < 40; n++) twin.encrypt(plain(n));
  const receiver = new Receiver(options);
  assert.equal(receiver.open(twin.encrypt(plain(40)), 0x7fffffff), 40);
});

test('stateless: key changes are rationed, and a long gap is caught up with nevertheless', () => {
  const options = { startKey: startKeyOf(40), bits: 40, stateful: false } as const;
  const twin = new MppeTwinSender(options);
  const receiver = new Receiver(options);
  assert.equal(receiver.open(twin.encrypt(plain(0)), 0), 0);
  const gap = 20_000;
  for (let n = 1; n <= gap; n++) twin.encrypt(new Uint8Array());
  const results: (number | string)[] = [];
  for (let n = gap + 1; n < gap + 7; n++) {
    results.push(receiver.open(twin.encrypt(plain(n)), n, (n - gap) * 1000));
  }
  assert.deepEqual(results.slice(0, 2), ['rekeyLimit', 'rekeyLimit']);
  assert.equal(results.at(-1), gap + 6);
});

test('stateless: forged packets, whatever their count, do not end the session', () => {
  const forged = fc.record({
    count: fc.nat(4095),
    ahead: fc.integer({ min: -200, max: 1024 }),
    octets: fc.uint8Array({ maxLength: 80 }),
  });
  fc.assert(
    fc.property(fc.array(fc.option(forged), { maxLength: 40 }), (events) => {
      const options = { startKey: startKeyOf(128), bits: 128, stateful: false } as const;
      const twin = new MppeTwinSender(options);
      const receiver = new Receiver(options);
      let now = 0;
      let sequence = 0;
      for (const event of [null, ...events, null]) {
        now += 500; // what the ration of key changes allows; faster is dropped
        if (event === null) {
          assert.equal(receiver.open(twin.encrypt(plain(sequence)), sequence, now), sequence);
          sequence++;
        } else {
          const header = 0x9000 | event.count;
          const packet = Uint8Array.from([header >> 8, header & 0xff, ...event.octets]);
          const result = receiver.open(packet, sequence + event.ahead, now);
          assert.equal(typeof result, 'string');
        }
      }
    }),
    { numRuns: 50 },
  );
});

test('stateless: a flood of forged counts costs a bounded number of key changes', () => {
  const options = { startKey: startKeyOf(128), bits: 128, stateful: false } as const;
  const receiver = new Receiver(options);
  const twin = new MppeTwinSender(options);
  const results = new Map<number | string, number>();
  for (let n = 0; n < 2000; n++) {
    const count = (n % 2 === 0 ? 2000 : 1000) + (n % 7);
    const packet = Uint8Array.of(0x90 | (count >> 8), count & 0xff, 1, 2, 3, 4);
    const result = receiver.open(packet, 100, 0);
    results.set(result, (results.get(result) ?? 0) + 1);
  }
  assert.ok(results.get('rekeyLimit')! > 1900); // about 8192 changes instead of 3 million
  assert.equal(receiver.open(twin.encrypt(plain(0)), 0, 0), 0);
});

test('A and D must be right: missing in stateless mode, and what was never negotiated', () => {
  const options = { startKey: startKeyOf(128), bits: 128, stateful: false } as const;
  const receiver = new Receiver(options);
  const packet = new MppeTwinSender(options).encrypt(plain(5));
  const withBits = (bits: number) => packet.with(0, bits);
  assert.equal(receiver.open(withBits(0x80), 0), 'notEncrypted');
  assert.equal(receiver.open(withBits(0x10), 0), 'malformed');
  assert.equal(receiver.open(withBits(0xb0), 0), 'malformed');
  assert.equal(receiver.open(withBits(0xd0), 0), 'malformed');
  assert.equal(receiver.open(packet.subarray(0, 1), 0), 'malformed');
  assert.equal(receiver.open(packet.subarray(0, 2), 0), 'undecryptable');
  assert.equal(receiver.open(packet, 0), 5);
});

test('the inner protocol may have one octet; nothing but IP comes out', () => {
  const options = { startKey: startKeyOf(128), bits: 128, stateful: false } as const;
  const receiver = new Receiver(options);
  const twin = new MppeTwinSender(options);
  assert.equal(receiver.open(twin.encrypt(plain(1).subarray(1)), 0), 1);
  for (const protocol of [[0x00, 0x2b], [0x80, 0x21], [0xc0, 0x21], [0x2d], [0x00, 0x57]]) {
    const text = Uint8Array.from([...protocol, ...plain(2).subarray(2)]);
    assert.equal(receiver.open(twin.encrypt(text), 1), 'undecryptable');
  }
  assert.equal(receiver.open(twin.encrypt(plain(3)), 2), 3);
});

for (const bits of STRENGTHS) {
  for (const changeOnFlush of [true, false]) {
    for (const flagsHaveA of [true, false]) {
      const peer = `${bits} bits, key ${changeOnFlush ? 'changed' : 'kept'} on flush, flags ${flagsHaveA ? 'with' : 'without'} A`;
      test(`stateful: losses are overcome by a reset, wherever they come: ${peer}`, () => {
        const options = {
          startKey: startKeyOf(bits),
          bits,
          stateful: true,
          changeOnFlush,
          flagsHaveA,
        };
        const twin = new MppeTwinSender(options);
        const receiver = new Receiver(options);
        let n = 0;
        const next = () => receiver.open(twin.encrypt(plain(n)), n++);
        // Around the flag packets at 255, 511, …, and across several of them.
        for (const [upTo, lost] of [
          [10, 1],
          [254, 1],
          [255, 1],
          [300, 211],
          [700, 900],
          [2000, 2047],
        ] as const) {
          while (n < upTo) assert.equal(next(), n - 1);
          for (let end = n + lost; n < end; n++) twin.encrypt(plain(n));
          if (n % 256 !== 255 || !flagsHaveA) {
            for (let more = 0; more < 3; more++) {
              const isFlushed = n % 256 === 255 && flagsHaveA;
              assert.equal(next(), isFlushed ? n - 1 : 'desynchronized');
            }
          }
          twin.flush();
          const flushedAt = n;
          assert.equal(next(), flushedAt);
          for (let more = 0; more < 300; more++) assert.equal(next(), n - 1);
        }
        assert.equal(receiver.mppe.changesOnFlush(1), changeOnFlush);
      });
    }
  }
}

test('stateful: a reset succeeds though the count went round in the meantime', () => {
  const options = { startKey: startKeyOf(128), bits: 128, stateful: true } as const;
  for (const lost of [2500, 4096, 9000, 60_000]) {
    const twin = new MppeTwinSender(options);
    const receiver = new Receiver(options);
    assert.equal(receiver.open(twin.encrypt(plain(0)), 0), 0);
    twin.encrypt(plain(1));
    assert.equal(receiver.open(twin.encrypt(plain(2)), 2), 'desynchronized');
    for (let n = 0; n < lost; n++) twin.encrypt(new Uint8Array());
    twin.flush();
    assert.equal(receiver.open(twin.encrypt(plain(77)), 5), 77);
    assert.equal(receiver.open(twin.encrypt(plain(78)), 6), 78);
  }
});

test('stateful: a reset succeeds though flushed packets were lost as well', () => {
  for (const changeOnFlush of [true, false]) {
    const options = {
      startKey: startKeyOf(128),
      bits: 128,
      stateful: true,
      changeOnFlush,
    } as const;
    const twin = new MppeTwinSender(options);
    const receiver = new Receiver(options);
    assert.equal(receiver.open(twin.encrypt(plain(0)), 0), 0);
    for (let n = 0; n < 20; n++) {
      twin.flush();
      for (let k = 0; k < 30; k++) twin.encrypt(new Uint8Array());
    }
    twin.flush();
    assert.equal(receiver.open(twin.encrypt(plain(7)), 700), 7);
    assert.equal(receiver.open(twin.encrypt(plain(8)), 701), 8);
    assert.equal(receiver.mppe.changesOnFlush(1), changeOnFlush);
  }
});

test('stateful: a flood of forged flushed packets costs a bounded number of tries', () => {
  const options = { startKey: startKeyOf(128), bits: 128, stateful: true } as const;
  const twin = new MppeTwinSender(options);
  const receiver = new Receiver(options);
  for (let n = 0; n < 30_000; n++) {
    assert.equal(receiver.open(Uint8Array.of(0x90, n, 1, 2, 3, 4), n), 'desynchronized');
  }
  twin.flush();
  assert.equal(receiver.open(twin.encrypt(plain(0)), 1), 0);
});

test('stateful: an old count is dropped without harm, a forged packet costs a reset', () => {
  const options = { startKey: startKeyOf(128), bits: 128, stateful: true } as const;
  const twin = new MppeTwinSender(options);
  const receiver = new Receiver(options);
  const packets = Array.from({ length: 10 }, (_, n) => twin.encrypt(plain(n)));
  for (let n = 0; n < 10; n++) assert.equal(receiver.open(packets[n]!, n), n);
  assert.equal(receiver.open(packets[4]!, 4), 'late');
  assert.equal(receiver.open(twin.encrypt(plain(10)), 10), 10);
  assert.equal(receiver.open(Uint8Array.of(0x90, 11, 1, 2, 3), 11), 'desynchronized');
  assert.equal(receiver.open(twin.encrypt(plain(11)), 11), 'desynchronized');
  twin.flush();
  assert.equal(receiver.open(twin.encrypt(plain(12)), 12), 12);
});

test('configuring anew starts from the start key and count 0', () => {
  for (const stateful of [false, true]) {
    const options = { startKey: startKeyOf(128), bits: 128, stateful } as const;
    const receiver = new Receiver(options);
    const first = new MppeTwinSender(options);
    for (let n = 0; n < 5; n++) assert.equal(receiver.open(first.encrypt(plain(n)), n), n);
    receiver.mppe.configure(1, { strength: 128, stateful, startKey: options.startKey });
    const second = new MppeTwinSender(options);
    for (let n = 0; n < 5; n++) assert.equal(receiver.open(second.encrypt(plain(n)), n + 5), n);
    receiver.mppe.configure(1, undefined);
    assert.equal(receiver.mppe.active(1), false);
  }
});

nodeTest('a start key that does not fit the strength is our mistake', () => {
  const mppe = new MppeSender(arena, CIPHERS['TypeScript']!);
  for (const strength of STRENGTHS) {
    assert.throws(() => {
      mppe.configure(0, { strength, stateful: false, startKey: new Uint8Array(9) });
    }, RangeError);
    assert.equal(mppe.active(0), false);
  }
});
