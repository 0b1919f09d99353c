/**
 * Strangers who send what they like to a running gateway, for some seconds and at most at a rate:
 *
 *     flood.ts control SERVER SECONDS RATE SEED     control messages, over several connections at a time
 *     flood.ts gre SERVER SECONDS RATE SEED [ID]    GRE packets, in a call of their own and (ID) in somebody else's
 *     flood.ts connections SERVER SECONDS           connections that say nothing, as many as there can be
 *
 * Prints how many of them the gateway has taken, as far as it can be known from here: all that precede an echo that it answered.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { IoContext } from '../../src/native/io-context.ts';
import { startRequest, outgoingCallRequest } from '../../src/pptp/messages.ts';
import { GreSocket, greSendWords } from '../../src/raw-socket/gre-socket.ts';
import { encodeControlMessage } from '../../src/wire/control-message.ts';
import { parseAddress } from '../../src/wire/ip.ts';
import { readU16, readU32 } from '../../src/wire/octets.ts';
import { encodePppFrame } from '../../src/wire/ppp-frame.ts';
import { controlMessage, controlOctets, grePacket, pppFrame } from '../fuzz/messages.ts';
import { joined, Random } from '../fuzz/random.ts';

const [, , mode = '', server = '', secondsText = '', rateText = '1', seedText = '1', idText = ''] =
  process.argv;
const ends = performance.now() + Number(secondsText) * 1000;
const rate = Number(rateText);
const random = new Random(Number(seedText));
const FIRST_STRANGER = 66;
const PORT = 1723;
/** Control messages in one write: the gateway takes more than 256 at once for a flood. */
const TOGETHER = 60;
const CONNECTIONS = 6;
const GRE_TOGETHER = 128;

let taken = 0;
const isOver = (): boolean => performance.now() >= ends;

/** Lets go on as many as the rate allows by now. */
const started = performance.now();
let begun = 0;
async function paced(count: number): Promise<void> {
  begun += count;
  const due = started + (begun / rate) * 1000;
  await setTimeout(Math.max(0, Math.min(due, ends) - performance.now()));
}

function open(nth: number): Promise<Socket> {
  const socket = connect({
    port: PORT,
    host: server,
    localAddress: `198.18.0.${FIRST_STRANGER + nth}`,
  });
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
  });
}

const identity = { hostName: 'stranger', vendorName: '', firmwareRevision: 0 };
const echo = (identifier: number) => encodeControlMessage({ name: 'EchoRequest', identifier });

/** Resolves with the octets before the echo's answer, or undefined when the connection ends. */
function answered(socket: Socket, identifier: number): Promise<boolean> {
  let seen = new Uint8Array();
  return new Promise((resolve) => {
    const hear = (octets: Buffer) => {
      seen = joined(seen.subarray(-19), octets) as Uint8Array<ArrayBuffer>;
      for (let at = 0; at + 20 <= seen.length; at++)
        if (
          readU16(seen, at) === 20 &&
          readU16(seen, at + 8) === 6 &&
          readU32(seen, at + 12) === identifier
        ) {
          socket.off('data', hear);
          resolve(true);
          return;
        }
    };
    socket.on('data', hear);
    socket.once('close', () => resolve(false));
    if (socket.destroyed) resolve(false);
  });
}

async function control(nth: number): Promise<void> {
  while (!isOver()) {
    const socket = await open(nth).catch(() => undefined);
    if (socket === undefined) {
      await setTimeout(100);
      continue;
    }
    socket.on('error', () => undefined);
    if (!random.chance(8)) socket.write(encodeControlMessage(startRequest(identity)));
    for (let identifier = 1; !isOver(); identifier++) {
      const damaged = random.chance(10);
      const messages = Array.from({ length: TOGETHER }, () =>
        damaged && random.chance(10) ? controlOctets(random) : harmless(),
      );
      await paced(messages.length);
      if (socket.destroyed) break;
      const back = answered(socket, identifier);
      socket.write(joined(...messages, echo(identifier)));
      // Of those before the end of a connection at least one was taken: what ended it.
      taken += (await back) ? messages.length + 1 : 1;
    }
    socket.destroy();
  }
}

