/**
 * A PPP frame as GRE carries it: RFC 1661 §2 (protocol field), §6.5 and §6.6 (compressed fields), RFC 1662 §3.1
 * (address and control field FF 03). No flags, no escaping, no FCS: RFC 2637 §4.
 */
import { malformed, type Malformed } from './codec.ts';
import { copyOctets, readU16, writeU16 } from './octets.ts';

/** Assigned numbers of the PPP protocol field. */
export const PppProtocol = {
  Ip: 0x0021,
  VjCompressed: 0x002d,
  VjUncompressed: 0x002f,
  Multilink: 0x003d,
  Ipv6: 0x0057,
  Compressed: 0x00fd,
  Ipcp: 0x8021,
  Ipxcp: 0x802b,
  Nbfcp: 0x803f,
  Ecp: 0x8053,
  Ipv6cp: 0x8057,
  Ccp: 0x80fd,
  Mplscp: 0x8281,
  Lcp: 0xc021,
  Pap: 0xc023,
  LinkQualityReport: 0xc025,
  Cbcp: 0xc029,
  Bacp: 0xc02b,
  Bap: 0xc02d,
  Chap: 0xc223,
  Eap: 0xc227,
} as const;

/** Octets of FF 03 and a protocol field of two octets. */
export const PPP_MAX_HEADER_LENGTH = 4;

const ALL_STATIONS = 0xff;
const UNNUMBERED_INFORMATION = 0x03;

/** Filled by readPppHeader; one record serves a whole batch. */
export interface PppHeader {
  /** 0..0xffff. One with an even low octet is nobody's: RFC 1661 §2 wants it treated as unrecognized. */
  protocol: number;
  /** Octets up to the payload: 1..4. */
  headerLength: number;
}

export function createPppHeader(): PppHeader {
  return { protocol: 0, headerLength: 0 };
}

/**
 * Reads the header of the frame octets[at..at+length). FF 03 may be absent and the protocol may have one octet at any
 * time, whatever was negotiated: peers differ, and the forms cannot be confused (0x00ff is not assigned for this reason).
 * Returns false, `into` as it was, if the frame ends within the header.
 */
export function readPppHeader(
  octets: Uint8Array,
  at: number,
  length: number,
  into: PppHeader,
): boolean {
  const start =
    length >= 2 && octets[at] === ALL_STATIONS && octets[at + 1] === UNNUMBERED_INFORMATION ? 2 : 0;
  if (length <= start) return false;
  const first = octets[at + start]!;
  if ((first & 1) !== 0) {
    // RFC 1661 §2: the first octet of two is even, so an odd one is the whole field.
    into.protocol = first;
    into.headerLength = start + 1;
    return true;
  }
  if (length < start + 2) return false;
  into.protocol = readU16(octets, at + start);
  into.headerLength = start + 2;
  return true;
}

/**
 * Writes the header at `at` and returns its octets. `acfc` leaves out FF 03, `pfc` the first octet of a protocol below
 * 0x0100; never for LCP packets (RFC 1661 §6.5, §6.6).
 */
export function writePppHeader(
  octets: Uint8Array,
  at: number,
  protocol: number,
  pfc: boolean,
  acfc: boolean,
): number {
  let length = 0;
  if (!acfc) {
    octets[at] = ALL_STATIONS;
    octets[at + 1] = UNNUMBERED_INFORMATION;
    length = 2;
  }
  if (pfc && protocol < 0x100) {
    octets[at + length] = protocol;
    return length + 1;
  }
  writeU16(octets, at + length, protocol);
  return length + 2;
}

/** A frame with FF 03 and two octets of protocol: the form that is right for every control protocol. */
export function encodePppFrame(protocol: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(PPP_MAX_HEADER_LENGTH + payload.length);
  frame.set(payload, writePppHeader(frame, 0, protocol, false, false));
  return frame;
}

export interface PppFrame {
  readonly protocol: number;
  readonly payload: Uint8Array;
}

export function decodePppFrame(octets: Uint8Array): PppFrame | Malformed {
  const header = createPppHeader();
  if (!readPppHeader(octets, 0, octets.length, header))
    return malformed('too-short', `PPP frame: ${octets.length} octets`);
  return { protocol: header.protocol, payload: copyOctets(octets, header.headerLength) };
}
