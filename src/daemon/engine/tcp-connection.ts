/** A TCP connection that carries control messages: one write per message, nothing waits for a slow peer. */
import type { Socket } from 'node:net';
import type { ControlPath } from '../../router/router.ts';
import { parseAddress } from '../../wire/ip.ts';
import type { Connections } from './connections.ts';

/** A peer that does not read its control messages is as good as gone. */
const MAX_UNSENT = 16 * 1024;
/** How long a peer may take to close its side after us, ms, and what it may send meanwhile, octets. */
const CLOSE_TIME = 5_000;
const MAX_UNREAD = 64 * 1024;

export interface TcpEvents {
  readonly octets: (octets: Uint8Array) => void;
  /** @param errno 'ECONNRESET' and the like; undefined: the peer closed it properly */
  readonly closed: (errno: string | undefined) => void;
  /** Every control message that is written, for captures. */
  readonly written: (octets: Uint8Array) => void;
}

export class TcpConnection {
  readonly local: number;
  readonly localPort: number;
  readonly peer: number;
  readonly peerPort: number;
  private readonly socket: Socket;
  private readonly connections: Connections;
  private readonly written: TcpEvents['written'];
  private open = true;

  /** @param socket connected */
  constructor(socket: Socket, connections: Connections, events: TcpEvents) {
    this.socket = socket;
    this.connections = connections;
    connections.add(socket);
    this.written = events.written;
    const { local, localPort, peer, peerPort } = endpointsOf(socket);
    this.local = local;
    this.localPort = localPort;
    this.peer = peer;
    this.peerPort = peerPort;
    socket.setNoDelay(true); // one message per segment: NAT helpers parse only what a segment starts with
    socket.on('data', (octets) => {
      if (this.open) events.octets(octets);
    });
    // 'close' follows every 'error'; a reset is a normal end of a call (poptop, RRAS).
    let errno: string | undefined;
    socket.on('error', ({ code }: NodeJS.ErrnoException) => (errno = code));
    socket.on('close', () => {
      if (this.end()) events.closed(errno);
    });
  }

  write(octets: Uint8Array): void {
    if (!this.open) return;
    if (this.socket.writableLength > MAX_UNSENT) {
      this.socket.destroy();
      return;
    }
    this.written(octets);
    this.socket.write(octets);
  }

  /** Sends what was written, then FIN. No event comes after it. */
  close(): void {
    if (!this.end()) return;
    const { socket } = this;
    socket.end();
    // A peer that never closes its side must not keep the descriptor, not even one that goes on sending.
    const timer = setTimeout(() => socket.destroy(), CLOSE_TIME).unref();
    socket.on('close', () => clearTimeout(timer));
    const most = socket.bytesRead + MAX_UNREAD;
    socket.on('data', () => {
      if (socket.bytesRead > most) socket.destroy();
    });
    socket.resume();
    this.connections.linger(socket, this.peer);
  }

  destroy(): void {
    this.end();
    this.socket.destroy();
  }

  /** @returns whether it was open until now */
  private end(): boolean {
    const wasOpen = this.open;
    this.open = false;
    return wasOpen;
  }
}

/** @param socket connected */
export function endpointsOf(socket: Socket): ControlPath {
  return {
    local: address(socket.localAddress),
    localPort: socket.localPort ?? 0,
    peer: address(socket.remoteAddress),
    peerPort: socket.remotePort ?? 0,
  };
}

function address(text: string | undefined): number {
  return parseAddress(text?.replace(/^::ffff:/, '') ?? '') ?? 0;
}
