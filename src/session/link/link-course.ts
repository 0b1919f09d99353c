/**
 * How a client link goes from one state to the next: an attempt begins, fails and is waited out, is given up or ended. What
 * comes from outside is in client-link.ts.
 */
import { cause as because, type Cause } from '../../wire/cause.ts';
import { Approach } from './approach.ts';
import { Claims } from '../claims.ts';
import type { ClientConnection } from './client-connection.ts';
import { isIdle, type ClientLinkState, type Then } from './client-link-state.ts';
import { Deadlines } from '../deadlines.ts';
import type { Gateway } from '../gateway.ts';
import { LinkOutputs } from './link-outputs.ts';
import type { ClientLinkOptions } from '../options.ts';
import type { Redial } from './redial.ts';
import { Standby } from './standby.ts';

/** How long the daemon may take to bring the tunnel up, ms. */
export const TUNNEL_TIME = 30_000;

export class LinkCourse {
  protected readonly probe: boolean;
  /** What it has taken from the gateway. */
  protected readonly claims = new Claims();
  protected readonly redial: Redial;
  protected readonly deadlines = new Deadlines<'tunnel' | 'pause' | 'idle'>();
  protected readonly outputs: LinkOutputs;
  protected readonly standby: Standby;
  protected settings: ClientLinkOptions;
  protected state: ClientLinkState = { name: 'down' };
  protected cause: Cause | undefined;
  /** That of the attempt of now, or of the last one. */
  protected approach: Approach;
  /** Of a link that dials on demand: the next attempt does not wait for a packet. */
  protected wanted = false;
  /** Nothing is dialled until release(). */
  protected held: boolean;
  /** close() was called, or a probe is through: 'done' follows 'down'. */
  protected leaving = false;
  protected done = false;
  readonly #gateway: Gateway;
  /** Gives back the place of a session; undefined: it has none. */
  #place: (() => void) | undefined;

  constructor(
    options: ClientLinkOptions,
    gateway: Gateway,
    flags: { readonly probe: boolean; readonly held: boolean },
    redial: Redial,
  ) {
    this.settings = options;
    this.#gateway = gateway;
    this.redial = redial;
    this.probe = flags.probe;
    this.held = flags.held;
    this.outputs = new LinkOutputs(options.name, this.probe);
    this.standby = new Standby(gateway, this.outputs, this.claims);
    this.approach = this.#newApproach();
  }

  /** No pause is waited out. */
  protected start(now: number): void {
    if (isIdle(this.state)) {
      this.redial.reset();
      this.begin(now);
    } else if (this.state.name === 'stopping' && !this.leaving) {
      this.state = { ...this.state, then: { to: 'dial' } };
    }
  }

  protected begin(now: number): void {
    this.deadlines.clearAll();
    if (this.held) {
      this.park(now);
      return;
    }
    if (!this.#isPatient && !this.#takePlace(now)) return;
    this.approach = this.#newApproach();
    this.state = { name: 'approaching' };
    this.outputs.show('connecting', undefined);
    this.approach.start(now);
  }

  /** It waits for a packet. */
  get #isPatient(): boolean {
    return this.settings.demand > 0 && !this.wanted && !this.probe;
  }

