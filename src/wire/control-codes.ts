/** The numbers that fields of PPTP control messages carry, in the words of RFC 2637 §2.1-§2.16. */

/** RFC 2637 §2.1: version 1, revision 0, the only one there is. */
export const PROTOCOL_VERSION = 0x0100;

/** RFC 2637 §2.1, §2.2; as Framing Type also §2.7, §2.11 (both bits: either). */
export const Framing = { Asynchronous: 1, Synchronous: 2, Either: 3 } as const;

/** RFC 2637 §2.1, §2.2; as Bearer Type also §2.7, §2.9 (both bits: either). */
export const Bearer = { Analog: 1, Digital: 2, Either: 3 } as const;

/** RFC 2637 §2.2. Some modems send 0 and mean success. */
export const StartResult = {
  Successful: 1,
  GeneralError: 2,
  ChannelAlreadyExists: 3,
  NotAuthorized: 4,
  ProtocolVersionNotSupported: 5,
} as const;

/** RFC 2637 §2.3 */
export const StopReason = { None: 1, StopProtocol: 2, StopLocalShutdown: 3 } as const;

/** RFC 2637 §2.4 */
export const StopResult = { Ok: 1, GeneralError: 2 } as const;

/** RFC 2637 §2.6 */
export const EchoResult = { Ok: 1, GeneralError: 2 } as const;

/** RFC 2637 §2.8 */
export const OutgoingCallResult = {
  Connected: 1,
  GeneralError: 2,
  NoCarrier: 3,
  Busy: 4,
  NoDialTone: 5,
  TimeOut: 6,
  DoNotAccept: 7,
} as const;

/** RFC 2637 §2.10 */
export const IncomingCallResult = { Connect: 1, GeneralError: 2, DoNotAccept: 3 } as const;

/** RFC 2637 §2.13 */
export const DisconnectResult = {
  LostCarrier: 1,
  GeneralError: 2,
  AdminShutdown: 3,
  Request: 4,
} as const;

/** RFC 2637 §2.16: Error Code, meaningful where the Result Code is General Error. */
export const GeneralError = {
  None: 0,
  NotConnected: 1,
  BadFormat: 2,
  BadValue: 3,
  NoResource: 4,
  BadCallId: 5,
  PacError: 6,
} as const;
