/**
 * Between causes and the Result and Error Codes of RFC 2637: which codes say on the wire what we mean, and in what words
 * the codes of the peer reach the log.
 */
import { cause, type Cause, type CauseCode } from '../wire/cause.ts';
import {
  DisconnectResult,
  GeneralError,
  IncomingCallResult,
  OutgoingCallResult,
  StartResult,
  StopReason,
} from '../wire/control-codes.ts';

export interface ResultCodes {
  readonly resultCode: number;
  readonly errorCode: number;
}

function result(resultCode: number): ResultCodes {
  return { resultCode, errorCode: GeneralError.None };
}

/** RFC 2637 §2.16: the Result Code 2 means General Error in every message that has one. */
function generalError(errorCode: number): ResultCodes {
  return { resultCode: OutgoingCallResult.GeneralError, errorCode };
}

/** Why a call that the peer asks for is not made. */
export type RefusalReason =
  | 'not-connected'
  | 'no-resource'
  | 'bad-call-id'
  | 'no-carrier'
  | 'busy'
  | 'no-dial-tone'
  | 'time-out'
  | 'not-accepted';

interface RefusalCodes {
  /** RFC 2637 §2.8 */
  readonly outgoing: ResultCodes;
  /** RFC 2637 §2.10 */
  readonly incoming: ResultCodes;
}

function refusal(outgoing: ResultCodes, incoming: ResultCodes = outgoing): RefusalCodes {
  return { outgoing, incoming };
}

const doNotAccept = result(IncomingCallResult.DoNotAccept);

export const refusalCodes: Readonly<Record<RefusalReason, RefusalCodes>> = {
  'not-connected': refusal(generalError(GeneralError.NotConnected)),
  'no-resource': refusal(generalError(GeneralError.NoResource)),
  'bad-call-id': refusal(generalError(GeneralError.BadCallId)),
  'no-carrier': refusal(result(OutgoingCallResult.NoCarrier), doNotAccept),
  busy: refusal(result(OutgoingCallResult.Busy), doNotAccept),
  'no-dial-tone': refusal(result(OutgoingCallResult.NoDialTone), doNotAccept),
  'time-out': refusal(result(OutgoingCallResult.TimeOut), doNotAccept),
  'not-accepted': refusal(result(OutgoingCallResult.DoNotAccept), doNotAccept),
};

/** The line below PPP failed, not one of the two ends' will. */
const carrierLost: readonly CauseCode[] = [
  'CALL_TIMEOUT',
  'CONTROL_ECHO_TIMEOUT',
  'CONTROL_LOST',
  'GRE_BLOCKED',
  'HANGUP',
  'LCP_TIMEOUT',
  'LOOPBACK',
  'PEER_DEAD',
  'PEER_TERMINATED',
];
const noResource: readonly CauseCode[] = [
  'ADDRESS_IN_USE',
  'DEVICE_FAILED',
  'POOL_EMPTY',
  'TOO_MANY_HALF_OPEN',
  'TOO_MANY_SESSIONS',
];

/** RFC 2637 §2.13: how the PAC's Call-Disconnect-Notify tells a cause that arose here. */
export function disconnectCodes({ code }: Cause): ResultCodes {
  if (carrierLost.includes(code)) return result(DisconnectResult.LostCarrier);
  if (noResource.includes(code)) return generalError(GeneralError.NoResource);
  return result(DisconnectResult.AdminShutdown);
}

/** RFC 2637 §2.3 */
export function stopReason({ code }: Cause): number {
  if (code === 'CONTROL_VERSION') return StopReason.StopProtocol;
  return code === 'SHUTDOWN' ? StopReason.StopLocalShutdown : StopReason.None;
}

/** The peer's answer to Start-Control-Connection-Request was not success. */
export function startRefused(codes: ResultCodes): Cause {
  const code =
    codes.resultCode === StartResult.ProtocolVersionNotSupported
      ? 'CONTROL_VERSION'
      : 'CONTROL_REFUSED';
  return cause(code, describe(codes, StartResult));
}

/** The peer's answer to our call request was not success. */
export function callRefused(
  message: 'OutgoingCallReply' | 'IncomingCallReply',
  codes: ResultCodes,
): Cause {
  const words = message === 'OutgoingCallReply' ? OutgoingCallResult : IncomingCallResult;
  return cause('CALL_REFUSED', describe(codes, words));
}

/** What the peer's Call-Disconnect-Notify says, for a detail. */
export function describeDisconnect(codes: ResultCodes): string {
  return describe(codes, DisconnectResult);
}

/** What the peer's Stop-Control-Connection-Request says, for a detail. */
export function describeStop(reason: number): string {
  return `Stop-Control-Connection-Request ${wordOf(StopReason, reason)}`;
}

function describe({ resultCode, errorCode }: ResultCodes, words: Words): string {
  const text = `result ${wordOf(words, resultCode)}`;
  return errorCode === GeneralError.None
    ? text
    : `${text}, error ${wordOf(GeneralError, errorCode)}`;
}

type Words = Readonly<Record<string, number>>;

/** `4 (Busy)`; the number alone where the RFC has no word for it. */
function wordOf(words: Words, value: number): string {
  const word = Object.keys(words).find((key) => words[key] === value);
  return word === undefined ? `${value}` : `${value} (${word})`;
}
