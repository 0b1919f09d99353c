/** IPv4 and IPv6 packets for tests, with right checksums, and what a receiver reads in them. */
import { parseAddress } from '../../src/wire/ip.ts';

export function address(text: string): number {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

export interface Ipv4Options {
  readonly source: string;
  readonly destination: string;
  readonly protocol?: number;
  readonly payload?: Uint8Array;
  readonly dontFragment?: boolean;
  /** Padded to four octets by the caller. */
  readonly options?: Uint8Array;
  readonly identification?: number;
}

/** RFC 1071 in its slowest form: 0 over data with a right checksum. */
export function sum(octets: Uint8Array): number {
  let total = 0;
  octets.forEach((octet, n) => (total += n % 2 === 0 ? octet * 256 : octet));
  while (total > 0xffff) total = (total % 0x10000) + Math.floor(total / 0x10000);
  return 0xffff - total;
}

export function ipv4(options: Ipv4Options): Uint8Array {
  const { source, destination, protocol = 17, payload = new Uint8Array(8) } = options;
  const extra = options.options ?? new Uint8Array();
  const header = new Uint8Array(20 + extra.length);
  const view = new DataView(header.buffer);
  view.setUint8(0, 0x40 | (header.length / 4));
  view.setUint16(2, header.length + payload.length);
  view.setUint16(4, options.identification ?? 7);
  view.setUint16(6, options.dontFragment === true ? 0x4000 : 0);
  view.setUint8(8, 64);
  view.setUint8(9, protocol);
  view.setUint32(12, address(source));
  view.setUint32(16, address(destination));
  header.set(extra, 20);
  view.setUint16(10, sum(header));
  return Uint8Array.from([...header, ...payload]);
}

/** A packet of `length` octets whose payload starts with `tag`. */
export function tagged(
  source: string,
  destination: string,
  tag: number,
  length = 100,
  dontFragment = false,
): Uint8Array {
  const payload = new Uint8Array(length - 20).map((_, n) => (n * 7 + tag) & 0xff);
  new DataView(payload.buffer).setUint32(0, tag);
  return ipv4({ source, destination, payload, dontFragment });
}

export function tagOf(packet: Uint8Array): number {
  return new DataView(packet.buffer, packet.byteOffset).getUint32(20);
}

/** A TCP segment with these option octets (padded to four) and a right checksum. */
export function tcp(
  source: string,
  destination: string,
  flags: number,
  options: readonly number[],
  data: readonly number[] = [],
): Uint8Array {
  const segment = new Uint8Array(20 + options.length + data.length);
  const view = new DataView(segment.buffer);
  view.setUint16(0, 40000);
  view.setUint16(2, 443);
  view.setUint32(4, 0x12345678);
  view.setUint8(12, ((20 + options.length) / 4) << 4);
  view.setUint8(13, flags);
  view.setUint16(14, 65535);
  segment.set(options, 20);
  segment.set(data, 20 + options.length);
  view.setUint16(16, tcpSum(address(source), address(destination), segment));
  return ipv4({ source, destination, protocol: 6, payload: segment });
}

/** 0 if the checksum of the TCP segment in an IPv4 packet is right. */
export function tcpFault(packet: Uint8Array): number {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const headerLength = (packet[0]! & 15) * 4;
  return tcpSum(view.getUint32(12), view.getUint32(16), packet.subarray(headerLength));
}

function tcpSum(source: number, destination: number, segment: Uint8Array): number {
  const pseudo = new Uint8Array(12 + segment.length);
  const view = new DataView(pseudo.buffer);
  view.setUint32(0, source);
  view.setUint32(4, destination);
  view.setUint16(8, 6);
  view.setUint16(10, segment.length);
  pseudo.set(segment, 12);
  return sum(pseudo);
}

/** An IPv6 packet of 48 octets; addresses as 32 hex digits. */
export function ipv6(source: string, destination: string, length = 48): Uint8Array {
  return ipv6With(source, destination, 17, new Uint8Array(length - 40));
}

/** An IPv6 packet with this next header and what follows. */
export function ipv6With(
  source: string,
  destination: string,
  next: number,
  payload: Uint8Array,
): Uint8Array {
  const packet = new Uint8Array(40 + payload.length);
  packet[0] = 0x60;
  new DataView(packet.buffer).setUint16(4, payload.length);
  packet[6] = next;
  packet[7] = 255;
  packet.set(Buffer.from(source, 'hex'), 8);
  packet.set(Buffer.from(destination, 'hex'), 24);
  packet.set(payload, 40);
  return packet;
}

/** 0 if the checksum of the upper layer at `at` in an IPv6 packet is right: RFC 8200 §8.1. */
export function ipv6Fault(packet: Uint8Array, protocol: number, at = 40): number {
  const length = packet.length - at;
  const pseudo = [...packet.subarray(8, 40), 0, 0, length >> 8, length & 255, 0, 0, 0, protocol];
  return sum(Uint8Array.from([...pseudo, ...packet.subarray(at)]));
}

/** A SYN over IPv6 that offers an MSS of 1460 with a right checksum, behind these extension headers. */
export function synOverIpv6(
  source: string,
  destination: string,
  extensions: Uint8Array = new Uint8Array(),
  next = 6,
): Uint8Array {
  const segment = new Uint8Array(24);
  segment.set([0x9c, 0x40, 0x01, 0xbb, 1, 2, 3, 4, 0, 0, 0, 0, 0x60, 0x02, 0xff, 0xff]);
  segment.set([2, 4, 0x05, 0xb4], 20);
  const payload = Uint8Array.from([...extensions, ...segment]);
  const packet = ipv6With(source, destination, next, payload);
  const at = 40 + extensions.length;
  new DataView(packet.buffer).setUint16(at + 16, ipv6Fault(packet, 6, at));
  return packet;
}
