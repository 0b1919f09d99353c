/** The ciphers of the addon, of WebAssembly and in TypeScript come to the same; and packets together, to the same as one by one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Arena, createArena, MPPE_BATCH } from '../../../src/data-path/queues/arena.ts';
import {
  KEY_SIZE,
  KEYS_SIZE,
  SESSION_KEY,
  STRENGTH,
} from '../../../src/data-path/mppe/key-memory.ts';
import { type MppeCipher, PACKET_WORDS, putPacket } from '../../../src/data-path/mppe/cipher.ts';
import { PASS } from '../../../src/data-path/drop.ts';
import { type InnerPacket, LATER, WAITS } from '../../../src/data-path/mppe/inner.ts';
import { MppeReceiver } from '../../../src/data-path/mppe/receiver.ts';
import { MppeSender } from '../../../src/data-path/mppe/sender.ts';
import { TypeScriptCipher } from '../../../src/data-path/mppe/typescript.ts';
import { WasmCipher } from '../../../src/data-path/mppe/wasm/wasm-cipher.ts';
import { IoContext } from '../../../src/native/io-context.ts';
import { hex } from '../../crypto/hex.ts';
import { MppeTwinSender } from './twin.ts';
import { tagged } from '../packets.ts';

const STRENGTHS = [128, 56, 40] as const;
/** Octets between packets in the arena. */
const STRIDE = 2048;

interface Bench {
  readonly cipher: MppeCipher;
  readonly arena: Arena;
}

/** An arena for each cipher. */
function benches(slots: number): Record<'addon' | 'wasm' | 'twin', Bench> {
  const make = (webAssembly: boolean, cipherOf: (arena: Arena) => MppeCipher): Bench => {
    const rows = { greSlots: slots, tunSlots: 0, outSlots: 0, heldSlots: 0, backlogSlots: 0 };
    const arena = createArena({ maxSessions: 3, ...rows, shapedSlots: 0, webAssembly });
    return { arena, cipher: cipherOf(arena) };
  };
  return {
    addon: make(false, ({ buffer }) => new IoContext(buffer).cipher!),
    wasm: make(true, ({ memory }) => new WasmCipher(memory!)),
    twin: make(false, ({ octets }) => new TypeScriptCipher(octets)),
  };
}

/** What all of them make, which must be the same. */
function eachSame<T>(all: Record<string, Bench>, run: (bench: Bench) => T): T {
  const [first, ...others] = Object.entries(all).map(([name, bench]) => ({
    name,
    result: run(bench),
  }));
  for (const { name, result } of others)
    assert.deepEqual(result, first!.result, `${name} and ${first!.name}`);
  return first!.result;
}

const key = fc.uint8Array({ minLength: 16, maxLength: 16 });
const strength = fc.constantFrom(...STRENGTHS);

test('batches of packets of several sessions, wherever they lie, whatever their lengths and strengths', () => {
  const SLOTS = 8;
  const all = benches(SLOTS);
  const session = fc.record({ bits: strength, start: key, session: key });
  const packet = fc.record({
    owner: fc.nat(2),
    offset: fc.nat(9),
    length: fc.oneof(fc.integer({ min: 1, max: 1500 }), fc.integer({ min: 1, max: 40 })),
  });
  fc.assert(
    fc.property(
      fc.array(session, { minLength: 3, maxLength: 3 }),
      fc.array(packet, { maxLength: SLOTS }),
      fc.boolean(),
      (sessions, sent, leavesUsed) => {
        const used = eachSame(all, ({ cipher, arena: { octets, buffer, greSlots, keys } }) => {
          const words = new Int32Array(buffer);
          const rows = [0, 1, 2].map((slot) => keys.receive + slot * KEYS_SIZE);
          const keyAt = (at: number, bits: number) =>
            hex(octets.subarray(at, at + (bits === 128 ? 16 : 8)));
          sessions.forEach(({ bits, start, session }, n) => {
            octets.set(start, rows[n]);
            octets.set(session, rows[n]! + SESSION_KEY);
            words[(rows[n]! + STRENGTH) >> 2] = bits;
          });
          const { base } = greSlots;
          for (let n = 0; n < SLOTS * STRIDE; n++) octets[base + n] = n * 31;
          const packets = new Int32Array(SLOTS * PACKET_WORDS);
          sent.forEach(({ owner, offset, length }, n) => {
            putPacket(packets, n, base + n * STRIDE + offset, length, rows[owner]!);
          });
          cipher.crypt(packets, sent.length, leavesUsed ? keys.used : -1);
          const after = sessions.map(({ bits }, n) => keyAt(rows[n]! + SESSION_KEY, bits));
          for (const row of rows) cipher.change(row);
          return {
            packets: hex(octets.slice(base, base + SLOTS * STRIDE)),
            after,
            changed: sessions.map(({ bits }, n) => keyAt(rows[n]! + SESSION_KEY, bits)),
            used: leavesUsed
              ? sent.map(({ owner }, n) => keyAt(keys.used + n * KEY_SIZE, sessions[owner]!.bits))
              : [],
          };
        }).used;
        // Each had the key that the one before it of its session has left.
        const firsts = new Set<number>();
        used.forEach((had, n) => {
          const { owner } = sent[n]!;
          const { bits, session } = sessions[owner]!;
          const first = hex(session.subarray(0, bits === 128 ? 16 : 8));
          assert.equal(had === first, !firsts.has(owner));
          firsts.add(owner);
        });
      },
    ),
    { numRuns: 300 },
  );
});

