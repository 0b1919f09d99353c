/**
 * What a capture leaves out: proofs of passwords (enough to guess them offline) and what people send through the tunnel.
 * What is shown is listed here; anything else is left out. Lengths on the wire stay visible.
 */
import { createGreHeader, GRE_MIN_HEADER_LENGTH, readGre } from '../../wire/gre.ts';
import { createPppHeader, PppProtocol, readPppHeader } from '../../wire/ppp-frame.ts';

const header = createGreHeader();
const ppp = createPppHeader();

/** Addresses and ports of an inner IP packet. */
const IP_OCTETS = 28;
/** The MPPE header, and the first octets of whatever else a peer may send. */
const DATA_OCTETS = 4;
const CONTROL_PACKET_HEADER = 4;
const CHALLENGE = 1;
const PROTOCOL_REJECT = 8;

/** A copy of a GRE packet that may be shown to anybody. */
export function redactGre(packet: Uint8Array): Uint8Array {
  const copy = packet.slice();
  // Where the payload of a malformed packet begins nobody knows.
  if (readGre(copy, 0, copy.length, header) !== 0) return copy.subarray(0, GRE_MIN_HEADER_LENGTH);
  const end = header.headerLength + header.payloadLength;
  if (!readPppHeader(copy, header.headerLength, header.payloadLength, ppp))
    return copy.subarray(0, header.headerLength);
  const payload = header.headerLength + ppp.headerLength;
  const show = (octets: number) => copy.subarray(0, Math.min(end, payload + octets));
  const blank = (octets: number) => copy.subarray(0, end).fill(0, Math.min(end, payload + octets));
  const code = copy[payload];
  switch (ppp.protocol) {
    case PppProtocol.Ip:
    case PppProtocol.Ipv6:
      return show(IP_OCTETS);
    case PppProtocol.Lcp:
      // RFC 1661 §5.7: a copy of what was rejected, which may be a login.
      return code === PROTOCOL_REJECT ? blank(CONTROL_PACKET_HEADER + 2) : show(Infinity);
    case PppProtocol.Chap:
      // A challenge alone proves nothing; Response, Success and Failure do with it.
      return code === CHALLENGE ? show(Infinity) : blank(CONTROL_PACKET_HEADER);
    default:
      if (ppp.protocol < 0x8000) return show(DATA_OCTETS);
      // 0x8000..0xbfff: negotiation of network protocols; the rest may be a login (PAP, EAP, SPAP ...).
      return ppp.protocol < 0xc000 ? show(Infinity) : blank(CONTROL_PACKET_HEADER);
  }
}
