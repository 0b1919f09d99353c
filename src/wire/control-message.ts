/**
 * PPTP control messages: RFC 2637 §2 (formats), §1.4 (header). The numbers that fields carry are in control-codes.ts.
 *
 * One declaration per message gives its code, its octets both ways and its type. Reserved fields are ignored on read
 * whatever they hold: some peers leave rubbish in Reserved0.
 */
import {
  callId,
  decode,
  encode,
  isMalformed,
  malformed,
  reserved,
  struct,
  text,
  u16,
  u32,
  u8,
  type Codec,
  type Malformed,
  type Value,
} from './codec.ts';

/** RFC 2637 §1.4: tells that the stream is in step. */
export const MAGIC_COOKIE = 0x1a2b3c4d;
/** Octets before the body: Length to Reserved0. */
export const HEADER_LENGTH = 12;
/** Octets of the longest message, Incoming-Call-Request. */
export const MAX_MESSAGE_LENGTH = 220;

/** RFC 2637 §1.4: 1 is a control message, 2 (management) is not defined. */
const CONTROL_MESSAGE = 1;

const messages = {
  /** RFC 2637 §2.1 */
  StartControlConnectionRequest: {
    code: 1,
    body: struct({
      protocolVersion: u16,
      reserved1: reserved(2),
      framingCapabilities: u32,
      bearerCapabilities: u32,
      maximumChannels: u16,
      firmwareRevision: u16,
      hostName: text(64),
      vendorName: text(64),
    }),
  },
  /** RFC 2637 §2.2 */
  StartControlConnectionReply: {
    code: 2,
    body: struct({
      protocolVersion: u16,
      resultCode: u8,
      errorCode: u8,
      framingCapabilities: u32,
      bearerCapabilities: u32,
      maximumChannels: u16,
      firmwareRevision: u16,
      hostName: text(64),
      vendorName: text(64),
    }),
  },
  /** RFC 2637 §2.3 */
  StopControlConnectionRequest: {
    code: 3,
    body: struct({ reason: u8, reserved1: reserved(1), reserved2: reserved(2) }),
  },
  /** RFC 2637 §2.4 */
  StopControlConnectionReply: {
    code: 4,
    body: struct({ resultCode: u8, errorCode: u8, reserved1: reserved(2) }),
  },
  /** RFC 2637 §2.5 */
  EchoRequest: { code: 5, body: struct({ identifier: u32 }) },
  /** RFC 2637 §2.6 */
  EchoReply: {
    code: 6,
    body: struct({ identifier: u32, resultCode: u8, errorCode: u8, reserved1: reserved(2) }),
  },
  /** RFC 2637 §2.7 */
  OutgoingCallRequest: {
    code: 7,
    body: struct({
      callId,
      callSerialNumber: u16,
      minimumBps: u32,
      maximumBps: u32,
      bearerType: u32,
      framingType: u32,
      packetReceiveWindowSize: u16,
      packetProcessingDelay: u16,
      phoneNumberLength: u16,
      reserved1: reserved(2),
      phoneNumber: text(64),
      subaddress: text(64),
    }),
  },
  /** RFC 2637 §2.8 */
  OutgoingCallReply: {
    code: 8,
    body: struct({
      callId,
      peerCallId: callId,
      resultCode: u8,
      errorCode: u8,
      causeCode: u16,
      connectSpeed: u32,
      packetReceiveWindowSize: u16,
      packetProcessingDelay: u16,
      physicalChannelId: u32,
    }),
  },
  /** RFC 2637 §2.9 */
  IncomingCallRequest: {
    code: 9,
    body: struct({
      callId,
      callSerialNumber: u16,
      bearerType: u32,
      physicalChannelId: u32,
      dialedNumberLength: u16,
      dialingNumberLength: u16,
      dialedNumber: text(64),
      dialingNumber: text(64),
      subaddress: text(64),
    }),
  },
  /** RFC 2637 §2.10 */
  IncomingCallReply: {
    code: 10,
    body: struct({
      callId,
      peerCallId: callId,
      resultCode: u8,
      errorCode: u8,
      packetReceiveWindowSize: u16,
      packetTransitDelay: u16,
      reserved1: reserved(2),
    }),
  },
  /** RFC 2637 §2.11 */
  IncomingCallConnected: {
    code: 11,
    body: struct({
      peerCallId: callId,
      reserved1: reserved(2),
      connectSpeed: u32,
      packetReceiveWindowSize: u16,
      packetTransitDelay: u16,
      framingType: u32,
    }),
  },
  /** RFC 2637 §2.12 */
  CallClearRequest: { code: 12, body: struct({ callId, reserved1: reserved(2) }) },
  /** RFC 2637 §2.13 */
  CallDisconnectNotify: {
    code: 13,
    body: struct({
      callId,
      resultCode: u8,
      errorCode: u8,
      causeCode: u16,
      reserved1: reserved(2),
      callStatistics: text(128),
    }),
  },
  /** RFC 2637 §2.14 */
  WanErrorNotify: {
    code: 14,
    body: struct({
      peerCallId: callId,
      reserved1: reserved(2),
      crcErrors: u32,
      framingErrors: u32,
      hardwareOverruns: u32,
      bufferOverruns: u32,
      timeOutErrors: u32,
      alignmentErrors: u32,
    }),
  },
  /** RFC 2637 §2.15 */
  SetLinkInfo: {
    code: 15,
    body: struct({ peerCallId: callId, reserved1: reserved(2), sendAccm: u32, receiveAccm: u32 }),
  },
} as const;

