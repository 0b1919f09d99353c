/**
 * The calls of one control connection, and which call a message means (RFC 2637 §2.8-§2.13).
 */
import type { CallId } from '../wire/brand.ts';
import type { Cause } from '../wire/cause.ts';
import type { ControlMessage } from '../wire/control-message.ts';
import { Call, type CallPort } from './call.ts';
import type { ControlConnectionOptions } from './control-options.ts';
import { callRefusal } from './messages.ts';
import type { OutputQueue } from './output-queue.ts';
import type { RefusalReason } from './result-codes.ts';

type CallMessage = Extract<
  ControlMessage,
  {
    name:
      | 'OutgoingCallReply'
      | 'IncomingCallReply'
      | 'IncomingCallConnected'
      | 'CallClearRequest'
      | 'CallDisconnectNotify';
  }
>;
type CallRequest = Extract<ControlMessage, { name: 'OutgoingCallRequest' | 'IncomingCallRequest' }>;

export class CallTable {
  readonly #maxCalls: number;
  readonly #port: CallPort;
  /** In the order in which they began; those that are over are gone. */
  #calls: Call[] = [];
  /** Calls that ever were, for request numbers, serial numbers and `#soleCall`. */
  #begun = 0;

  constructor({ maxCalls, callTimeout, count }: ControlConnectionOptions, outputs: OutputQueue) {
    this.#maxCalls = maxCalls;
    this.#port = { callTimeout, count, outputs };
  }

  /** undefined: a call is not established. Not carried: #maxCalls and #port, which are the connection's. */
  save() {
    const calls = this.#calls.flatMap((call) => call.save() ?? []);
    return calls.length < this.#calls.length ? undefined : { calls, begun: this.#begun };
  }

  restore({ calls, begun }: NonNullable<ReturnType<CallTable['save']>>): void {
    this.#calls = calls.map((call) => Call.restore(this.#port, call));
    this.#begun = begun;
  }

  get size(): number {
    return this.#calls.length;
  }

  place(callId: CallId, now: number): void {
    this.#checkFree(callId);
    this.#checkRoom();
    this.#add(Call.place(this.#port, callId, this.#nextSerial(), now));
  }

  offer(callId: CallId, now: number): void {
    this.#checkFree(callId);
    this.#checkRoom();
    this.#add(Call.offer(this.#port, callId, this.#nextSerial(), now));
  }

  accept(request: number, callId: CallId, now: number): boolean {
    this.#checkFree(callId);
    return this.#calls.find((call) => call.request === request)?.accept(callId, now) ?? false;
  }

  refuse(request: number, reason: RefusalReason): boolean {
    const refused = this.#calls.find((call) => call.request === request)?.refuse(reason) ?? false;
    this.#forget();
    return refused;
  }

  clear(callId: CallId, why: Cause, now: number): void {
    this.#byCallId(callId)?.clear(why, now);
    this.#forget();
  }

  /** Before Stop-Control-Connection-Request, which clears every call by itself (RFC 2637 §2.3). */
  clearAll(why: Cause, now: number): void {
    for (const call of this.#calls) {
      if (call.role === 'PAC') call.clear(why, now);
      call.handleLost(why);
    }
    this.#forget();
  }

  handleLost(why: Cause): void {
    for (const call of this.#calls) call.handleLost(why);
    this.#forget();
  }

  /** Infinity: nothing to wait for. */
  deadline(): number {
    return Math.min(...this.#calls.map((call) => call.deadline() ?? Infinity));
  }

  handleTimeout(now: number): void {
    for (const call of this.#calls) call.handleTimeout(now);
    this.#forget();
  }

  /** Outgoing-Call-Request or Incoming-Call-Request. */
  handleRequest(message: CallRequest, now: number): void {
    const direction = message.name === 'OutgoingCallRequest' ? 'outgoing' : 'incoming';
    const known = this.#byPeerCallId(message.callId);
    if (known?.state === 'requested' && known.direction === direction) {
      // Sent twice: the answer to the first one serves.
      this.#port.count(`unexpected ${message.name}`);
    } else if (known !== undefined) {
      this.#port.count('repeated-call-id');
      this.#port.outputs.send(callRefusal(direction, message.callId, 'bad-call-id'));
    } else if (this.#calls.length >= this.#maxCalls) {
      this.#port.count('call-limit');
      this.#port.outputs.send(callRefusal(direction, message.callId, 'no-resource'));
    } else {
      this.#add(Call.requested(this.#port, message, this.#begun, now));
    }
  }

  handleMessage(message: CallMessage): void {
    switch (message.name) {
      case 'OutgoingCallReply':
      case 'IncomingCallReply': {
        const call = this.#byCallId(message.peerCallId);
        if (call === undefined) this.#unknown(message);
        else call.handleReply(message);
        break;
      }
      case 'IncomingCallConnected': {
        const call = this.#byCallId(message.peerCallId);
        if (call === undefined) this.#unknown(message);
        else call.handleConnected(message);
        break;
      }
      case 'CallClearRequest': {
        const call = this.#byEitherId(message.callId);
        if (call === undefined) this.#unknown(message);
        else call.handleClearRequest(message);
        break;
      }
      case 'CallDisconnectNotify': {
        const call = this.#byEitherId(message.callId);
        if (call === undefined) this.#unknown(message);
        else call.handleDisconnectNotify(message);
        break;
      }
    }
    this.#forget();
  }

  #unknown(message: CallMessage): void {
    this.#port.count(`unknown call ${message.name}`);
  }

  #byCallId(callId: CallId): Call | undefined {
    return this.#calls.find((call) => call.callId === callId);
  }

  #byPeerCallId(peerCallId: CallId): Call | undefined {
    return this.#calls.find((call) => call.peerCallId === peerCallId);
  }

  /**
   * Call-Clear-Request and Call-Disconnect-Notify carry their sender's id (RFC 2637 §2.12, §2.13). Some peers send ours,
   * old accel-ppp with its octets swapped, so on a connection that never had another call any id means that one.
   */
  #byEitherId(id: CallId): Call | undefined {
    return this.#byPeerCallId(id) ?? this.#byCallId(id) ?? this.#soleCall();
  }

  #soleCall(): Call | undefined {
    return this.#begun === 1 ? this.#calls[0] : undefined;
  }

  #nextSerial(): number {
    return this.#begun & 0xffff;
  }

  #add(call: Call): void {
    this.#begun++;
    this.#calls = [...this.#calls, call]; // not push(), which makes room for 16 where there is mostly one
  }

  #forget(): void {
    if (this.#calls.some((call) => call.state === 'idle'))
      this.#calls = this.#calls.filter((call) => call.state !== 'idle');
  }

  #checkFree(callId: CallId): void {
    if (!Number.isInteger(callId) || callId < 0 || callId > 0xffff)
      throw new RangeError(`call id ${callId} is not an integer of 0..65535`);
    if (this.#byCallId(callId) !== undefined) throw new Error(`call id ${callId} is in use`);
  }

  #checkRoom(): void {
    if (this.#calls.length >= this.#maxCalls)
      throw new Error(`more than ${this.#maxCalls} calls on one control connection`);
  }
}
