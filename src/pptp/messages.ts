/**
 * The control messages that we send, with what we always say in them (RFC 2637 §2).
 *
 * Minimum and maximum speed are always filled: some servers refuse 0. Framing and bearer: either. Windows are advice that
 * nobody enforces. Set-Link-Info and WAN-Error-Notify are never sent: some routers on the way drop the connection of a
 * server that sends the former, and a call over IP has no asynchronous line that either could describe.
 */
import type { CallId } from '../wire/brand.ts';
import {
  Bearer,
  EchoResult,
  Framing,
  GeneralError,
  PROTOCOL_VERSION,
} from '../wire/control-codes.ts';
import type { ControlMessage, ControlMessageName } from '../wire/control-message.ts';
import type { CallDirection } from './control-output.ts';
import { refusalCodes, type RefusalReason, type ResultCodes } from './result-codes.ts';

type Message<N extends ControlMessageName> = Extract<ControlMessage, { readonly name: N }>;

/** Packets. */
const RECEIVE_WINDOW = 64;
/** Bits per second; the speed that a caller sees. */
const CONNECT_SPEED = 100_000_000;
const MINIMUM_SPEED = 2400;

/** What we say of ourselves. */
export interface ControlIdentity {
  /** At most 64 octets of ISO 8859-1. */
  readonly hostName: string;
  readonly vendorName: string;
  /** u16 */
  readonly firmwareRevision: number;
}

function capabilities({ hostName, vendorName, firmwareRevision }: ControlIdentity) {
  return {
    protocolVersion: PROTOCOL_VERSION,
    framingCapabilities: Framing.Either,
    bearerCapabilities: Bearer.Either,
    firmwareRevision,
    hostName,
    vendorName,
  };
}

/** RFC 2637 §2.1: a PNS sends 0 for the channels. */
export function startRequest(identity: ControlIdentity): ControlMessage {
  return {
    name: 'StartControlConnectionRequest',
    ...capabilities(identity),
    maximumChannels: 0,
  };
}

/** RFC 2637 §2.2 */
export function startReply(
  identity: ControlIdentity,
  resultCode: number,
  maximumChannels: number,
): ControlMessage {
  return {
    name: 'StartControlConnectionReply',
    ...capabilities(identity),
    maximumChannels: Math.min(maximumChannels, 0xffff),
    resultCode,
    errorCode: GeneralError.None,
  };
}

/** RFC 2637 §2.6: the four octets of the identifier go back as they came. */
export function echoReply(identifier: number): ControlMessage {
  return {
    name: 'EchoReply',
    identifier,
    resultCode: EchoResult.Ok,
    errorCode: GeneralError.None,
  };
}

/** RFC 2637 §2.16: Not-Connected. */
export function echoRefusal(identifier: number): ControlMessage {
  return {
    name: 'EchoReply',
    identifier,
    resultCode: EchoResult.GeneralError,
    errorCode: GeneralError.NotConnected,
  };
}

/** RFC 2637 §2.7 */
export function outgoingCallRequest(callId: CallId, callSerialNumber: number): ControlMessage {
  return {
    name: 'OutgoingCallRequest',
    callId,
    callSerialNumber,
    minimumBps: MINIMUM_SPEED,
    maximumBps: CONNECT_SPEED,
    bearerType: Bearer.Either,
    framingType: Framing.Either,
    packetReceiveWindowSize: RECEIVE_WINDOW,
    packetProcessingDelay: 0,
    phoneNumberLength: 0,
    phoneNumber: '',
    subaddress: '',
  };
}

/** RFC 2637 §2.9 */
export function incomingCallRequest(callId: CallId, callSerialNumber: number): ControlMessage {
  return {
    name: 'IncomingCallRequest',
    callId,
    callSerialNumber,
    bearerType: Bearer.Digital,
    physicalChannelId: 0,
    dialedNumberLength: 0,
    dialingNumberLength: 0,
    dialedNumber: '',
    dialingNumber: '',
    subaddress: '',
  };
}

/** RFC 2637 §2.8; `window` is the caller's own, returned to it as other servers do, or ours if it named none. */
export function outgoingCallReply(
  callId: CallId,
  peerCallId: CallId,
  codes: ResultCodes,
  window: number,
): Message<'OutgoingCallReply'> {
  return {
    name: 'OutgoingCallReply',
    callId,
    peerCallId,
    ...codes,
    causeCode: 0,
    connectSpeed: CONNECT_SPEED,
    packetReceiveWindowSize: window === 0 ? RECEIVE_WINDOW : window,
    packetProcessingDelay: 0,
    physicalChannelId: 0,
  };
}

/** RFC 2637 §2.10 */
export function incomingCallReply(
  callId: CallId,
  peerCallId: CallId,
  codes: ResultCodes,
): Message<'IncomingCallReply'> {
  return {
    name: 'IncomingCallReply',
    callId,
    peerCallId,
    ...codes,
    packetReceiveWindowSize: RECEIVE_WINDOW,
    packetTransitDelay: 0,
  };
}

/** The reply that refuses: Call ID 0, because none was assigned. */
export function callRefusal(
  direction: CallDirection,
  peerCallId: CallId,
  reason: RefusalReason,
): ControlMessage {
  const codes = refusalCodes[reason][direction];
  return direction === 'outgoing'
    ? { ...outgoingCallReply(0, peerCallId, codes, 0), connectSpeed: 0, packetReceiveWindowSize: 0 }
    : { ...incomingCallReply(0, peerCallId, codes), packetReceiveWindowSize: 0 };
}

/** RFC 2637 §2.11; `peerCallId` is the PNS's. */
export function incomingCallConnected(peerCallId: CallId): ControlMessage {
  return {
    name: 'IncomingCallConnected',
    peerCallId,
    connectSpeed: CONNECT_SPEED,
    packetReceiveWindowSize: RECEIVE_WINDOW,
    packetTransitDelay: 0,
    framingType: Framing.Either,
  };
}

/** RFC 2637 §2.13 */
export function callDisconnectNotify(
  callId: CallId,
  codes: ResultCodes,
  callStatistics = '',
): ControlMessage {
  return { name: 'CallDisconnectNotify', callId, ...codes, causeCode: 0, callStatistics };
}
