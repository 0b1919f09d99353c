/**
 * A link that dials out: name, addresses, attempts, pauses, giving up. Each attempt is a ClientConnection.
 *
 * Every address of the name is tried before a pause; pauses double with every failure in a row and start small again
 * after the link was up for a while. What a person asks for (dial, hangup) always holds at once. Where netifd decides
 * when there may be a connection it holds and releases the link; failures and pauses are counted on in between.
 */
import { cause as because, type Cause } from '../wire/cause.ts';
import { Approach } from './approach.ts';
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

/** How long the daemon may take to bring the network up, ms. */
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
  readonly #deadlines = new Deadlines<'network' | 'pause'>();
  readonly #outputs: LinkOutputs;
  #options: ClientLinkOptions;
  #state: ClientLinkState = { name: 'down' };
  #cause: Cause | undefined;
  /** That of the attempt of now, or of the last one. */
  #approach: Approach;
  #hasPlace = false;
  /** Nothing is dialled until release(). */
  #held: boolean;
  /** close() was called, or a probe is through: 'done' follows 'down'. */
  #leaving = false;
  #done = false;

  /**
   * @param flags probe: goes as far as addresses with 'step' events, brings no network up, hangs up; then a link-state event
   * 'down', with the cause if it failed, and 'done'. Start it with dial(). held: as after hold().
   */
  constructor(
    options: ClientLinkOptions,
    gateway: Gateway,
    ports: ClientLinkPorts,
    flags: { readonly probe?: boolean; readonly held?: boolean } = {},
  ) {
    this.#options = options;
    this.#gateway = gateway;
    this.#ports = ports;
    this.#probe = flags.probe ?? false;
    this.#held = flags.held ?? false;
    this.#outputs = new LinkOutputs(options.name, this.#probe);
    this.#approach = this.#newApproach();
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

  /** No connection from now on, and no attempt until release(). */
  hold(now: number): void {
    this.#held = true;
    this.#approach.forgetRest();
    if (this.#state.name === 'waiting') this.#park(this.#state.until);
    else if (!isIdle(this.#state) && this.#state.name !== 'stopping')
      this.#stop({ to: 'dial' }, because('INTERFACE_DOWN'), now);
    this.#pump(now);
  }

  /**
   * The link shall be up. It goes on where it was, so a pause is waited out; `fresh`: as dial(). Nothing while it dials or
   * is up.
   */
  release(fresh: boolean, now: number): void {
    const wasHeld = this.#held;
    this.#held = false;
    const state = this.#state;
    if (fresh || state.name === 'down') this.dial(now);
    else if (!wasHeld) return;
    else if (state.name === 'waiting' && state.until > now) this.#pause(state.until, now);
    else if (state.name === 'waiting') {
      this.#begin(now);
      this.#pump(now);
    } else if (state.name === 'blocked') this.#outputs.show('blocked', this.#cause);
  }

  /** Ends the link and leaves it down until dial() or release(). Link state 'stopping', then 'down' within 3 s. */
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
      case 'approaching':
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
    this.#approach.handleResolved(server, answer, now);
    this.#pump(now);
  }

  /** Answer to 'host-route'. */
  handleHostRoute(address: number, failure: Cause | undefined, now: number): void {
    this.#approach.handleHostRoute(address, failure, now);
    this.#pump(now);
  }

  /**
   * Answer to 'connect': TCP is up, going out from our address `local`. After 'disconnect' none may come any more.
   * @param wanted the address of `unnumbered`, which the server is asked for
   */
  handleConnected(local: number, now: number, wanted?: number): void {
    const peer = this.#approach.handleConnected(local);
    if (peer === undefined) return;
    const connection = new ClientConnection(
      this.#options,
      this.#gateway,
      {
        openPath: (to, own, at) => this.#ports.paths.open(this, to, own, at),
        disturbed: (at) => {
          this.#pump(at);
          this.#ports.touched?.(this);
        },
      },
      { peer, local, wanted },
      now,
    );
    this.#state = { name: 'connected', connection };
    this.#pump(now);
  }

  /** Answer to 'connect': there is no TCP connection. */
  handleConnectFailed(cause: Cause, now: number): void {
    this.#approach.handleConnectFailed(cause, now);
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
    return earliest(
      this.#deadlines.next(),
      this.#approach.nextTimeout(),
      this.#connection()?.nextTimeout(),
    );
  }

  handleTimeout(now: number): void {
    for (let due = this.#deadlines.due(now); due !== undefined; due = this.#deadlines.due(now)) {
      switch (due) {
        case 'network':
          this.#connection()?.end(because('DEVICE_FAILED', 'no answer'), now);
          break;
        case 'pause':
          this.#begin(now);
          break;
      }
    }
    this.#approach.handleTimeout(now);
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
      retryAt: this.#state.name === 'waiting' && !this.#held ? this.#state.until : undefined,
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
    if (this.#held) {
      this.#park(now);
      return;
    }
    if (!this.#takePlace()) {
      this.#fail(because('TOO_MANY_SESSIONS', 'all servers and links together'), now);
      return;
    }
    this.#approach = this.#newApproach();
    this.#state = { name: 'approaching' };
    this.#outputs.show('connecting', undefined);
    this.#approach.start(now);
  }

  #newApproach(): Approach {
    return new Approach(this.#options, this.#probe, this.#outputs, (cause, now) =>
      this.#fail(cause, now),
    );
  }

  /** The connection has begun to end by itself. */
  #handleClosing(cause: Cause, connection: ClientConnection, now: number): void {
    const state = this.#state;
    if (state.name === 'stopping') return;
    this.#deadlines.clear('network');
    if (state.name === 'up') {
      this.#redial.wasUp(now - state.since);
      this.#approach.forgetRest();
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
    this.#state = { name: 'approaching' };
    this.#approach.next(cause, now);
  }

  #fail(cause: Cause, now: number): void {
    this.#cause = cause;
    this.#deadlines.clearAll();
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
    const until = now + this.#redial.pause(this.#options, this.#gateway.random);
    if (this.#held) this.#park(until);
    else this.#pause(until, now);
  }

  #pause(until: number, now: number): void {
    this.#state = { name: 'waiting', until };
    this.#deadlines.set('pause', until);
    this.#outputs.show('waiting', this.#cause, Math.max(0, until - now));
  }

  /** Down, and not to be dialled before `until`. */
  #park(until: number): void {
    this.#deadlines.clearAll();
    this.#leavePlace();
    this.#state = { name: 'waiting', until };
    this.#outputs.show('down', this.#cause);
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
    this.#approach.abort();
    if (then.to === 'dial') this.#begin(now);
    else this.#down(then.cause);
  }

  #down(cause: Cause | undefined): void {
    this.#deadlines.clearAll();
    this.#leavePlace();
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
