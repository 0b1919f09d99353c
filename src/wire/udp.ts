/** UDP over IPv6: RFC 768, RFC 8200 §8.1. */
import {
  decode,
  encode,
  isMalformed,
  malformed,
  rest,
  struct,
  u16,
  type Malformed,
} from './codec.ts';
import { Ipv6NextHeader, writeIpv6Checksum, type Ipv6Packet } from './ipv6.ts';

const datagram = struct({
  sourcePort: u16,
  destinationPort: u16,
  length: u16,
  /** 0, which means none in IPv4, is not valid here. */
  checksum: u16,
  payload: rest,
});

export interface Datagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly checksum: number;
  readonly payload: Uint8Array;
}

const HEADER_LENGTH = datagram.minimum;
const CHECKSUM = 6;

/** The datagram that is all of an IPv6 payload. */
export function decodeUdp(octets: Uint8Array): Datagram | Malformed {
  const read = decode(datagram, octets, 'UDP');
  if (isMalformed(read)) return read;
  const { length, ...fields } = read;
  if (length !== octets.length) return malformed('bad-value', `UDP: length ${length}`);
  return fields;
}

/** The packet with a datagram. Throws RangeError for a value that its field cannot carry. */
export function encodeUdp(
  ports: Pick<Datagram, 'sourcePort' | 'destinationPort'>,
  payload: Uint8Array,
  carrier: Pick<Ipv6Packet, 'hopLimit' | 'source' | 'destination'>,
): Ipv6Packet {
  const length = HEADER_LENGTH + payload.length;
  const packet = {
    ...carrier,
    nextHeader: Ipv6NextHeader.Udp,
    payload: encode(datagram, { ...ports, length, checksum: 0, payload }, 'UDP'),
  };
  writeIpv6Checksum(packet, CHECKSUM);
  return packet;
}
