/** Somebody at the other end of a unix socket who says what a test wants: the octets, and nothing by himself. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  decodeMessage,
  encodeMessage,
  Framer,
  MalformedMessage,
  UbusError,
  type Message,
} from '../../src/ubus-js/index.ts';
import { folder, Inbox } from './bus.ts';

/** One connection, from whichever side. */
export class FakePeer {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  private readonly messages = new Inbox<Message>();

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    const framer = new Framer();
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      const found = framer.push(chunk);
      if (found instanceof UbusError) throw found;
      for (const octets of found) {
        const message = decodeMessage(octets);
        if (message instanceof MalformedMessage) throw message;
        this.messages.put(message);
      }
    });
  }

  next(): Promise<Message> {
    return this.messages.next();
  }

  get left(): readonly Message[] {
    return this.messages.left;
  }

  say(type: Message['type'], seq = 0, peer = 0, attributes: Message['attributes'] = {}): void {
    this.socket.write(encodeMessage({ type, seq, peer, attributes }));
  }

  /** Answers a LOOKUP or ADD_OBJECT with an id. */
  give(to: Message, objid: number): void {
    const path = to.attributes.objpath;
    this.say('DATA', to.seq, to.peer, { ...(path === undefined ? {} : { objpath: path }), objid });
    this.say('STATUS', to.seq, to.peer, { status: 0 });
  }
}

/** Serves a path; `next()` is the next connection. */
export async function fakeBus(context: TestContext, path = join(folder(context), 'ubus.sock')) {
  const connections = new Inbox<FakePeer>();
  const server = createServer((socket) => {
    context.after(() => socket.destroy());
    connections.put(new FakePeer(socket));
  });
  server.listen(path);
  await once(server, 'listening');
  context.after(() => server.close());
  return { path, next: () => connections.next(), close: () => server.close() };
}
