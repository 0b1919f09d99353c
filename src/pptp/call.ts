/**
 * One call of a control connection: RFC 2637 §3.2, the four state diagrams (PAC and PNS, incoming and outgoing) in one sum
 * type. Which of the four is at work follows from who asked: an outgoing call was asked for by the PNS, an incoming one by
 * the PAC.
 *
 * Deviation from §3 ("if an expected reply does not arrive within 60 seconds, the control connection is closed"): only the
 * call is given up, because other calls may be alive on the same connection.
 */
import type { CallId } from '../wire/brand.ts';
import { cause, type Cause } from '../wire/cause.ts';
import { DisconnectResult, IncomingCallResult, OutgoingCallResult } from '../wire/control-codes.ts';
import type { ControlMessage, ControlMessageName } from '../wire/control-message.ts';
import { goodbye } from '../wire/goodbye.ts';
import { readable } from '../wire/text.ts';
import type { ControlConnectionOptions } from './control-options.ts';
import type { CallDirection } from './control-output.ts';
import {
  callDisconnectNotify,
  callRefusal,
  incomingCallConnected,
  incomingCallReply,
  incomingCallRequest,
  outgoingCallReply,
  outgoingCallRequest,
} from './messages.ts';
import type { OutputQueue } from './output-queue.ts';
import {
  callRefused,
  describeDisconnect,
  disconnectCodes,
  type RefusalReason,
} from './result-codes.ts';

/** ms that the PNS waits for Call-Disconnect-Notify after its Call-Clear-Request. */
export const DISCONNECT_TIMEOUT = 1500;

/** What a call needs of its control connection. */
export interface CallPort {
  /** ms for the peer, or the floor above, to answer a request. */
  readonly callTimeout: number;
  readonly count: ControlConnectionOptions['count'];
  readonly outputs: OutputQueue;
}

type Message<N extends ControlMessageName> = Extract<ControlMessage, { readonly name: N }>;
type CallRequest = Message<'OutgoingCallRequest' | 'IncomingCallRequest'>;
type CallReply = Message<'OutgoingCallReply' | 'IncomingCallReply'>;

type CallState =
  /** The peer asked; acceptCall or refuseCall is awaited. PAC outgoing: the RFC's wait_cs_ans. */
  | {
      readonly name: 'requested';
      readonly request: number;
      readonly peerCallId: CallId;
      /** Goes back to the peer in the reply. */
      readonly peerWindow: number;
      readonly deadline: number;
    }
  /** We asked. */
  | { readonly name: 'wait-reply'; readonly callId: CallId; readonly deadline: number }
  /** PNS, incoming: accepted, Incoming-Call-Connected is awaited. */
  | {
      readonly name: 'wait-connect';
      readonly callId: CallId;
      readonly peerCallId: CallId;
      readonly deadline: number;
    }
  | { readonly name: 'established'; readonly callId: CallId; readonly peerCallId: CallId }
  /** PNS: Call-Clear-Request is out, Call-Disconnect-Notify awaited. */
  | {
      readonly name: 'wait-disconnect';
      readonly callId: CallId;
      readonly peerCallId: CallId | undefined;
      readonly cause: Cause;
      readonly deadline: number;
    }
  | { readonly name: 'idle' };

export interface SavedCall {
  readonly direction: CallDirection;
  readonly role: 'PNS' | 'PAC';
  readonly callId: CallId;
  readonly peerCallId: CallId;
}

export class Call {
  readonly direction: CallDirection;
  /** Ours in this call. */
  readonly role: 'PNS' | 'PAC';
  readonly #port: CallPort;
  #state: CallState;

  private constructor(
    port: CallPort,
    direction: CallDirection,
    role: 'PNS' | 'PAC',
    state: CallState,
  ) {
    this.#port = port;
    this.direction = direction;
    this.role = role;
    this.#state = state;
  }

  /** PNS: Outgoing-Call-Request (RFC 2637 §3.2.4.2). */
  static place(port: CallPort, callId: CallId, serial: number, now: number): Call {
    port.outputs.send(outgoingCallRequest(callId, serial));
    return new Call(port, 'outgoing', 'PNS', {
      name: 'wait-reply',
      callId,
      deadline: now + port.callTimeout,
    });
  }

