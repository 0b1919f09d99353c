/**
 * A link that dials out: name, addresses, attempts, pauses, giving up. Each attempt is a ClientConnection.
 *
 * Every address of the name is tried before a pause; pauses double with every failure in a row and start small again
 * after the link was up for a while. What a person asks for (dial, hangup) always holds at once. Where netifd decides
 * when there may be a connection it holds and releases the link; failures and pauses are counted on in between.
 *
 * With `demand` an attempt stops short of TCP, in state 'demand': the tunnel stands already (standby.ts), and the first packet
 * that goes into it dials. A session without traffic ends, and the link waits for the next packet; after a failure it is
 * down for the pause, as others are.
 */
import { cause as because, type Cause } from '../../wire/cause.ts';
import { ClientConnection, type ConnectionOutput } from './client-connection.ts';
import { isIdle, type ClientLinkStatus } from './client-link-state.ts';
import { earliest } from '../deadlines.ts';
import type { Gateway } from '../gateway.ts';
import { IdleWatch } from '../idle-watch.ts';
import type { ClientLinkOptions } from '../options.ts';
import { LinkCourse, TUNNEL_TIME } from './link-course.ts';
import type { CallPaths, ClientLinkOutput } from '../ports.ts';
import { Redial } from './redial.ts';
import { sameLink } from '../reload.ts';

export interface ClientLinkPorts {
  readonly paths: CallPaths;
  /** Something is done to the link outside its own verbs (it loses a collision, RFC 2637 §3.1.3): see ServerPorts.feed. */
  readonly feed: (link: ClientLink, act: () => void) => void;
}

