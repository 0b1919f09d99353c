/**
 * One accepted TCP connection: its control connection and the calls on it (RFC 2637 §3).
 *
 * Until somebody has logged in it is half-open: it has one of few places, which it loses to others that get on better, and
 * after `loginTimeout`. Only a few calls may be tried without a login, one after the other, so that guessing needs a new
 * connection, which the source's limits count.
 */
import type { CallId, Ipv4 } from '../../wire/brand.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import type { LoginAnswer, Terms } from '../authorization.ts';
import { Claims } from '../claims.ts';
import { Deadlines, earliest } from '../deadlines.ts';
import { OutputQueue } from '../output-queue.ts';
import type { CallerOutput, CallPath, CallPaths, SessionStatus, Tunnel } from '../ports.ts';
import { TunnelConnection, type TunnelConnectionOutput } from '../tunnel-connection.ts';
import { CallerCall, type CallOwner, type CallPorts } from './caller-call.ts';
import { Progress, type Place } from './half-open.ts';

/** Calls at a time. */
const MAX_CALLS = 8;
/** Calls on one connection that may come without a login, in all. */
const MAX_UNPROVEN = 4;
/** How long a connection may stay without a call after its last one, ms. */
const LINGER = 5_000;
/** A peer that connects has Start-Control-Connection-Request and the request of its call ready; ms. */
const FIRST_CALL_TIME = 10_000;
const CALL_TIMEOUT = 60_000;

/** What a caller needs of the server that accepted it. */
export interface CallerPorts extends CallPorts {
  readonly paths: CallPaths;
  /** Somebody else does something to the caller, outside its own verbs: what it throws is its own end, not theirs. */
  readonly feed: (caller: Caller, act: () => void) => void;
  /** It is finished. */
  readonly done: (caller: Caller) => void;
}

type State =
  /** Nobody has logged in. */
  | { readonly name: 'half-open'; readonly place: Place }
  /** Its place has gone to another one. */
  | { readonly name: 'evicted' }
  | { readonly name: 'logged-in' }
  | { readonly name: 'done' };

export type SavedCaller = NonNullable<ReturnType<Caller['save']>>;

export class Caller {
  /** Outside address of the caller, and our address it connected to. */
  readonly peer: Ipv4;
  readonly local: Ipv4;
  readonly #ports: CallerPorts;
  readonly #connection: TunnelConnection;
  /** By call id; there is mostly one. */
  readonly #calls = new Map<CallId, CallerCall>();
  readonly #callOwner: CallOwner;
  readonly #deadlines = new Deadlines<'login' | 'first-call' | 'linger'>();
  readonly #outputs = new OutputQueue<CallerOutput>();
  readonly #claims = new Claims();
  #state: State;
  /** What the peer has asked for, at most. */
  #asked: 'nothing' | 'connection' | 'call' = 'nothing';
  /** Calls that were accepted and not (yet) logged in on. */
  #unproven = 0;

  constructor(
    ports: CallerPorts,
    { peer, local }: { readonly peer: Ipv4; readonly local: Ipv4 },
    from: Place | SavedCaller,
    now: number,
  ) {
    const saved = 'connection' in from ? from : undefined;
    this.#ports = ports;
    this.#state = 'connection' in from ? { name: 'logged-in' } : { name: 'half-open', place: from };
    this.peer = peer;
    this.local = local;
    const { gateway } = ports.access;
    const { loginTimeout } = gateway.limits;
    const firstCallTime = Math.min(loginTimeout, FIRST_CALL_TIME);
    this.#deadlines.set('login', now + loginTimeout);
    this.#deadlines.set('first-call', now + firstCallTime);
    this.#connection = new TunnelConnection(
      {
        initiator: false,
        maxCalls: MAX_CALLS,
        handshakeTimeout: firstCallTime,
        callTimeout: CALL_TIMEOUT,
        random: gateway.random,
        count: (what) => gateway.count(`control: ${what}`),
        wonCollision: (at) => gateway.winsCollision(peer, local, at),
      },
      { outputs: this.#outputs, act: (output, at) => this.#act(output, at) },
      now,
      saved?.connection,
    );
    this.#callOwner = {
      peer,
      local,
      claims: this.#claims,
      output: (output) => this.#outputs.push(output),
      advanced: (progress, at) => this.#advance(progress, at),
      waits: (time, at) => {
        if (this.#state.name === 'half-open') this.#deadlines.set('login', at + time);
      },
      admitted: (at) => this.#admitted(at),
      finished: ({ path }, why, at) => {
        this.#outputs.release(path);
        this.#connection.control.clearCall(path.callId, why, at);
      },
      settled: (at) => this.#connection.pump(at),
      outside: (act, at) =>
        ports.feed(this, () => {
          act();
          this.#connection.pump(at);
        }),
    };
    if (saved !== undefined) this.#restore(saved, now);
  }