test('the sender: batches of several sessions, of any size', () => {
  const SLOTS = 2 * MPPE_BATCH;
  const all = benches(SLOTS);
  const packet = fc.record({ slot: fc.nat(2), length: fc.integer({ min: 1, max: 1404 }) });
  const batches = fc.oneof(
    fc.array(fc.array(packet, { maxLength: 16 }), { maxLength: 8 }),
    fc.array(fc.array(packet, { maxLength: SLOTS, minLength: SLOTS - 2 }), { maxLength: 1 }),
  );
  fc.assert(
    fc.property(strength, key, batches, (strength, start, sent) => {
      const startKey = start.slice(0, strength === 128 ? 16 : 8);
      eachSame(all, ({ cipher, arena }) => {
        const { octets } = arena;
        const { base } = arena.greSlots;
        const sender = new MppeSender(arena, cipher);
        for (const slot of [0, 1]) sender.configure(slot, { strength, stateful: false, startKey });
        sender.configure(2, { strength, stateful: true, startKey });
        return sent.map((batch) => {
          octets.fill(7, base, base + batch.length * STRIDE);
          batch.forEach(({ slot, length }, n) => {
            sender.encrypt(slot, base + n * STRIDE + 64, length);
          });
          sender.finish();
          sender.finish(); // does nothing more
          return batch.map((_, n) =>
            hex(octets.subarray(base + n * STRIDE, base + (n + 1) * STRIDE)),
          );
        });
      });
    }),
    { numRuns: 40 },
  );
});

/** What comes to a receiver: the next packet of a session, an earlier or later one of it, a forged one, or the end of a batch. */
const arrival = fc.oneof(
  { weight: 6, arbitrary: fc.record({ slot: fc.nat(1), skip: fc.constant(0) }) },
  { weight: 2, arbitrary: fc.record({ slot: fc.nat(1), skip: fc.integer({ min: -3, max: 3 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      slot: fc.nat(1),
      forgedCount: fc.integer({ min: -2, max: 3 }),
      sequenceAhead: fc.constantFrom(0, 1, 2, 900, -900, 3000),
    }),
  },
  { weight: 2, arbitrary: fc.constant('end of batch' as const) },
);

test('the receiver: whatever comes in whatever order, the same packets come out in the same order', () => {
  const SLOTS = 64;
  const all = benches(SLOTS);
  let waited = 0;
  fc.assert(
    fc.property(
      strength,
      key,
      fc.array(arrival, { minLength: 20, maxLength: 60 }),
      (bits, start, arrivals) => {
        const startKey = start.slice(0, bits === 128 ? 16 : 8);
        const answers = ({ cipher, arena }: Pick<Bench, 'cipher' | 'arena'>, together: boolean) => {
          const { octets } = arena;
          const { base } = arena.greSlots;
          const log: string[] = [];
          const note = (slot: number, result: number, { protocol, at, length }: InnerPacket) => {
            const packet = result === PASS ? hex(octets.slice(at, at + length)) : '';
            log.push(`${slot} ${result} ${packet === '' ? '' : protocol} ${packet}`);
          };
          const receiver = new MppeReceiver(arena, cipher);
          const finish = () => {
            receiver.finish();
            let count = 0;
            for (; receiver.take(0); count++) {
              const { slot, result, inner } = receiver.waited;
              note(slot, result, inner);
            }
            if (count > 1) waited += count;
          };
          const sessions = [0, 1].map((slot) => {
            receiver.configure(slot, { strength: bits, stateful: false, startKey });
            const sender = new MppeTwinSender({ startKey, bits, stateful: false });
            const packets = Array.from({ length: 80 }, (_, n) =>
              sender.encrypt(
                Uint8Array.from([
                  0,
                  0x21,
                  ...tagged('10.0.0.1', '10.0.0.2', n, 40 + ((n * 7) % 30)),
                ]),
              ),
            );
            return { packets, next: 0 };
          });
          let place = 0;
          for (const what of arrivals) {
            if (what === 'end of batch') {
              finish();
              continue;
            }
            const session = sessions[what.slot]!;
            let packet: Uint8Array;
            let sequence: number;
            if ('skip' in what) {
              const n = Math.max(0, session.next + what.skip);
              session.next = Math.max(session.next, n + 1);
              packet = session.packets[n] ?? session.packets.at(-1)!;
              sequence = n;
            } else {
              const count = (session.next + what.forgedCount) & 0xfff;
              packet = Uint8Array.from([0x90 | (count >> 8), count & 0xff, ...new Uint8Array(50)]);
              sequence = session.next + what.sequenceAhead;
            }
            // The places of those that wait are still in use.
            const at = base + place++ * STRIDE;
            octets.set(packet, at);
            let result = receiver.open(what.slot, at, packet.length, sequence, 0);
            if (result === LATER) {
              finish();
              result = receiver.open(what.slot, at, packet.length, sequence, 0);
              assert.notEqual(result, LATER);
            }
            if (result !== WAITS) note(what.slot, result, receiver.inner);
            else if (!together) finish();
          }
          finish();
          return [0, 1].map((slot) => log.filter((line) => line.startsWith(`${slot} `)));
        };
        const inOrder = eachSame(all, (bench) => answers(bench, true));
        assert.deepEqual(answers(all.twin, false), inOrder, 'one by one');
      },
    ),
    { numRuns: 300 },
  );
  assert.ok(waited > 1000);
});
