/**
 * Data through the tunnel, both ways, with hashes: `transfer.ts serve ADDRESS` and, at the other end, `transfer.ts send ADDRESS`,
 * which prints a line after each round. A round: a connection, so many octets there, their hash and as many octets and theirs back.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

const PORT = 4000;
const LENGTH = 64 * 1024;
const HASH = 32;
/** ms between two rounds: the good session is there to be watched, not to fill the machine. */
const PAUSE = 150;

const [, , mode = '', address = ''] = process.argv;
if (mode === 'serve') {
  createServer((socket) => void answer(socket).catch(() => socket.destroy())).listen(PORT, address);
  process.stdout.write('serving\n');
} else {
  for (let n = 1; ; n++) {
    const fault = await round().catch((error: unknown) => String(error));
    process.stdout.write(
      fault === undefined ? `round ${n} right\n` : `round ${n} WRONG: ${fault}\n`,
    );
    await setTimeout(PAUSE);
  }
}

function hashOf(octets: Uint8Array): Buffer {
  return createHash('sha256').update(octets).digest();
}

async function answer(socket: Socket): Promise<void> {
  const octets = await read(socket, LENGTH);
  const back = randomBytes(LENGTH);
  socket.end(Buffer.concat([hashOf(octets), back, hashOf(back)]));
}

/** What is wrong, if anything. */
async function round(): Promise<string | undefined> {
  const socket = connect(PORT, address);
  await once(socket, 'connect');
  const octets = randomBytes(LENGTH);
  socket.write(octets);
  const all = await read(socket, HASH + LENGTH + HASH);
  socket.destroy();
  if (!all.subarray(0, HASH).equals(hashOf(octets))) return 'what arrived has another hash';
  const back = all.subarray(HASH, HASH + LENGTH);
  return hashOf(back).equals(all.subarray(HASH + LENGTH))
    ? undefined
    : 'what came back has another hash';
}

function read(socket: Socket, length: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let have = 0;
  return new Promise((resolve, reject) => {
    socket.on('data', (part) => {
      parts.push(part);
      have += part.length;
      if (have >= length) resolve(Buffer.concat(parts));
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`${have} of ${length} octets came`)));
  });
}