export class ClientLink extends LinkCourse {
  readonly #gateway: Gateway;
  readonly #ports: ClientLinkPorts;

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
    super(options, gateway, { probe, held }, redial);
    this.#gateway = gateway;
    this.#ports = ports;
  }

  /** It has thrown and is asked nothing more: what it holds of the gateway is given back. */
  abandon(): void {
    this.claims.close();
  }

  /**
   * The link in the place of this one, which was abandoned: it waits as after any other failure, unless nobody wanted it up.
   * undefined: it was about to be removed, or is a probe.
   */
  successor(cause: Cause, now: number): ClientLink | undefined {
    if (this.leaving || this.probe) return undefined;
    const { settings, state, held, redial } = this;
    const link = new ClientLink(settings, this.#gateway, this.#ports, { held }, redial);
    const isDown = state.name === 'down' || (state.name === 'stopping' && state.then.to === 'down');
    if (isDown) link.down(cause);
    else link.fail(cause, now);
    return link;
  }

  get options(): ClientLinkOptions {
    return this.settings;
  }

  /** Somebody wants the link now: the pause is skipped, what blocks it forgotten. Nothing while it dials or is up. */
  dial(now: number): void {
    if (this.done) return;
    if (this.state.name !== 'connected' && this.state.name !== 'up') this.wanted = true;
    this.start(now);
    this.wake(now);
    this.#pump(now);
  }

  /** No connection from now on, and no attempt until release(). */
  hold(now: number): void {
    const state = this.state;
    this.held = true;
    this.wanted = false;
    this.approach.forgetRest();
    if (state.name === 'waiting') this.park(state.until);
    else if (state.name !== 'stopping') {
      if (!isIdle(state)) this.stop({ to: 'dial' }, because('INTERFACE_DOWN'), now);
    } else if (state.then.to === 'demand') {
      this.standby.fall();
      this.state = { ...state, then: { to: 'dial' } };
    }
    this.#pump(now);
  }

  /**
   * The link shall be up, or wait for packets. It goes on where it was, so a pause is waited out; `fresh`: no pause. Nothing
   * while it dials or is up.
   */
  release(fresh: boolean, now: number): void {
    const wasHeld = this.held;
    this.held = false;
    const state = this.state;
    if (this.done) return;
    if (fresh || state.name === 'down') {
      this.start(now);
      this.#pump(now);
    } else if (!wasHeld) return;
    else if (state.name === 'waiting' && state.until > now) this.pause(state.until, now);
    else if (state.name === 'waiting') {
      this.begin(now);
      this.#pump(now);
    } else if (state.name === 'blocked') this.outputs.show('blocked', this.cause);
  }

  /** Ends the link and leaves it down until dial() or release(). Link state 'stopping', then 'down' within 3 s. */
  hangup(now: number, cause: Cause = because('USER_REQUEST')): void {
    this.stop({ to: 'down', cause }, cause, now);
    this.#pump(now);
  }

  /** As hangup, and 'done' when it is down: the link is removed, or the daemon ends. */
  close(cause: Cause, now: number): void {
    this.leaving = true;
    this.hangup(now, cause);
  }

  /** New options. Dials again when anything but the rules for dialling changed; a link that is down stays down. */
  reconfigure(options: ClientLinkOptions, now: number): void {
    const before = this.settings;
    this.settings = options;
    const freed = this.state.name === 'blocked' && !this.redial.givesUp(this.cause, options);
    if (sameLink(before, options) && !freed) return;
    this.redial.reset();
    switch (this.state.name) {
      case 'down':
        break;
      case 'waiting':
      case 'blocked':
      case 'demand': // what stands meanwhile gets the new settings
        this.begin(now);
        break;
      case 'approaching':
      case 'connected':
      case 'up':
        this.stop({ to: 'dial' }, because('CONFIG_CHANGED'), now);
        break;
      case 'stopping':
        if (this.state.then.to !== 'down') this.state = { ...this.state, then: { to: 'dial' } };
        break;
    }
    this.#pump(now);
  }

  /** Answer to 'resolve'; `server` as it stood there, so that an overtaken answer is known. */
  handleResolved(server: string, answer: readonly number[] | Cause, now: number): void {
    this.approach.handleResolved(server, answer, now);
    this.#pump(now);
  }

  /** Answer to 'host-route'. */
  handleHostRoute(address: number, failure: Cause | undefined, now: number): void {
    this.approach.handleHostRoute(address, failure, now);
    this.#pump(now);
  }

  /**
   * Answer to 'connect': TCP is up, going out from our address `local`. After 'disconnect' none may come any more.
   * @param wanted the address of `unnumbered`, which the server is asked for
   */
  handleConnected(local: number, now: number, wanted?: number): void {
    const peer = this.approach.handleConnected(local);
    if (peer === undefined) return;
    const connection = new ClientConnection(
      this.settings,
      this.#gateway,
      {
        openPath: (to, own, at) => this.#ports.paths.open(this, to, own, at),
        outside: (act, at) =>
          this.#ports.feed(this, () => {
            act();
            this.#pump(at);
          }),
        claims: this.claims,
      },
      { peer, local, wanted },
      now,
    );
    this.state = { name: 'connected', connection };
    this.#pump(now);
  }

  /** Answer to 'connect': there is no TCP connection. */
  handleConnectFailed(cause: Cause, now: number): void {
    this.approach.handleConnectFailed(cause, now);
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

  handleDesynchronized(slot: number, now: number): void {
    this.#connection()?.handleDesynchronized(slot, now);
    this.#pump(now);
  }

  /** A packet has gone into the device, and there is no session. */
  handlePacket(now: number): void {
    if (this.state.name === 'stopping' && this.state.then.to === 'demand') this.wanted = true;
    this.wake(now);
    this.#pump(now);
  }

  /** Answer to 'standby'. */
  handleStandby(failure: Cause | undefined, now: number): void {
    if (failure !== undefined) this.failTunnel(failure, now);
    else if (this.state.name === 'demand') {
      this.deadlines.clear('tunnel');
      this.outputs.show('demand', this.cause);
    }
    this.#pump(now);
  }

  /** Answer to 'tunnel-up': the link is up, or ends with this cause (DEVICE_FAILED). */
  handleTunnelUp(failure: Cause | undefined, now: number): void {
    const state = this.state;
    if (state.name !== 'connected' && state.name !== 'up') return;
    this.deadlines.clear('tunnel');
    if (failure !== undefined) this.failTunnel(failure, now);
    else if (state.name === 'connected') this.#up(state.connection, now);
    this.#pump(now);
  }

  /** Somebody has deleted the device. */
  handleDeviceLost(cause: Cause, now: number): void {
    this.failTunnel(cause, now);
    this.#pump(now);
  }

  /** Asks the peer of the session for an answer; echoTime (ms) tells of it. */
  askEcho(now: number): void {
    this.#connection()?.askEcho(now);
    this.#pump(now);
  }

  get echoTime(): number | undefined {
    return this.#connection()?.echoTime;
  }

  nextTimeout(): number | undefined {
    return earliest(
      this.deadlines.next(),
      this.approach.nextTimeout(),
      this.#connection()?.nextTimeout(),
    );
  }

  handleTimeout(now: number): void {
    for (let due = this.deadlines.due(now); due !== undefined; due = this.deadlines.due(now)) {
      switch (due) {
        case 'tunnel':
          this.failTunnel(because('DEVICE_FAILED', 'no answer'), now);
          break;
        case 'pause':
          this.begin(now);
          break;
        case 'idle':
          this.checkIdle(now);
          break;
      }
    }
    this.approach.handleTimeout(now);
    const next = this.#connection()?.nextTimeout();
    if (next !== undefined && next <= now) this.#connection()?.handleTimeout(now);
    this.#pump(now);
  }

  /** Carry out each output before polling the next: a call path is freed in between. */
  poll(): ClientLinkOutput | undefined {
    return this.outputs.poll();
  }

  status(): ClientLinkStatus {
    return {
      state: this.outputs.state,
      cause: this.cause,
      retryAt: this.state.name === 'waiting' && !this.held ? this.state.until : undefined,
      session: this.#connection()?.status(),
    };
  }

  #connection(): ClientConnection | undefined {
    return 'connection' in this.state ? this.state.connection : undefined;
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
      case 'event':
        this.outputs.push(output);
        break;
      case 'step':
        this.outputs.step(output.step, output.detail);
        break;
      case 'tunnel-up':
        if (this.probe) this.stop({ to: 'down', cause: undefined }, because('USER_REQUEST'), now);
        else {
          this.standby.tunnelUp(output, this.settings);
          this.deadlines.set('tunnel', now + TUNNEL_TIME);
        }
        break;
      case 'tunnel-down':
        this.deadlines.clear('tunnel');
        if (!this.probe) this.standby.tunnelDown(output);
        break;
      case 'ended':
        this.outputs.event({ what: 'session-down', session: output.session, cause: output.cause });
        break;
      case 'release':
        this.outputs.release(output.path);
        break;
      case 'closing':
        this.handleClosing(output.cause, connection, now);
        break;
      case 'closed':
        this.handleConnectionClosed(output.cause, connection, now);
        break;
    }
  }

  #up(connection: ClientConnection, now: number): void {
    const session = connection.establish(now);
    if (session === undefined) return;
    const { demand } = this.settings;
    const path = connection.path;
    const idle = demand > 0 && path !== undefined ? new IdleWatch(path, demand) : undefined;
    this.state = { name: 'up', connection, since: now, idle };
    if (idle !== undefined) this.deadlines.set('idle', idle.next(now));
    this.wanted = false;
    this.cause = undefined;
    this.outputs.event({ what: 'session-up', session });
    this.outputs.show('up', undefined);
  }
}
