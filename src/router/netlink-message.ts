/**
 * Messages of netlink (linux/netlink.h): their headers and attributes, which are nested like values of a language.
 *
 * Headers of messages and attributes are in the order of the CPU: all that we run on are little-endian.
 */

/** Sends octets over netlink and returns the answer, valid until the next request. */
export type Netlink = (request: Uint8Array) => Uint8Array;

/** The two of its protocols that are spoken here: NETLINK_ROUTE and NETLINK_NETFILTER. */
export interface Kernel {
  readonly route: Netlink;
  readonly netfilter: Netlink;
}

export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_DUMP = 0x300;

/** Of NETLINK_NETFILTER (linux/netfilter/nfnetlink.h): octets before the attributes, and the family of what is asked for. */
export const NFGENMSG = 4;
export const NFPROTO_IPV4 = 2;

const NLMSG_ERROR = 2;
const NLMSG_HEADER = 16;
const NLA_F_NESTED = 0x8000;

export interface Message {
  readonly type: number;
  readonly sequence: number;
  readonly body: Uint8Array;
}

/** The first error number in an answer; 0: every message was done. */
export function firstError(answer: Uint8Array): number {
  for (const { type, body } of messagesIn(answer)) {
    const error = type === NLMSG_ERROR && body.length >= 4 ? -view(body).getInt32(0, true) : 0;
    if (error !== 0) return error;
  }
  return 0;
}

export function messagesIn(answer: Uint8Array): Message[] {
  const found: Message[] = [];
  for (let at = 0; at + NLMSG_HEADER <= answer.length;) {
    const head = view(answer.subarray(at));
    const length = head.getUint32(0, true);
    if (length < NLMSG_HEADER || at + length > answer.length) break;
    found.push({
      type: head.getUint16(4, true),
      sequence: head.getUint32(8, true),
      body: answer.subarray(at + NLMSG_HEADER, at + length),
    });
    at += (length + 3) & ~3;
  }
  return found;
}

/** The payload of the first attribute on this path of nested ones. */
export function find(
  attributes: Uint8Array | undefined,
  ...path: readonly number[]
): Uint8Array | undefined {
  const [wanted, ...rest] = path;
  if (wanted === undefined || attributes === undefined) return attributes;
  for (let at = 0; at + 4 <= attributes.length;) {
    const head = view(attributes.subarray(at));
    const length = head.getUint16(0, true);
    if (length < 4) return undefined;
    if ((head.getUint16(2, true) & ~NLA_F_NESTED) === wanted)
      return find(attributes.subarray(at + 4, at + length), ...rest);
    at += (length + 3) & ~3;
  }
  return undefined;
}

export function view(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
}

/** @param header of the protocol: nfgenmsg, rtmsg and the like */
export function message(
  type: number,
  flags: number,
  header: Uint8Array,
  attributes: readonly Uint8Array[],
  sequence = 0,
): Uint8Array {
  const octets = concat([new Uint8Array(NLMSG_HEADER), header, ...attributes]);
  const head = view(octets);
  head.setUint32(0, octets.length, true);
  head.setUint16(4, type, true);
  head.setUint16(6, flags, true);
  head.setUint32(8, sequence, true);
  return octets;
}

/** Padded to four octets; its length is that without the padding. */
export function attribute(type: number, payload: Uint8Array): Uint8Array {
  const octets = new Uint8Array((4 + payload.length + 3) & ~3);
  const head = view(octets);
  head.setUint16(0, 4 + payload.length, true);
  head.setUint16(2, type, true);
  octets.set(payload, 4);
  return octets;
}

export function nested(type: number, ...attributes: readonly Uint8Array[]): Uint8Array {
  return attribute(type | NLA_F_NESTED, concat(attributes));
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\0`);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const octets = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    octets.set(part, at);
    at += part.length;
  }
  return octets;
}

/** In network order, as addresses are. */
export function octets32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** In network order, as ports are. */
export function octets16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value);
}
