/**
 * A control connection in the middle (RFC 2637 §2, §3): what one end sends goes to the other, message by message, with
 * nothing changed but call ids. Each end is told an id of ours instead of the other end's own, so that calls of any
 * number of clients can be told apart by GRE's call id, whatever ids the ends choose.
 *
 * A message that is strange is passed on as it is; the ends know each other's quirks better than we do. Not passed on are
 * only those that name an id which was told to somebody else, and those too short for the ids that they must have. A reply
 * that brings a call up waits until the call's packets can pass; what follows it waits behind it.
 */
import type { CallIds } from '../pptp/call-ids.ts';
import { Framer } from '../pptp/framer.ts';
import { callRefusal } from '../pptp/messages.ts';
import type { CallId } from '../wire/brand.ts';
import { cause, type Cause } from '../wire/cause.ts';
import { isMalformed } from '../wire/codec.ts';
import { encodeControlMessage } from '../wire/control-message.ts';
import { readU16, writeU16 } from '../wire/octets.ts';
import { callIdFields, MESSAGE_TYPE_AT, MessageType, neededLength } from './call-id-fields.ts';
import type { RelayOutput } from './relay-output.ts';
import {
  deadlineOf,
  goodbye,
  isPassing,
  otherSide,
  type PassingCall,
  type RelayedCall,
  type Side,
} from './relayed-call.ts';
import { RelayedCalls } from './relayed-calls.ts';

/** Times, ms. A client has its first message ready, and after the start the request of its first call. */
export const FIRST_MESSAGE_TIMEOUT = 10_000;
export const FIRST_CALL_TIMEOUT = 10_000;
/** Servers give up a start after 5 to 60 s, callers wait for up to 60. */
export const START_TIMEOUT = 60_000;
/** RFC 2637 §3.2: dialling a number takes its time. */
export const CALL_TIMEOUT = 120_000;
/** From Call-Clear-Request to Call-Disconnect-Notify, from Stop-Control-Connection-Reply to the end of TCP. */
export const CLEAR_TIMEOUT = 10_000;
export const MAX_CALLS = 64;
/** Messages of one end that wait for the other end's connection, or for a call's packets. */
export const MAX_HELD = 64;

/** Result Codes of a call that is connected (RFC 2637 §2.8, §2.10); some send 0. */
const CONNECTED: readonly number[] = [0, 1];

/** Input that was tolerated. */
export type RelayCounter =
  | 'malformed'
  | 'unknown-type'
  | 'unknown-call-id'
  /** The call id was told to somebody else: the message is not passed on. */
  | 'foreign-call-id'
  | 'call-limit'
  | 'flood';

export interface RelayedConnectionOptions {
  readonly ids: Pick<CallIds, 'take' | 'release' | 'isUsed'>;
  /** An id for a call that is up, unique on this machine. */
  readonly nextId: () => number;
  /** Input was tolerated. */
  readonly count: (what: RelayCounter) => void;
  /** Silence, on the control connection and of packets, after which it ends; ms, 0: never. */
  readonly idleTimeout: number;
}

/** The way of a connection; it ends at `by` unless it has come further. */
type State =
  /** The client has said nothing. */
  | { readonly name: 'silent'; readonly by: number }
  /** The server's reply to the start is awaited, and its connection before that. */
  | { readonly name: 'starting'; readonly by: number }
  /** Nobody has asked for a call. */
  | { readonly name: 'started'; readonly by: number }
  | { readonly name: 'called' }
  /** The stop is agreed on; TCP has not ended. */
  | { readonly name: 'stopping'; readonly by: number; readonly wasCalled: boolean }
  | { readonly name: 'done' };

/** What an end has said while it may not pass, and the reply of its own, if any, which must pass first. */
interface Held {
  readonly reply: Uint8Array | undefined;
  readonly messages: Uint8Array[];
}

export type SavedRelayedConnection = NonNullable<ReturnType<RelayedConnection['save']>>;

