/**
 * The TCP connections of the daemon as the descriptors they are. Each counts until it is closed altogether: one that we
 * have ended lingers until its peer ends it too. Those that linger are the first to go, the oldest first, when a source
 * has many of them or a new connection needs a descriptor.
 */
import type { Socket } from '../../platform/sockets.ts';
import type { Ipv4 } from '../../wire/brand.ts';

/** A peer that has heard our goodbye has no reason to keep more than one or two. */
const LINGERING_OF_SOURCE = 8;

export class Connections {
  /** At the same time. */
  most = Infinity;
  readonly #open = new Set<Socket>();
  /** With their sources, the oldest first. */
  readonly #lingering = new Map<Socket, number>();

  add(socket: Socket): void {
    this.#open.add(socket);
    this.makeRoom();
  }

  /** It is closed. */
  remove(socket: Socket): void {
    this.#open.delete(socket);
    this.#lingering.delete(socket);
  }

  /** We have ended it, its peer has not. */
  linger(socket: Socket, source: Ipv4): void {
    if (!this.#open.has(socket)) return;
    this.#lingering.set(socket, source);
    const others = [...this.#lingering].filter(([, other]) => other === source);
    if (others.length > LINGERING_OF_SOURCE) this.#drop(others[0]![0]);
    this.makeRoom();
  }

  /** @returns false: there are too many, and none lingers any more */
  makeRoom(): boolean {
    while (this.#open.size > this.most) {
      const [oldest] = this.#lingering.keys();
      if (oldest === undefined) return false;
      this.#drop(oldest);
    }
    return true;
  }

  #drop(socket: Socket): void {
    this.remove(socket); // its descriptor is closed at once, its event comes later
    socket.destroy();
  }
}
