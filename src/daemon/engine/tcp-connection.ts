/** A TCP connection that carries control messages: one write per message, nothing waits for a slow peer. */
import { errorCode } from '../../platform/errors.ts';
import { clock } from '../../platform/platform.ts';
import type { TcpSocket } from '../../platform/sockets.ts';
import type { ControlPath } from '../../router/router.ts';
import type { Ipv4 } from '../../wire/brand.ts';
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
  readonly local: Ipv4;
  readonly localPort: number;
  readonly peer: Ipv4;
  readonly peerPort: number;
  readonly #socket: TcpSocket;
  readonly #connections: Connections;
  readonly #written: TcpEvents['written'];
  #open = true;

  /** @param socket connected */
  constructor(socket: TcpSocket, connections: Connections, events: TcpEvents) {
    this.#socket = socket;
    this.#connections = connections;
    connections.add(socket);
    this.#written = events.written;
    const { local, localPort, peer, peerPort } = endpointsOf(socket);
    this.local = local;
    this.localPort = localPort;
    this.peer = peer;
    this.peerPort = peerPort;
    socket.hear({
      octets: (octets) => {
        if (this.#open) events.octets(octets);
      },
      closed: (error) => {
        connections.remove(socket);
        // A reset is a normal end of a call (poptop, RRAS).
        if (this.#end()) events.closed(errorCode(error));
      },
    });
  }

  /** Its descriptor, for another program that goes on with it; undefined: it has ended, or octets wait to be sent. */
  get descriptor(): number | undefined {
    return this.#open && this.#socket.isOpen && this.#socket.unsent === 0
      ? this.#socket.descriptor
      : undefined;
  }

  write(octets: Uint8Array): void {
    if (!this.#open) return;
    if (this.#socket.unsent > MAX_UNSENT) {
      this.#socket.destroy();
      return;
    }
    this.#written(octets);
    this.#socket.write(octets);
  }

  /** Sends what was written, then FIN. No event comes after it. */
  close(): void {
    if (!this.#end()) return;
    const connections = this.#connections;
    const socket = this.#socket;
    socket.finish();
    // A peer that never closes its side must not keep the descriptor, not even one that goes on sending.
    const timer = clock.meanwhile(CLOSE_TIME, () => socket.destroy());
    let unread = 0;
    socket.hear({
      octets: ({ length }) => {
        unread += length;
        if (unread > MAX_UNREAD) socket.destroy();
      },
      closed: () => {
        connections.remove(socket);
        clock.cancel(timer);
      },
    });
    connections.linger(socket, this.peer);
  }

  /** @returns whether it was open until now */
  #end(): boolean {
    const wasOpen = this.#open;
    this.#open = false;
    return wasOpen;
  }
}

/** @param socket connected */
export function endpointsOf({ endpoints }: TcpSocket): ControlPath {
  return {
    local: address(endpoints?.local),
    localPort: endpoints?.localPort ?? 0,
    peer: address(endpoints?.peer),
    peerPort: endpoints?.peerPort ?? 0,
  };
}

function address(text: string | undefined): Ipv4 {
  return parseAddress(text?.replace(/^::ffff:/, '') ?? '') ?? 0;
}