  /**
   * What another Caller goes on with. undefined: nobody is logged in, a call is not established, or not all is drained.
   * Not carried: #ports, #callOwner; #outputs, of which there are none; #claims, which are made anew; #asked, a call.
   */
  save() {
    const connection = this.#connection.save();
    const calls = Array.from(this.#calls.values(), (call) => call.save());
    if (this.#state.name !== 'logged-in' || connection === undefined || !this.#outputs.isEmpty)
      return undefined;
    const whole = calls.filter((call) => call !== undefined);
    if (whole.length === 0 || whole.length < calls.length) return undefined;
    const { peer, local } = this;
    const [deadlines, unproven] = [this.#deadlines.save(), this.#unproven];
    return { peer, local, connection, calls: whole, deadlines, unproven };
  }

  /** Gives back what it has taken where that fails. @throws Error the configuration does not fit */
  #restore({ calls, deadlines, unproven }: SavedCaller, now: number): void {
    this.#deadlines.clearAll();
    this.#deadlines.restore(deadlines);
    this.#asked = 'call';
    this.#unproven = unproven;
    try {
      for (const saved of calls) {
        const path = this.#ports.paths.reopen(this, saved.session.callId);
        const call = new CallerCall(this.#ports, this.#callOwner, path, now);
        this.#calls.set(path.callId, call);
        call.restore(saved, now);
      }
    } catch (error) {
      this.#claims.close();
      throw error;
    }
  }

  /** Those that are up, with their paths. */
  tunnels(): readonly { readonly path: CallPath; readonly tunnel: Tunnel }[] {
    return Array.from(this.#calls.values()).flatMap(({ path, tunnel }) =>
      tunnel === undefined ? [] : { path, tunnel },
    );
  }

  /** Octets from TCP, split anyhow. */
  handleOctets(octets: Uint8Array, now: number): void {
    if (this.#state.name === 'done') return;
    if (this.#asked === 'nothing') this.#asked = 'connection';
    this.#connection.handleOctets(octets, now);
  }

  /** The peer closed TCP; `failure` (an errno) if it broke. Harmless after our own 'disconnect'. */
  handleClosed(now: number, failure?: string): void {
    if (this.#state.name !== 'done') this.#connection.handleClosed(now, failure);
  }

  /** A tunnel-up was carried out: packets get through. */
  handleTunnelReady(callId: CallId, now: number): void {
    this.#calls.get(callId)?.handleTunnelReady(now);
    this.#connection.pump(now);
  }

  /** A tunnel-up could not be carried out: that session ends with this cause. */
  handleTunnelFailed(callId: CallId, why: Cause, now: number): void {
    this.#calls.get(callId)?.end(why, now);
    this.#connection.pump(now);
  }

  /** What an authority says to an 'authorize'; ignored when nobody waits for it any more. */
  handleAuthorized(id: number, answer: LoginAnswer, now: number): void {
    for (const call of [...this.#calls.values()]) call.handleAnswer(id, answer, now);
    this.#connection.pump(now);
  }

  /**
   * Why a 'store-password' with this id could not be carried out, in words; undefined: the password stands in the file, and
   * Access has been reconfigured with it.
   */
  handlePasswordStored(id: number, failure: string | undefined, now: number): void {
    for (const call of [...this.#calls.values()]) call.handlePasswordStored(id, failure, now);
    this.#connection.pump(now);
  }

  nextTimeout(): number | undefined {
    if (this.#state.name === 'done') return undefined;
    const calls = Array.from(this.#calls.values(), (call) => call.nextTimeout());
    return earliest(this.#connection.nextTimeout(), this.#deadlines.next(), ...calls);
  }

  handleTimeout(now: number): void {
    if (this.#state.name === 'done') return;
    for (let due = this.#deadlines.due(now); due !== undefined; due = this.#deadlines.due(now)) {
      switch (due) {
        case 'login':
          this.#beginClose(cause('HANDSHAKE_TIMEOUT'), now);
          break;
        case 'first-call':
          this.#beginClose(cause('HANDSHAKE_TIMEOUT', 'no call'), now);
          break;
        case 'linger':
          this.#beginClose(cause('HANGUP', 'no call'), now);
          break;
      }
    }
    for (const call of [...this.#calls.values()]) {
      const next = call.nextTimeout();
      if (next !== undefined && next <= now) call.handleTimeout(now);
    }
    this.#connection.handleTimeout(now);
  }

  /**
   * Carry out each output before polling the next: a call path is freed in between. After 'done' the caller may be
   * forgotten.
   */
  poll(): CallerOutput | undefined {
    return this.#outputs.poll();
  }

  /** Established sessions. */
  sessions(): SessionStatus[] {
    return Array.from(this.#calls.values(), (call) => call.status() ?? []).flat();
  }

  /** Something is to be otherwise of the session with this id. */
  changeTerms(id: number, change: Partial<Terms>, now: number): void {
    for (const call of this.#calls.values())
      if (call.status()?.id === id) call.changeTerms(change, now);
  }

  /** Asks the peers of its sessions for a sign of life. */
  askEcho(now: number): void {
    for (const call of this.#calls.values()) call.askEcho(now);
  }

  /** Ends the calls for which there is a cause; returns how many. */
  endCalls(fault: (call: CallerCall) => Cause | undefined, now: number): number {
    let ended = 0;
    for (const call of [...this.#calls.values()]) {
      const why = fault(call);
      if (why === undefined) continue;
      call.end(why, now);
      ended += 1;
    }
    if (ended > 0) this.#connection.pump(now);
    return ended;
  }

  /**
   * Ends everything properly: PPP is terminated, calls are disconnected, the control connection is stopped; 'done' within
   * 3 s. The addresses of its sessions are free when this returns.
   */
  close(why: Cause, now: number): void {
    if (this.#state.name === 'done') return;
    this.#beginClose(why, now);
    this.#connection.pump(now);
  }

  /** Its place has gone to another one: it ends without a goodbye. */
  giveWay(now: number): void {
    this.#state = { name: 'evicted' };
    this.#connection.abandon(cause('TOO_MANY_HALF_OPEN', 'another caller got on better'), now);
  }

  /** It has thrown and is asked nothing more: what it holds of the gateway is given back. Its call paths are the daemon's matter. */
  abandon(now: number): void {
    try {
      this.#enter({ name: 'done' }, now);
    } finally {
      this.#claims.close();
      this.#ports.done(this);
    }
  }

  #beginClose(why: Cause, now: number): void {
    if (this.#connection.ending !== undefined) return;
    this.#connection.close(why, now);
    this.#deadlines.clearAll();
    for (const call of [...this.#calls.values()]) call.end(why, now);
  }

  #act(output: TunnelConnectionOutput, now: number): void {
    switch (output.kind) {
      case 'established':
      case 'request-withdrawn':
        break;
      case 'call-requested':
        this.#answer(output.request, now);
        break;
      case 'call-up':
        this.#calls.get(output.callId)?.connect(output.peerCallId, now);
        break;
      case 'call-down':
        this.#forget(output.callId, output.cause, now);
        break;
      case 'down':
        this.#finish(output.cause, now);
        break;
    }
  }

  /** RFC 2637 §3.2.4.1, §3.2.3.2: the path exists before the reply, because GRE may overtake it. */
  #answer(request: number, now: number): void {
    const { control, ending } = this.#connection;
    if (ending !== undefined || this.#unproven >= MAX_UNPROVEN) {
      control.refuseCall(request, 'not-accepted');
      return;
    }
    const mayCall = this.#state.name === 'logged-in' || this.#calls.size === 0;
    const path = mayCall ? this.#ports.paths.open(this, this.peer, this.local, now) : undefined;
    if (path === undefined) {
      control.refuseCall(request, 'no-resource');
      return;
    }
    this.#unproven += 1;
    this.#asked = 'call';
    this.#calls.set(path.callId, new CallerCall(this.#ports, this.#callOwner, path, now));
    this.#advance(Progress.call, now);
    this.#deadlines.clear('first-call');
    this.#deadlines.clear('linger');
    if (control.acceptCall(request, path.callId, now)) return;
    this.#forget(path.callId, cause('HANGUP'), now); // the peer took its request back meanwhile
  }

  #advance(progress: Progress, now: number): void {
    if (this.#state.name === 'half-open') this.#state.place.advance(progress, now);
  }

  #admitted(now: number): void {
    this.#unproven -= 1;
    this.#enter({ name: 'logged-in' }, now);
    this.#deadlines.clear('login');
  }

  /** The control connection has ended the call. */
  #forget(callId: CallId, why: Cause, now: number): void {
    const call = this.#calls.get(callId);
    if (call === undefined) return;
    this.#calls.delete(callId);
    call.lost(why, now);
    if (this.#calls.size > 0 || this.#connection.ending !== undefined) return;
    this.#advance(Progress.none, now);
    this.#deadlines.set('linger', now + LINGER);
  }

  #finish(why: Cause, now: number): void {
    this.#deadlines.clearAll();
    this.#enter({ name: 'done' }, now);
    if (this.#asked !== 'call') this.#reportLoss(why);
    this.#outputs.push({ kind: 'disconnect' });
    this.#outputs.push({ kind: 'done' });
    this.#ports.done(this);
  }

  /** A connection that ended before there was a call. */
  #reportLoss(why: Cause): void {
    const { options, access } = this.#ports;
    if (this.#asked === 'nothing' && this.#connection.ending === undefined) {
      access.gateway.count('control: silent caller');
      return;
    }
    const { name: server } = options();
    const event = { what: 'caller-refused', server, peer: this.peer, cause: why } as const;
    this.#outputs.push({ kind: 'event', event });
  }

  /** No longer half-open. */
  #enter(state: Exclude<State, { name: 'half-open' }>, now: number): void {
    const before = this.#state;
    this.#state = state;
    if (before.name === 'half-open') before.place.leave(state.name === 'logged-in', now);
  }
}
