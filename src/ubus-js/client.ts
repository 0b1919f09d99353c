/** A program's connection to ubusd, or to any other bus of its kind: kept for ever, or made once. */
import type { Timer } from '../platform/clock.ts';
import { clock, sockets } from '../platform/platform.ts';
import { Channel } from './channel.ts';
import { Endpoint, type EndpointOptions } from './endpoint.ts';
import type { MalformedMessage, Message } from './message.ts';
import { UbusError } from './status.ts';

export interface UbusClientOptions extends EndpointOptions {
  readonly path: string;
  /** `why` is given with 'disconnected', also after each attempt that failed. */
  readonly onState?: (state: 'connected' | 'disconnected', why?: Error) => void;
}

/** Milliseconds between attempts: from, to. */
const BACKOFF = [100, 5_000] as const;
/** A connection that lived so long was a good one: the next attempt comes soon. */
const GOOD = 2_000;
/** For the HELLO of whoever listens. */
const HELLO_TIMEOUT = 5_000;

export class UbusClient extends Endpoint {
  readonly #path: string;
  readonly #onState: NonNullable<UbusClientOptions['onState']>;
  #channel: Channel | undefined;
  #timer: Timer | undefined;
  #backoff: number = BACKOFF[0];
  #since = 0;
  #state: 'stopped' | 'once' | 'started' = 'stopped';

  constructor(options: UbusClientOptions) {
    super(options);
    this.#path = options.path;
    this.#onState = options.onState ?? (() => undefined);
  }

  /**
   * One connection, which is not made again.
   * @param lost it has ended
   * @throws the system's error, or UbusError: nobody serves this path
   */
  static connect(path: string, lost: (why: Error) => void = () => undefined): Promise<UbusClient> {
    return new Promise((resolve, reject) => {
      const client = new UbusClient({
        path,
        onState: (state, why) => {
          if (state === 'connected') resolve(client);
          else {
            reject(why!);
            lost(why!);
          }
        },
      });
      client.#state = 'once';
      client.#open();
    });
  }

  /** Connects, and again after each loss. */
  start(): void {
    if (this.#state !== 'stopped') return;
    this.#state = 'started';
    this.#open();
  }

  close(): void {
    this.#state = 'stopped';
    clock.cancel(this.#timer);
    const channel = this.#channel;
    if (channel === undefined) return;
    const why = new UbusError('CONNECTION_FAILED', 'closed');
    channel.close(why);
    this.#lose(why, channel);
  }

  #open(): void {
    const channel = new Channel(sockets.connectLocal(this.#path), {
      onMessage: (message) => this.#take(message, channel),
      onClose: (why) => this.#lose(why, channel),
    });
    this.#channel = channel;
    this.#timer = clock.after(HELLO_TIMEOUT, () =>
      channel.close(new UbusError('TIMEOUT', `${this.#path}: no HELLO`)),
    );
  }

  #take(message: Message | MalformedMessage, channel: Channel): void {
    if (this.connected) this.receive(message);
    else if ('type' in message && message.type === 'HELLO') {
      clock.cancel(this.#timer);
      this.#since = clock.monotonic();
      this.attach((request) => channel.send(request));
      this.#onState('connected');
    } else channel.close(new UbusError('PARSE_ERROR', `${this.#path}: no HELLO`));
  }

  #lose(why: Error, channel: Channel): void {
    if (channel !== this.#channel) return; // closed by ourselves
    clock.cancel(this.#timer);
    this.#channel = undefined;
    if (this.connected) {
      if (clock.monotonic() - this.#since > GOOD) this.#backoff = BACKOFF[0];
      this.detach();
    }
    if (this.#state === 'started') {
      this.#timer = clock.after(this.#backoff, () => this.#open());
      this.#backoff = Math.min(2 * this.#backoff, BACKOFF[1]);
    }
    this.#onState('disconnected', why);
  }
}
