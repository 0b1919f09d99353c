/**
 * The control connection between a PAC and a PNS over one TCP connection: RFC 2637 §3.1 (originator and receiver), §3.1.4
 * (keep-alive), and the way from its messages to its calls (§3.2, call.ts).
 *
 * Drive it with four verbs: feed an input (`handle…` or a command), drain `poll()`, arm a timer for `nextTimeout()`, call
 * `handleTimeout` when it is due. Times are milliseconds of a monotonic clock. Commands that do not fit the state are our
 * own misuse and throw; whatever the peer sends never does.
 *
 * Each state takes only the messages that the RFC has in it. Others, repeated ones too, change nothing: they are counted,
 * and answered with the error that the RFC has for them.
 */
import type { CallId } from '../wire/brand.ts';
import { cause, type Cause } from '../wire/cause.ts';
import { isMalformed, type Malformed } from '../wire/codec.ts';
import { PROTOCOL_VERSION, StartResult, StopResult } from '../wire/control-codes.ts';
import { decodeControlMessage, type ControlMessage } from '../wire/control-message.ts';
import { readU32 } from '../wire/octets.ts';
import { takeFirst } from '../wire/queue.ts';
import { CallTable } from './call-table.ts';
import { ECHO_INTERVAL, ECHO_TIMEOUT, type ControlConnectionOptions } from './control-options.ts';
import type { ControlOutput, ControlPeer } from './control-output.ts';
import { Framer } from './framer.ts';
import { Keepalive } from './keepalive.ts';
import { callRefusal, echoRefusal, echoReply, startReply, startRequest } from './messages.ts';
import { OutputQueue } from './output-queue.ts';
import { describeStop, startRefused, stopReason, type RefusalReason } from './result-codes.ts';

/** ms that we wait for Stop-Control-Connection-Reply before TCP is closed without it. */
export const STOP_TIMEOUT = 1500;
/** Whole messages in one go beyond which the input is taken for a flood. */
const MAX_PENDING = 256;

type ControlState =
  /** TCP is not up yet. */
  | { readonly name: 'idle' }
  /** Receiver: TCP is up, Start-Control-Connection-Request is awaited. */
  | { readonly name: 'wait-ctl-request'; readonly deadline: number }
  /** Originator: Start-Control-Connection-Reply is awaited. */
  | { readonly name: 'wait-ctl-reply'; readonly deadline: number }
  /** The loser of a collision opened this connection and is about to close it. */
  | { readonly name: 'wait-close'; readonly deadline: number }
  | { readonly name: 'established'; readonly keepalive: Keepalive }
  | { readonly name: 'wait-stop-reply'; readonly cause: Cause; readonly deadline: number }
  | { readonly name: 'closed' };

/** The states in which messages arrive. */
type OpenState = Exclude<ControlState, { name: 'idle' | 'closed' }>;

export type SavedControlConnection = NonNullable<ReturnType<ControlConnection['save']>>;

export class ControlConnection {
  readonly #options: ControlConnectionOptions;
  readonly #framer = new Framer();
  readonly #calls: CallTable;
  readonly #outputs = new OutputQueue();
  /** Messages that came together, taken one by one as `poll` runs dry. */
  #pending: (Uint8Array | Malformed)[] = [];
  #pendingSince = 0;
  #state: ControlState = { name: 'idle' };

  constructor(options: ControlConnectionOptions) {
    this.#options = options;
    this.#calls = new CallTable(options, this.#outputs);
  }

  /** Calls and unanswered requests. @public for tests */
  get callCount(): number {
    return this.#calls.size;
  }

