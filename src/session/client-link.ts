/**
 * A link that dials out: name, addresses, attempts, pauses, giving up. Each attempt is a ClientConnection.
 *
 * Every address of the name is tried before a pause; pauses double with every failure in a row and start small again
 * after the link was up for a while. What a person asks for (dial, hangup) always holds at once.
 */
import { cause as because, type Cause } from '../wire/cause.ts';
import { formatAddress, parseAddress } from '../wire/ip.ts';
import { ClientConnection, type ConnectionOutput } from './client-connection.ts';
import {
  isIdle,
  type ClientLinkState,
  type ClientLinkStatus,
  type Then,
} from './client-link-state.ts';
import { Deadlines, earliest } from './deadlines.ts';
import type { Gateway } from './gateway.ts';
import type { ClientLinkOptions } from './options.ts';
import { LinkOutputs } from './link-outputs.ts';
import type { CallPaths, LinkOutput } from './ports.ts';
import { Redial } from './redial.ts';
import { sameLink } from './reload.ts';

/** Addresses of a name that are tried. */
const MAX_ADDRESSES = 8;
/** How long the daemon may take to answer an output, ms; TCP: five SYNs. */
const RESOLVE_TIME = 30_000;
const HOST_ROUTE_TIME = 30_000;
const CONNECT_TIME = 20_000;
const NETWORK_TIME = 30_000;

export interface ClientLinkPorts {
  readonly paths: CallPaths;
  /** The link got outputs or another deadline outside its own verbs (it lost a collision, RFC 2637 §3.1.3). */
  readonly touched?: (link: ClientLink) => void;
}

export class ClientLink {
  readonly #gateway: Gateway;
  readonly #ports: ClientLinkPorts;
  readonly #probe: boolean;
  readonly #redial = new Redial();
  readonly #deadlines = new Deadlines<'resolve' | 'host-route' | 'connect' | 'network' | 'pause'>();
  readonly #outputs: LinkOutputs;
  #options: ClientLinkOptions;
  #state: ClientLinkState = { name: 'down' };
  #cause: Cause | undefined;
  /** Addresses not tried yet in this attempt. */
  #rest: number[] = [];
  #hasPlace = false;
  /** close() was called, or a probe is through: 'done' follows 'down'. */
  #leaving = false;
  #done = false;

  /**
   * @param flags probe: goes as far as addresses with 'step' events, brings no network up, hangs up; then a link-state event
   * 'down', with the cause if it failed, and 'done'. Start it with dial().
   */
  constructor(
    options: ClientLinkOptions,
    gateway: Gateway,
    ports: ClientLinkPorts,
    flags: { readonly probe?: boolean } = {},
  ) {
    this.#options = options;
    this.#gateway = gateway;
    this.#ports = ports;
    this.#probe = flags.probe ?? false;
    this.#outputs = new LinkOutputs(options.name, this.#probe);
  }

  get options(): ClientLinkOptions {
    return this.#options;
  }