  /** PAC: Incoming-Call-Request (RFC 2637 §3.2.3.1). */
  static offer(port: CallPort, callId: CallId, serial: number, now: number): Call {
    port.outputs.send(incomingCallRequest(callId, serial));
    return new Call(port, 'incoming', 'PAC', {
      name: 'wait-reply',
      callId,
      deadline: now + port.callTimeout,
    });
  }

  /** The peer asks for a call (RFC 2637 §3.2.4.1, §3.2.3.2); `request` is the number it gets above. */
  static requested(port: CallPort, message: CallRequest, request: number, now: number): Call {
    const outgoing = message.name === 'OutgoingCallRequest';
    const direction = outgoing ? 'outgoing' : 'incoming';
    const peerCallId = message.callId;
    const peerWindow = outgoing ? message.packetReceiveWindowSize : 0;
    const phoneNumber = outgoing ? message.phoneNumber : message.dialingNumber;
    port.outputs.emit({ kind: 'call-requested', request, direction, peerCallId, phoneNumber });
    return new Call(port, direction, outgoing ? 'PAC' : 'PNS', {
      name: 'requested',
      request,
      peerCallId,
      peerWindow,
      deadline: now + port.callTimeout,
    });
  }

  /** One that was established. */
  static restore(port: CallPort, { direction, role, ...ids }: SavedCall): Call {
    return new Call(port, direction, role, { name: 'established', ...ids });
  }

