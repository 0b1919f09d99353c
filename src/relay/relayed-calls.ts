/**
 * The calls of one relayed control connection, and which of them a message means.
 */
import type { CallDirection } from '../pptp/control-output.ts';
import type { CallId } from '../wire/brand.ts';
import { MessageType } from './call-id-fields.ts';
import {
  isPassing,
  otherSide,
  type PassingCall,
  type RelayedCall,
  type Side,
} from './relayed-call.ts';

export class RelayedCalls {
  readonly #calls = new Set<RelayedCall>();

  get size(): number {
    return this.#calls.size;
  }

  [Symbol.iterator](): Iterator<RelayedCall> {
    return this.#calls.values();
  }

  has(call: RelayedCall): boolean {
    return this.#calls.has(call);
  }

  /** Calls of the program before. */
  adopt(calls: readonly RelayedCall[]): void {
    for (const call of calls) this.#calls.add(call);
  }

  remove(call: RelayedCall): void {
    this.#calls.delete(call);
  }

  /** Those whose packets pass. */
  passing(): readonly PassingCall[] {
    return [...this.#calls].filter(isPassing);
  }

  /**
   * A call that one end asks for.
   * @param own the id that it chose, and what the other end is told instead
   * @param by when it is given up without an answer
   */
  request(
    direction: CallDirection,
    requester: Side,
    own: { readonly callId: CallId; readonly told: CallId },
    by: number,
  ): RelayedCall {
    const call: RelayedCall = {
      direction,
      requester,
      client: { callId: undefined, told: undefined },
      server: { callId: undefined, told: undefined },
      state: { name: 'requested', by },
      control: { client: 0, server: 0 },
    };
    Object.assign(call[requester], own);
    this.#calls.add(call);
    return call;
  }

  /** The call for which `requester` waits for an answer, by the id that the answering end was told. */
  requested(requester: Side, told: CallId): RelayedCall | undefined {
    return this.#find(
      (one) =>
        one.state.name === 'requested' &&
        one.requester === requester &&
        one[requester].told === told,
    );
  }

  /**
   * The call that a message of `side` names, and the id in the words of the receiver. Call-Clear-Request and
   * Call-Disconnect-Notify name it by the sender's own id (RFC 2637 §2.12, §2.13); some use the peer's there, accel-ppp
   * before August 2026 with its octets swapped. All others name it by the peer's.
   */
  named(
    side: Side,
    callId: CallId,
    type: number,
  ): { call: RelayedCall; rewritten: CallId } | undefined {
    const peer = otherSide(side);
    const byOwn =
      type === MessageType.CallClearRequest || type === MessageType.CallDisconnectNotify;
    const own = byOwn
      ? this.#find((one) => one[side].callId === callId && one[side].told !== undefined)
      : undefined;
    if (own !== undefined) return { call: own, rewritten: own[side].told! };
    const told = this.#find((one) => one[peer].told === callId);
    if (told !== undefined) return { call: told, rewritten: told[peer].callId! };
    const back = type === MessageType.CallDisconnectNotify ? swapped(callId) : undefined;
    const odd = back === undefined ? undefined : this.#find((one) => one[peer].told === back);
    return odd && { call: odd, rewritten: swapped(odd[peer].callId!) };
  }

  #find(matches: (call: RelayedCall) => boolean): RelayedCall | undefined {
    for (const call of this.#calls) if (matches(call)) return call;
    return undefined;
  }
}

function swapped(callId: CallId): CallId {
  return ((callId & 0xff) << 8) | (callId >>> 8);
}
