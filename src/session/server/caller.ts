/**
 * One accepted TCP connection: its control connection and the calls on it (RFC 2637 §3).
 *
 * Until somebody has logged in it is half-open: it has one of few places, which it loses to others that get on better, and
 * after `loginTimeout`. Only a few calls may be tried without a login, one after the other, so that guessing needs a new
 * connection, which the source's limits count.
 */
import { cause as because, type Cause } from '../../wire/cause.ts';
import { CallerCall } from './caller-call.ts';
import { Claims } from '../claims.ts';
import { Deadlines, earliest } from '../deadlines.ts';
import { Progress, type Place } from './half-open.ts';
import { OutputQueue } from '../output-queue.ts';
import type { SessionEvent, SessionOutput, SessionStatus } from '../ports.ts';
import type { Reception } from './reception.ts';
import { TunnelConnection, type TunnelConnectionOutput } from '../tunnel-connection.ts';

/** Calls at a time. */
const MAX_CALLS = 8;
/** Calls on one connection that may come without a login, in all. */
const MAX_UNPROVEN = 4;
/** How long a connection may stay without a call after its last one, ms. */
const LINGER = 5_000;
/** A peer that connects has Start-Control-Connection-Request and the request of its call ready; ms. */
const FIRST_CALL_TIME = 10_000;
const CALL_TIMEOUT = 60_000;

export class Caller {
  /** Outside address of the caller, and our address it connected to. */
  readonly peer: number;
  readonly local: number;
  readonly #reception: Reception;
  readonly #hooks: CallerHooks;
  readonly #connection: TunnelConnection;
  /** By slot; there is mostly one. */
  readonly #calls = new Map<number, CallerCall>();
  readonly #deadlines = new Deadlines<'login' | 'first-call' | 'linger'>();
  readonly #outputs = new OutputQueue<SessionOutput>();
  /** undefined: somebody has logged in, or the place was lost. */
  #place: Place | undefined;
  readonly #claims = new Claims();
  #now = 0;
  /** Calls that were accepted and not (yet) logged in on. */
  #unproven = 0;
  #spoke = false;
  #reported = false;
  #done = false;

  constructor(
    reception: Reception,
    hooks: CallerHooks,
    ends: { readonly peer: number; readonly local: number },
    place: Place,
    now: number,
  ) {
    this.#reception = reception;
    this.#hooks = hooks;
    this.#place = place;
    this.peer = ends.peer;
    this.local = ends.local;
    const { gateway } = reception;
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
        wonCollision: () => gateway.winsCollision(this.peer, this.local, this.#now),
      },
      { outputs: this.#outputs, act: (output, at) => this.#act(output, at) },
      now,
    );
  }

