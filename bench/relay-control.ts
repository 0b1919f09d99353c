/**
 * One end of a PPTP call that carries nothing: for the benchmark, whose packets other programs send.
 *
 *     relay-control.ts server ADDRESS CALL-ID     says "listening", then "told ID": what it was told of the caller's id
 *     relay-control.ts client ADDRESS CALL-ID     says "told ID after MS": from TCP's first packet to the call; stays
 */
import { connect, createServer, type Socket } from 'node:net';
import { Framer } from '../src/pptp/framer.ts';
import {
  outgoingCallReply,
  outgoingCallRequest,
  startReply,
  startRequest,
} from '../src/pptp/messages.ts';
import { isMalformed } from '../src/wire/codec.ts';
import {
  decodeControlMessage,
  encodeControlMessage,
  type ControlMessage,
} from '../src/wire/control-message.ts';

const identity = { hostName: 'bench', vendorName: 'bench', firmwareRevision: 1 };
const [what, address, id] = process.argv.slice(2) as [string, string, string];
const callId = Number(id);

function converse(socket: Socket, answer: (message: ControlMessage) => ControlMessage | undefined) {
  const framer = new Framer();
  socket.on('data', (octets) => {
    for (const one of framer.push(octets)) {
      const message = isMalformed(one) ? one : decodeControlMessage(one);
      if (isMalformed(message)) throw new Error(message.detail);
      const reply = answer(message);
      if (reply !== undefined) socket.write(encodeControlMessage(reply));
    }
  });
  socket.on('error', () => undefined);
}

function told(peerCallId: number, detail = ''): void {
  process.stdout.write(`told ${peerCallId}${detail}\n`);
}

if (what === 'server') {
  const server = createServer({ noDelay: true }, (socket) => {
    converse(socket, (message) => {
      if (message.name === 'StartControlConnectionRequest') return startReply(identity, 1, 0);
      if (message.name !== 'OutgoingCallRequest') return undefined;
      told(message.callId);
      return outgoingCallReply(callId, message.callId, { resultCode: 1, errorCode: 0 }, 64);
    });
  });
  server.listen(1723, address, () => process.stdout.write('listening\n'));
} else {
  const started = performance.now();
  const socket = connect({ host: address, port: 1723, noDelay: true });
  converse(socket, (message) => {
    if (message.name === 'StartControlConnectionReply') return outgoingCallRequest(callId, 1);
    if (message.name === 'OutgoingCallReply')
      told(message.callId, ` after ${performance.now() - started}`);
    return undefined;
  });
  socket.write(encodeControlMessage(startRequest(identity)));
}
