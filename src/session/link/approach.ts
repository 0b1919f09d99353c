/**
 * The way of an attempt from the name of the server to TCP: every address of the name, and for each the route to it and
 * the connection. What is asked of the daemon is put into the link's outputs.
 */
import { cause as because, type Cause } from '../../wire/cause.ts';
import { formatAddress, parseAddress } from '../../wire/ip.ts';
import { Deadlines } from '../deadlines.ts';
import type { LinkOutputs } from './link-outputs.ts';
import type { ClientLinkOptions } from '../options.ts';

/** Addresses of a name that are tried. */
const MAX_ADDRESSES = 8;
/** How long the daemon may take to answer an output, ms; TCP: five SYNs. */
const RESOLVE_TIME = 30_000;
const HOST_ROUTE_TIME = 30_000;
const CONNECT_TIME = 20_000;

type State =
  | { readonly name: 'resolving' }
  | { readonly name: 'host-route'; readonly address: number }
  /** The way is there; nobody wants to go it yet. */
  | { readonly name: 'ready'; readonly address: number }
  | { readonly name: 'connecting'; readonly address: number }
  /** Connected, given up, or not begun. */
  | { readonly name: 'over' };

export class Approach {
  readonly #options: ClientLinkOptions;
  /** A probe leaves the routes as they are. */
  readonly #hostRoute: boolean;
  readonly #outputs: LinkOutputs;
  readonly #deadlines = new Deadlines<'resolve' | 'host-route' | 'connect'>();
  /** Told, once, that the way to the server is there, instead of going it; undefined: it is gone at once. */
  #ready: ((address: number, now: number) => void) | undefined;
  /** What failed the attempt, the addresses that are left included. */
  readonly #failed: (cause: Cause, now: number) => void;
  #state: State = { name: 'over' };
  /** Addresses not tried yet. */
  #rest: number[] = [];

  /**
   * @param failed no address is left to try; called at most once for each start() or next()
   * @param ready wait for proceed() before the first connection
   */
  constructor(
    options: ClientLinkOptions,
    probe: boolean,
    outputs: LinkOutputs,
    failed: (cause: Cause, now: number) => void,
    ready?: (address: number, now: number) => void,
  ) {
    this.#options = options;
    this.#hostRoute = options.hostRoute && !probe;
    this.#outputs = outputs;
    this.#failed = failed;
    this.#ready = ready;
  }

  start(now: number): void {
    const { server } = this.#options;
    const address = parseAddress(server);
    if (address !== undefined) {
      this.#try([address], now);
    } else {
      this.#state = { name: 'resolving' };
      this.#deadlines.set('resolve', now + RESOLVE_TIME);
      this.#outputs.push({ kind: 'resolve', server });
    }
  }

  /** Somebody wants the connection now. */
  proceed(now: number): void {
    this.#ready = undefined;
    if (this.#state.name === 'ready') this.#connect(this.#state.address, now);
  }

  /** The way to this address is there from before: proceed() goes it. */
  wait(address: number): void {
    this.#state = { name: 'ready', address };
  }

  /** The address of now does not do; perhaps another one of the same name does. */
  next(cause: Cause, now: number): void {
    this.#deadlines.clearAll();
    const address = this.#rest.shift();
    if (address === undefined) {
      this.#state = { name: 'over' };
      this.#failed(cause, now);
    } else this.#reach(address, now);
  }

  /** The server was reached: what goes wrong now would go wrong at its other addresses, too. */
  forgetRest(): void {
    this.#rest = [];
  }

  /** Gives up. */
  abort(): void {
    if (this.#state.name === 'connecting') this.#outputs.push({ kind: 'disconnect' });
    this.#state = { name: 'over' };
    this.#deadlines.clearAll();
  }

  handleResolved(server: string, answer: readonly number[] | Cause, now: number): void {
    if (this.#state.name !== 'resolving' || server !== this.#options.server) return;
    if ('code' in answer) this.next(answer, now);
    else if (answer.length === 0) this.next(because('RESOLVE_FAILED', 'no IPv4 address'), now);
    else this.#try(answer, now);
  }

  handleHostRoute(address: number, failure: Cause | undefined, now: number): void {
    if (this.#state.name !== 'host-route' || this.#state.address !== address) return;
    if (failure === undefined) this.#connect(address, now);
    else this.next(failure, now);
  }

  /** @returns the peer's address, or undefined when nobody waits for a connection */
  handleConnected(local: number): number | undefined {
    if (this.#state.name !== 'connecting') return undefined;
    const { address } = this.#state;
    this.#outputs.step('tcp', `${formatAddress(local)} to ${formatAddress(address)}`);
    this.#deadlines.clear('connect');
    this.#state = { name: 'over' };
    return address;
  }

  handleConnectFailed(cause: Cause, now: number): void {
    if (this.#state.name === 'connecting') this.next(cause, now);
  }

  nextTimeout(): number | undefined {
    return this.#deadlines.next();
  }

  handleTimeout(now: number): void {
    for (let due = this.#deadlines.due(now); due !== undefined; due = this.#deadlines.due(now)) {
      switch (due) {
        case 'resolve':
          this.next(because('RESOLVE_FAILED', 'no answer'), now);
          break;
        case 'host-route':
          this.next(because('NO_ROUTE', 'the route to the server was not set'), now);
          break;
        case 'connect':
          this.#outputs.push({ kind: 'disconnect' });
          this.next(because('CONNECT_TIMEOUT'), now);
          break;
      }
    }
  }

  #try([first, ...rest]: readonly number[], now: number): void {
    this.#deadlines.clear('resolve');
    const addresses = [...new Set([first!, ...rest])].slice(0, MAX_ADDRESSES);
    this.#outputs.step('name', addresses.map(formatAddress).join(', '));
    this.#rest = addresses.slice(1);
    this.#reach(first!, now);
  }

  #reach(address: number, now: number): void {
    if (!this.#hostRoute) {
      this.#connect(address, now);
      return;
    }
    const { bindDevice } = this.#options;
    this.#state = { name: 'host-route', address };
    this.#deadlines.set('host-route', now + HOST_ROUTE_TIME);
    this.#outputs.push({ kind: 'host-route', address, bindDevice });
  }

  #connect(address: number, now: number): void {
    this.#deadlines.clear('host-route');
    const ready = this.#ready;
    if (ready !== undefined) {
      this.#ready = undefined;
      this.#state = { name: 'ready', address };
      ready(address, now);
      return;
    }
    const { port, bindDevice } = this.#options;
    this.#state = { name: 'connecting', address };
    this.#deadlines.set('connect', now + CONNECT_TIME);
    this.#outputs.push({ kind: 'connect', address, port, bindDevice });
  }
}
