/** Which packets of a session belong together: a number made of addresses, protocol and ports. Hot path. */
import { PppProtocol } from '../../wire/ppp-frame.ts';
import { IPV6_HEADER_LENGTH, ipv4HeaderLength, readI32 } from './inner-packet.ts';

const TCP = 6;
const UDP = 17;

/** The flow of the IP packet octets[at..at+length), whose header was checked. Fragments have no ports. */
export function flowOf(protocol: number, octets: Uint8Array, at: number, length: number): number {
  return protocol === PppProtocol.Ip ? ipv4Flow(octets, at, length) : ipv6Flow(octets, at, length);
}

function ipv4Flow(octets: Uint8Array, at: number, length: number): number {
  const upper = octets[at + 9]!;
  // RFC 791 §3.1: more fragments, or an offset.
  const isFragment = (octets[at + 6]! & 0x3f) !== 0 || octets[at + 7] !== 0;
  const header = ipv4HeaderLength(octets, at);
  const ports = isFragment ? 0 : portsOf(octets, upper, at + header, length - header);
  return mixed(readI32(octets, at + 12), readI32(octets, at + 16), ports, upper);
}

/** RFC 8200 §3; packets with extension headers are told by their addresses alone. */
function ipv6Flow(octets: Uint8Array, at: number, length: number): number {
  const upper = octets[at + 6]!;
  const header = IPV6_HEADER_LENGTH;
  let source = 0;
  let destination = 0;
  for (let n = 0; n < 16; n += 4) {
    source = Math.imul(source, 31) + readI32(octets, at + 8 + n);
    destination = Math.imul(destination, 31) + readI32(octets, at + 24 + n);
  }
  return mixed(source, destination, portsOf(octets, upper, at + header, length - header), upper);
}

function portsOf(octets: Uint8Array, upper: number, at: number, length: number): number {
  return (upper === TCP || upper === UDP) && length >= 4 ? readI32(octets, at) : 0;
}

function mixed(source: number, destination: number, ports: number, upper: number): number {
  let hash = Math.imul(source ^ (source >>> 15), 0x2c1b3c6d) ^ Math.imul(destination, 0x297a2d39);
  hash = Math.imul(hash ^ (hash >>> 13) ^ ports, 0x45d9f3b) ^ upper;
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return hash ^ (hash >>> 15);
}
