/**
 * The TCP connection of a tunnel, of a caller or of a link: its control connection (RFC 2637 §3.1), and its orderly end.
 *
 * Whoever closes it ends its calls. When none is left, or after STOP_AFTER, Stop-Control-Connection-Request is sent; after
 * CLOSE_AFTER it is over, whatever the peer does.
 */
import { ControlConnection, type SavedControlConnection } from '../pptp/control-connection.ts';
import type { ControlConnectionOptions } from '../pptp/control-options.ts';
import type { ControlOutput } from '../pptp/control-output.ts';
import type { Cause } from '../wire/cause.ts';
import { earliest } from './deadlines.ts';
import { OWN_NAME } from './own-name.ts';
import type { SessionOutput } from './ports.ts';

/** ms */
const STOP_AFTER = 1_800;
const CLOSE_AFTER = 2_800;

export type TunnelConnectionOptions = Omit<
  ControlConnectionOptions,
  'hostName' | 'vendorName' | 'firmwareRevision'
>;

/** What the owner of its calls must know; 'down' is the last, with our own cause where it was we who ended it. */
export type TunnelConnectionOutput = Exclude<ControlOutput, { kind: 'transmit' }>;

export interface TunnelConnectionPorts {
  /** For the daemon. */
  readonly outputs: { push(output: Extract<SessionOutput, { kind: 'write' }>): void };
  act(output: TunnelConnectionOutput, now: number): void;
}

type State =
  | { readonly name: 'open' }
  /** Its calls end. */
  | {
      readonly name: 'closing';
      readonly cause: Cause;
      readonly stopBy: number;
      readonly closeBy: number;
    }
  /** The peer is told to stop. */
  | { readonly name: 'stopping'; readonly cause: Cause; readonly closeBy: number }
  | { readonly name: 'closed'; readonly cause: Cause | undefined };

export class TunnelConnection {
  /** Calls are placed, answered and cleared here; pump() after that. */
  readonly control: Pick<
    ControlConnection,
    'placeCall' | 'acceptCall' | 'refuseCall' | 'clearCall'
  >;
  readonly #control: ControlConnection;
  readonly #ports: TunnelConnectionPorts;
  #state: State = { name: 'open' };
  #pumping = false;

  /**
   * TCP is up. Pump it when the owner can be told.
   * @param saved it goes on with that
   */
  constructor(
    options: TunnelConnectionOptions,
    ports: TunnelConnectionPorts,
    now: number,
    saved?: SavedControlConnection,
  ) {
    this.#ports = ports;
    this.#control = new ControlConnection({
      ...options,
      hostName: OWN_NAME,
      vendorName: OWN_NAME,
      firmwareRevision: 1,
    });
    this.control = this.#control;
    if (saved === undefined) this.#control.handleOpen(now);
    else this.#control.restore(saved, now);
  }

  /** undefined: it ends, or there is no saving the control connection. Not carried: control, #ports and #pumping. */
  save(): SavedControlConnection | undefined {
    return this.#state.name === 'open' ? this.#control.save() : undefined;
  }

  /** Why we end, or have ended it; undefined: we do not. */
  get ending(): Cause | undefined {
    return this.#state.name === 'open' ? undefined : this.#state.cause;
  }

  /** Octets from TCP, split anyhow. */
  handleOctets(octets: Uint8Array, now: number): void {
    this.#control.handleOctets(octets, now);
    this.pump(now);
  }

  /** The peer closed TCP; `failure` (an errno) if it broke. */
  handleClosed(now: number, failure?: string): void {
    this.#control.handleClosed(now, failure);
    this.pump(now);
  }

  /** Ends it in order: end its calls after this, then pump. Nothing if it is ending. */
  close(cause: Cause, now: number): void {
    if (this.#state.name !== 'open') return;
    const [stopBy, closeBy] = [now + STOP_AFTER, now + CLOSE_AFTER];
    this.#state = { name: 'closing', cause, stopBy, closeBy };
  }

  /** Ends it at once, without a goodbye. */
  abandon(why: Cause, now: number): void {
    if (this.#state.name === 'closed') return;
    const cause = this.ending ?? why;
    this.#state = { name: 'stopping', cause, closeBy: now };
    this.#control.abandon(cause);
    this.pump(now);
  }

  nextTimeout(): number | undefined {
    const state = this.#state;
    const control = this.#control.nextTimeout();
    switch (state.name) {
      case 'open':
        return control;
      case 'closing':
        return earliest(control, state.stopBy);
      case 'stopping':
        return earliest(control, state.closeBy);
      case 'closed':
        return undefined;
    }
  }

  handleTimeout(now: number): void {
    if (this.#state.name === 'closing' && now >= this.#state.stopBy) this.#stop(this.#state, now);
    if (this.#state.name === 'stopping' && now >= this.#state.closeBy)
      this.#control.abandon(this.#state.cause);
    const next = this.#control.nextTimeout();
    if (next !== undefined && next <= now) this.#control.handleTimeout(now);
    this.pump(now);
  }

  /** Deals with all that the control connection tells. */
  pump(now: number): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#state.name !== 'closed') {
      const output = this.#control.poll();
      if (output !== undefined) this.#act(output, now);
      else if (this.#state.name === 'closing' && this.#control.callCount === 0)
        this.#stop(this.#state, now);
      else break;
    }
    this.#pumping = false;
  }

  #act(output: ControlOutput, now: number): void {
    switch (output.kind) {
      case 'transmit':
        this.#ports.outputs.push({ kind: 'write', octets: output.octets });
        break;
      case 'down': {
        const cause = this.ending;
        this.#state = { name: 'closed', cause };
        this.#ports.act({ kind: 'down', cause: cause ?? output.cause }, now);
        break;
      }
      case 'established':
      case 'call-requested':
      case 'request-withdrawn':
      case 'call-up':
      case 'call-down':
        this.#ports.act(output, now);
        break;
    }
  }

  #stop({ cause, closeBy }: Extract<State, { name: 'closing' }>, now: number): void {
    this.#state = { name: 'stopping', cause, closeBy };
    this.#control.stop(cause, now);
  }
}