  #newApproach(): Approach {
    return new Approach(
      this.settings,
      this.probe,
      this.outputs,
      (cause, now) => this.fail(cause, now),
      this.#isPatient ? (address, now) => this.#stand(address, now) : undefined,
    );
  }

  /** The way to the server is there: what goes it comes in by the device. */
  #stand(address: number, now: number): void {
    // What somebody decided does not stand for long; a failure is still worth knowing.
    if (!this.redial.hasFailed) this.cause = undefined;
    this.state = { name: 'demand', address };
    this.deadlines.set('tunnel', now + TUNNEL_TIME);
    this.standby.stand(this.settings, address);
  }

  /** Somebody or something wants the session that a link waits to dial. */
  protected wake(now: number): void {
    if (this.state.name === 'demand') {
      this.deadlines.clearAll();
      this.state = { name: 'approaching' };
      this.outputs.show('connecting', undefined);
    }
    if (this.state.name === 'approaching' && this.#takePlace(now)) this.approach.proceed(now);
  }

  /** The tunnel without a session, or that of the session, is not to be had. */
  protected failTunnel(cause: Cause, now: number): void {
    const state = this.state;
    if (state.name === 'demand' || state.name === 'approaching')
      this.stop({ to: 'again', cause }, cause, now);
    else if (state.name === 'connected' || state.name === 'up') state.connection.end(cause, now);
    else if (state.name === 'stopping' && state.then.to === 'demand')
      this.state = { ...state, then: { to: 'again', cause } };
  }

  protected checkIdle(now: number): void {
    if (this.state.name !== 'up' || this.state.idle === undefined) return;
    const { idle, connection } = this.state;
    if (!idle.look()) {
      this.deadlines.set('idle', idle.next(now));
      return;
    }
    this.redial.reset();
    this.stop({ to: 'demand', address: connection.peer }, because('IDLE_TIMEOUT'), now);
  }

  /** The connection has begun to end by itself. */
  protected handleClosing(cause: Cause, connection: ClientConnection, now: number): void {
    const state = this.state;
    if (state.name === 'stopping') return;
    this.deadlines.clear('tunnel');
    if (state.name === 'up') {
      this.redial.wasUp(now - state.since);
      this.approach.forgetRest();
    }
    this.deadlines.clear('idle');
    this.cause = cause;
    this.state = { name: 'stopping', connection, then: { to: 'again', cause } };
    this.standby.fall();
    if (state.name === 'up') this.outputs.show('stopping', cause);
  }

  protected handleConnectionClosed(cause: Cause, connection: ClientConnection, now: number): void {
    this.handleClosing(cause, connection, now);
    this.outputs.push({ kind: 'disconnect' });
    const then = this.state.name === 'stopping' ? this.state.then : { to: 'again' as const, cause };
    switch (then.to) {
      case 'down':
        this.down(then.cause);
        break;
      case 'dial':
        this.begin(now);
        break;
      case 'demand':
        this.approach = this.#newApproach();
        this.approach.wait(then.address);
        this.#leavePlace();
        this.state = { name: 'demand', address: then.address };
        this.outputs.show('demand', cause);
        if (this.wanted) this.wake(now);
        break;
      case 'again':
        if (connection.reachedPpp) this.fail(then.cause, now);
        else this.#failAddress(then.cause, now);
        break;
    }
  }

  /** This address does not do; perhaps another one of the same name does. */
  #failAddress(cause: Cause, now: number): void {
    this.cause = cause;
    this.state = { name: 'approaching' };
    this.approach.next(cause, now);
  }

  protected fail(cause: Cause, now: number): void {
    this.cause = cause;
    this.wanted = false;
    this.deadlines.clearAll();
    this.standby.fall();
    if (this.leaving || this.probe) {
      this.down(cause);
      return;
    }
    this.#leavePlace();
    this.redial.failed(cause);
    if (this.redial.givesUp(cause, this.settings)) {
      this.state = { name: 'blocked' };
      this.outputs.show('blocked', cause);
      return;
    }
    const until = now + this.redial.pause(this.settings, this.#gateway.random);
    if (this.held) this.park(until);
    else this.pause(until, now);
  }

  protected pause(until: number, now: number): void {
    this.state = { name: 'waiting', until };
    this.deadlines.set('pause', until);
    this.outputs.show('waiting', this.cause, Math.max(0, until - now));
  }

  /** Down, and not to be dialled before `until`. */
  protected park(until: number): void {
    this.deadlines.clearAll();
    this.#leavePlace();
    this.standby.fall();
    this.state = { name: 'waiting', until };
    this.outputs.show('down', this.cause);
  }

  /** Ends what is under way, for good or to begin anew. */
  protected stop(then: Then, cause: Cause, now: number): void {
    const state = this.state;
    this.deadlines.clearAll();
    if ('connection' in state) {
      this.cause = cause;
      this.state = { name: 'stopping', connection: state.connection, then };
      if (then.to !== 'demand') this.standby.fall();
      this.outputs.show('stopping', then.to === 'down' ? then.cause : cause);
      state.connection.end(cause, now);
      return;
    }
    this.approach.abort();
    if (then.to === 'dial') this.begin(now);
    else if (then.to === 'again') this.fail(then.cause, now);
    else if (then.to === 'down') this.down(then.cause);
  }

  protected down(cause: Cause | undefined): void {
    this.deadlines.clearAll();
    this.#leavePlace();
    this.standby.fall();
    this.wanted = false;
    this.state = { name: 'down' };
    this.cause = cause;
    this.outputs.show('down', cause);
    if ((!this.leaving && !this.probe) || this.done) return;
    this.done = true;
    this.outputs.push({ kind: 'done' });
  }

  /** @returns false: there is none, and the attempt has failed */
  #takePlace(now: number): boolean {
    if (this.#place === undefined && this.#gateway.enterLink())
      this.#place = this.claims.add(() => this.#gateway.leaveLink());
    if (this.#place !== undefined) return true;
    this.approach.abort();
    this.fail(because('TOO_MANY_SESSIONS', 'all servers and links together'), now);
    return false;
  }

  #leavePlace(): void {
    this.#place?.();
    this.#place = undefined;
  }
}
