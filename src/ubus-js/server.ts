/**
 * A bus of one's own, on a unix socket that only its owner can reach. The program that serves it is one of its clients,
 * without a socket between: what it adds and sends is there for everybody who connects.
 */
import { files, sockets } from '../platform/platform.ts';
import type { Listener, Socket } from '../platform/sockets.ts';
import { Broker } from './broker.ts';
import type { Peer } from './bus-objects.ts';
import { Channel } from './channel.ts';
import { Endpoint, type EndpointOptions } from './endpoint.ts';
import { UbusError } from './status.ts';

export interface UbusServerOptions extends EndpointOptions {
  /** Clients may add objects with a path and send events; true by default. */
  readonly publish?: boolean;
  /** Clients at a time; 32 by default. */
  readonly maxClients?: number;
  /** Octets of a client's message; 1 MiB by default. */
  readonly longest?: number;
  /** Outgoing octets that wait for a client that does not read; 8 MiB by default. Then it is disconnected. */
  readonly maxQueued?: number;
}

export class UbusServer extends Endpoint {
  readonly #broker = new Broker();
  readonly #path: string;
  readonly #options: UbusServerOptions;
  #listener: Listener | undefined;
  readonly #channels = new Set<Channel>();

  private constructor(path: string, options: UbusServerOptions) {
    super(options);
    this.#path = path;
    this.#options = options;
    const own: Peer = this.#broker.connect(true, (message) => {
      // Later, as over a socket: nobody's call is answered before it has returned.
      queueMicrotask(() => this.receive(message));
    });
    this.attach((message) => queueMicrotask(() => this.#hand(own, message)));
  }

  /**
   * Makes the folder (0700) where it is missing and the socket (0600); takes the place of a socket that nobody serves.
   * @throws an error that says why: another process serves the path, it is no socket, or the system refuses
   */
  static async listen(path: string, options: UbusServerOptions = {}): Promise<UbusServer> {
    if (await isServed(path)) throw new Error('another process serves it');
    const server = new UbusServer(path, options);
    files.makeFolder(files.folderOf(path));
    removeSocket(path);
    server.#listener = await sockets.listenLocal(path, options.maxClients ?? 32, {
      accept: (socket) => server.#serve(socket),
      failed: () => undefined, // the client is told so by the kernel
    });
    return server;
  }

  close(): void {
    this.#listener?.close();
    this.detach();
    for (const channel of this.#channels) channel.close(new UbusError('CONNECTION_FAILED'));
    files.remove(this.#path);
  }

  /** @returns false: the bus has thrown */
  #hand(peer: Peer, message: Parameters<Broker['receive']>[1]): boolean {
    try {
      this.#broker.receive(peer, message);
      return true;
    } catch (error) {
      this.onError(error);
      return false;
    }
  }

  #serve(socket: Socket): void {
    const { publish = true, longest, maxQueued } = this.#options;
    const channel = new Channel(socket, {
      ...(longest === undefined ? {} : { longest }),
      ...(maxQueued === undefined ? {} : { maxQueued }),
      onMessage: (message) => {
        // Who sends what the bus stumbles over does not go on doing so.
        if (!this.#hand(peer, message)) channel.close(new UbusError('CONNECTION_FAILED'));
      },
      onClose: () => {
        this.#channels.delete(channel);
        this.#broker.disconnect(peer);
      },
    });
    this.#channels.add(channel);
    const peer = this.#broker.connect(publish, (message) => {
      try {
        channel.send(message);
      } catch (error) {
        // Whoever made the message has heard of it, unless it is what a monitor sees of one that just fitted.
        if (!(error instanceof UbusError)) throw error;
      }
    });
  }
}

/** Whether somebody accepts connections there. */
export function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = sockets.connectLocal(path, () => {
      resolve(true);
      socket.destroy();
    });
    socket.hear({ closed: () => resolve(false) });
  });
}

/** A path that was mistyped must not cost a file. */
function removeSocket(path: string): void {
  const kind = files.entry(path)?.kind ?? 'socket';
  if (kind !== 'socket') throw new Error('there is something that is not a socket');
  files.remove(path);
}
