/** Where control messages carry call ids (RFC 2637 §2.7 to §2.15): offsets in octets from the start of the message. */

export interface CallIdFields {
  /** Call ID: the one that the sender chose. */
  readonly own?: number;
  /** Peer's Call ID: the one that the receiver chose. */
  readonly peer?: number;
  /** Result Code, of replies. */
  readonly result?: number;
}

export const MessageType = {
  StartControlConnectionReply: 2,
  StopControlConnectionReply: 4,
  OutgoingCallRequest: 7,
  OutgoingCallReply: 8,
  IncomingCallRequest: 9,
  IncomingCallReply: 10,
  IncomingCallConnected: 11,
  CallClearRequest: 12,
  CallDisconnectNotify: 13,
  WanErrorNotify: 14,
  SetLinkInfo: 15,
} as const;

/** Octet of the header's Control Message Type. */
export const MESSAGE_TYPE_AT = 8;

const fields: Readonly<Record<number, CallIdFields>> = {
  [MessageType.OutgoingCallRequest]: { own: 12 },
  [MessageType.OutgoingCallReply]: { own: 12, peer: 14, result: 16 },
  [MessageType.IncomingCallRequest]: { own: 12 },
  [MessageType.IncomingCallReply]: { own: 12, peer: 14, result: 16 },
  [MessageType.IncomingCallConnected]: { peer: 12 },
  [MessageType.CallClearRequest]: { own: 12 },
  [MessageType.CallDisconnectNotify]: { own: 12 },
  [MessageType.WanErrorNotify]: { peer: 12 },
  [MessageType.SetLinkInfo]: { peer: 12 },
};

/** undefined: a message of this type carries no call id. */
export function callIdFields(messageType: number): CallIdFields | undefined {
  return fields[messageType];
}

/** Octets that a message of the type must have at least, so that its call ids can be read. */
export function neededLength({ own = 0, peer = 0, result = 0 }: CallIdFields): number {
  return Math.max(own, peer, result) + 2;
}