export class RelayedConnection {
  readonly #options: RelayedConnectionOptions;
  readonly #outputs: RelayOutput[] = [];
  readonly #framers: Record<Side, Framer> = { client: new Framer(), server: new Framer() };
  readonly #calls = new RelayedCalls();
  /** undefined: nothing holds this end back. The client's messages wait for the server's connection first. */
  readonly #held: Record<Side, Held | undefined> = {
    client: { reply: undefined, messages: [] },
    server: undefined,
  };
  #state: State;
  #idleTimeout: number;
  #heard: number;

  constructor(options: RelayedConnectionOptions, now: number) {
    this.#options = options;
    this.#idleTimeout = options.idleTimeout;
    this.#state = { name: 'silent', by: now + FIRST_MESSAGE_TIMEOUT };
    this.#heard = now;
  }

  /** The calls whose packets pass. */
  get calls(): readonly PassingCall[] {
    return this.#calls.passing();
  }

  /**
   * What another connection goes on with. undefined: something is being negotiated, or it ends.
   * Not carried: #options; #outputs and #held, of which there are none; #idleTimeout, which is of the options.
   */
  save() {
    const isQuiet =
      this.#state.name === 'called' &&
      this.#outputs.length === 0 &&
      this.#held.client === undefined &&
      this.#held.server === undefined;
    const calls = [...this.#calls];
    if (!isQuiet || !calls.every((call) => isPassing(call) && call.state.clearBy === undefined))
      return undefined;
    const { client, server } = this.#framers;
    const framers = { client: client.save(), server: server.save() };
    return { framers, calls, heard: this.#heard };
  }

  restore({ framers, calls, heard }: SavedRelayedConnection): void {
    this.#framers.client.push(framers.client);
    this.#framers.server.push(framers.server);
    this.#calls.adopt(calls);
    this.#held.client = undefined;
    this.#state = { name: 'called' };
    this.#heard = heard;
  }

  setIdleTimeout(idleTimeout: number): void {
    this.#idleTimeout = idleTimeout;
  }

  handleOctets(side: Side, octets: Uint8Array, now: number): void {
    if (this.#isDone) return;
    this.#heard = now;
    for (const message of this.#framers[side].push(octets)) {
      if (isMalformed(message)) {
        this.#options.count('malformed');
        this.end(cause('CONTROL_MALFORMED', `${side}: ${message.detail}`));
        return;
      }
      this.#take(side, message, now);
    }
  }

  /** The connection to the server is there. */
  handleConnected(now: number): void {
    if (!this.#isDone) this.#release('client', now);
  }

  /** The kernel lets the call's packets through, or (`failure`) does not. */
  handleOpened(call: RelayedCall, failure: Cause | undefined, now: number): void {
    if (!this.#calls.has(call) || call.state.name !== 'opening') return;
    const side = otherSide(call.requester);
    const reply = this.#held[side]?.reply;
    if (failure === undefined) {
      const { by: clearBy } = call.state;
      call.state = { name: 'up', id: this.#options.nextId(), since: now, clearBy };
      this.#write(call.requester, reply!);
      if (isPassing(call)) this.#emit({ kind: 'call-up', call });
    } else this.#fail(call, failure);
    this.#release(side, now);
  }

  /** Packets of a call have passed. */
  handleTraffic(now: number): void {
    this.#heard = now;
  }

  /** An end has closed its TCP connection, or lost it. */
  handleClosed(side: Side, errno: string | undefined): void {
    this.end(
      errno === undefined ? cause('HANGUP', side) : cause('CONTROL_LOST', `${side}: ${errno}`),
    );
  }

  /** Ends one call, and the connection if it was the only one. */
  disconnect(call: RelayedCall, why: Cause): void {
    if (!this.#calls.has(call) || this.#isDone) return;
    this.#sayGoodbye(call);
    this.#drop(call, why);
    if (this.#calls.size === 0) this.end(why);
  }

  end(why: Cause): void {
    if (this.#isDone) return;
    for (const call of this.#calls) {
      if (isPassing(call) && call.state.clearBy === undefined) this.#sayGoodbye(call);
      this.#drop(call, why);
    }
    this.#state = { name: 'done' };
    this.#emit({ kind: 'done', cause: why });
  }

  nextTimeout(): number | undefined {
    if (this.#isDone) return undefined;
    let next = this.#deadline;
    if (this.#idleTimeout > 0) next = Math.min(next, this.#heard + this.#idleTimeout);
    for (const call of this.#calls) next = Math.min(next, deadlineOf(call));
    return next === Infinity ? undefined : next;
  }

  handleTimeout(now: number): void {
    if (this.#isDone) return;
    if (now >= this.#deadline)
      this.end(this.#wasCalled ? cause('HANGUP') : cause('HANDSHAKE_TIMEOUT'));
    else if (this.#idleTimeout > 0 && now >= this.#heard + this.#idleTimeout)
      this.end(cause('IDLE_TIMEOUT'));
    else
      for (const call of this.#calls)
        if (now >= deadlineOf(call))
          this.#drop(call, cause(isPassing(call) ? 'HANGUP' : 'CALL_TIMEOUT'));
  }

  poll(): RelayOutput | undefined {
    return this.#outputs.shift();
  }

  get #isDone(): boolean {
    return this.#state.name === 'done';
  }

  get #deadline(): number {
    return 'by' in this.#state ? this.#state.by : Infinity;
  }

  get #wasCalled(): boolean {
    const state = this.#state;
    return state.name === 'called' || (state.name === 'stopping' && state.wasCalled);
  }

  /** One whole message: passed on, or held behind those that wait. */
  #take(side: Side, message: Uint8Array, now: number): void {
    if (this.#isDone) return;
    const messages = this.#held[side]?.messages;
    if (messages === undefined) {
      this.#pass(side, message, now);
      return;
    }
    if (messages.length >= MAX_HELD) {
      this.#options.count('flood');
      this.end(cause('CONTROL_MALFORMED', `${side}: more than ${MAX_HELD} messages at once`));
      return;
    }
    messages.push(message);
    if (this.#state.name !== 'silent') return;
    this.#state = { name: 'starting', by: now + START_TIMEOUT };
    this.#emit({ kind: 'connect' });
  }

  #release(side: Side, now: number): void {
    const messages = this.#held[side]?.messages ?? [];
    this.#held[side] = undefined;
    for (const message of messages) this.#take(side, message, now); // it may begin to wait again
  }

  #pass(side: Side, message: Uint8Array, now: number): void {
    const type = readU16(message, MESSAGE_TYPE_AT);
    const fields = callIdFields(type);
    if (fields === undefined) {
      this.#passPlain(side, type, message, now);
      return;
    }
    if (message.length < neededLength(fields)) {
      this.#options.count('malformed');
      return;
    }
    switch (type) {
      case MessageType.OutgoingCallRequest:
      case MessageType.IncomingCallRequest:
        this.#passRequest(side, type, message, now);
        break;
      case MessageType.OutgoingCallReply:
      case MessageType.IncomingCallReply:
        this.#passReply(side, message, now);
        break;
      default:
        this.#passRest(side, type, message, now);
    }
  }

  /** A message without call ids. */
  #passPlain(side: Side, type: number, message: Uint8Array, now: number): void {
    if (type === 0 || type > MessageType.SetLinkInfo) this.#options.count('unknown-type');
    this.#write(otherSide(side), message);
    if (type === MessageType.StopControlConnectionReply)
      this.#state = { name: 'stopping', by: now + CLEAR_TIMEOUT, wasCalled: this.#wasCalled };
    else if (
      type === MessageType.StartControlConnectionReply &&
      side === 'server' &&
      this.#state.name === 'starting'
    )
      this.#state = { name: 'started', by: now + FIRST_CALL_TIMEOUT };
  }

  #passRequest(side: Side, type: number, message: Uint8Array, now: number): void {
    const direction = type === MessageType.OutgoingCallRequest ? 'outgoing' : 'incoming';
    const callId = readU16(message, 12);
    const told = this.#calls.size < MAX_CALLS ? this.#options.ids.take() : undefined;
    if (told === undefined) {
      this.#options.count('call-limit');
      this.#write(side, encodeControlMessage(callRefusal(direction, callId, 'no-resource')));
      return;
    }
    this.#state = { name: 'called' };
    const call = this.#calls.request(direction, side, { callId, told }, now + CALL_TIMEOUT);
    writeU16(message, 12, told);
    this.#emit({ kind: 'open', call, towards: side });
    this.#writeOf(call, side, message);
  }

  #passReply(side: Side, message: Uint8Array, now: number): void {
    const requester = otherSide(side);
    const peerCallId = readU16(message, 14);
    const call = this.#calls.requested(requester, peerCallId);
    if (call === undefined) {
      this.#passUnknown(side, [readU16(message, 12), peerCallId], message);
      return;
    }
    writeU16(message, 14, call[requester].callId!);
    if (!CONNECTED.includes(message[16]!)) {
      // A refusal's own id names nothing (RFC 2637 §2.8); what was told to somebody else stays its own.
      if (this.#options.ids.isUsed(readU16(message, 12))) writeU16(message, 12, 0);
      this.#writeOf(call, side, message);
      this.#drop(call, cause('CALL_REFUSED', `result ${message[16]!}, error ${message[17]!}`));
      return;
    }
    call[side].callId = readU16(message, 12);
    call[side].told = this.#options.ids.take();
    call.state = { name: 'opening', by: undefined };
    call.control[side] += message.length;
    this.#held[side] = { reply: message, messages: [] };
    if (call[side].told === undefined) {
      this.#options.count('call-limit');
      this.handleOpened(call, cause('TOO_MANY_CONNECTIONS'), now);
      return;
    }
    writeU16(message, 12, call[side].told);
    this.#emit({ kind: 'open', call, towards: side });
  }

  /** Messages about a call that there is already. */
  #passRest(side: Side, type: number, message: Uint8Array, now: number): void {
    const callId = readU16(message, 12);
    const found = this.#calls.named(side, callId, type);
    if (found === undefined) {
      this.#passUnknown(side, [callId], message);
      return;
    }
    const { call, rewritten } = found;
    writeU16(message, 12, rewritten);
    this.#writeOf(call, side, message);
    if (type === MessageType.CallDisconnectNotify) this.#drop(call, cause('HANGUP', side));
    else if (type === MessageType.CallClearRequest) {
      // Some answer it with nothing, or with the end of TCP.
      const by = Math.min(deadlineOf(call), now + CLEAR_TIMEOUT);
      const { state } = call;
      call.state = state.name === 'up' ? { ...state, clearBy: by } : { ...state, by };
    }
  }

  /** The ids belong to no call here. To no other call either: then they do no harm, whatever they mean. */
  #passUnknown(side: Side, callIds: readonly CallId[], message: Uint8Array): void {
    if (callIds.some((callId) => this.#options.ids.isUsed(callId))) {
      this.#options.count('foreign-call-id');
      return;
    }
    this.#options.count('unknown-call-id');
    this.#write(otherSide(side), message);
  }

  /** Its packets cannot pass: the end that asked is refused, the one that agreed is told that it is over. */
  #fail(call: RelayedCall, why: Cause): void {
    const { requester, direction } = call;
    const answerer = otherSide(requester);
    const refusal = callRefusal(direction, call[requester].callId!, 'no-resource');
    this.#write(requester, encodeControlMessage(refusal));
    this.#write(answerer, goodbye(call, answerer));
    this.#drop(call, why);
  }

  /** As if each end had ended it: the PAC notifies, the PNS asks (RFC 2637 §2.12, §2.13). */
  #sayGoodbye(call: RelayedCall): void {
    for (const side of ['client', 'server'] as const)
      if (call[otherSide(side)].told !== undefined) this.#write(side, goodbye(call, side));
  }

  #drop(call: RelayedCall, why: Cause): void {
    this.#calls.remove(call);
    const { client, server } = call;
    this.#emit({ kind: 'remove', call });
    if (isPassing(call)) this.#emit({ kind: 'call-down', call, cause: why });
    for (const { told } of [client, server])
      if (told !== undefined) this.#options.ids.release(told);
  }

  /** Passes on a message about a call. */
  #writeOf(call: RelayedCall, from: Side, message: Uint8Array): void {
    call.control[from] += message.length;
    this.#write(otherSide(from), message);
  }

  #write(side: Side, octets: Uint8Array): void {
    this.#emit({ kind: 'write', side, octets });
  }

  #emit(output: RelayOutput): void {
    this.#outputs.push(output);
  }
}