type Messages = typeof messages;
export type ControlMessageName = keyof Messages;
type Flat<T> = { readonly [K in keyof T]: T[K] };

/** One arm per message, told apart by `name`. */
export type ControlMessage = {
  [N in ControlMessageName]: Flat<{ readonly name: N } & Value<Messages[N]['body']>>;
}[ControlMessageName];

export const controlMessageNames = Object.keys(messages) as ControlMessageName[];

const nameByCode = new Map(
  controlMessageNames.map((name) => [messages[name].code as number, name]),
);

/** RFC 2637 §1.4: what precedes every body. */
const header = struct({
  length: u16,
  messageType: u16,
  magicCookie: u32,
  controlMessageType: u16,
  reserved0: reserved(2),
});

export interface ControlHeader {
  readonly name: ControlMessageName;
  /** Octets of the whole message, header included: the exact size of its type. */
  readonly length: number;
}

/** Octets of a whole message of the type `code`, or undefined for an unknown one. */
export function messageLength(code: number): number | undefined {
  const name = nameByCode.get(code);
  return name === undefined ? undefined : HEADER_LENGTH + messages[name].body.minimum;
}

/**
 * Reads the header at the start of `octets`, which may go on beyond it: what a framer needs to know how many octets the
 * message has. RFC 2637 §1.4; a length other than the type's size is refused, as all known peers refuse it.
 */
export function decodeControlHeader(octets: Uint8Array): ControlHeader | Malformed {
  const value = decode(header, octets.subarray(0, HEADER_LENGTH), 'control message header');
  if (isMalformed(value)) return value;
  if (value.magicCookie !== MAGIC_COOKIE)
    return malformed('bad-value', `magic cookie is 0x${value.magicCookie.toString(16)}`);
  if (value.messageType !== CONTROL_MESSAGE)
    return malformed('unknown-type', `PPTP message type ${value.messageType}`);
  const name = nameByCode.get(value.controlMessageType);
  if (name === undefined)
    return malformed('unknown-type', `control message type ${value.controlMessageType}`);
  const length = HEADER_LENGTH + messages[name].body.minimum;
  if (value.length !== length)
    return malformed('bad-value', `${name}: length ${value.length}, ${length} expected`);
  return { name, length };
}

/** Decodes exactly one whole message, header included (RFC 2637 §2). */
export function decodeControlMessage(octets: Uint8Array): ControlMessage | Malformed {
  const head = decodeControlHeader(octets);
  if (isMalformed(head)) return head;
  const { name } = head;
  const body: object | Malformed = decode<object>(
    messages[name].body,
    octets.subarray(HEADER_LENGTH),
    name,
  );
  return isMalformed(body) ? body : ({ name, ...body } as ControlMessage);
}

/** The octets of the whole message, header included. Throws RangeError for a value that its field cannot carry. */
export function encodeControlMessage(message: ControlMessage): Uint8Array {
  const { name } = message;
  const { code } = messages[name];
  // The name says which body belongs to it; the compiler cannot follow that through the table.
  const body = messages[name].body as Codec<object>;
  const octets = new Uint8Array(HEADER_LENGTH + body.minimum);
  octets.set(
    encode(
      header,
      {
        length: octets.length,
        messageType: CONTROL_MESSAGE,
        magicCookie: MAGIC_COOKIE,
        controlMessageType: code,
      },
      name,
    ),
  );
  body.write(octets, HEADER_LENGTH, message, name);
  return octets;
}