  /** undefined: it is not established. Not carried: #port, which is the connection's. */
  save(): SavedCall | undefined {
    if (this.#state.name !== 'established') return undefined;
    const { callId, peerCallId } = this.#state;
    return { direction: this.direction, role: this.role, callId, peerCallId };
  }

  get state(): CallState['name'] {
    return this.#state.name;
  }

  /** The number of the peer's request while it is unanswered. */
  get request(): number | undefined {
    return 'request' in this.#state ? this.#state.request : undefined;
  }

  /** Ours; undefined while the peer's request is unanswered and when the call is over. */
  get callId(): CallId | undefined {
    return 'callId' in this.#state ? this.#state.callId : undefined;
  }

  /** The peer's; undefined while it is not known. */
  get peerCallId(): CallId | undefined {
    return 'peerCallId' in this.#state ? this.#state.peerCallId : undefined;
  }

  deadline(): number | undefined {
    return 'deadline' in this.#state ? this.#state.deadline : undefined;
  }

  /** Answers the peer's request with yes. False when there is no request any more. */
  accept(callId: CallId, now: number): boolean {
    const state = this.#state;
    if (state.name !== 'requested') return false;
    const { peerCallId, peerWindow } = state;
    if (this.direction === 'outgoing') {
      const codes = { resultCode: OutgoingCallResult.Connected, errorCode: 0 };
      this.#port.outputs.send(outgoingCallReply(callId, peerCallId, codes, peerWindow));
      this.#up(callId, peerCallId);
    } else {
      const codes = { resultCode: IncomingCallResult.Connect, errorCode: 0 };
      this.#port.outputs.send(incomingCallReply(callId, peerCallId, codes));
      const deadline = now + this.#port.callTimeout;
      this.#state = { name: 'wait-connect', callId, peerCallId, deadline };
    }
    return true;
  }

  /** Answers the peer's request with no. False when there is no request any more. */
  refuse(reason: RefusalReason): boolean {
    const state = this.#state;
    if (state.name !== 'requested') return false;
    this.#port.outputs.send(callRefusal(this.direction, state.peerCallId, reason));
    this.#state = { name: 'idle' };
    return true;
  }

  /** Ends the call from our side: PNS by Call-Clear-Request, PAC by Call-Disconnect-Notify. */
  clear(why: Cause, now: number): void {
    const state = this.#state;
    switch (state.name) {
      case 'wait-reply':
      case 'wait-connect':
      case 'established':
        if (this.role === 'PNS') {
          this.#port.outputs.send({ name: 'CallClearRequest', callId: state.callId });
          this.#state = {
            name: 'wait-disconnect',
            callId: state.callId,
            peerCallId: this.peerCallId,
            cause: why,
            deadline: now + DISCONNECT_TIMEOUT,
          };
        } else {
          this.#port.outputs.send(
            callDisconnectNotify(state.callId, disconnectCodes(why), goodbye(why)),
          );
          this.#over(state.callId, why);
        }
        break;
      case 'requested':
      case 'wait-disconnect':
      case 'idle':
        break;
    }
  }

  /** Outgoing-Call-Reply or Incoming-Call-Reply to our request. */
  handleReply(message: CallReply): void {
    const state = this.#state;
    // A reply of the other kind, or to a call that the peer asked for, belongs to nothing.
    const fits =
      message.name === 'OutgoingCallReply'
        ? this.role === 'PNS' && this.direction === 'outgoing'
        : this.role === 'PAC' && this.direction === 'incoming';
    // RFC 2637 §2.8, §2.10: 1 is success in both replies.
    const success = message.resultCode === OutgoingCallResult.Connected;
    if (fits && state.name === 'wait-reply') {
      if (!success) {
        this.#over(state.callId, callRefused(message.name, message));
        return;
      }
      if (this.role === 'PAC') this.#port.outputs.send(incomingCallConnected(message.callId));
      this.#up(state.callId, message.callId);
    } else if (fits && state.name === 'wait-disconnect' && state.peerCallId === undefined) {
      // The reply crossed our Call-Clear-Request. A call that was refused gets no Call-Disconnect-Notify.
      if (success) this.#state = { ...state, peerCallId: message.callId };
      else this.#over(state.callId, state.cause);
    } else {
      this.#port.count(`unexpected ${message.name}`);
    }
  }

  handleConnected(message: Message<'IncomingCallConnected'>): void {
    const state = this.#state;
    if (state.name === 'wait-connect') this.#up(state.callId, state.peerCallId);
    else this.#port.count(`unexpected ${message.name}`);
  }

  /** RFC 2637 §2.12: the PNS wants the call cleared, in any state; the answer is Call-Disconnect-Notify. */
  handleClearRequest(message: Message<'CallClearRequest'>): void {
    // Only a PNS sends it; one that comes from a PAC still says that the call is over.
    if (this.role === 'PNS') this.#port.count(`unexpected ${message.name}`);
    const callId = this.callId ?? message.callId;
    const codes = { resultCode: DisconnectResult.Request, errorCode: 0 };
    this.#port.outputs.send(callDisconnectNotify(callId, codes));
    this.handleLost(cause('HANGUP', 'Call-Clear-Request'));
  }

  handleDisconnectNotify(message: Message<'CallDisconnectNotify'>): void {
    // Only a PAC sends it; one that comes from a PNS still says that the call is over.
    if (this.role === 'PAC') this.#port.count(`unexpected ${message.name}`);
    const text = readable(message.callStatistics);
    const said = text === undefined ? '' : `; it says: ${text}`;
    this.handleLost(
      cause('HANGUP', `Call-Disconnect-Notify ${describeDisconnect(message)}${said}`),
    );
  }

  /** The call is over without anything that could still be sent, because of the peer or the control connection. */
  handleLost(why: Cause): void {
    const state = this.#state;
    switch (state.name) {
      case 'requested':
        this.#state = { name: 'idle' };
        this.#port.outputs.emit({ kind: 'request-withdrawn', request: state.request, cause: why });
        break;
      case 'wait-reply':
        // Whatever ends the call instead of a reply is a no to our request.
        this.#over(state.callId, why.code === 'HANGUP' ? cause('CALL_REFUSED', why.detail) : why);
        break;
      case 'wait-connect':
      case 'established':
        this.#over(state.callId, why);
        break;
      case 'wait-disconnect':
        // pptpd answers Call-Clear-Request by closing TCP: however the answer looks, our own cause holds.
        this.#over(state.callId, state.cause);
        break;
      case 'idle':
        break;
    }
  }

  handleTimeout(now: number): void {
    const state = this.#state;
    switch (state.name) {
      case 'requested':
        if (now < state.deadline) break;
        this.#port.outputs.send(callRefusal(this.direction, state.peerCallId, 'time-out'));
        this.handleLost(cause('CALL_TIMEOUT'));
        break;
      case 'wait-reply':
      case 'wait-connect':
        if (now >= state.deadline) this.clear(cause('CALL_TIMEOUT'), now);
        break;
      case 'wait-disconnect':
        if (now >= state.deadline) this.#over(state.callId, state.cause);
        break;
      case 'established':
      case 'idle':
        break;
    }
  }

  #up(callId: CallId, peerCallId: CallId): void {
    const { direction } = this;
    this.#state = { name: 'established', callId, peerCallId };
    this.#port.outputs.emit({ kind: 'call-up', callId, peerCallId, direction });
  }

  #over(callId: CallId, why: Cause): void {
    this.#state = { name: 'idle' };
    this.#port.outputs.emit({ kind: 'call-down', callId, cause: why });
  }
}
