/** A relayed control connection with what it has put out, and the messages that its ends would see. */
import assert from 'node:assert/strict';
import { RelayedConnection } from '../../src/relay/relayed-connection.ts';
import { otherSide, type RelayedCall, type Side } from '../../src/relay/relayed-call.ts';
import type { RelayOutput } from '../../src/relay/relay-output.ts';
import { CallIds } from '../../src/pptp/call-ids.ts';
import { isMalformed } from '../../src/wire/codec.ts';
import type { Cause } from '../../src/wire/cause.ts';
import {
  decodeControlMessage,
  encodeControlMessage,
  type ControlMessage,
} from '../../src/wire/control-message.ts';
import {
  incomingCallConnected,
  incomingCallReply,
  incomingCallRequest,
  outgoingCallReply,
  outgoingCallRequest,
  startReply,
  startRequest,
} from '../../src/pptp/messages.ts';

const identity = { hostName: 'end', vendorName: 'test', firmwareRevision: 1 };
const accepted = { resultCode: 1, errorCode: 0 };

/** Told ids 1000, 1001, and so on. */
export function countingIds(): CallIds {
  let next = 1000;
  return new CallIds(() => {
    const callId = next++;
    return Uint8Array.of(callId >> 8, callId & 255);
  });
}

export class Middle {
  readonly machine: RelayedConnection;
  now = 1_000;
  /** What each end has received, not yet looked at. */
  readonly received: Record<Side, Uint8Array[]> = { client: [], server: [] };
  readonly outputs: Exclude<RelayOutput, { kind: 'write' }>[] = [];
  /** Ways that are open: the kernel's elements. */
  readonly open = new Map<RelayedCall, Set<Side>>();
  ended: Cause | undefined;
  /** Answers 'open' at once; undefined: the test does. */
  answer: ((call: RelayedCall) => Cause | undefined) | undefined = () => undefined;
  private readonly counts: string[] = [];
  private lastId = 0;

  constructor(ids = countingIds(), idleTimeout = 0) {
    const nextId = () => ++this.lastId;
    const count = (what: string) => this.counts.push(what);
    this.machine = new RelayedConnection({ ids, nextId, count, idleTimeout }, this.now);
  }

  drain(): void {
    for (let output = this.machine.poll(); output !== undefined; output = this.machine.poll()) {
      assert.equal(this.ended, undefined, `${output.kind} after done`);
      if (output.kind === 'write') {
        this.received[output.side].push(output.octets);
        continue;
      }
      this.outputs.push(output);
      if (output.kind === 'connect') this.machine.handleConnected(this.now);
      else if (output.kind === 'open') {
        const { call, towards } = output;
        this.open.set(call, (this.open.get(call) ?? new Set()).add(towards));
        if (towards !== call.requester && this.answer !== undefined)
          this.machine.handleOpened(call, this.answer(call), this.now);
      } else if (output.kind === 'remove')
        assert.ok(this.open.delete(output.call), 'removed twice');
      else if (output.kind === 'done') this.ended = output.cause;
    }
  }

  octets(from: Side, octets: Uint8Array): void {
    this.machine.handleOctets(from, octets, this.now);
    this.drain();
  }

  send(from: Side, message: ControlMessage): void {
    this.octets(from, encodeControlMessage(message));
  }

  /** The messages that an end has received since it was last asked. */
  take(side: Side): ControlMessage[] {
    return this.received[side].splice(0).map((octets) => {
      const message = decodeControlMessage(octets);
      if (isMalformed(message)) throw new Error(message.detail);
      return message;
    });
  }

  one<N extends ControlMessage['name']>(side: Side, name: N): Extract<ControlMessage, { name: N }> {
    const [message, ...more] = this.take(side);
    assert.equal(message?.name, name);
    assert.equal(more.length, 0);
    return message as Extract<ControlMessage, { name: N }>;
  }

  start(): this {
    this.send('client', startRequest(identity));
    this.one('server', 'StartControlConnectionRequest');
    this.send('server', startReply(identity, 1, 0));
    this.one('client', 'StartControlConnectionReply');
    return this;
  }

  /** An outgoing call of the requester; what each end was told. */
  call(requester: Side, ownId: number, answerId: number): Record<Side, number> {
    const answerer = otherSide(requester);
    this.send(requester, outgoingCallRequest(ownId, 1));
    const { callId: told } = this.one(answerer, 'OutgoingCallRequest');
    this.send(answerer, outgoingCallReply(answerId, told, accepted, 64));
    const reply = this.one(requester, 'OutgoingCallReply');
    assert.equal(reply.peerCallId, ownId);
    return requester === 'client'
      ? { client: reply.callId, server: told }
      : { client: told, server: reply.callId };
  }

  /** An incoming call that the client, a PAC, offers. */
  offer(ownId: number, answerId: number): Record<Side, number> {
    this.send('client', incomingCallRequest(ownId, 1));
    const { callId: told } = this.one('server', 'IncomingCallRequest');
    this.send('server', incomingCallReply(answerId, told, accepted));
    const reply = this.one('client', 'IncomingCallReply');
    assert.equal(reply.peerCallId, ownId);
    this.send('client', incomingCallConnected(reply.callId));
    assert.equal(this.one('server', 'IncomingCallConnected').peerCallId, answerId);
    return { client: reply.callId, server: told };
  }

  endedBy(): string | undefined {
    return this.ended?.code;
  }

  kinds(): string[] {
    return this.outputs.splice(0).map((output) => output.kind);
  }

  counted(): string[] {
    return this.counts;
  }

  wait(duration: number): void {
    this.now += duration;
    this.machine.handleTimeout(this.now);
    this.drain();
  }
}
