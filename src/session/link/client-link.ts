/* eslint max-lines: ['error', { max: 540, skipBlankLines: true, skipComments: true }] -- one machine */
/**
 * A link that dials out: name, addresses, attempts, pauses, giving up. From TCP on an attempt is a ClientConnection.
 *
 * Every address of the name is tried before a pause; pauses double with every failure in a row and start small again
 * after the link was up for a while. What a person asks for (dial, hangup) always holds at once. Where netifd decides
 * when there may be a connection it holds and releases the link; failures and pauses are counted on in between.
 *
 * With `demand` an attempt stops short of TCP, in state 'demand': the tunnel stands already (standby.ts), and the first packet
 * that goes into it dials. A session without traffic ends, and the link waits for the next packet; after a failure it is
 * down for the pause, as others are.
 */
import type { Ipv4 } from '../../wire/brand.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { formatAddress, parseAddress } from '../../wire/ip.ts';
import { within, type Allowance } from '../allowance.ts';
import { Claims } from '../claims.ts';
import type { Gateway } from '../gateway.ts';
import { IdleWatch } from '../idle-watch.ts';
import type { ClientLinkOptions } from '../options.ts';
import { OutputQueue } from '../output-queue.ts';
import type {
  CallPath,
  CallPaths,
  ClientLinkOutput,
  LinkState,
  SessionEvent,
  Step,
  Tunnel,
} from '../ports.ts';
import {
  ClientConnection,
  type ConnectionOutput,
  type ConnectionPort,
  type SavedConnection,
} from './client-connection.ts';
import {
  deadline,
  isIdle,
  request,
  saveState,
  shown,
  type ClientLinkState,
  type ClientLinkStatus,
  type StateNamed,
  type Then,
} from './client-link-state.ts';
import { Redial } from './redial.ts';
import { Standby } from './standby.ts';
import {
  afterwards,
  begin,
  connect,
  fail,
  missAnswer,
  TUNNEL_TIME,
  tryNext,
  wake,
  type Memory,
} from './transitions.ts';

/** Addresses of a name that are tried. */
const MAX_ADDRESSES = 8;
/** Whoever checks waits for the answer, and a way that works has GRE in milliseconds; ms. */
const PROBE_SILENCE = 10_000;

export interface ClientLinkPorts {
  readonly paths: CallPaths;
  /** Something is done to the link outside its own verbs (it loses a collision, RFC 2637 §3.1.3): see ServerPorts.feed. */
  readonly feed: (link: ClientLink, act: () => void) => void;
}

export type SavedClientLink = NonNullable<ReturnType<ClientLink['save']>>;

export class ClientLink {
  readonly #gateway: Gateway;
  readonly #ports: ClientLinkPorts;
  /** What it has taken from the gateway. */
  readonly #claims = new Claims();
  readonly #outputs = new OutputQueue<ClientLinkOutput>();
  readonly #standby: Standby;
  #state: ClientLinkState = { name: 'down', cause: undefined };
  readonly #memory: { -readonly [K in keyof Memory]: Memory[K] };
  #shown: LinkState = 'down';

