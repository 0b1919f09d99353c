/** Answers Prometheus over HTTP, on the addresses that the configuration names and to those that it lets ask. */
import { errorText } from '../../platform/errors.ts';
import { clock, sockets } from '../../platform/platform.ts';
import type { Listener, TcpSocket } from '../../platform/sockets.ts';
import { formatAddress, parseAddress, prefixContains } from '../../wire/ip.ts';
import type { Endpoint, MetricsOptions } from '../configuration/metrics.ts';
import type { Faults } from '../engine/faults.ts';
import { httpAnswer, HttpRequest, type HttpStatus } from './http-request.ts';

/** Connections at a time; Prometheus has one. More are told to come later. */
const MOST = 8;
/** From the connection to its end, ms. */
const PATIENCE = 5_000;
/** Who asks again within this gets the same, ms. */
const FRESH = 500;
const BACKLOG = 16;
const LOOPBACK = { address: 0x7f000000, length: 8 };

export interface MetricsListenerPorts {
  readonly faults: Faults;
  readonly warn: (text: string) => void;
  readonly count: (counter: string) => void;
  readonly text: (perSession: boolean) => string;
}

export class MetricsListener {
  readonly #ports: MetricsListenerPorts;
  readonly #listeners = new Map<string, Listener>();
  readonly #open = new Set<TcpSocket>();
  #options: MetricsOptions = { endpoints: [], from: [], perSession: false };
  #text = '';
  #madeAt = -Infinity;

  constructor(ports: MetricsListenerPorts) {
    this.#ports = ports;
  }

  /** What cannot be listened on is told, and nothing else happens. */
  async configure(options: MetricsOptions): Promise<void> {
    this.#options = options;
    this.#madeAt = -Infinity;
    const wanted = new Map(options.endpoints.map((each) => [nameOf(each), each]));
    for (const [name, listener] of this.#listeners)
      if (!wanted.has(name)) {
        listener.close();
        this.#listeners.delete(name);
      }
    for (const [name, endpoint] of wanted)
      if (!this.#listeners.has(name)) await this.#listen(name, endpoint);
  }

  close(): void {
    for (const listener of this.#listeners.values()) listener.close();
    for (const socket of this.#open) socket.destroy();
    this.#listeners.clear();
  }

  async #listen(name: string, { address, port }: Endpoint): Promise<void> {
    const { faults, warn } = this.#ports;
    try {
      const listener = await sockets.listen(
        { address: formatAddress(address), port, backlog: BACKLOG },
        {
          accept: (socket) =>
            faults.contain(
              'metrics',
              () => this.#accept(socket),
              () => socket.destroy(),
            ),
          failed: (error) => warn(`metrics on ${name}: ${errorText(error)}`),
        },
      );
      this.#listeners.set(name, listener);
    } catch (error) {
      warn(`metrics cannot be had on ${name}: ${errorText(error)}`);
    }
  }

  #accept(socket: TcpSocket): void {
    const { faults } = this.#ports;
    const timer = clock.meanwhile(PATIENCE, () => socket.destroy());
    const request = new HttpRequest();
    let isAnswered = false;
    const answer = (status: HttpStatus) => {
      isAnswered = true;
      if (status !== 200) this.#ports.count(`metrics: HTTP ${status}`);
      socket.write(httpAnswer(status, status === 200 ? this.#current() : ''));
      socket.finish();
    };
    this.#open.add(socket);
    socket.hear({
      octets: (octets) => {
        if (isAnswered) return; // what follows the request
        faults.contain(
          'metrics',
          () => {
            const status = request.handleOctets(octets);
            if (status !== undefined) answer(status);
          },
          () => socket.destroy(),
        );
      },
      closed: () => {
        clock.cancel(timer);
        this.#open.delete(socket);
      },
    });
    if (this.#open.size > MOST) answer(503);
    else if (!this.#allows(socket)) answer(403);
  }

  /** This machine itself, always. */
  #allows({ endpoints }: TcpSocket): boolean {
    const peer = parseAddress(endpoints?.peer ?? '');
    if (peer === undefined) return false;
    if (endpoints?.peer === endpoints?.local || prefixContains(LOOPBACK, peer)) return true;
    return this.#options.from.some((prefix) => prefixContains(prefix, peer));
  }

  #current(): string {
    const now = clock.monotonic();
    if (now - this.#madeAt >= FRESH) {
      this.#text = this.#ports.text(this.#options.perSession);
      this.#madeAt = now;
    }
    return this.#text;
  }
}

function nameOf({ address, port }: Endpoint): string {
  return `${formatAddress(address)}:${port}`;
}