  /** Octets from TCP, split anyhow. */
  handleOctets(octets: Uint8Array, now: number): void {
    if (this.#done) return;
    this.#spoke = true;
    this.#now = now;
    this.#connection.handleOctets(octets, now);
  }

  /** The peer closed TCP; `failure` (an errno) if it broke. Harmless after our own 'disconnect'. */
  handleClosed(now: number, failure?: string): void {
    if (this.#done) return;
    this.#connection.handleClosed(now, failure);
  }

  /** One PPP control frame of the call with this slot. Slots of calls that are over are ignored. */
  handleFrame(slot: number, frame: Uint8Array, now: number): void {
    this.#calls.get(slot)?.handleFrame(frame, now);
    this.#connection.pump(now);
  }

  handleDesynchronized(slot: number, now: number): void {
    this.#calls.get(slot)?.handleDesynchronized(now);
    this.#connection.pump(now);
  }

  /** A tunnel-up could not be carried out: that session ends with this cause. Success needs no answer. */
  handleTunnelFailed(slot: number, cause: Cause, now: number): void {
    this.#calls.get(slot)?.end(cause, now);
    this.#connection.pump(now);
  }

  nextTimeout(): number | undefined {
    if (this.#done) return undefined;
    const calls = Array.from(this.#calls.values(), (call) => call.nextTimeout());
    return earliest(this.#connection.nextTimeout(), this.#deadlines.next(), ...calls);
  }

  handleTimeout(now: number): void {
    if (this.#done) return;
    for (let due = this.#deadlines.due(now); due !== undefined; due = this.#deadlines.due(now)) {
      switch (due) {
        case 'login':
          this.#beginClose(because('HANDSHAKE_TIMEOUT'), now);
          break;
        case 'first-call':
          this.#beginClose(because('HANDSHAKE_TIMEOUT', 'no call'), now);
          break;
        case 'linger':
          this.#beginClose(because('HANGUP', 'no call'), now);
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
  poll(): SessionOutput | undefined {
    return this.#outputs.poll();
  }

  /** Established sessions. */
  sessions(): SessionStatus[] {
    return Array.from(this.#calls.values(), (call) => call.status() ?? []).flat();
  }

  /** Ends the calls for which there is a cause; returns how many. */
  endCalls(fault: (call: CallerCall) => Cause | undefined, now: number): number {
    let ended = 0;
    for (const call of [...this.#calls.values()]) {
      const cause = fault(call);
      if (cause === undefined) continue;
      call.end(cause, now);
      ended += 1;
    }
    if (ended > 0) this.#connection.pump(now);
    return ended;
  }

  /**
   * Ends everything properly: PPP is terminated, calls are disconnected, the control connection is stopped; 'done' within
   * 3 s. The addresses of its sessions are free when this returns.
   */
  close(cause: Cause, now: number): void {
    if (this.#done) return;
    this.#beginClose(cause, now);
    this.#connection.pump(now);
  }

  /** Its place has gone to another one: it ends without a goodbye. */
  giveWay(now: number): void {
    this.#place = undefined;
    this.#connection.abandon(because('TOO_MANY_HALF_OPEN', 'another caller got on better'), now);
  }

  /** It has thrown and is asked nothing more: what it holds of the gateway is given back. Its call paths are the daemon's matter. */
  abandon(now: number): void {
    this.#done = true;
    try {
      this.#leaveHalfOpen(false, now);
    } finally {
      this.#claims.close();
      this.#hooks.done();
    }
  }

  #beginClose(cause: Cause, now: number): void {
    if (this.#connection.ending !== undefined) return;
    this.#connection.close(cause, now);
    this.#deadlines.clearAll();
    for (const call of [...this.#calls.values()]) call.end(cause, now);
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
        this.#find(output.callId)?.connect(output.peerCallId, now);
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
    if (this.#connection.ending !== undefined || this.#unproven >= MAX_UNPROVEN) {
      this.#connection.control.refuseCall(request, 'not-accepted');
      return;
    }
    const isFirst = this.#place === undefined || this.#calls.size === 0;
    const path = isFirst ? this.#reception.paths.open(this, this.peer, this.local, now) : undefined;
    if (path === undefined) {
      this.#connection.control.refuseCall(request, 'no-resource');
      return;
    }
    this.#unproven += 1;
    this.#reported = true;
    const call = new CallerCall(
      this.#reception,
      {
        peer: this.peer,
        claims: this.#claims,
        output: (output) => this.#outputs.push(output),
        advanced: (progress, at) => this.#place?.advance(progress, at),
        admitted: (at) => this.#admitted(at),
        finished: (finished, cause, at) => {
          this.#outputs.release(finished.path);
          this.#connection.control.clearCall(finished.path.callId, cause, at);
        },
        outside: (act, at) =>
          this.#hooks.feed(() => {
            act();
            this.#connection.pump(at);
          }),
      },
      path,
      now,
    );
    this.#calls.set(path.slot, call);
    this.#place?.advance(Progress.call, now);
    this.#deadlines.clear('first-call');
    this.#deadlines.clear('linger');
    if (this.#connection.control.acceptCall(request, path.callId, now)) return;
    this.#forget(path.callId, because('HANGUP'), now); // the peer took its request back meanwhile
  }

  #admitted(now: number): void {
    this.#unproven -= 1;
    this.#leaveHalfOpen(true, now);
    this.#deadlines.clear('login');
  }

  #find(callId: number): CallerCall | undefined {
    for (const call of this.#calls.values()) if (call.path.callId === callId) return call;
    return undefined;
  }

  /** The control connection has ended the call. */
  #forget(callId: number, cause: Cause, now: number): void {
    const call = this.#find(callId);
    if (call === undefined) return;
    this.#calls.delete(call.path.slot);
    call.lost(cause, now);
    if (this.#calls.size > 0 || this.#connection.ending !== undefined) return;
    this.#place?.advance(Progress.none, now);
    this.#deadlines.set('linger', now + LINGER);
  }

  #finish(cause: Cause, now: number): void {
    this.#done = true;
    this.#deadlines.clearAll();
    this.#leaveHalfOpen(false, now);
    if (!this.#reported) this.#reportLoss(cause);
    this.#outputs.push({ kind: 'disconnect' });
    this.#outputs.push({ kind: 'done' });
    this.#hooks.done();
  }

  /** A connection that ended before there was a call. */
  #reportLoss(cause: Cause): void {
    if (!this.#spoke && this.#connection.ending === undefined) {
      this.#reception.gateway.count('control: silent caller');
      return;
    }
    const { name } = this.#reception.options;
    this.#event({ what: 'caller-refused', server: name, peer: this.peer, cause });
  }

  #leaveHalfOpen(isProved: boolean, now: number): void {
    const place = this.#place;
    this.#place = undefined;
    place?.leave(isProved, now);
  }

  #event(event: SessionEvent): void {
    this.#outputs.push({ kind: 'event', event });
  }
}

export interface CallerHooks {
  /** Somebody else does something to the caller, outside its own verbs: what it throws is its own end, not theirs. */
  readonly feed: (act: () => void) => void;
  /** It is finished. */
  readonly done: () => void;
}