/** Anything that is whole and does not end the connection. */
function harmless(): Uint8Array {
  for (;;) {
    const message = controlMessage(random);
    if (readU16(message, 8) !== 3) return message;
  }
}

async function gre(): Promise<void> {
  const io = new IoContext(new ArrayBuffer(GRE_TOGETHER * 2048));
  const octets = new Uint8Array(io.arena);
  const socket = new GreSocket(io);
  socket.setCallIds(new Uint16Array());
  const meta = new Int32Array(GRE_TOGETHER * greSendWords);
  const to = parseAddress(server)! | 0;
  const others = idText === '' ? [] : [Number(idText)];
  while (!isOver()) {
    const nth = random.below(60);
    const from = parseAddress(`198.18.0.${FIRST_STRANGER + nth}`)! | 0;
    const caller = await open(nth).catch(() => undefined);
    if (caller === undefined) {
      await setTimeout(100);
      continue;
    }
    caller.on('error', () => undefined);
    caller.write(encodeControlMessage(startRequest(identity)));
    caller.write(encodeControlMessage(outgoingCallRequest(7, 1)));
    const callId = await ownCallId(caller);
    for (let sequence = 0; callId !== undefined && !isOver() && !caller.destroyed;) {
      for (let i = 0; i < GRE_TOGETHER; i++) {
        const id = others.length > 0 && random.chance(16) ? random.pick(others) : callId;
        const packet = grePacket(random, id, sequence++, nextPayload());
        octets.set(packet, i * 2048);
        meta.set([i * 2048, Math.max(1, packet.length), to, from], i * greSendWords);
      }
      await paced(GRE_TOGETHER);
      taken += socket.send(meta, GRE_TOGETHER);
      // A reset of the call's own sequence numbers, so that not all is far ahead.
      if (random.chance(200)) sequence = 0;
    }
    caller.destroy();
  }
  socket.close();
}

/** Most are used again, with other numbers: making them costs us more than reading them costs the gateway. */
const POOL = 1024;
const pool = Array.from({ length: POOL }, payload);

function nextPayload(): Uint8Array {
  const nth = random.below(POOL);
  if (random.chance(8)) pool[nth] = payload();
  return pool[nth]!;
}

function payload(): Uint8Array {
  switch (random.below(4)) {
    case 0:
      return random.anyOctets(random.chance(8) ? 1500 : 100);
    case 1:
      return encodePppFrame(random.pick([0x21, 0x57, 0xfd]), random.anyOctets(200));
    default:
      return pppFrame(random);
  }
}

/** From the Outgoing-Call-Reply. */
function ownCallId(socket: Socket): Promise<number | undefined> {
  let seen = new Uint8Array();
  return new Promise((resolve) => {
    socket.on('data', (octets) => {
      seen = joined(seen, octets) as Uint8Array<ArrayBuffer>;
      for (let at = 0; at + 32 <= seen.length; at += readU16(seen, at) || 1)
        if (readU16(seen, at + 8) === 8) resolve(readU16(seen, at + 12));
    });
    socket.once('close', () => resolve(undefined));
  });
}

async function connections(): Promise<void> {
  const all: Socket[] = [];
  for (let n = 0; !isOver(); n++) {
    const socket = connect({
      port: PORT,
      host: server,
      localAddress: `198.18.0.${FIRST_STRANGER + (n % 60)}`,
      allowHalfOpen: true,
    });
    socket.on('error', () => undefined).resume();
    socket.write('GET / HTTP/1.0\r\n\r\n');
    all.push(socket);
    taken++;
    if (all.length > 400) all.shift()!.destroy();
    await setTimeout(1);
  }
  for (const socket of all) socket.destroy();
}

if (mode === 'control')
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, n) => control(n)));
else if (mode === 'gre') await gre();
else await connections();
process.stdout.write(`taken ${taken}\n`);
process.exit(0);
