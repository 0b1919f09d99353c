/**
 * A server of a client's group: its sockets, and whether it lives. One that is silent is left in peace for its dead time; meanwhile
 * Status-Server asks it (RFC 5997), and one that has ever answered that must answer it again before it is asked anything else.
 */
import type { RadiusServerOptions } from './client-options.ts';
import type { RadiusServerStatus } from './client-output.ts';
import type { ClientSocket } from './client-socket.ts';

/** Sockets at once. */
export const MAX_SOCKETS = { udp: 16, tls: 4 } as const;
/** An unused socket is closed after this time, ms. */
export const IDLE_TIME = 60_000;
/** Between two Status-Servers to a server that is silent, ms. */
export const PROBE_INTERVAL = 5_000;

/**
 * Requests that may wait for one server at a time, over UDP: to begin with as many as surely fit into the buffer of its socket (Linux
 * counts 1,280 octets for one, has 208 KiB, and gives a quarter of that back late), more as it answers all of them, fewer when one
 * is lost (as RFC 5681 §3.1). Over TLS the transport sees to that.
 */
const WINDOW = {
  first: 96,
  least: 64,
  most: MAX_SOCKETS.udp * 256,
  growth: 2,
  loss: 0.75,
} as const;

type Life =
  | { readonly name: 'unknown' }
  | { readonly name: 'alive' }
  | { readonly name: 'dead'; readonly until: number; readonly probeAt: number };

export class RadiusServer<Exchange> {
  options: RadiusServerOptions;
  readonly sockets: ClientSocket<RadiusServer<Exchange>, Exchange>[] = [];
  #life: Life = { name: 'unknown' };
  /** It has answered Status-Server. */
  #answersStatus = false;
  /** Of the last valid answer, ms. */
  heard: number | undefined;
  roundTrip: number | undefined;
  /** A valid answer has come under the secret in force. */
  isProven = false;
  /** Its last answers do not verify. */
  isDistrusted = false;
  /** An answer to an Access-Request has had a Message-Authenticator. */
  isSigning = false;
  /** What its sockets last met with. */
  trouble: string | undefined;
  /** When its secret was last asked about, ms. */
  secretChecked = -Infinity;
  #window: number;
  /** A loss before this has been answered by a smaller window. */
  #slowedUntil = -Infinity;
  /** No longer in the configuration: it gets no new requests. */
  isRetired = false;

  constructor(options: RadiusServerOptions) {
    this.options = options;
    this.#window = options.window ?? WINDOW.first;
  }

  get isDead(): boolean {
    return this.#life.name === 'dead';
  }

  get waiting(): number {
    return this.sockets.reduce((sum, socket) => sum + socket.waiting, 0);
  }

  /** Another request may be put to it. */
  get hasRoom(): boolean {
    const { sockets, options } = this;
    if (options.transport === 'udp' && this.waiting >= this.#window) return false;
    return sockets.length < MAX_SOCKETS[options.transport] || sockets.some(({ isFull }) => !isFull);
  }

  /** Other options for the same endpoint. What was learned of it under another secret is forgotten. */
  configure(options: RadiusServerOptions): void {
    const before = this.options.secret.octets;
    const { octets } = options.secret;
    const isSame =
      before.length === octets.length && before.every((octet, i) => octet === octets[i]);
    this.options = options;
    if (isSame) return;
    this.isProven = false;
    this.isDistrusted = false;
    this.isSigning = false;
    this.secretChecked = -Infinity;
    // It may have seemed dead for the old secret alone.
    this.#life = { name: 'unknown' };
  }

  /** A request was answered that had been sent once. */
  kept(): void {
    this.#window = Math.min(WINDOW.most, this.#window + WINDOW.growth / this.#window);
  }

  /** One was not answered in time, perhaps because there were too many. */
  lost(now: number): void {
    if (now < this.#slowedUntil) return;
    this.#slowedUntil = now + this.options.timeout;
    this.#window = Math.max(Math.min(WINDOW.least, this.#window), this.#window * WINDOW.loss);
  }

  /** A valid answer has come. @returns whether it was taken for dead */
  live(wasStatus: boolean, now: number): boolean {
    const wasDead = this.isDead;
    this.#life = { name: 'alive' };
    this.#answersStatus ||= wasStatus;
    this.heard = now;
    this.isProven = true;
    this.isDistrusted = false;
    this.trouble = undefined;
    return wasDead;
  }

  /** Nothing valid has come since it was asked. @returns whether it was not taken for dead before */
  die(now: number): boolean {
    if (this.isDead) return false;
    this.#life = {
      name: 'dead',
      until: now + this.options.deadTime,
      probeAt: now + PROBE_INTERVAL,
    };
    return true;
  }

  /** Until when an idle socket stays; a stream's first one until the server closes it. */
  idleUntil(socket: ClientSocket<RadiusServer<Exchange>, Exchange>): number {
    const stays = this.options.transport === 'tls' && socket === this.sockets[0];
    return stays || socket.waiting > 0 ? Infinity : socket.idleSince + IDLE_TIME;
  }

  /** When something is to be done about it, ms; Infinity: never. */
  next(): number {
    let next = Infinity;
    for (const socket of this.sockets) next = Math.min(next, this.idleUntil(socket));
    const life = this.#life;
    if (life.name !== 'dead' || this.isRetired) return next;
    return Math.min(next, life.probeAt, this.#answersStatus ? Infinity : life.until);
  }

  /** Lets the dead time end. @returns whether Status-Server is to be sent */
  handleTimeout(now: number): boolean {
    const life = this.#life;
    if (life.name !== 'dead' || this.isRetired) return false;
    if (now >= life.until && !this.#answersStatus) {
      this.#life = { name: 'unknown' };
      return false;
    }
    if (now < life.probeAt) return false;
    this.#life = { ...life, probeAt: now + PROBE_INTERVAL };
    return true;
  }

  status(): RadiusServerStatus {
    return {
      name: this.options.name,
      state: this.#life.name,
      waiting: this.waiting,
      sockets: this.sockets.length,
      heard: this.heard,
      roundTrip: this.roundTrip,
      isDistrusted: this.isDistrusted,
    };
  }
}
