/**
 * The enhanced GRE header (version 1) that carries PPP: RFC 2637 §4.1. Hot path: caller's buffers, no allocation.
 *
 *      0                   1                   2                   3
 *     |C|R|K|S|s|Recur|A| Flags | Ver |         Protocol Type         |
 *     |    Key (HW) Payload Length    |       Key (LW) Call ID        |
 *     |               Sequence Number (only with S)                   |
 *     |            Acknowledgment Number (only with A)                |
 */
import type { CallId } from './brand.ts';
import { readU16, readU32, writeU16, writeU32 } from './octets.ts';

/** Octets of a header with neither sequence nor acknowledgment number. */
export const GRE_MIN_HEADER_LENGTH = 8;
/** Octets of a header with both. */
export const GRE_MAX_HEADER_LENGTH = 16;

/** One record serves a whole batch: readGre fills it, writeGre reads it. */
export interface GreHeader {
  /** Octets up to the payload; set by readGre, ignored by writeGre. */
  headerLength: number;
  /** Octets of the payload; octets behind it are padding. */
  payloadLength: number;
  /** The call id of the receiver of the packet (§4.1: "the Peer's Call ID"). */
  callId: CallId;
  hasSequence: boolean;
  /** 0..0xffffffff; 0 without hasSequence. */
  sequence: number;
  hasAcknowledgment: boolean;
  /** 0..0xffffffff; 0 without hasAcknowledgment. */
  acknowledgment: number;
}

/** Why readGre refused a packet; 0 is no fault. */
export const GreFault = {
  /** Shorter than the header that its flags announce. */
  TooShort: 1,
  /** Version 0 is plain GRE, which is not ours. */
  NotVersion1: 2,
  NotPpp: 3,
  /** K must be set: the key holds payload length and call id. */
  NoKey: 4,
  /** C, R, s, Recur or Flags are set, which §4.1 wants 0. */
  FlagsSet: 5,
  /** The payload length goes beyond the packet. */
  PayloadTooLong: 6,
} as const;

const PROTOCOL_PPP = 0x880b;
const KEY = 0x20;
const SEQUENCE = 0x10;
const FIRST_MUST_BE_0 = 0xcf; // C, R, s, Recur
const ACKNOWLEDGMENT = 0x80;
const SECOND_MUST_BE_0 = 0x78; // Flags
const VERSION = 0x07;

export function createGreHeader(): GreHeader {
  return {
    headerLength: 0,
    payloadLength: 0,
    callId: 0,
    hasSequence: false,
    sequence: 0,
    hasAcknowledgment: false,
    acknowledgment: 0,
  };
}

export function greHeaderLength(hasSequence: boolean, hasAcknowledgment: boolean): number {
  return GRE_MIN_HEADER_LENGTH + (hasSequence ? 4 : 0) + (hasAcknowledgment ? 4 : 0);
}

/**
 * Reads the header of the GRE packet octets[at..at+length) (no IP header) into `into`.
 * Returns 0, or a GreFault; then `into` is as it was.
 */
export function readGre(octets: Uint8Array, at: number, length: number, into: GreHeader): number {
  if (length < GRE_MIN_HEADER_LENGTH) return GreFault.TooShort;
  const first = octets[at]!;
  const second = octets[at + 1]!;
  if ((second & VERSION) !== 1) return GreFault.NotVersion1;
  if (readU16(octets, at + 2) !== PROTOCOL_PPP) return GreFault.NotPpp;
  if ((first & KEY) === 0) return GreFault.NoKey;
  if ((first & FIRST_MUST_BE_0) !== 0 || (second & SECOND_MUST_BE_0) !== 0)
    return GreFault.FlagsSet;
  const hasSequence = (first & SEQUENCE) !== 0;
  const hasAcknowledgment = (second & ACKNOWLEDGMENT) !== 0;
  const headerLength = greHeaderLength(hasSequence, hasAcknowledgment);
  if (length < headerLength) return GreFault.TooShort;
  const payloadLength = readU16(octets, at + 4);
  if (headerLength + payloadLength > length) return GreFault.PayloadTooLong;

  into.headerLength = headerLength;
  into.payloadLength = payloadLength;
  into.callId = readU16(octets, at + 6);
  into.hasSequence = hasSequence;
  into.sequence = hasSequence ? readU32(octets, at + 8) : 0;
  into.hasAcknowledgment = hasAcknowledgment;
  // Without a sequence number the acknowledgment number takes its place.
  into.acknowledgment = hasAcknowledgment ? readU32(octets, at + headerLength - 4) : 0;
  return 0;
}

/** Writes the header at `at` and returns its octets: greHeaderLength(hasSequence, hasAcknowledgment). */
export function writeGre(octets: Uint8Array, at: number, header: GreHeader): number {
  octets[at] = header.hasSequence ? KEY | SEQUENCE : KEY;
  octets[at + 1] = header.hasAcknowledgment ? ACKNOWLEDGMENT | 1 : 1;
  writeU16(octets, at + 2, PROTOCOL_PPP);
  writeU16(octets, at + 4, header.payloadLength);
  writeU16(octets, at + 6, header.callId);
  let length = GRE_MIN_HEADER_LENGTH;
  if (header.hasSequence) {
    writeU32(octets, at + length, header.sequence);
    length += 4;
  }
  if (header.hasAcknowledgment) {
    writeU32(octets, at + length, header.acknowledgment);
    length += 4;
  }
  return length;
}

/**
 * a - b as serial numbers of 32 bits: positive if a is ahead of b, negative if it is behind, across the wrap at 2^32.
 * -2^31..2^31-1.
 */
export function serialDifference(a: number, b: number): number {
  return (a - b) | 0;
}
