/** Two packets together come to the same as one by one: WebAssembly against its twin in TypeScript. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createArena } from '../../../src/data-path/queues/arena.ts';
import { copyKey, KEY_WORDS } from '../../../src/data-path/mppe/key-words.ts';
import { Lane, type MppeCipher } from '../../../src/data-path/mppe/cipher.ts';
import { PASS } from '../../../src/data-path/drop.ts';
import { type InnerPacket, WAITS } from '../../../src/data-path/mppe/inner.ts';
import { MppeReceiver } from '../../../src/data-path/mppe/receiver.ts';
import { MppeSender } from '../../../src/data-path/mppe/sender.ts';
import { TypeScriptCipher } from '../../../src/data-path/mppe/typescript.ts';
import { MPPE_WASM } from '../../../src/data-path/mppe/wasm/binary.ts';
import { WasmCipher } from '../../../src/data-path/mppe/wasm/wasm-cipher.ts';
import { compileWasm } from '../../../tools/build-wasm.ts';
import { hex } from '../../crypto/hex.ts';
import { MppeTwinSender } from './twin.ts';
import { tagged } from '../packets.ts';

const STRENGTHS = [128, 56, 40] as const;
/** Octets between packets in the arena. */
const STRIDE = 2048;

interface Bench {
  readonly cipher: MppeCipher;
  readonly octets: Uint8Array;
  readonly base: number;
}

function benches(slots: number): { wasm: Bench; twin: Bench } {
  const arena = createArena({ greSlots: slots, tunSlots: 0, outSlots: 0, heldSlots: 0 });
  const plain = createArena({
    greSlots: slots,
    tunSlots: 0,
    outSlots: 0,
    heldSlots: 0,
    webAssembly: false,
  });
  assert.equal(plain.memory, undefined);
  assert.equal(plain.greSlots.base, arena.greSlots.base);
  const { base } = arena.greSlots;
  return {
    wasm: { cipher: new WasmCipher(arena.memory!), octets: arena.octets, base },
    twin: { cipher: new TypeScriptCipher(plain.octets), octets: plain.octets, base },
  };
}

const key = fc.uint8Array({ minLength: 16, maxLength: 16 });
const strength = fc.constantFrom(...STRENGTHS);

test('the binary is what its source compiles to', () => {
  assert.equal(Buffer.from(compileWasm()).toString('base64'), MPPE_WASM);
});

test('key streams and keys of both ciphers are the same, wherever the packets lie, whatever their lengths', () => {
  const { wasm, twin } = benches(2);
  const position = fc.record({ offset: fc.nat(9), length: fc.nat(1500) });
  fc.assert(
    fc.property(
      strength,
      key,
      key,
      position,
      position,
      fc.boolean(),
      (bits, start, session, first, second, together) => {
        const results = [wasm, twin].map(({ cipher, octets, base }) => {
          const startKey = new Int32Array(start.slice().buffer);
          const keys = new Int32Array(3 * KEY_WORDS);
          copyKey(new Int32Array(session.slice().buffer), 0, keys, 0);
          for (let n = 0; n < 2 * STRIDE; n++) octets[base + n] = n * 31;
          const at = base + first.offset;
          const at2 = base + STRIDE + second.offset;
          cipher.prepare(Lane.First, bits, startKey, 0, keys, 0, keys, KEY_WORDS);
          if (!together) cipher.apply(at, first.length);
          const lane = together ? Lane.Second : Lane.First;
          cipher.prepare(lane, bits, startKey, 0, keys, KEY_WORDS, keys, 2 * KEY_WORDS);
          if (together) cipher.applyBoth(at, first.length, at2, second.length);
          else cipher.apply(at2, second.length);
          cipher.change(bits, startKey, 0, keys, 0);
          const words = bits === 128 ? KEY_WORDS : KEY_WORDS / 2;
          return [
            hex(octets.slice(base, base + 2 * STRIDE)),
            ...[0, 1, 2].map((row) => keys.slice(row * KEY_WORDS, row * KEY_WORDS + words).join()),
          ];
        });
        assert.deepEqual(results[0], results[1]);
        assert.equal(results[0]![1], results[0]![2]); // change() and prepare() make the same key
      },
    ),
    { numRuns: 300 },
  );
});

test('the sender: batches of several sessions, of any size', () => {
  const SLOTS = 16;
  const { wasm, twin } = benches(SLOTS);
  const packet = fc.record({ slot: fc.nat(2), length: fc.integer({ min: 1, max: 1404 }) });
  const batches = fc.array(fc.array(packet, { maxLength: SLOTS }), { maxLength: 8 });
  fc.assert(
    fc.property(strength, key, batches, (strength, start, sent) => {
      const startKey = start.slice(0, strength === 128 ? 16 : 8);
      const results = [wasm, twin].map(({ cipher, octets, base }) => {
        const sender = new MppeSender(3, cipher);
        for (const slot of [0, 1]) sender.configure(slot, { strength, stateful: false, startKey });
        sender.configure(2, { strength, stateful: true, startKey });
        return sent.map((batch) => {
          octets.fill(7, base, base + SLOTS * STRIDE);
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
      assert.deepEqual(results[0], results[1]);
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
  const { wasm, twin } = benches(2);
  let waited = 0;
  fc.assert(
    fc.property(
      strength,
      key,
      fc.array(arrival, { minLength: 20, maxLength: 60 }),
      (bits, start, arrivals) => {
        const startKey = start.slice(0, bits === 128 ? 16 : 8);
        const results = [wasm, twin].map(({ cipher, octets, base }) => {
          const log: string[] = [];
          const note = (slot: number, result: number, { protocol, at, length }: InnerPacket) => {
            const packet = result === PASS ? hex(octets.slice(at, at + length)) : '';
            log.push(`${slot} ${result} ${packet === '' ? '' : protocol} ${packet}`);
          };
          const receiver = new MppeReceiver(2, cipher);
          const noteWaited = () => {
            const { slot, result, inner } = receiver.waited;
            if (slot === -1) return;
            note(slot, result, inner);
            receiver.waited.slot = -1;
            waited++;
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
              receiver.finish();
              noteWaited();
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
            // The place of the packet before is still in use if that one waits.
            const at = base + (place++ % 2) * STRIDE;
            octets.set(packet, at);
            const result = receiver.open(what.slot, at, packet.length, sequence, 0);
            noteWaited();
            if (result !== WAITS) note(what.slot, result, receiver.inner);
          }
          receiver.finish();
          noteWaited();
          return [0, 1].map((slot) => log.filter((line) => line.startsWith(`${slot} `)));
        });
        assert.deepEqual(results[0], results[1]);
      },
    ),
    { numRuns: 300 },
  );
  assert.ok(waited > 1000);
});
