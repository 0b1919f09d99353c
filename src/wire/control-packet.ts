/**
 * The packet that LCP, the NCPs, CCP, CHAP and PAP share: code, identifier, length, data. RFC 1661 §5, RFC 1962 §3.
 */
import { malformed, rest, struct, u16, u32, type Malformed } from './codec.ts';
import { copyOctets, readU16, writeU16 } from './octets.ts';

/** RFC 1661 §5 (1..11), RFC 1570 §2 (12, 13), RFC 1962 §3.1 (14, 15: CCP only). */
export const PacketCode = {
  ConfigureRequest: 1,
  ConfigureAck: 2,
  ConfigureNak: 3,
  ConfigureReject: 4,
  TerminateRequest: 5,
  TerminateAck: 6,
  CodeReject: 7,
  ProtocolReject: 8,
  EchoRequest: 9,
  EchoReply: 10,
  DiscardRequest: 11,
  Identification: 12,
  TimeRemaining: 13,
  ResetRequest: 14,
  ResetAck: 15,
} as const;

export interface ControlPacket {
  readonly code: number;
  readonly identifier: number;
  readonly data: Uint8Array;
}

/** Octets before the data. */
export const PACKET_HEADER_LENGTH = 4;

/** Data of Echo-Request, Echo-Reply, Discard-Request, Identification and Time-Remaining: RFC 1661 §5.8, §5.9. */
export const magicNumberData = struct({ magicNumber: u32, data: rest });

/** Data of Protocol-Reject: RFC 1661 §5.7. */
export const protocolRejectData = struct({ rejectedProtocol: u16, rejectedInformation: rest });

/** Reads the packet in the payload of a frame. The length field is honoured: octets behind it are padding (RFC 1661 §5). */
export function decodeControlPacket(payload: Uint8Array): ControlPacket | Malformed {
  if (payload.length < PACKET_HEADER_LENGTH)
    return malformed('too-short', `control packet: ${payload.length} octets`);
  const length = readU16(payload, 2);
  if (length < PACKET_HEADER_LENGTH)
    return malformed('bad-value', `control packet: length ${length}`);
  if (length > payload.length)
    return malformed(
      'too-short',
      `control packet: length ${length}, ${payload.length} octets came`,
    );
  return {
    code: payload[0]!,
    identifier: payload[1]!,
    data: copyOctets(payload, PACKET_HEADER_LENGTH, length),
  };
}

/** Throws RangeError if code or identifier is no octet, or the packet would be longer than its length field can say. */
export function encodeControlPacket({ code, identifier, data }: ControlPacket): Uint8Array {
  const length = PACKET_HEADER_LENGTH + data.length;
  if (!isOctet(code) || !isOctet(identifier) || length > 0xffff)
    throw new RangeError(
      `control packet: code ${code}, identifier ${identifier}, length ${length}`,
    );
  const payload = new Uint8Array(length);
  payload[0] = code;
  payload[1] = identifier;
  writeU16(payload, 2, length);
  payload.set(data, PACKET_HEADER_LENGTH);
  return payload;
}

function isOctet(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xff;
}
