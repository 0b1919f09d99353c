/**
 * Nanoseconds of MPPE-128 per packet, by cipher and by how packets come: `node --import tsx bench/mppe.ts`.
 * The least of many rounds, taken in turn, so that other work on the machine falls out.
 */
import { type Arena, createArena } from '../src/data-path/queues/arena.ts';
import type { MppeCipher } from '../src/data-path/mppe/cipher.ts';
import { IoContext } from '../src/native/io-context.ts';
import { PASS } from '../src/data-path/drop.ts';
import { WAITS } from '../src/data-path/mppe/inner.ts';
import { MppeReceiver } from '../src/data-path/mppe/receiver.ts';
import { MppeSender } from '../src/data-path/mppe/sender.ts';
import { TypeScriptCipher } from '../src/data-path/mppe/typescript.ts';
import { WasmCipher } from '../src/data-path/mppe/wasm/wasm-cipher.ts';

const BATCH = 33;
const ROUNDS = 400;
const ciphers: Record<string, (arena: Arena) => MppeCipher> = {
  TypeScript: ({ octets }) => new TypeScriptCipher(octets),
  WebAssembly: ({ memory }) => new WasmCipher(memory!),
  addon: ({ buffer }) => new IoContext(buffer).cipher!,
};
const keys = { strength: 128, stateful: false, startKey: new Uint8Array(16).fill(7) } as const;

interface Case {
  readonly name: string;
  /** Encrypts a batch, and decrypts it. */
  readonly seal: () => void;
  readonly open: () => void;
  /** ns per packet, of the quickest round. */
  best: { seal: number; open: number };
}

function cases(octets: number): Case[] {
  return Object.entries(ciphers).flatMap(([language, cipherOf]) =>
    (language === 'TypeScript' ? [BATCH] : [1, 2, BATCH]).map((group): Case => {
      const arena = createArena({ greSlots: BATCH, shapedSlots: 0 });
      const { base, size, headroom } = arena.greSlots;
      const place = (n: number) => base + n * size + headroom;
      const cipher = cipherOf(arena);
      const sender = new MppeSender(arena, cipher);
      const receiver = new MppeReceiver(arena, cipher);
      sender.configure(0, keys);
      receiver.configure(0, keys);
      let sequence = 0;
      const finish = () => {
        receiver.finish();
        while (receiver.take(0))
          if (receiver.waited.result !== PASS) throw new Error(`Drop ${receiver.waited.result}`);
      };
      const seal = () => {
        for (let n = 0; n < BATCH; n++) {
          writeHeader(arena.octets, place(n), octets);
          sender.encrypt(0, place(n), octets + 2);
          if ((n + 1) % group === 0) sender.finish();
        }
        sender.finish();
      };
      const open = () => {
        for (let n = 0; n < BATCH; n++) {
          const result = receiver.open(0, place(n) - 2, octets + 4, sequence++, 0);
          if (result !== WAITS) throw new Error(`Drop ${result}`);
          if ((n + 1) % group === 0) finish();
        }
        finish();
      };
      const how = group === BATCH ? '' : group === 1 ? ', one by one' : ', two at a time';
      return { name: language + how, seal, open, best: { seal: Infinity, open: Infinity } };
    }),
  );
}

/** The least that a receiver takes for an IPv4 packet: protocol, and a header with a right checksum. */
function writeHeader(to: Uint8Array, at: number, octets: number): void {
  const header = [0, 0x21, 0x45, 0, octets >> 8, octets & 0xff, 0, 0, 0, 0, 64, 17, 0, 0];
  const sum = 0x4500 + octets + 0x4011;
  const checksum = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
  header[12] = checksum >> 8;
  header[13] = checksum & 0xff;
  header.forEach((octet, n) => (to[at + n] = octet));
  to.fill(0, at + header.length, at + 22);
}

const ns = (run: () => void): number => {
  const start = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - start) / BATCH;
};

console.log('| octets | | ns per packet, encrypted | decrypted |\n| --- | --- | --: | --: |');
for (const octets of [1400, 576, 64]) {
  const all = cases(octets);
  for (let round = 0; round < ROUNDS; round++) {
    for (const { seal, open, best } of all) {
      for (let n = 0; n < 8; n++) {
        best.seal = Math.min(best.seal, ns(seal));
        best.open = Math.min(best.open, ns(open));
      }
    }
  }
  for (const { name, best } of all)
    console.log(`| ${octets} | ${name} | ${best.seal.toFixed(0)} | ${best.open.toFixed(0)} |`);
}
