/** A client of RADIUS servers, and servers in memory, on a virtual clock. */
import assert from 'node:assert/strict';
import { RadiusClient } from '../../src/radius/client.ts';
import type {
  RadiusCounter,
  RadiusRequest,
  RadiusServerOptions,
} from '../../src/radius/client-options.ts';
import type { RadiusClientOutput, SocketId } from '../../src/radius/client-output.ts';
import { attributeCipher } from '../../src/radius/hiding.ts';
import { sealAnswer } from '../../src/radius/sealing.ts';
import { SharedSecret } from '../../src/radius/shared-secret.ts';
import { describeCause } from '../../src/wire/cause.ts';
import { decodeRadiusPacket, RadiusCode, type RadiusPacket } from '../../src/wire/radius.ts';
import type { RadiusAttribute } from '../../src/wire/radius-attributes.ts';
import { textOf } from '../../src/wire/text.ts';
import { VirtualClock } from '../support/clock.ts';
import { ok } from '../wire/sample.ts';

/** One way; ms. */
const WAY = 5;

/** What a server in memory has been asked. */
export interface Asked {
  readonly server: string;
  readonly socket: SocketId;
  /** With which it was asked. */
  readonly secret: string;
  readonly at: number;
  readonly octets: Uint8Array;
  readonly packet: RadiusPacket;
}

export interface Request extends RadiusRequest {
  readonly name: string;
}

/** Octets to send back, at once; undefined: silence. */
type Answer = (asked: Asked) => Uint8Array | undefined;

export function server(
  name: string,
  changes: Partial<RadiusServerOptions> = {},
): RadiusServerOptions {
  return {
    name,
    transport: 'udp',
    endpoint: `192.0.2.1 ${name}`,
    secret: new SharedSecret('testing123'),
    priority: 0,
    weight: 1,
    timeout: 1000,
    tries: 3,
    deadTime: 60_000,
    messageAuthenticator: 'auto',
    window: 4096,
    ...changes,
  };
}

export function login(name: string, changes: Partial<RadiusRequest> = {}): Request {
  return {
    name,
    code: RadiusCode.AccessRequest,
    attributes: [{ name: 'User-Name', value: textOf(name) }],
    ...changes,
  };
}

const answerCode: Readonly<Record<number, number>> = {
  [RadiusCode.AccessRequest]: RadiusCode.AccessAccept,
  [RadiusCode.AccountingRequest]: RadiusCode.AccountingResponse,
  [RadiusCode.StatusServer]: RadiusCode.AccessAccept,
};

/** A right answer, which repeats the User-Name. */
export function accept(
  { packet }: Asked,
  {
    secret = 'testing123',
    code = answerCode[packet.code]!,
    attributes = packet.attributes.filter(({ name }) => name === 'User-Name'),
  }: { secret?: string; code?: number; attributes?: readonly RadiusAttribute[] } = {},
): Uint8Array {
  const { identifier, authenticator } = packet;
  const answer = { code, identifier, attributes };
  return sealAnswer(answer, authenticator, new SharedSecret(secret), octetsOf(0));
}

function octetsOf(first: number): (length: number) => Uint8Array {
  let state = first;
  return (length) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state >>> 16;
    });
}

export class Network {
  readonly clock = new VirtualClock();
  readonly client: RadiusClient<Request>;
  readonly counts = new Map<RadiusCounter, number>();
  readonly asked: Asked[] = [];
  readonly outputs: Exclude<RadiusClientOutput<Request>, { kind: 'send' }>[] = [];
  readonly sockets = new Map<SocketId, RadiusServerOptions>();
  /** How each server answers; those that are not here are silent. */
  readonly answers = new Map<string, Answer>();
  /** Streams of these servers do not come up. */
  readonly refusing = new Set<string>();
  maxSockets = 0;

  constructor(...servers: RadiusServerOptions[]) {
    this.client = new RadiusClient(
      {
        random: octetsOf(1),
        count: (what) => this.counts.set(what, this.count(what) + 1),
        identity: () => [{ name: 'NAS-Identifier', value: textOf('router') }],
      },
      servers,
      this.clock.now,
    );
    for (const { name } of servers) this.answers.set(name, accept);
  }

  count(what: RadiusCounter): number {
    return this.counts.get(what) ?? 0;
  }

  request(...requests: Request[]): void {
    for (const request of requests) this.client.handleRequest(request, this.clock.now);
    this.drain();
  }

  advance(duration: number): void {
    this.clock.advance(duration, [this.client], () => this.drain());
  }

  /** Octets come to the client over a socket, from whom it is told there. */
  deliver(socket: SocketId, octets: Uint8Array): void {
    if (this.sockets.has(socket)) this.client.handleOctets(socket, octets, this.clock.now);
    this.drain();
  }

  /** Names of the requests that were answered, in order. */
  answered(): string[] {
    return this.outputs.flatMap((output) =>
      output.kind === 'answered' ? [output.request.name] : [],
    );
  }

  /** What has become of requests, in order. */
  outcomes(): string[] {
    return this.outputs.flatMap((output) =>
      output.kind === 'answered'
        ? [`${output.request.name}: ${output.server} ${output.answer.code}`]
        : output.kind === 'failed'
          ? [`${output.request.name}: ${output.cause.code} ${output.cause.detail ?? ''}`.trim()]
          : [],
    );
  }

  drain(): void {
    for (let output; (output = this.client.poll()) !== undefined;) {
      if (output.kind === 'send') this.#send(output.socket, output.octets);
      else {
        this.outputs.push(output);
        if (output.kind === 'open') this.#open(output.socket, output.server);
        else if (output.kind === 'close') assert.ok(this.sockets.delete(output.socket));
        else if (output.kind === 'failed') assert.notEqual(describeCause(output.cause), '');
      }
    }
  }

  #open(socket: SocketId, options: RadiusServerOptions): void {
    assert.ok(!this.sockets.has(socket));
    this.sockets.set(socket, options);
    this.maxSockets = Math.max(this.maxSockets, this.sockets.size);
    this.clock.after(options.transport === 'udp' ? 0 : 2 * WAY, () => {
      if (!this.sockets.has(socket)) return;
      if (this.refusing.has(options.name)) this.breakOff(socket, 'ECONNREFUSED');
      else this.client.handleOpened(socket, this.clock.now);
    });
  }

  /** The other end closes, or the system does. */
  breakOff(socket: SocketId, detail: string): void {
    this.sockets.delete(socket);
    this.client.handleClosed(socket, detail, this.clock.now);
  }

  #send(socket: SocketId, octets: Uint8Array): void {
    const options = this.sockets.get(socket);
    assert.ok(options !== undefined, 'sent to a socket that is not open');
    this.clock.after(WAY, () => {
      const authenticator = octets.slice(4, 20);
      const { secret } = options;
      const cipher = attributeCipher(secret, authenticator, octetsOf(0));
      const packet = ok(decodeRadiusPacket(octets, cipher));
      const text = new TextDecoder().decode(secret.octets);
      const asked = {
        server: options.name,
        socket,
        secret: text,
        at: this.clock.now,
        octets,
        packet,
      };
      this.asked.push(asked);
      const answer = this.answers.get(options.name)?.(asked);
      if (answer !== undefined) this.clock.after(WAY, () => this.deliver(socket, answer));
    });
  }
}