  /** TCP is up. */
  handleOpen(now: number): void {
    if (this.#state.name !== 'idle') throw new Error(`handleOpen in state ${this.#state.name}`);
    const deadline = now + this.#options.handshakeTimeout;
    if (this.#options.initiator) {
      this.#outputs.send(startRequest(this.#options));
      this.#state = { name: 'wait-ctl-reply', deadline };
    } else {
      this.#state = { name: 'wait-ctl-request', deadline };
    }
  }

  /**
   * What another ControlConnection goes on with. undefined: it is not established, a call is not, or not all is drained.
   * Not carried: #options, which are the owner's; #outputs and #pending are empty, and #pendingSince is theirs.
   */
  save() {
    const state = this.#state;
    const isQuiet = this.#outputs.isEmpty && this.#pending.length === 0;
    const calls = this.#calls.save();
    if (state.name !== 'established' || !isQuiet || calls === undefined) return undefined;
    return { keepalive: state.keepalive.save(), framer: this.#framer.save(), calls };
  }

  /** Instead of handleOpen. */
  restore({ keepalive, framer, calls }: SavedControlConnection, now: number): void {
    this.#state = { name: 'established', keepalive: this.#newKeepalive(now).restore(keepalive) };
    this.#framer.push(framer);
    this.#calls.restore(calls);
  }

  /**
   * Octets from TCP, split or merged anyhow. Messages that came together are taken one by one while `poll` is drained, so
   * that every output speaks of the state that holds when it is read: drain it after each call. After 'down' octets are
   * ignored.
   */
  handleOctets(octets: Uint8Array, now: number): void {
    const state = this.#state;
    if (state.name === 'idle') throw new Error('octets before handleOpen');
    if (state.name === 'closed') return;
    if (state.name === 'established' && octets.length > 0) state.keepalive.heard(now);
    const messages = this.#framer.push(octets);
    if (this.#pending.length + messages.length > MAX_PENDING) {
      this.#options.count('flood');
      this.#end(cause('CONTROL_MALFORMED', 'too many messages at once'));
      return;
    }
    this.#pending.push(...messages);
    this.#pendingSince = now;
  }

  /**
   * The peer closed TCP, in whatever state and with or without a goodbye: a normal end. `failure` (an errno) instead says
   * that TCP broke.
   */
  handleClosed(_now: number, failure?: string): void {
    const how = failure ?? 'TCP closed by the peer';
    const state = this.#state;
    switch (state.name) {
      case 'closed':
        break;
      case 'idle':
      case 'wait-ctl-request':
        this.#end(cause('CONTROL_LOST', how));
        break;
      case 'wait-ctl-reply':
        this.#end(cause('CONTROL_REFUSED', how));
        break;
      case 'wait-close':
        this.#end(cause('CONTROL_COLLISION'));
        break;
      case 'established':
        this.#end(cause(failure === undefined ? 'HANGUP' : 'CONTROL_LOST', how));
        break;
      case 'wait-stop-reply':
        this.#end(state.cause);
        break;
    }
  }

  /**
   * PNS: asks for an outgoing call under our id `callId` (0..65535, allocated by the caller and not in use here). False if
   * the connection is ending or over: then there is no such call.
   */
  placeCall(callId: CallId, now: number): boolean {
    if (!this.#takesCalls('placeCall')) return false;
    this.#calls.place(callId, now);
    return true;
  }

  /**
   * PAC: offers an incoming call under our id `callId`. False as for placeCall. No floor above does: it is what the tests put
   * in front of our PNS. It shares its states with the other three diagrams, so that a peer of their own would say more.
   * @public for tests
   */
  offerCall(callId: CallId, now: number): boolean {
    if (!this.#takesCalls('offerCall')) return false;
    this.#calls.offer(callId, now);
    return true;
  }

  /** Answers 'call-requested'. False if the request was withdrawn meanwhile: then there is no such call. */
  acceptCall(request: number, callId: CallId, now: number): boolean {
    return this.#calls.accept(request, callId, now);
  }

  /** Answers 'call-requested'. False if the request was withdrawn meanwhile. */
  refuseCall(request: number, reason: RefusalReason): boolean {
    return this.#calls.refuse(request, reason);
  }

  /**
   * Ends a call: as PNS by Call-Clear-Request, and call-down follows when the peer has answered or DISCONNECT_TIMEOUT is
   * over; as PAC by Call-Disconnect-Notify, and call-down follows at once. Nothing if the call is over or ending already.
   */
  clearCall(callId: CallId, why: Cause, now: number): void {
    this.#calls.clear(callId, why, now);
  }

  /**
   * Ends the connection properly: Call-Disconnect-Notify for the calls where we are the PAC, Stop-Control-Connection-
   * Request, and 'down' with the reply or after STOP_TIMEOUT. Before the connection is established just 'down'.
   */
  stop(why: Cause, now: number): void {
    switch (this.#state.name) {
      case 'established':
        this.#calls.clearAll(why, now);
        this.#stop(why, now);
        break;
      case 'idle':
      case 'wait-ctl-request':
      case 'wait-ctl-reply':
      case 'wait-close':
        this.#end(why);
        break;
      case 'wait-stop-reply':
      case 'closed':
        break;
    }
  }

  /** Ends the connection at once and without another message, as the loser of a collision must (RFC 2637 §3.1.3). */
  abandon(why: Cause): void {
    if (this.#state.name !== 'closed') this.#end(why);
  }

  /** ms of the monotonic clock; undefined: nothing to wait for. */
  nextTimeout(): number | undefined {
    const state = this.#state;
    switch (state.name) {
      case 'idle':
      case 'closed':
        return undefined;
      case 'wait-ctl-request':
      case 'wait-ctl-reply':
      case 'wait-close':
      case 'wait-stop-reply':
        return state.deadline;
      case 'established':
        return Math.min(state.keepalive.deadline(), this.#calls.deadline());
    }
  }

  handleTimeout(now: number): void {
    const state = this.#state;
    switch (state.name) {
      case 'idle':
      case 'closed':
        break;
      case 'wait-ctl-request':
        if (now >= state.deadline) this.#end(cause('HANDSHAKE_TIMEOUT'));
        break;
      case 'wait-ctl-reply':
        if (now >= state.deadline) this.#end(cause('CONTROL_TIMEOUT'));
        break;
      case 'wait-close':
        if (now >= state.deadline) this.#end(cause('CONTROL_COLLISION'));
        break;
      case 'wait-stop-reply':
        if (now >= state.deadline) this.#end(state.cause);
        break;
      case 'established':
        this.#keepAlive(state.keepalive, now);
        this.#calls.handleTimeout(now);
        break;
    }
  }

  poll(): ControlOutput | undefined {
    for (;;) {
      const output = this.#outputs.shift();
      if (output !== undefined) return output;
      const state = this.#state;
      if (state.name === 'idle' || state.name === 'closed') return undefined;
      const octets = takeFirst(this.#pending);
      if (octets === undefined) return undefined;
      const message = isMalformed(octets) ? octets : decodeControlMessage(octets);
      if (isMalformed(message)) this.#handleMalformed(message);
      else this.#handleMessage(message, state, this.#pendingSince);
    }
  }

  #keepAlive(keepalive: Keepalive, now: number): void {
    const due = keepalive.due(now);
    if (due === 'lost') {
      this.#end(cause('CONTROL_ECHO_TIMEOUT'));
    } else if (due === 'ask') {
      const identifier = readU32(this.#options.random(4), 0);
      this.#outputs.send({ name: 'EchoRequest', identifier });
      keepalive.asked(identifier, now);
    }
  }

  #handleMalformed({ error, detail }: Malformed): void {
    if (error === 'unknown-type') {
      // Whole and in step, only not known: an extension of somebody else's.
      this.#options.count('unknown-type');
      return;
    }
    this.#options.count('malformed');
    // RFC 2637 §3: after an invalid message the connection is closed.
    this.#end(cause('CONTROL_MALFORMED', detail));
  }

  #handleMessage(message: ControlMessage, state: OpenState, now: number): void {
    switch (state.name) {
      case 'wait-ctl-request':
        if (message.name === 'StartControlConnectionRequest') this.#handleStart(message, now);
        else this.#handleEarly(message, 'CONTROL_LOST');
        break;
      case 'wait-ctl-reply':
        if (message.name === 'StartControlConnectionReply') this.#handleStarted(message, now);
        else this.#handleEarly(message, 'CONTROL_REFUSED');
        break;
      case 'wait-close':
        this.#options.count(`unexpected ${message.name}`);
        break;
      case 'established':
        this.#handleEstablished(message, state.keepalive, now);
        break;
      case 'wait-stop-reply':
        if (message.name === 'StopControlConnectionRequest') this.#replyToStop();
        else if (message.name !== 'StopControlConnectionReply') {
          this.#options.count(`unexpected ${message.name}`);
          break;
        }
        this.#end(state.cause);
        break;
    }
  }

  /** Start-Control-Connection-Request where it belongs (RFC 2637 §3.1.2). */
  #handleStart(
    message: Extract<ControlMessage, { name: 'StartControlConnectionRequest' }>,
    now: number,
  ): void {
    if (this.#options.wonCollision?.(now) === true) {
      // RFC 2637 §3.1.3: the winner says nothing on the connection that the loser opened.
      this.#state = { name: 'wait-close', deadline: now + this.#options.handshakeTimeout };
    } else if (message.protocolVersion < PROTOCOL_VERSION) {
      this.#sendStartReply(StartResult.ProtocolVersionNotSupported);
      this.#end(cause('CONTROL_VERSION', describeVersion(message.protocolVersion)));
    } else {
      // A later version is answered with ours; it is for the peer to step back.
      this.#sendStartReply(StartResult.Successful);
      this.#establish(message, now);
    }
  }

  /** Start-Control-Connection-Reply where it belongs (RFC 2637 §3.1.1). */
  #handleStarted(
    message: Extract<ControlMessage, { name: 'StartControlConnectionReply' }>,
    now: number,
  ): void {
    // Some ADSL modems answer 0 and mean success.
    if (message.resultCode !== StartResult.Successful && message.resultCode !== 0) {
      this.#end(startRefused(message));
    } else if (message.protocolVersion < PROTOCOL_VERSION) {
      this.#stop(cause('CONTROL_VERSION', describeVersion(message.protocolVersion)), now);
    } else {
      this.#establish(message, now);
    }
  }

  /** Anything else before the connection is established; requests are told so (RFC 2637 §2.16, Not-Connected). */
  #handleEarly(message: ControlMessage, stopped: 'CONTROL_LOST' | 'CONTROL_REFUSED'): void {
    this.#options.count(`unexpected ${message.name}`);
    switch (message.name) {
      case 'StopControlConnectionRequest':
        this.#replyToStop();
        this.#end(cause(stopped, describeStop(message.reason)));
        break;
      case 'EchoRequest':
        this.#outputs.send(echoRefusal(message.identifier));
        break;
      case 'OutgoingCallRequest':
        this.#outputs.send(callRefusal('outgoing', message.callId, 'not-connected'));
        break;
      case 'IncomingCallRequest':
        this.#outputs.send(callRefusal('incoming', message.callId, 'not-connected'));
        break;
      case 'StartControlConnectionRequest':
      case 'StartControlConnectionReply':
      case 'StopControlConnectionReply':
      case 'EchoReply':
      case 'OutgoingCallReply':
      case 'IncomingCallReply':
      case 'IncomingCallConnected':
      case 'CallClearRequest':
      case 'CallDisconnectNotify':
      case 'WanErrorNotify':
      case 'SetLinkInfo':
        break;
    }
  }

  #handleEstablished(message: ControlMessage, keepalive: Keepalive, now: number): void {
    switch (message.name) {
      case 'StartControlConnectionRequest':
        this.#options.count(`unexpected ${message.name}`);
        this.#sendStartReply(StartResult.ChannelAlreadyExists);
        break;
      case 'StartControlConnectionReply':
      case 'StopControlConnectionReply':
        this.#options.count(`unexpected ${message.name}`);
        break;
      case 'StopControlConnectionRequest':
        this.#replyToStop();
        this.#end(cause('HANGUP', describeStop(message.reason)));
        break;
      case 'EchoRequest':
        this.#outputs.send(echoReply(message.identifier));
        break;
      case 'EchoReply':
        if (!keepalive.answers(message.identifier))
          this.#options.count(`unexpected ${message.name}`);
        break;
      case 'OutgoingCallRequest':
      case 'IncomingCallRequest':
        this.#calls.handleRequest(message, now);
        break;
      case 'OutgoingCallReply':
      case 'IncomingCallReply':
      case 'IncomingCallConnected':
      case 'CallClearRequest':
      case 'CallDisconnectNotify':
        this.#calls.handleMessage(message);
        break;
      case 'WanErrorNotify':
      case 'SetLinkInfo':
        // Both speak of asynchronous lines; a call over IP has none.
        this.#options.count(`ignored ${message.name}`);
        break;
    }
  }

  #establish(peer: ControlPeer, now: number): void {
    this.#state = { name: 'established', keepalive: this.#newKeepalive(now) };
    const { hostName, vendorName, firmwareRevision, protocolVersion } = peer;
    this.#outputs.emit({
      kind: 'established',
      peer: { hostName, vendorName, firmwareRevision, protocolVersion },
    });
  }

  #newKeepalive(now: number): Keepalive {
    const { echoInterval = ECHO_INTERVAL, echoTimeout = ECHO_TIMEOUT } = this.#options;
    return new Keepalive(echoInterval, echoTimeout, now);
  }

  #stop(why: Cause, now: number): void {
    this.#outputs.send({ name: 'StopControlConnectionRequest', reason: stopReason(why) });
    this.#state = { name: 'wait-stop-reply', cause: why, deadline: now + STOP_TIMEOUT };
  }

  #end(why: Cause): void {
    this.#calls.handleLost(why);
    this.#pending = [];
    this.#state = { name: 'closed' };
    this.#outputs.emit({ kind: 'down', cause: why });
  }

  #sendStartReply(resultCode: number): void {
    this.#outputs.send(startReply(this.#options, resultCode, this.#options.maxCalls));
  }

  #replyToStop(): void {
    this.#outputs.send({
      name: 'StopControlConnectionReply',
      resultCode: StopResult.Ok,
      errorCode: 0,
    });
  }

  #takesCalls(command: string): boolean {
    switch (this.#state.name) {
      case 'established':
        return true;
      case 'wait-stop-reply':
      case 'closed':
        return false;
      case 'idle':
      case 'wait-ctl-request':
      case 'wait-ctl-reply':
      case 'wait-close':
        throw new Error(`${command} in state ${this.#state.name}`);
    }
  }
}

function describeVersion(version: number): string {
  return `version 0x${version.toString(16).padStart(4, '0')}`;
}
