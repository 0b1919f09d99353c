/** A client of RADIUS servers on real sockets and the real clock, as the daemon has it. */
import { readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { datagrams, sockets } from '../../src/platform/platform.ts';
import { RadiusClient } from '../../src/radius/client.ts';
import type {
  RadiusCounter,
  RadiusRequest,
  RadiusServerOptions,
} from '../../src/radius/client-options.ts';
import type { RadiusClientOutput, SocketId } from '../../src/radius/client-output.ts';
import type { DecodedRadiusPacket } from '../../src/wire/radius.ts';
import { describeCause } from '../../src/wire/cause.ts';
import { textOf } from '../../src/wire/text.ts';

interface Line {
  send(octets: Uint8Array): void;
  close(): void;
}

export class LiveClient {
  readonly counts = new Map<RadiusCounter, number>();
  readonly client: RadiusClient<RadiusRequest>;
  readonly #folder: string | undefined;
  readonly #lines = new Map<SocketId, Line>();
  readonly #waiting = new Map<RadiusRequest, (outcome: DecodedRadiusPacket | string) => void>();
  #timer: NodeJS.Timeout | undefined;

  /** Endpoints are ports of 127.0.0.1. @param folder has certificates for TLS */
  constructor(servers: readonly RadiusServerOptions[], folder?: string) {
    this.#folder = folder;
    this.client = new RadiusClient(
      {
        random: (length) => randomBytes(length),
        count: (what) => this.counts.set(what, (this.counts.get(what) ?? 0) + 1),
        identity: () => [{ name: 'NAS-Identifier', value: textOf('router') }],
      },
      servers,
      performance.now(),
    );
  }

  /** The answer, or the words of the cause. */
  ask(request: RadiusRequest): Promise<DecodedRadiusPacket | string> {
    return new Promise((resolve) => {
      this.#waiting.set(request, resolve);
      this.#feed((now) => this.client.handleRequest(request, now));
    });
  }

  /** All connections are lost. */
  breakOff(): void {
    for (const line of this.#lines.values()) line.close();
  }

  close(): void {
    this.#feed((now) => this.client.close({ code: 'SHUTDOWN' }, now));
    clearTimeout(this.#timer);
  }

  #feed(act: (now: number) => void): void {
    act(performance.now());
    for (let output; (output = this.client.poll()) !== undefined;) this.#carryOut(output);
    clearTimeout(this.#timer);
    const next = this.client.nextTimeout();
    if (next === undefined) return;
    this.#timer = setTimeout(
      () => this.#feed((now) => this.client.handleTimeout(now)),
      Math.max(0, Math.ceil(next - performance.now())),
    );
  }

  #carryOut(output: RadiusClientOutput<RadiusRequest>): void {
    switch (output.kind) {
      case 'open':
        this.#lines.set(output.socket, this.#open(output.socket, output.server));
        return;
      case 'send':
        this.#lines.get(output.socket)!.send(output.octets);
        return;
      case 'close': {
        const line = this.#lines.get(output.socket)!;
        this.#lines.delete(output.socket);
        line.close();
        return;
      }
      case 'answered':
      case 'failed': {
        const resolve = this.#waiting.get(output.request)!;
        this.#waiting.delete(output.request);
        resolve(output.kind === 'answered' ? output.answer : describeCause(output.cause));
        return;
      }
      case 'server-dead':
      case 'server-alive':
    }
  }

  #open(socket: SocketId, { endpoint, transport }: RadiusServerOptions): Line {
    const to = { address: '127.0.0.1', port: Number(endpoint) };
    if (transport === 'tls') return this.#openTls(socket, to);
    return datagrams.connect(to, undefined, {
      datagram: (octets) => this.#feed((now) => this.client.handleOctets(socket, octets, now)),
      failed: ({ message }) => this.client.handleTrouble(socket, message),
      opened: () => this.#feed((now) => this.client.handleOpened(socket, now)),
      closed: ({ message }) => this.#feed((now) => this.client.handleClosed(socket, message, now)),
    });
  }

  #openTls(id: SocketId, to: { address: string; port: number }): Line {
    const read = (name: string) => readFileSync(join(this.#folder!, name), 'utf8');
    const identity = {
      peerName: '127.0.0.1',
      authorities: read('server.pem'),
      own: { certificate: read('gateway.pem'), key: read('gateway.key') },
    };
    const socket = sockets.connectTls({ ...to, identity }, () =>
      this.#feed((now) => this.client.handleOpened(id, now)),
    );
    socket.hear({
      octets: (octets) => this.#feed((now) => this.client.handleOctets(id, octets, now)),
      closed: (error) => {
        if (this.#lines.delete(id))
          this.#feed((now) => this.client.handleClosed(id, error?.message ?? 'closed', now));
      },
    });
    return { send: (octets) => socket.write(octets), close: () => socket.destroy() };
  }
}
