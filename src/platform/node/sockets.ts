import { connect, createServer, isIP, Socket, type AddressInfo, type Server } from 'node:net';
import type {
  Endpoints,
  Listener,
  ListenerEvents,
  SocketEvents,
  Sockets,
  TcpSocket,
} from '../sockets.ts';
import { builtin } from './builtin.ts';

export const sockets: Sockets = {
  connect: ({ address, port, from }, connected) => {
    const socket = connect({
      host: address,
      port,
      noDelay: true,
      ...(from === undefined ? {} : { localAddress: from }),
    });
    socket.once('connect', connected);
    return new NodeSocket(socket);
  },
  connectTls: ({ address, port, from, identity }, connected) => {
    const { peerName, authorities, own } = identity;
    const { checkServerIdentity, connect } = builtin('node:tls');
    const socket = connect({
      host: address,
      port,
      minVersion: 'TLSv1.2',
      ...(isIP(peerName) === 0 ? { servername: peerName } : {}),
      checkServerIdentity: (_, certificate) => checkServerIdentity(peerName, certificate),
      ...(authorities === undefined ? {} : { ca: authorities }),
      ...(own === undefined ? {} : { cert: own.certificate, key: own.key }),
      ...(from === undefined ? {} : { localAddress: from }),
    });
    socket.setNoDelay(true);
    // Each write is a record of its own. Node would put those that wait into one, and FreeRADIUS takes a record for a packet.
    Object.assign(socket, { _writev: null });
    socket.once('secureConnect', () => {
      const { subject, valid_to: validTo } = socket.getPeerCertificate();
      const parts = Object.entries(subject).map(([key, value]) => `${key}=${String(value)}`);
      connected({ subject: parts.join(', '), validTo: new Date(validTo) });
    });
    return new NodeSocket(socket);
  },
  connectLocal: (path, connected) => new NodeSocket(connect(path, connected)),
  adopt: (fd) => new NodeSocket(new Socket({ fd })),
  listen: ({ address = '0.0.0.0', port, backlog, inherited: fd }, events) =>
    listening(createServer({ noDelay: true }), events, (server, done) =>
      server.listen(fd === undefined ? { port, host: address, backlog } : { fd, backlog }, done),
    ),
  listenLocal(path, most, events) {
    const server = createServer();
    server.maxConnections = most;
    return listening(server, events, (_, done) => {
      // The folder may be older than us and open to others; bind() happens before listen() returns.
      const umask = process.umask(0o177);
      try {
        server.listen(path, done);
      } finally {
        process.umask(umask);
      }
    });
  },
};

function listening(
  server: Server,
  { accept, failed }: ListenerEvents<TcpSocket>,
  listen: (server: Server, done: () => void) => void,
): Promise<Listener> {
  server.on('connection', (socket) => accept(new NodeSocket(socket)));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    listen(server, () => {
      server.off('error', reject);
      server.on('error', failed);
      resolve({
        port: (server.address() as AddressInfo).port,
        descriptor: descriptorOf(server),
        close: () => void server.close(),
      });
    });
  });
}

/** Node tells it only so. */
function descriptorOf(handled: Server | Socket): number {
  return (handled as unknown as { _handle: { fd: number } })._handle.fd;
}

class NodeSocket implements TcpSocket {
  readonly #socket: Socket;
  #events: SocketEvents | undefined;
  #endpoints: Endpoints | undefined;
  #error: Error | undefined;
  #isClosed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', (error) => (this.#error = error)); // 'close' follows
    socket.on('close', () => {
      this.#isClosed = true;
      this.#events?.closed(this.#error);
    });
  }

  get unsent(): number {
    return this.#socket.writableLength;
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  get endpoints(): Endpoints | undefined {
    const { localAddress: local, localPort, remoteAddress: peer, remotePort } = this.#socket;
    if (local !== undefined && peer !== undefined)
      this.#endpoints ??= { local, localPort: localPort!, peer, peerPort: remotePort! };
    return this.#endpoints;
  }

  get descriptor(): number {
    return descriptorOf(this.#socket);
  }

  hear(events: SocketEvents): void {
    const waited = this.#events?.octets === undefined;
    this.#events = events;
    if (waited && events.octets !== undefined)
      this.#socket.on('data', (octets) => this.#events!.octets?.(octets));
    if (this.#isClosed) queueMicrotask(() => events.closed(this.#error));
  }

  write(octets: Uint8Array): void {
    this.#socket.write(octets);
  }

  finish(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  keepAlive(milliseconds: number): void {
    this.#socket.setKeepAlive(true, milliseconds);
  }
}
