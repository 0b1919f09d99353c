/**
 * A scripted end of PPTP calls, for the two sides of a relay: control messages and bare GRE, no PPP.
 *
 *     relay-end.ts server ADDRESS [same-id]            takes every call, sends every GRE packet of a call back to its caller
 *     relay-end.ts client ADDRESS NAME CONNECTIONS CALLS [CALL-ID]
 *                                                      makes calls, sends a packet in each (not with NAME silent),
 *                                                      says "ready {…}", stays
 *     relay-end.ts own ADDRESS NAME CONNECTIONS CALLS  the same with our own client's control connection
 *     relay-end.ts guess ADDRESS                       sends a GRE packet with every call id there is
 *     relay-end.ts flood ADDRESS CONNECTIONS           opens connections and says nothing on them
 *
 * A packet's payload is the name of who sent it first. Who gets another's says "foreign NAME".
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { createArena } from '../../../src/data-path/queues/arena.ts';
import { IoContext } from '../../../src/native/io-context.ts';
import { Framer } from '../../../src/pptp/framer.ts';
import {
  callDisconnectNotify,
  outgoingCallReply,
  outgoingCallRequest,
  startReply,
  startRequest,
} from '../../../src/pptp/messages.ts';
import { greReceiveWords, greSendWords, GreSocket } from '../../../src/raw-socket/gre-socket.ts';
import { isMalformed } from '../../../src/wire/codec.ts';
import {
  decodeControlMessage,
  encodeControlMessage,
  type ControlMessage,
} from '../../../src/wire/control-message.ts';
import { parseAddress } from '../../../src/wire/ip.ts';
import { ownCalls } from './own-calls.ts';
import { grePacket } from '../../raw-socket/gre-packet.ts';

const identity = { hostName: 'end', vendorName: 'test', firmwareRevision: 1 };
const accepted = { resultCode: 1, errorCode: 0 };
const PAYLOAD = 16;
const HEADER = 12;

const arena = createArena({ webAssembly: false });
const io = new IoContext(arena.buffer);
const gre = new GreSocket(io);
const received = new Int32Array(arena.greSlots.count * greReceiveWords);

function sendGre(address: number, callId: number, name: string): void {
  const packet = grePacket(callId, PAYLOAD);
  packet.set(Buffer.from(name), HEADER);
  arena.octets.set(packet, arena.outSlots.base);
  gre.send(Int32Array.of(arena.outSlots.base, packet.length, address | 0, 0), 1);
}

function onGre(take: (callId: number, source: number, name: string) => void): void {
  gre.watch(arena.greSlots, received, {
    onBatch(count) {
      for (let i = 0; i < count; i++) {
        const [at, , source] = received.subarray(i * greSendWords) as unknown as number[];
        const callId = (arena.octets[at! + 6]! << 8) | arena.octets[at! + 7]!;
        const payload = arena.octets.subarray(at! + HEADER, at! + HEADER + PAYLOAD);
        take(callId, source! >>> 0, Buffer.from(payload).toString('latin1').replace(/\0+$/, ''));
      }
    },
    onLost(error) {
      throw error;
    },
  });
}

function onMessages(socket: Socket, take: (message: ControlMessage) => void): void {
  const framer = new Framer();
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.on('data', (octets) => {
    for (const one of framer.push(octets)) {
      const message = isMalformed(one) ? one : decodeControlMessage(one);
      if (isMalformed(message)) throw new Error(message.detail);
      take(message);
    }
  });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function serve(address: string, sameId: boolean): void {
  /** By our own id: who gets the packets. */
  const calls = new Map<number, { source: number; peerCallId: number }>();
  let last = 0x100;
  onGre((callId, source, name) => {
    const call = calls.get(callId);
    if (name === 'forged') {
      if (call !== undefined) say(`forged packet in call ${callId}`);
    } else if (call !== undefined) sendGre(source, call.peerCallId, name);
  });
  const server = createServer((socket) => {
    const send = (message: ControlMessage) => socket.write(encodeControlMessage(message));
    onMessages(socket, (message) => {
      if (message.name === 'StartControlConnectionRequest') send(startReply(identity, 1, 0));
      if (message.name === 'OutgoingCallRequest') {
        const callId = sameId ? 0x100 : ++last;
        calls.set(callId, { source: 0, peerCallId: message.callId });
        send(outgoingCallReply(callId, message.callId, accepted, 64));
      }
      if (message.name === 'CallClearRequest') {
        say(`cleared ${message.callId}`);
        send(callDisconnectNotify(1, { resultCode: 4, errorCode: 0 }));
      }
    });
    socket.on('close', () => say('closed'));
  });
  server.listen(1723, address, () => say('listening'));
}

