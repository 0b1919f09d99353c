/** Carries out what a client of RADIUS servers asks: its sockets, its timers, its lines in the log. */
import { randomOctets } from '../../native/random.ts';
import { clock } from '../../platform/platform.ts';
import { RadiusClient } from '../../radius/client.ts';
import type { RadiusRequest, RadiusServerOptions } from '../../radius/client-options.ts';
import type {
  RadiusClientOutput,
  RadiusServerStatus,
  SocketId,
} from '../../radius/client-output.ts';
import { cause, describeCause, type Cause } from '../../wire/cause.ts';
import type { RadiusAttribute } from '../../wire/radius-attributes.ts';
import type { DecodedRadiusPacket } from '../../wire/radius.ts';
import type { RadiusOptions, RadiusRole } from '../configuration/radius.ts';
import type { Drive } from '../engine/drive.ts';
import type { Log } from '../reports/log.ts';
import { openServerSocket, type ServerSocket } from './sockets.ts';

export interface ClientPorts {
  readonly drive: Drive;
  readonly log: Pick<Log, 'line'>;
  readonly count: (counter: string) => void;
}

/** What became of a request. */
export type Outcome =
  { readonly server: string; readonly answer: DecodedRadiusPacket } | { readonly cause: Cause };

/** Of one role: logins and accounting go to servers, and over sockets, of their own. */
export class ClientRunner<Request extends RadiusRequest> {
  readonly #role: RadiusRole;
  readonly #ports: ClientPorts;
  readonly #finished: (request: Request, outcome: Outcome) => void;
  readonly #answersAgain: () => void;
  readonly #sockets = new Map<SocketId, ServerSocket>();
  /** Those that have no outcome yet. */
  readonly #asked = new Set<Request>();
  #servers: ReadonlyMap<string, RadiusOptions> = new Map();
  #identity: readonly RadiusAttribute[] = [];
  #client: RadiusClient<Request>;

  /**
   * @param finished exactly once for each request, unless it was abandoned
   * @param answersAgain a server that did not
   */
  constructor(
    role: RadiusRole,
    ports: ClientPorts,
    finished: (request: Request, outcome: Outcome) => void,
    answersAgain: () => void = () => undefined,
  ) {
    this.#role = role;
    this.#ports = ports;
    this.#finished = finished;
    this.#answersAgain = answersAgain;
    this.#client = this.#begin();
  }

  /** @param identity who we are: NAS-Identifier, NAS-IP-Address */
  configure(servers: readonly RadiusOptions[], identity: readonly RadiusAttribute[]): void {
    const ours = servers.filter(({ roles }) => roles.includes(this.#role));
    this.#servers = new Map(ours.map((options) => [options.name, options]));
    this.#identity = identity;
    this.#feed((client, now) => client.configure(ours.map(serverOptions), now));
  }

  ask(request: Request): void {
    this.#asked.add(request);
    this.#feed((client, now) => client.handleRequest(request, now));
  }

  /** Nobody wants the answer any more. */
  abandon(request: Request): void {
    if (this.#asked.delete(request)) this.#feed((client, now) => client.abandon(request, now));
  }

  status(): readonly RadiusServerStatus[] {
    return this.#client.status();
  }

  close(): void {
    this.#feed((client, now) => client.close(cause('SHUTDOWN'), now));
    this.#ports.drive.remove(this.#client);
    this.#closeSockets();
  }

  #begin(): RadiusClient<Request> {
    const { drive, count, log } = this.#ports;
    const about = `RADIUS ${this.#role}`;
    const client = new RadiusClient<Request>(
      {
        random: randomOctets,
        count: (what, server) => count(`radius ${server}: ${what}`),
        identity: () => this.#identity,
      },
      [...this.#servers.values()].map(serverOptions),
      clock.monotonic(),
    );
    drive.add(client, {
      about,
      carryOut: (output) => this.#carryOut(output),
      failed: (why) => {
        // It has thrown: whoever waits is told, and another one takes its place.
        this.#closeSockets();
        this.#client = this.#begin();
        log.line('warning', `${about}: begun anew`);
        for (const request of [...this.#asked]) this.#finish(request, { cause: why });
      },
    });
    return client;
  }

  #feed(tell: (client: RadiusClient<Request>, now: number) => void): void {
    this.#ports.drive.feed(this.#client, tell);
  }

  #carryOut(output: RadiusClientOutput<Request>): void {
    const { log } = this.#ports;
    switch (output.kind) {
      case 'open':
        this.#open(output.socket, output.server.name);
        break;
      case 'send':
        this.#sockets.get(output.socket)?.send(output.octets);
        break;
      case 'close':
        this.#sockets.get(output.socket)?.close();
        this.#sockets.delete(output.socket);
        break;
      case 'answered':
        this.#finish(output.request, output);
        break;
      case 'failed':
        this.#finish(output.request, output);
        break;
      case 'server-dead':
        log.line('warning', `RADIUS server ${output.server}: ${describeCause(output.cause)}`);
        break;
      case 'server-alive':
        log.line('info', `RADIUS server ${output.server} answers again`);
        this.#answersAgain();
        break;
    }
  }

  #open(id: SocketId, name: string): void {
    const options = this.#servers.get(name);
    if (options === undefined) return; // a reload has taken it away; the client is told so
    const client = this.#client;
    const feed = (tell: (client: RadiusClient<Request>, now: number) => void) => {
      if (client === this.#client) this.#feed(tell);
    };
    this.#sockets.set(
      id,
      openServerSocket(options, this.#role, {
        opened: () => feed((each, now) => each.handleOpened(id, now)),
        octets: (octets) => feed((each, now) => each.handleOctets(id, octets, now)),
        trouble: (detail) => feed((each) => each.handleTrouble(id, detail)),
        closed: (detail) => {
          this.#sockets.delete(id);
          feed((each, now) => each.handleClosed(id, detail, now));
        },
      }),
    );
  }

  #finish(request: Request, outcome: Outcome): void {
    if (this.#asked.delete(request)) this.#finished(request, outcome);
  }

  #closeSockets(): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }
}

function serverOptions(options: RadiusOptions): RadiusServerOptions {
  const { name, transport, server, source, secret, priority, weight, timeout, tries, deadTime } =
    options;
  return {
    name,
    transport: transport.kind,
    endpoint: JSON.stringify([server, source, transport]),
    secret,
    priority,
    weight,
    timeout,
    tries,
    deadTime,
    messageAuthenticator: options.messageAuthenticator,
  };
}