  /**
   * @param flags probe: goes as far as addresses with 'step' events, brings no tunnel up, hangs up; then a link-state event
   * 'down', with the cause if it failed, and 'done'. Start it with dial(). held: as after hold().
   */
  constructor(
    options: ClientLinkOptions,
    gateway: Gateway,
    ports: ClientLinkPorts,
    { probe = false, held = false }: { readonly probe?: boolean; readonly held?: boolean } = {},
    redial = new Redial(),
  ) {
    this.#gateway = gateway;
    this.#ports = ports;
    this.#standby = new Standby(gateway, this.#outputs, this.#claims);
    this.#memory = {
      options,
      probe,
      held,
      wanted: false,
      cause: undefined,
      redial,
      random: gateway.random,
      allowance: Infinity,
      takePlace: () =>
        gateway.occupied < gateway.limits.maxSessions
          ? this.#claims.add(gateway.occupy())
          : undefined,
    };
  }

  /** It has thrown and is asked nothing more: what it holds of the gateway is given back. */
  abandon(): void {
    this.#claims.close();
  }

  /**
   * The link in the place of this one, which was abandoned: it waits as after any other failure, unless nobody wanted it up.
   * undefined: it was about to be removed, or is a probe.
   */
  successor(cause: Cause, now: number): ClientLink | undefined {
    if (this.#isLeaving) return undefined;
    const { options, held, redial } = this.#memory;
    const link = new ClientLink(options, this.#gateway, this.#ports, { held }, redial);
    link.#memory.allowance = this.#memory.allowance;
    const state = this.#state;
    const isDown = state.name === 'down' || (state.name === 'stopping' && state.then.to === 'down');
    link.#enter(isDown ? { name: 'down', cause } : fail(link.#memory, cause, now), now);
    return link;
  }

  /**
   * What another link with the same options goes on with; undefined: it is being removed, or is a probe.
   * Not carried: #gateway, #ports, #claims, which are given or made anew; #outputs, of which there are none.
   */
  save() {
    if (this.#isLeaving) return undefined;
    const { held, wanted, cause, redial } = this.#memory;
    return {
      state: saveState(this.#state),
      standby: this.#standby.save(),
      held,
      wanted,
      cause,
      failures: redial.save(),
      shown: this.#shown,
    };
  }

  /** Of one that has just been made. Poll, then feed it. @throws Error its session does not fit the options */
  restore(saved: SavedClientLink, now: number): void {
    const { state, standby, held, wanted, cause, failures } = saved;
    Object.assign(this.#memory, { held, wanted, cause });
    this.#memory.redial.restore(failures);
    this.#shown = saved.shown;
    const stands = state.name === 'up' || state.name === 'demand';
    if (standby !== undefined && stands) this.#standby.restore(standby);
    switch (state.name) {
      case 'up': {
        const place = this.#claims.add(this.#gateway.occupy());
        const connection = this.#newConnection(state.connection.ends, now, state.connection);
        const { path } = connection;
        const { demand } = this.#memory.options;
        const idle =
          state.idle === undefined || path === undefined || demand === 0
            ? undefined
            : {
                watch: new IdleWatch(path, demand).restore(state.idle.watch),
                look: state.idle.look,
              };
        const { since } = state;
        this.#state = { name: 'up', place, connection, since, tunnelBy: undefined, idle };
        break;
      }
      case 'again':
        this.#state = { name: 'down', cause };
        this.#begin(now);
        break;
      case 'down':
      case 'waiting':
      case 'held':
      case 'blocked':
      case 'demand':
        this.#state = state;
    }
  }

  /** Of the session that is up. */
  get up(): { readonly path: CallPath; readonly tunnel: Tunnel } | undefined {
    const { path, upTunnel: tunnel } = this.#connection ?? {};
    return path && tunnel && { path, tunnel };
  }

  get options(): ClientLinkOptions {
    return this.#memory.options;
  }

  /** Somebody wants the link now: the pause is skipped, what blocks it forgotten. Nothing while it dials or is up. */
  dial(now: number): void {
    const { name } = this.#state;
    if (name === 'connected' || name === 'up' || name === 'done') return;
    this.#memory.wanted = true;
    this.#start(now);
    this.#wake(now);
  }

  /** No connection from now on, and no attempt until release(). */
  hold(now: number): void {
    const state = this.#state;
    this.#memory.held = true;
    this.#memory.wanted = false;
    if (state.name === 'waiting') this.#enter({ ...state, name: 'held' }, now);
    else if (state.name !== 'stopping') {
      if (!isIdle(state)) this.#stop({ to: 'dial' }, cause('INTERFACE_DOWN'), now);
    } else if (state.then.to === 'demand') {
      this.#standby.fall();
      this.#dialAfter(state);
    } else if (state.then.to === 'again')
      this.#state = { ...state, then: { ...state.then, rest: [] } };
  }

  /**
   * The link shall be up, or wait for packets. It goes on where it was, so a pause is waited out; `fresh`: no pause. Nothing
   * while it dials or is up.
   */
  release(fresh: boolean, now: number): void {
    const wasHeld = this.#memory.held;
    const state = this.#state;
    this.#memory.held = false;
    if (fresh || state.name === 'down') this.#start(now);
    else if (state.name === 'held' && state.until <= now) this.#begin(now);
    else if (state.name === 'held') this.#enter({ ...state, name: 'waiting' }, now);
    else if (state.name === 'blocked' && wasHeld) this.#enter(state, now);
  }

  /** Ends the link and leaves it down until dial() or release(). Link state 'stopping', then 'down' within 3 s. */
  hangup(now: number, why: Cause = cause('USER_REQUEST')): void {
    this.#stop({ to: this.#isLeaving ? 'done' : 'down', cause: why }, why, now);
  }

  /** As hangup, and 'done' when it is down: the link is removed, or the daemon ends. */
  close(cause: Cause, now: number): void {
    this.#stop({ to: 'done', cause }, cause, now);
  }

  /** New options. Dials again when anything but the rules for dialling changed; a link that is down stays down. */
  reconfigure(options: ClientLinkOptions, now: number): void {
    const state = this.#state;
    const { redial } = this.#memory;
    const isOther = options.keys.session !== this.options.keys.session;
    const isFreed = state.name === 'blocked' && !redial.givesUp(this.#memory.cause, options);
    this.#memory.options = options;
    this.#setRates(now);
    if (!isOther && !isFreed) return;
    redial.reset();
    if (state.name === 'stopping') {
      if (state.then.to !== 'down') this.#dialAfter(state);
      // What stands while it waits for a packet gets the new settings.
    } else if (state.name !== 'down') this.#stop({ to: 'dial' }, cause('CONFIG_CHANGED'), now);
  }

  /** What its quota leaves from now on: with nothing left it ends, and is blocked until there is something again. */
  allow(allowance: Allowance, now: number): void {
    const state = this.#state;
    this.#memory.allowance = allowance;
    this.#setRates(now);
    if (allowance > 0) {
      if (state.name === 'blocked' && state.cause?.code === 'QUOTA_USED_UP') this.#start(now);
      return;
    }
    const why = cause('QUOTA_USED_UP');
    if (state.name === 'connected' || state.name === 'up') {
      this.#closing(why, now);
      state.connection.end(why, now);
      this.#pump(now);
    } else if (state.name !== 'stopping' && !isIdle(state)) {
      this.#giveUp();
      this.#enter(fail(this.#memory, why, now), now);
    }
  }

  /** Answer to 'resolve'; `server` as it stood there, so that an overtaken answer is known. */
  handleResolved(server: string, answer: readonly number[] | Cause, now: number): void {
    const state = this.#state;
    if (state.name !== 'resolving' || server !== this.#memory.options.server) return;
    if ('code' in answer) this.#enter(fail(this.#memory, answer, now), now);
    else this.#resolved(state, answer, now);
  }

  /** Answer to 'host-route'. */
  handleHostRoute(address: Ipv4, failure: Cause | undefined, now: number): void {
    const state = this.#state;
    if (state.name !== 'host-route' || state.address !== address) return;
    const { place, rest } = state;
    if (failure === undefined) this.#enter(connect(place, state, now), now);
    else this.#enter(tryNext(this.#memory, place, rest, failure, now), now);
  }

  /**
   * Answer to 'connect': TCP is up, going out from our address `local`. After 'disconnect' none may come any more.
   * @param wanted the address of `unnumbered`, which the server is asked for
   */
  handleConnected(local: Ipv4, now: number, wanted?: Ipv4): void {
    const state = this.#state;
    if (state.name !== 'connecting') return;
    const { place, address: peer, rest } = state;
    this.#step('tcp', `${formatAddress(local)} to ${formatAddress(peer)}`);
    const silence = this.#memory.probe ? PROBE_SILENCE : undefined;
    const connection = this.#newConnection({ peer, local, wanted, silence }, now);
    this.#enter({ name: 'connected', place, connection, rest, tunnelBy: undefined }, now);
    this.#setRates(now);
    this.#pump(now);
  }

  #newConnection(
    ends: SavedConnection['ends'],
    now: number,
    saved?: SavedConnection,
  ): ClientConnection {
    const port: ConnectionPort = {
      settled: (at) => this.#pump(at),
      openPath: (to, own, at) => this.#ports.paths.open(this, to, own, at),
      reopenPath: (callId) => this.#ports.paths.reopen(this, callId),
      outside: (act, at) =>
        this.#ports.feed(this, () => {
          act();
          this.#pump(at);
        }),
      claims: this.#claims,
    };
    return new ClientConnection(this.#memory.options, this.#gateway, port, ends, now, saved);
  }

  /** Answer to 'connect': there is no TCP connection. */
  handleConnectFailed(cause: Cause, now: number): void {
    const state = this.#state;
    if (state.name !== 'connecting') return;
    this.#enter(tryNext(this.#memory, state.place, state.rest, cause, now), now);
  }

  handleOctets(octets: Uint8Array, now: number): void {
    this.#connection?.handleOctets(octets, now);
    this.#pump(now);
  }

  /** The peer closed TCP; `failure` (an errno) if it broke. */
  handleClosed(now: number, failure?: string): void {
    this.#connection?.handleClosed(now, failure);
    this.#pump(now);
  }

  /** A packet has gone into the device, and there is no session. */
  handlePacket(now: number): void {
    const state = this.#state;
    if (state.name === 'stopping' && state.then.to === 'demand') this.#memory.wanted = true;
    this.#wake(now);
  }

  /** Answer to 'standby'. */
  handleStandby(failure: Cause | undefined, now: number): void {
    const state = this.#state;
    if (failure !== undefined) this.#failTunnel(failure, now);
    else if (state.name === 'standby') {
      const { address, rest } = state;
      this.#enter({ name: 'demand', address, rest }, now);
    }
  }

  /** Answer to 'tunnel-up': the link is up, or ends with this cause (DEVICE_FAILED). */
  handleTunnelUp(failure: Cause | undefined, now: number): void {
    const state = this.#state;
    if (state.name !== 'connected' && state.name !== 'up') return;
    if (failure !== undefined) this.#failTunnel(failure, now);
    else {
      this.#awaitTunnel(undefined);
      if (state.name === 'connected') this.#goUp(state, now);
    }
  }

  /** Somebody has deleted the device. */
  handleDeviceLost(cause: Cause, now: number): void {
    this.#failTunnel(cause, now);
  }

  /** Asks the peer of the session for an answer; echoTime (ms) tells of it. */
  askEcho(now: number): void {
    this.#connection?.askEcho(now);
    this.#pump(now);
  }

  get echoTime(): number | undefined {
    return this.#connection?.echoTime;
  }

  nextTimeout(): number | undefined {
    return deadline(this.#state);
  }

  handleTimeout(now: number): void {
    const state = this.#state;
    if ('connection' in state) {
      if ('tunnelBy' in state && state.tunnelBy !== undefined && now >= state.tunnelBy)
        state.connection.end(cause('DEVICE_FAILED', 'no answer'), now);
      else if (state.name === 'up') this.#checkIdle(state, now);
      const next = state.connection.nextTimeout();
      if (next !== undefined && next <= now) state.connection.handleTimeout(now);
      this.#pump(now);
    } else if ('by' in state && now >= state.by) {
      this.#giveUp();
      this.#enter(missAnswer(this.#memory, state, now), now);
    } else if (state.name === 'waiting' && now >= state.until) this.#begin(now);
  }

  /** Carry out each output before polling the next: a call path is freed in between. */
  poll(): ClientLinkOutput | undefined {
    return this.#outputs.poll();
  }

  status(): ClientLinkStatus {
    return {
      state: this.#shown,
      cause: this.#memory.cause,
      retryAt: this.#state.name === 'waiting' ? this.#state.until : undefined,
      session: this.#connection?.status(),
    };
  }

  #setRates(now: number): void {
    const { allowance, options } = this.#memory;
    this.#connection?.setRates(within(allowance, options.rates), now);
  }

  get #connection(): ClientConnection | undefined {
    return 'connection' in this.#state ? this.#state.connection : undefined;
  }

  /** It is to be removed, now or when it is down. */
  get #isLeaving(): boolean {
    const state = this.#state;
    const isLast = state.name === 'stopping' && state.then.to === 'done';
    return isLast || state.name === 'done' || this.#memory.probe;
  }

  /** The one way into another state: what only the one before needed is given back, and the new one asks for what it needs. */
  #enter(state: ClientLinkState, now: number): void {
    const before = this.#state;
    this.#state = state;
    if ('place' in before && !('place' in state && state.place === before.place)) before.place?.();
    if (isIdle(state) || (state.name === 'stopping' && state.then.to !== 'demand'))
      this.#standby.fall();
    if ('cause' in state) this.#memory.cause = state.cause;
    // What somebody decided does not stand for long; a failure is still worth knowing.
    if (state.name === 'standby' && !this.#memory.redial.hasFailed) this.#memory.cause = undefined;
    if (isIdle(state) && state.name !== 'held') this.#memory.wanted = false;
    // An attempt that failed by itself goes on at the next address.
    if (!(before.name === 'connected' && state.name === 'stopping' && state.then.to === 'again'))
      this.#show(state, now);
    const address = parseAddress(this.options.server);
    const asked = request(state, this.#memory.options);
    if (asked !== undefined) this.#outputs.push(asked);
    if (state.name === 'standby') this.#standby.stand(this.#memory.options, state.address);
    if (state.name === 'resolving' && address !== undefined) this.#resolved(state, [address], now);
  }

  /** No pause is waited out. */
  #start(now: number): void {
    const state = this.#state;
    if (state.name === 'stopping') this.#dialAfter(state);
    else if (isIdle(state) && state.name !== 'done') {
      this.#memory.redial.reset();
      this.#begin(now);
    }
  }

  #dialAfter(state: StateNamed<'stopping'>): void {
    if (state.then.to !== 'done') this.#state = { ...state, then: { to: 'dial' } };
  }

  #begin(now: number): void {
    const place = 'place' in this.#state ? this.#state.place : undefined;
    this.#enter(begin(this.#memory, place, now), now);
  }

  #resolved({ place }: StateNamed<'resolving'>, addresses: readonly Ipv4[], now: number): void {
    const some = [...new Set(addresses)].slice(0, MAX_ADDRESSES);
    if (some.length > 0) this.#step('name', some.map(formatAddress).join(', '));
    const otherwise = cause('RESOLVE_FAILED', 'no IPv4 address');
    this.#enter(tryNext(this.#memory, place, some, otherwise, now), now);
  }

  #wake(now: number): void {
    const next = wake(this.#memory, this.#state, now);
    if (next.name === this.#state.name) this.#state = next;
    else this.#enter(next, now);
  }

  #goUp({ place, connection }: StateNamed<'connected'>, now: number): void {
    const session = connection.establish(now);
    if (session === undefined) return;
    this.#memory.wanted = false;
    this.#memory.cause = undefined;
    this.#event({ what: 'session-up', session });
    const { demand } = this.#memory.options;
    const { path } = connection;
    const watch = demand > 0 && path !== undefined ? new IdleWatch(path, demand) : undefined;
    const idle = watch && { watch, look: watch.next(now) };
    this.#enter({ name: 'up', place, connection, since: now, tunnelBy: undefined, idle }, now);
  }

  #checkIdle(state: StateNamed<'up'>, now: number): void {
    const { idle, connection } = state;
    if (idle === undefined || now < idle.look) return;
    if (!idle.watch.look()) {
      this.#state = { ...state, idle: { ...idle, look: idle.watch.next(now) } };
      return;
    }
    this.#memory.redial.reset();
    this.#stop({ to: 'demand', address: connection.peer }, cause('IDLE_TIMEOUT'), now);
  }

  /** The tunnel without a session, or that of the session, is not to be had. */
  #failTunnel(cause: Cause, now: number): void {
    const state = this.#state;
    if (state.name === 'connected' || state.name === 'up') {
      state.connection.end(cause, now);
      this.#pump(now);
    } else if (state.name === 'stopping') {
      if (state.then.to === 'demand')
        this.#state = { ...state, then: { to: 'again', cause, rest: [] } };
    } else if (!isIdle(state)) {
      this.#giveUp();
      this.#enter(fail(this.#memory, cause, now), now);
    }
  }

  /** Ends what is under way, for good or to begin anew. */
  #stop(then: Exclude<Then, { to: 'again' }>, why: Cause, now: number): void {
    const state = this.#state;
    if (state.name === 'done') return;
    if ('connection' in state) {
      const { place, connection } = state;
      const cause = 'cause' in then ? then.cause : why;
      this.#enter({ name: 'stopping', place, connection, cause, then }, now);
      connection.end(why, now);
      this.#pump(now);
      return;
    }
    this.#giveUp();
    if (then.to === 'dial') this.#begin(now);
    else if (then.to !== 'demand') this.#enter({ name: then.to, cause: then.cause }, now);
  }

  /** The daemon need not connect any more. */
  #giveUp(): void {
    if (this.#state.name === 'connecting') this.#outputs.push({ kind: 'disconnect' });
  }

  #pump(now: number): void {
    for (let output = this.#connection?.poll(); output; output = this.#connection?.poll())
      this.#act(output, now);
  }

  #act(output: ConnectionOutput, now: number): void {
    switch (output.kind) {
      case 'write':
        this.#outputs.push(output);
        break;
      case 'event':
        // The steps of a probe alone are followed.
        if (output.event.what !== 'step' || this.#memory.probe) this.#outputs.push(output);
        break;
      case 'tunnel-up':
        if (this.#memory.probe)
          this.#stop({ to: 'done', cause: undefined }, cause('USER_REQUEST'), now);
        else {
          this.#standby.tunnelUp(output, this.#memory.options);
          this.#awaitTunnel(now + TUNNEL_TIME);
        }
        break;
      case 'tunnel-down':
        this.#awaitTunnel(undefined);
        if (!this.#memory.probe) this.#standby.tunnelDown(output);
        break;
      case 'release':
        this.#outputs.release(output.path);
        break;
      case 'closing':
        this.#closing(output.cause, now);
        break;
      case 'closed':
        this.#closing(output.cause, now);
        this.#outputs.push({ kind: 'disconnect' });
        this.#closed(now);
        break;
    }
  }

  #awaitTunnel(tunnelBy: number | undefined): void {
    const state = this.#state;
    if (state.name === 'connected' || state.name === 'up') this.#state = { ...state, tunnelBy };
  }

  /** The connection has begun to end by itself. */
  #closing(cause: Cause, now: number): void {
    const state = this.#state;
    if (state.name !== 'connected' && state.name !== 'up') return;
    const { place, connection } = state;
    if (state.name === 'up') this.#memory.redial.wasUp(now - state.since);
    const rest = state.name === 'up' ? [] : state.rest;
    const then = { to: 'again', cause, rest } as const;
    this.#enter({ name: 'stopping', place, connection, cause, then }, now);
  }

  #closed(now: number): void {
    if (this.#state.name !== 'stopping') return;
    this.#enter(afterwards(this.#memory, this.#state, now), now);
    if (this.#memory.wanted) this.#wake(now);
  }

  /** Every pause is news, and that the link is given up, still; a probe always tells of its end. */
  #show(state: ClientLinkState, now: number): void {
    const { name } = state;
    const before = this.#shown;
    const { probe, cause, options } = this.#memory;
    this.#shown = shown[name];
    const isNews = name === 'waiting' || name === 'blocked' || (name === 'done' && probe);
    if (this.#shown === before && !isNews) return;
    this.#event({
      what: 'link-state',
      link: options.name,
      state: this.#shown,
      ...(cause !== undefined && this.#shown !== 'connecting' && { cause }),
      ...(name === 'waiting' && { retryIn: Math.max(0, state.until - now) }),
    });
  }

  #step(step: Step, detail: string): void {
    const { probe, options } = this.#memory;
    if (probe) this.#event({ what: 'step', link: options.name, step, detail });
  }

  #event(event: SessionEvent): void {
    this.#outputs.push({ kind: 'event', event });
  }
}
