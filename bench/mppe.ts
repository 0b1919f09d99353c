/**
 * Nanoseconds of MPPE-128 per packet, by cipher and by how packets come: `node --import tsx bench/mppe.ts`.
 * The least of many rounds, taken in turn, so that other work on the machine falls out.
 */
import { createArena } from '../src/data-path/queues/arena.ts';
import type { MppeCipher } from '../src/data-path/mppe/cipher.ts';
import { PASS } from '../src/data-path/drop.ts';
import { WAITS } from '../src/data-path/mppe/inner.ts';
import { MppeReceiver } from '../src/data-path/mppe/receiver.ts';
import { MppeSender } from '../src/data-path/mppe/sender.ts';
import { TypeScriptCipher } from '../src/data-path/mppe/typescript.ts';
import { WasmCipher } from '../src/data-path/mppe/wasm/wasm-cipher.ts';

const BATCH = 32;
const ROUNDS = 400;
const arena = createArena({ greSlots: BATCH });
if (arena.memory === undefined) throw new Error('this Node has no WebAssembly');
const ciphers: Record<string, MppeCipher> = {
  TypeScript: new TypeScriptCipher(arena.octets),
  WebAssembly: new WasmCipher(arena.memory),
};
const keys = { strength: 128, stateful: false, startKey: new Uint8Array(16).fill(7) } as const;
const { base, size, headroom } = arena.greSlots;
const place = (n: number) => base + n * size + headroom;

interface Case {
  readonly name: string;
  readonly run: () => void;
  /** ns per packet, of the quickest round. */
  best: number;
}

function cases(octets: number): Case[] {
  return Object.entries(ciphers).flatMap(([language, cipher]) =>
    (cipher.worthPairing ? [1, BATCH] : [BATCH]).map((group): Case => {
      const sender = new MppeSender(1, cipher);
      const check = (result: number) => {
        if (result !== PASS && result !== WAITS) throw new Error(`Drop ${result}`);
      };
      const receiver = new MppeReceiver(1, cipher);
      sender.configure(0, keys);
      receiver.configure(0, keys);
      let sequence = 0;
      const run = () => {
        for (let n = 0; n < BATCH; n++) {
          const at = place(n);
          writeHeader(at, octets);
          sender.encrypt(0, at, octets + 2);
          if ((n + 1) % group === 0) sender.finish();
        }
        for (let n = 0; n < BATCH; n++) {
          check(receiver.open(0, place(n) - 2, octets + 4, sequence++, 0));
          if ((n + 1) % group === 0) receiver.finish();
          check(receiver.waited.result);
        }
      };
      const how = cipher.worthPairing ? (group === 1 ? ', one by one' : ', two at a time') : '';
      return { name: language + how, run, best: Infinity };
    }),
  );
}

/** The least that a receiver takes for an IPv4 packet: protocol, and a header with a right checksum. */
function writeHeader(at: number, octets: number): void {
  const header = [0, 0x21, 0x45, 0, octets >> 8, octets & 0xff, 0, 0, 0, 0, 64, 17, 0, 0];
  const sum = 0x4500 + octets + 0x4011;
  const checksum = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
  header[12] = checksum >> 8;
  header[13] = checksum & 0xff;
  header.forEach((octet, n) => (arena.octets[at + n] = octet));
  arena.octets.fill(0, at + header.length, at + 22);
}

console.log('| octets | | ns per packet, en- and decrypted |\n| --- | --- | --- |');
for (const octets of [1400, 576, 64]) {
  const all = cases(octets);
  for (let round = 0; round < ROUNDS; round++) {
    for (const each of all) {
      const start = process.hrtime.bigint();
      for (let n = 0; n < 8; n++) each.run();
      const ns = Number(process.hrtime.bigint() - start) / (8 * BATCH);
      each.best = Math.min(each.best, ns);
    }
  }
  for (const { name, best } of all) console.log(`| ${octets} | ${name} | ${best.toFixed(0)} |`);
}