async function call(
  address: string,
  name: string,
  connections: number,
  calls: number,
  fixed: number,
  isOwn: boolean,
): Promise<void> {
  const own = new Set<number>();
  const setups: number[] = [];
  let echoed = 0;
  let next = 1;
  onGre((callId, _, from) => {
    if (from !== name || !own.has(callId)) say(`foreign ${from}`);
    else echoed++;
  });
  const told: number[] = [];
  for (let i = 0; i < connections; i++) {
    const socket = connect(1723, address);
    if (isOwn) {
      await once(socket, 'connect');
      const callIds = Array.from({ length: calls }, () => next++);
      for (const callId of callIds) own.add(callId);
      told.push(...(await ownCalls(socket, identity, callIds)));
      continue;
    }
    const answers: ((message: ControlMessage) => void)[] = [];
    onMessages(socket, (message) => {
      say(message.name);
      answers.shift()?.(message);
    });
    socket.on('close', () => say('closed'));
    await once(socket, 'connect');
    const ask = (message: ControlMessage) =>
      new Promise<ControlMessage>((resolve) => {
        answers.push(resolve);
        socket.write(encodeControlMessage(message));
      });
    await ask(startRequest(identity));
    for (let n = 0; n < calls; n++) {
      const callId = fixed === 0 ? next++ : fixed;
      own.add(callId);
      const before = performance.now();
      const reply = await ask(outgoingCallRequest(callId, n));
      setups.push(performance.now() - before);
      if (
        reply.name !== 'OutgoingCallReply' ||
        reply.resultCode !== 1 ||
        reply.peerCallId !== callId
      )
        throw new Error(JSON.stringify(reply));
      told.push(reply.callId);
    }
  }
  const to = parseAddress(address)!;
  // Sockets have buffers: not faster than they are read.
  for (let sent = 0; name !== 'silent' && sent < told.length; sent++) {
    sendGre(to, told[sent]!, name);
    for (let tries = 0; echoed <= sent && tries < 500; tries++)
      await new Promise((resolve) => setTimeout(resolve, 2));
  }
  setups.sort((a, b) => a - b);
  const median = setups[setups.length >> 1] ?? 0;
  say(
    `ready ${JSON.stringify({ calls: told.length, distinct: new Set(told).size, echoed, median })}`,
  );
}

async function guess(address: string): Promise<void> {
  for (let callId = 0; callId < 0x10000; callId++) {
    sendGre(parseAddress(address)!, callId, 'forged');
    if (callId % 64 === 63) await new Promise((resolve) => setImmediate(resolve));
  }
  say('guessed');
}

function flood(address: string, connections: number): void {
  let closed = 0;
  for (let i = 0; i < connections; i++)
    connect(1723, address)
      .on('error', () => undefined)
      .on('close', () => say(`closed ${++closed}`));
  setInterval(() => undefined, 1000);
}

const [what, address, ...words] = process.argv.slice(2) as [string, string, ...string[]];
if (what === 'server') serve(address, words[0] === 'same-id');
else if (what === 'client' || what === 'own') {
  const [name, connections, calls, fixed = '0'] = words as [string, string, string, string?];
  await call(address, name, Number(connections), Number(calls), Number(fixed), what === 'own');
} else if (what === 'guess') await guess(address);
else flood(address, Number(words[0]));
