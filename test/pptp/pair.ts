/** Two control connections, joined by an imaginary TCP connection on a virtual clock. */
import { ControlConnection } from '../../src/pptp/control-connection.ts';
import type { ControlConnectionOptions } from '../../src/pptp/control-options.ts';
import type { ControlOutput } from '../../src/pptp/control-output.ts';
import { isMalformed } from '../../src/wire/codec.ts';
import {
  decodeControlMessage,
  type ControlMessage,
  type ControlMessageName,
} from '../../src/wire/control-message.ts';
import { VirtualClock } from '../support/clock.ts';

export const HANDSHAKE_TIMEOUT = 10_000;
export const CALL_TIMEOUT = 20_000;

export function options(change: Partial<ControlConnectionOptions> = {}): ControlConnectionOptions {
  return {
    initiator: false,
    hostName: 'router',
    vendorName: 'pptp-gateway',
    firmwareRevision: 1,
    maxCalls: 4,
    handshakeTimeout: HANDSHAKE_TIMEOUT,
    callTimeout: CALL_TIMEOUT,
    random: (length) => new Uint8Array(length).fill(0xa5),
    count: () => undefined,
    ...change,
  };
}

/** Everything but 'transmit', and what was counted. */
export type ControlEvent =
  | Exclude<ControlOutput, { kind: 'transmit' }>
  | { readonly kind: 'counted'; readonly what: string };

export function decoded(octets: Uint8Array): ControlMessage {
  const message = decodeControlMessage(octets);
  if (isMalformed(message)) throw new Error(`we sent ${message.error}: ${message.detail}`);
  return message;
}

/** One control connection with what it has put out. */
export class End {
  readonly connection: ControlConnection;
  /** Not yet looked at; take them with `take`. */
  events: ControlEvent[] = [];
  sent: ControlMessage[] = [];
  /** Messages to lose on the way, by name. */
  readonly lost = new Set<ControlMessageName>();
  /** Answers call requests; undefined: nobody does. */
  answer: ((event: Extract<ControlEvent, { kind: 'call-requested' }>) => void) | undefined;
  closed = false;

  constructor(change: Partial<ControlConnectionOptions>) {
    const count = (what: string) => this.events.push({ kind: 'counted', what });
    this.connection = new ControlConnection(options({ count, ...change }));
  }

  /** Empties the output queue; returns the octets that are to go to the peer, one message each. */
  drain(): Uint8Array[] {
    const transmitted: Uint8Array[] = [];
    for (;;) {
      const output = this.connection.poll();
      if (output === undefined) return transmitted;
      if (output.kind === 'transmit') {
        const message = decoded(output.octets);
        this.sent.push(message);
        if (!this.lost.has(message.name)) transmitted.push(output.octets);
      } else {
        this.events.push(output);
        if (output.kind === 'call-requested') this.answer?.(output);
        if (output.kind === 'down') this.closed = true;
      }
    }
  }

  takeEvents(): ControlEvent[] {
    return this.events.splice(0);
  }

  /** Names of the messages sent since the last look. */
  takeSent(): ControlMessageName[] {
    return this.sent.splice(0).map(({ name }) => name);
  }
}

export class Pair {
  readonly clock = new VirtualClock();
  /** Opens TCP. */
  readonly originator: End;
  readonly receiver: End;
  /** ms one way. */
  latency = 10;

  constructor(
    originator: Partial<ControlConnectionOptions> = {},
    receiver: Partial<ControlConnectionOptions> = {},
  ) {
    this.originator = new End({ ...originator, initiator: true });
    this.receiver = new End(receiver);
  }

  get now(): number {
    return this.clock.now;
  }

  open(): this {
    this.receiver.connection.handleOpen(this.now);
    this.originator.connection.handleOpen(this.now);
    return this.advance(0);
  }

  /** Opens both and looks away from the Start exchange. */
  establish(): this {
    this.open().advance(100);
    for (const end of [this.originator, this.receiver]) {
      const [first] = end.takeEvents();
      if (first?.kind !== 'established') throw new Error(`not established: ${first?.kind}`);
      end.takeSent();
    }
    return this;
  }

  advance(duration: number): this {
    const machines = [this.originator.connection, this.receiver.connection];
    this.clock.advance(duration, machines, () => {
      this.#move(this.originator, this.receiver);
      this.#move(this.receiver, this.originator);
    });
    return this;
  }

  #move(from: End, to: End): void {
    const wasClosed = from.closed;
    for (const octets of from.drain())
      this.clock.after(this.latency, () => {
        to.connection.handleOctets(octets, this.now);
      });
    if (from.closed && !wasClosed)
      this.clock.after(this.latency, () => {
        to.connection.handleClosed(this.now);
      });
  }
}
