/** A call that is relayed: who asked for it, and what each end's call id is known as at the other end. */
import type { CallDirection } from '../pptp/control-output.ts';
import { callDisconnectNotify } from '../pptp/messages.ts';
import type { CallId } from '../wire/brand.ts';
import { DisconnectResult, GeneralError } from '../wire/control-codes.ts';
import { encodeControlMessage } from '../wire/control-message.ts';

/** The two ends: the client opened the control connection, the server takes it. Either may be PNS or PAC. */
export type Side = 'client' | 'server';

interface CallEnd {
  /** The id that this end chose; undefined until it has answered. */
  callId: CallId | undefined;
  /** What the other end was told instead. */
  told: CallId | undefined;
}

export type RelayedCallState =
  /** Not answered yet; given up then. */
  | { readonly name: 'requested'; readonly by: number }
  /** Agreed on; its packets are about to pass. `by`: one end has asked for its end already. */
  | { readonly name: 'opening'; readonly by: number | undefined }
  /** `id`: unique on this machine. `clearBy`: one end has asked for its end, which is taken for granted then. */
  | {
      readonly name: 'up';
      readonly id: number;
      readonly since: number;
      readonly clearBy: number | undefined;
    };

export interface RelayedCall {
  readonly direction: CallDirection;
  /** Who asked for it: the PNS for an outgoing call, the PAC for an incoming one (RFC 2637 §3.2). */
  readonly requester: Side;
  readonly client: CallEnd;
  readonly server: CallEnd;
  state: RelayedCallState;
  /** Octets of the control messages about this call. */
  readonly control: Record<Side, number>;
}

/** A call whose packets pass. */
export type PassingCall = RelayedCall & {
  readonly state: Extract<RelayedCallState, { name: 'up' }>;
};

export function isPassing(call: RelayedCall): call is PassingCall {
  return call.state.name === 'up';
}

/** When it is given up if nothing happens. */
export function deadlineOf({ state }: RelayedCall): number {
  return (state.name === 'up' ? state.clearBy : state.by) ?? Infinity;
}

export const otherSide = (side: Side): Side => (side === 'client' ? 'server' : 'client');

/** RFC 2637 §3.2 */
export function sideOfPns({ direction, requester }: RelayedCall): Side {
  return direction === 'outgoing' ? requester : otherSide(requester);
}

/** What tells one end that the call is over: the PAC notifies, the PNS asks (RFC 2637 §2.12, §2.13). */
export function goodbye(call: RelayedCall, side: Side): Uint8Array {
  const told = call[otherSide(side)].told!;
  return encodeControlMessage(
    side === sideOfPns(call)
      ? callDisconnectNotify(told, {
          resultCode: DisconnectResult.AdminShutdown,
          errorCode: GeneralError.None,
        })
      : { name: 'CallClearRequest', callId: told },
  );
}