  /** Somebody wants the link now: the pause is skipped, what blocks it forgotten. Nothing while it dials or is up. */
  dial(now: number): void {
    if (this.#done) return;
    if (isIdle(this.#state)) {
      this.#redial.reset();
      this.#begin(now);
    } else if (this.#state.name === 'stopping' && !this.#leaving) {
      this.#state = { ...this.#state, then: { to: 'dial' } };
    }
    this.#pump(now);
  }

  /** Ends the link and leaves it down until dial(). Link state 'stopping', then 'down' within 3 s. */
  hangup(now: number, cause: Cause = because('USER_REQUEST')): void {
    this.#stop({ to: 'down', cause }, cause, now);
    this.#pump(now);
  }

  /** As hangup, and 'done' when it is down: the link is removed, or the daemon ends. */
  close(cause: Cause, now: number): void {
    this.#leaving = true;
    this.hangup(now, cause);
  }

  /** New options. Dials again when anything but the rules for dialling changed; a link that is down stays down. */
  reconfigure(options: ClientLinkOptions, now: number): void {
    const before = this.#options;
    this.#options = options;
    const freed = this.#state.name === 'blocked' && !this.#redial.givesUp(this.#cause, options);
    if (sameLink(before, options) && !freed) return;
    this.#redial.reset();
    switch (this.#state.name) {
      case 'down':
        break;
      case 'waiting':
      case 'blocked':
        this.#begin(now);
        break;
      case 'resolving':
      case 'host-route':
      case 'connecting':
      case 'connected':
      case 'up':
        this.#stop({ to: 'dial' }, because('CONFIG_CHANGED'), now);
        break;
      case 'stopping':
        if (this.#state.then.to === 'again') this.#state = { ...this.#state, then: { to: 'dial' } };
        break;
    }
    this.#pump(now);
  }

  /** Answer to 'resolve'; `server` as it stood there, so that an overtaken answer is known. */
  handleResolved(server: string, answer: readonly number[] | Cause, now: number): void {
    if (this.#state.name !== 'resolving' || server !== this.#options.server) return;
    if ('code' in answer) this.#fail(answer, now);
    else if (answer.length === 0) this.#fail(because('RESOLVE_FAILED', 'no IPv4 address'), now);
    else this.#tryAddresses(answer, now);
    this.#pump(now);
  }

  /** Answer to 'host-route'. */
  handleHostRoute(address: number, failure: Cause | undefined, now: number): void {
    if (this.#state.name !== 'host-route' || this.#state.address !== address) return;
    if (failure === undefined) this.#connect(address, now);
    else this.#failAddress(failure, now);
    this.#pump(now);
  }

  /**
   * Answer to 'connect': TCP is up, going out from our address `local`. After 'disconnect' none may come any more.
   * @param wanted the address of `unnumbered`, which the server is asked for
   */
  handleConnected(local: number, now: number, wanted?: number): void {
    if (this.#state.name !== 'connecting') return;
    const { address } = this.#state;
    this.#outputs.step('tcp', `${formatAddress(local)} to ${formatAddress(address)}`);
    this.#deadlines.clear('connect');
    const connection = new ClientConnection(
      this.#options,
      this.#gateway,
      {
        openPath: (peer, own, at) => this.#ports.paths.open(this, peer, own, at),
        disturbed: (at) => {
          this.#pump(at);
          this.#ports.touched?.(this);
        },
      },
      { peer: address, local, wanted },
      now,
    );
    this.#state = { name: 'connected', connection };
    this.#pump(now);
  }

  /** Answer to 'connect': there is no TCP connection. */
  handleConnectFailed(cause: Cause, now: number): void {
    if (this.#state.name !== 'connecting') return;
    this.#failAddress(cause, now);
    this.#pump(now);
  }

  handleOctets(octets: Uint8Array, now: number): void {
    this.#connection()?.handleOctets(octets, now);
    this.#pump(now);
  }

  /** The peer closed TCP; `failure` (an errno) if it broke. */
  handleClosed(now: number, failure?: string): void {
    this.#connection()?.handleClosed(now, failure);
    this.#pump(now);
  }

  /** One PPP control frame; slots of earlier calls are ignored. */
  handleFrame(slot: number, frame: Uint8Array, now: number): void {
    this.#connection()?.handleFrame(slot, frame, now);
    this.#pump(now);
  }

  /** GRE of whatever kind came. Needed for acknowledgments alone: they tell that GRE is not blocked. */
  handleTraffic(slot: number, now: number): void {
    this.#connection()?.handleTraffic(slot, now);
    this.#pump(now);
  }

  handleDesynchronized(slot: number, now: number): void {
    this.#connection()?.handleDesynchronized(slot, now);
    this.#pump(now);
  }

  /** Answer to 'network-up': the link is up, or ends with this cause (DEVICE_FAILED). */
  handleNetworkUp(failure: Cause | undefined, now: number): void {
    const state = this.#state;
    if (state.name !== 'connected' && state.name !== 'up') return;
    this.#deadlines.clear('network');
    if (failure !== undefined) state.connection.end(failure, now);
    else if (state.name === 'connected') this.#up(state.connection, now);
    this.#pump(now);
  }

  nextTimeout(): number | undefined {
    return earliest(this.#deadlines.next(), this.#connection()?.nextTimeout());
  }

  handleTimeout(now: number): void {
    for (let due = this.#deadlines.due(now); due !== undefined; due = this.#deadlines.due(now)) {
      switch (due) {
        case 'resolve':
          this.#fail(because('RESOLVE_FAILED', 'no answer'), now);
          break;
        case 'host-route':
          this.#failAddress(because('NO_ROUTE', 'the route to the server was not set'), now);
          break;
        case 'connect':
          this.#outputs.push({ kind: 'disconnect' });
          this.#failAddress(because('CONNECT_TIMEOUT'), now);
          break;
        case 'network':
          this.#connection()?.end(because('DEVICE_FAILED', 'no answer'), now);
          break;
        case 'pause':
          this.#begin(now);
          break;
      }
    }
    const next = this.#connection()?.nextTimeout();
    if (next !== undefined && next <= now) this.#connection()?.handleTimeout(now);
    this.#pump(now);
  }

  /** Carry out each output before polling the next: a call path is freed in between. */
  poll(): LinkOutput | undefined {
    return this.#outputs.poll();
  }

  status(): ClientLinkStatus {
    return {
      state: this.#outputs.state,
      cause: this.#cause,
      retryAt: this.#state.name === 'waiting' ? this.#state.until : undefined,
      session: this.#connection()?.status(),
    };
  }

  #connection(): ClientConnection | undefined {
    return 'connection' in this.#state ? this.#state.connection : undefined;
  }

  #pump(now: number): void {
    for (;;) {
      const connection = this.#connection();
      const output = connection?.poll();
      if (connection === undefined || output === undefined) return;
      this.#act(output, connection, now);
    }
  }

  #act(output: ConnectionOutput, connection: ClientConnection, now: number): void {
    switch (output.kind) {
      case 'write':
        this.#outputs.push(output);
        break;
      case 'step':
        this.#outputs.step(output.step, output.detail);
        break;
      case 'network-up':
        if (this.#probe) this.#stop({ to: 'down', cause: undefined }, because('USER_REQUEST'), now);
        else {
          this.#outputs.push(output);
          this.#deadlines.set('network', now + NETWORK_TIME);
        }
        break;
      case 'network-down':
        this.#deadlines.clear('network');
        if (!this.#probe) this.#outputs.push(output);
        break;
      case 'ended':
        this.#outputs.event({ what: 'session-down', session: output.session, cause: output.cause });
        break;
      case 'counted':
        this.#outputs.event({ what: 'counted', counter: output.counter });
        break;
      case 'release':
        this.#outputs.release(output.path);
        break;
      case 'closing':
        this.#handleClosing(output.cause, connection, now);
        break;
      case 'closed':
        this.#handleConnectionClosed(output.cause, connection, now);
        break;
    }
  }

  #up(connection: ClientConnection, now: number): void {
    const session = connection.establish(now);
    if (session === undefined) return;
    this.#state = { name: 'up', connection, since: now };
    this.#cause = undefined;
    this.#outputs.event({ what: 'session-up', session });
    this.#outputs.show('up', undefined);
  }

  #begin(now: number): void {
    this.#deadlines.clearAll();
    if (!this.#takePlace()) {
      this.#fail(because('TOO_MANY_SESSIONS', 'all servers and links together'), now);
      return;
    }
    const { server } = this.#options;
    this.#state = { name: 'resolving' };
    this.#outputs.show('connecting', undefined);
    const address = parseAddress(server);
    if (address !== undefined) {
      this.#tryAddresses([address], now);
    } else {
      this.#deadlines.set('resolve', now + RESOLVE_TIME);
      this.#outputs.push({ kind: 'resolve', server });
    }
  }

  #tryAddresses(addresses: readonly number[], now: number): void {
    this.#deadlines.clear('resolve');
    this.#rest = [...new Set(addresses)].slice(0, MAX_ADDRESSES);
    this.#outputs.step('name', this.#rest.map(formatAddress).join(', '));
    this.#tryNextAddress(now);
  }

  #tryNextAddress(now: number): void {
    const address = this.#rest.shift();
    if (address === undefined) throw new Error('no address is left to try');
    // A probe leaves the routes as they are.
    if (!this.#options.hostRoute || this.#probe) {
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
    const { port, bindDevice } = this.#options;
    this.#state = { name: 'connecting', address };
    this.#deadlines.set('connect', now + CONNECT_TIME);
    this.#outputs.push({ kind: 'connect', address, port, bindDevice });
  }

  /** The connection has begun to end by itself. */
  #handleClosing(cause: Cause, connection: ClientConnection, now: number): void {
    const state = this.#state;
    if (state.name === 'stopping') return;
    this.#deadlines.clear('network');
    if (state.name === 'up') {
      this.#redial.wasUp(now - state.since);
      this.#rest = [];
    }
    this.#cause = cause;
    this.#state = { name: 'stopping', connection, then: { to: 'again', cause } };
    if (state.name === 'up') this.#outputs.show('stopping', cause);
  }

  #handleConnectionClosed(cause: Cause, connection: ClientConnection, now: number): void {
    this.#handleClosing(cause, connection, now);
    this.#outputs.push({ kind: 'disconnect' });
    const then =
      this.#state.name === 'stopping' ? this.#state.then : { to: 'again' as const, cause };
    switch (then.to) {
      case 'down':
        this.#down(then.cause);
        break;
      case 'dial':
        this.#begin(now);
        break;
      case 'again':
        if (connection.reachedPpp) this.#fail(then.cause, now);
        else this.#failAddress(then.cause, now);
        break;
    }
  }

  /** This address does not do; perhaps another one of the same name does. */
  #failAddress(cause: Cause, now: number): void {
    this.#cause = cause;
    if (this.#rest.length > 0) {
      this.#deadlines.clearAll();
      this.#tryNextAddress(now);
    } else this.#fail(cause, now);
  }

  #fail(cause: Cause, now: number): void {
    this.#cause = cause;
    this.#deadlines.clearAll();
    this.#rest = [];
    if (this.#leaving || this.#probe) {
      this.#down(cause);
      return;
    }
    this.#leavePlace();
    this.#redial.failed(cause);
    if (this.#redial.givesUp(cause, this.#options)) {
      this.#state = { name: 'blocked' };
      this.#outputs.show('blocked', cause);
      return;
    }
    const pause = this.#redial.pause(this.#options, this.#gateway.random);
    this.#state = { name: 'waiting', until: now + pause };
    this.#deadlines.set('pause', now + pause);
    this.#outputs.show('waiting', cause, pause);
  }

  /** Ends what is under way, for good or to begin anew. */
  #stop(then: Then, cause: Cause, now: number): void {
    const state = this.#state;
    this.#deadlines.clearAll();
    if ('connection' in state) {
      this.#cause = cause;
      this.#state = { name: 'stopping', connection: state.connection, then };
      this.#outputs.show('stopping', then.to === 'down' ? then.cause : cause);
      state.connection.end(cause, now);
      return;
    }
    if (state.name === 'connecting') this.#outputs.push({ kind: 'disconnect' });
    if (then.to === 'dial') this.#begin(now);
    else this.#down(then.cause);
  }

  #down(cause: Cause | undefined): void {
    this.#deadlines.clearAll();
    this.#leavePlace();
    this.#rest = [];
    this.#state = { name: 'down' };
    this.#cause = cause;
    this.#outputs.show('down', cause);
    if ((!this.#leaving && !this.#probe) || this.#done) return;
    this.#done = true;
    this.#outputs.push({ kind: 'done' });
  }

  #takePlace(): boolean {
    this.#hasPlace ||= this.#gateway.enterLink();
    return this.#hasPlace;
  }

  #leavePlace(): void {
    if (this.#hasPlace) this.#gateway.leaveLink();
    this.#hasPlace = false;
  }
}
