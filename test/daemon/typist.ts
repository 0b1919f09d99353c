/**
 * Between our client and a server: somebody who is asked for a new password and types it in. `typist.ts CLIENT SERVER USER OLD NEW`
 *
 * A stand-in for Windows, which changes passwords by MS-CHAPv2 as no program of Linux does. The client has the new password and
 * knows nothing; control connection and GRE go through here. The first Challenge is answered here, with the old password; the
 * client gets the one in the Failure that asks for a new password, and its Response becomes the Change-Password packet.
 */
import { connect, createServer } from 'node:net';
import { generateNtResponse } from '../../src/crypto/ms-chap-v2.ts';
import { ntPasswordHash } from '../../src/crypto/password.ts';
import { createArena } from '../../src/data-path/queues/arena.ts';
import { IoContext } from '../../src/native/io-context.ts';
import { greReceiveWords, GreSocket } from '../../src/raw-socket/gre-socket.ts';
import { decodeChap, encodeChap, type ChapPacket } from '../../src/wire/chap.ts';
import { isMalformed } from '../../src/wire/codec.ts';
import { createGreHeader, readGre, writeGre, type GreHeader } from '../../src/wire/gre.ts';
import { parseAddress } from '../../src/wire/ip.ts';
import {
  decodeMsChapV2Response,
  encodeMsChapV2Change,
  encodeMsChapV2Response,
  parseMsChapFailure,
} from '../../src/wire/ms-chap.ts';
import { decodePppFrame, encodePppFrame, PppProtocol } from '../../src/wire/ppp-frame.ts';
import { textOf } from '../../src/wire/text.ts';
import { changedHash } from '../support/password-change.ts';

const [clientName, serverName, user, oldPassword, newPassword] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];
const [client, server] = [parseAddress(clientName)!, parseAddress(serverName)!];

/** Of the Challenge that the client gets. */
let identifier = 0;
let isAnswered = false;
/** Packets to the server that the client knows nothing of. */
let added = 0;
let lastToServer = { callId: 0, sequence: 0 };

const arena = createArena({ webAssembly: false });
const io = new IoContext(arena.buffer);
const gre = new GreSocket(io);
const header = createGreHeader();

function send(to: number, from: GreHeader, payload: Uint8Array): void {
  const { base } = arena.outSlots;
  const length = writeGre(arena.octets, base, { ...from, payloadLength: payload.length });
  arena.octets.set(payload, base + length);
  gre.send(Int32Array.of(base, length + payload.length, to | 0, 0), 1);
}

function answerTo(challenge: Uint8Array): Uint8Array {
  const peerChallenge = new Uint8Array(16).fill(9);
  const ntResponse = generateNtResponse(
    { authenticatorChallenge: challenge, peerChallenge, userName: textOf(user).octets },
    ntPasswordHash(oldPassword),
  );
  return encodeMsChapV2Response({ peerChallenge, ntResponse, flags: 0 });
}

/** What the client gets in the place of the server's packet; undefined: nothing. */
function toClient(chap: ChapPacket): ChapPacket | undefined {
  switch (chap.kind) {
    case 'challenge': {
      if (isAnswered) return undefined;
      isAnswered = true;
      const { sequence, callId } = lastToServer;
      const response = encodeChap({
        kind: 'response',
        identifier: chap.identifier,
        value: answerTo(chap.value),
        name: textOf(user),
      });
      added = 1;
      send(
        server,
        {
          ...createGreHeader(),
          callId: callId,
          hasSequence: true,
          sequence: sequence + 1,
        },
        encodePppFrame(PppProtocol.Chap, response),
      );
      return undefined;
    }
    case 'failure': {
      console.log(`said ${chap.message.text}`);
      const failure = parseMsChapFailure(chap.message.text);
      if (isMalformed(failure) || !failure.retry || failure.challenge === undefined)
        return { ...chap, identifier };
      ({ identifier } = chap);
      const name = textOf('server');
      return { kind: 'challenge', identifier, value: failure.challenge, name };
    }
    case 'success':
      console.log(`said ${chap.message.text}`);
      return { ...chap, identifier };
    case 'response':
    case 'change-password':
      return chap;
  }
}

function toServer(chap: ChapPacket): ChapPacket {
  if (chap.kind !== 'response') return chap;
  const response = decodeMsChapV2Response(chap.value);
  if (isMalformed(response)) throw new Error(response.detail);
  const data = encodeMsChapV2Change({ ...changedHash(oldPassword, newPassword), ...response });
  return { kind: 'change-password', identifier: identifier + 1, data };
}

function pass(at: number, length: number, source: number): void {
  if (readGre(arena.octets, at, length, header) !== 0) throw new Error('malformed GRE');
  const start = at + header.headerLength;
  let payload: Uint8Array = arena.octets.slice(start, start + header.payloadLength);
  const isFromServer = source === server;
  const frame = decodePppFrame(payload);
  if (!isMalformed(frame) && frame.protocol === PppProtocol.Chap) {
    const chap = decodeChap(frame.payload);
    if (isMalformed(chap)) throw new Error(chap.detail);
    const instead = isFromServer ? toClient(chap) : toServer(chap);
    if (instead === undefined) return;
    payload = encodePppFrame(PppProtocol.Chap, encodeChap(instead));
  }
  if (isFromServer) {
    send(client, { ...header, acknowledgment: (header.acknowledgment - added) >>> 0 }, payload);
    return;
  }
  const sequence = header.sequence + added;
  if (header.hasSequence) lastToServer = { callId: header.callId, sequence };
  send(server, { ...header, sequence }, payload);
}

const received = new Int32Array(arena.greSlots.count * greReceiveWords);
gre.watch(arena.greSlots, received, {
  onBatch(count) {
    for (let i = 0; i < count; i++) {
      const [at, length, source] = received.subarray(i * greReceiveWords);
      pass(at!, length!, source! >>> 0);
    }
  },
  onLost(error) {
    throw error;
  },
});

createServer((near) => {
  const far = connect(1723, serverName);
  near.on('error', () => undefined).pipe(far);
  far.on('error', () => undefined).pipe(near);
}).listen(1723, () => console.log('listening'));
