/**
 * Elements of nftables maps and sets, added and removed without the program nft: starting it costs more than setting up
 * a call may take. One transaction of the kernel's nfnetlink (linux/netfilter/nf_tables.h), all of it is done or none.
 *
 * Headers of messages and attributes are in the order of the CPU: all that we run on are little-endian.
 */
import { RouterError } from './router.ts';

export interface Element {
  /** Map or set. */
  readonly set: string;
  /** Fields in network order: each begins at a multiple of four octets. */
  readonly key: Uint8Array;
  /** Maps only. */
  readonly data?: Uint8Array;
}

export interface Count {
  readonly packets: number;
  readonly octets: number;
}

export interface ElementChange {
  readonly what: 'add' | 'delete';
  readonly element: Element;
}

/** Sends octets over NETLINK_NETFILTER and returns the answer. */
export type Netfilter = (request: Uint8Array) => Uint8Array;

// linux/netlink.h, linux/netfilter/nfnetlink.h
const NLMSG_ERROR = 2;
const NLMSG_HEADER = 16;
const NFGENMSG = 4;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const NLM_F_EXCL = 0x200;
const NLM_F_CREATE = 0x400;
const NLA_F_NESTED = 0x8000;
const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;
const NFNL_SUBSYS_NFTABLES = 10;
const NFPROTO_IPV4 = 2;
// linux/netfilter/nf_tables.h
const NFT_MSG_NEWSETELEM = 12;
const NFT_MSG_GETSETELEM = 13;
const NFT_MSG_DELSETELEM = 14;
const NFTA_SET_ELEM_LIST_TABLE = 1;
const NFTA_SET_ELEM_LIST_SET = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
const NFTA_LIST_ELEM = 1;
const NFTA_SET_ELEM_KEY = 1;
const NFTA_SET_ELEM_DATA = 2;
const NFTA_SET_ELEM_EXPR = 7;
const NFTA_EXPR_DATA = 2;
const NFTA_COUNTER_BYTES = 1;
const NFTA_COUNTER_PACKETS = 2;
const NFTA_DATA_VALUE = 1;

/** Elements asked for at a time: the answers must fit a socket's buffer. */
const READ_AT_ONCE = 64;

const reasons: Readonly<Record<number, string>> = {
  1: 'not permitted',
  2: 'no such table, map or element',
  12: 'out of memory',
  17: 'there is one already',
  22: 'the kernel does not understand it',
  23: 'too many elements',
  28: 'no space left',
  90: 'wrong size',
};

/**
 * Changes elements of an ip table, in one transaction.
 *
 * @throws RouterError with the kernel's reason; nothing has changed then
 */
export function changeElements(
  netfilter: Netfilter,
  table: string,
  changes: readonly ElementChange[],
): void {
  const error = firstError(netfilter(encodeChanges(table, changes)));
  if (error !== 0)
    throw new RouterError(`nftables table ${table}: ${reasons[error] ?? `error ${error}`}`);
}

/** What elements of maps with counters have counted; an element that is not there has counted nothing. */
export function readCounters(
  netfilter: Netfilter,
  table: string,
  elements: readonly Element[],
): readonly Count[] {
  const counts: Count[] = elements.map(() => ({ packets: 0, octets: 0 }));
  for (let first = 0; first < elements.length; first += READ_AT_ONCE) {
    const requests = elements
      .slice(first, first + READ_AT_ONCE)
      .map((element, i) =>
        elementMessage(table, NFT_MSG_GETSETELEM, NLM_F_REQUEST, element, first + i),
      );
    for (const { type, sequence, body } of messagesIn(netfilter(concat(requests)))) {
      if (type !== subsystemType(NFT_MSG_NEWSETELEM) || sequence >= counts.length) continue;
      const count = find(
        body.subarray(NFGENMSG),
        NFTA_SET_ELEM_LIST_ELEMENTS,
        NFTA_LIST_ELEM,
        NFTA_SET_ELEM_EXPR,
        NFTA_EXPR_DATA,
      );
      counts[sequence] = {
        packets: number64(find(count, NFTA_COUNTER_PACKETS)),
        octets: number64(find(count, NFTA_COUNTER_BYTES)),
      };
    }
  }
  return counts;
}

/** The transaction's octets. */
export function encodeChanges(table: string, changes: readonly ElementChange[]): Uint8Array {
  const last = changes.length - 1;
  return concat([
    message(NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, 0, NFNL_SUBSYS_NFTABLES, []),
    ...changes.map(({ what, element }, i) =>
      elementMessage(
        table,
        what === 'add' ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM,
        NLM_F_REQUEST |
          (what === 'add' ? NLM_F_CREATE | NLM_F_EXCL : 0) |
          (i === last ? NLM_F_ACK : 0),
        what === 'add' ? element : { set: element.set, key: element.key },
        i,
      ),
    ),
    message(NFNL_MSG_BATCH_END, NLM_F_REQUEST, 0, NFNL_SUBSYS_NFTABLES, []),
  ]);
}

function elementMessage(
  table: string,
  type: number,
  flags: number,
  { set, key, data }: Element,
  sequence: number,
): Uint8Array {
  const value = (kind: number, octets: Uint8Array) =>
    nested(kind, attribute(NFTA_DATA_VALUE, octets));
  const element = [
    value(NFTA_SET_ELEM_KEY, key),
    ...(data === undefined ? [] : [value(NFTA_SET_ELEM_DATA, data)]),
  ];
  return message(
    subsystemType(type),
    flags,
    NFPROTO_IPV4,
    0,
    [
      attribute(NFTA_SET_ELEM_LIST_TABLE, text(table)),
      attribute(NFTA_SET_ELEM_LIST_SET, text(set)),
      nested(NFTA_SET_ELEM_LIST_ELEMENTS, nested(NFTA_LIST_ELEM, ...element)),
    ],
    sequence,
  );
}

function subsystemType(type: number): number {
  return (NFNL_SUBSYS_NFTABLES << 8) | type;
}

/** The first error number in an answer; 0: every message was done. */
function firstError(answer: Uint8Array): number {
  for (const { type, body } of messagesIn(answer)) {
    const error = type === NLMSG_ERROR && body.length >= 4 ? -view(body).getInt32(0, true) : 0;
    if (error !== 0) return error;
  }
  return 0;
}

interface Message {
  readonly type: number;
  readonly sequence: number;
  readonly body: Uint8Array;
}

function messagesIn(answer: Uint8Array): Message[] {
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
function find(
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

function number64(octets: Uint8Array | undefined): number {
  return octets?.length === 8 ? Number(view(octets).getBigUint64(0)) : 0;
}

function view(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
}

/** nlmsghdr, nfgenmsg, attributes. */
function message(
  type: number,
  flags: number,
  family: number,
  resource: number,
  attributes: readonly Uint8Array[],
  sequence = 0,
): Uint8Array {
  const octets = concat([new Uint8Array(NLMSG_HEADER + NFGENMSG), ...attributes]);
  const head = view(octets);
  head.setUint32(0, octets.length, true);
  head.setUint16(4, type, true);
  head.setUint16(6, flags, true);
  head.setUint32(8, sequence, true);
  head.setUint8(NLMSG_HEADER, family);
  head.setUint16(NLMSG_HEADER + 2, resource); // network order
  return octets;
}

/** Padded to four octets; its length is that without the padding. */
function attribute(type: number, payload: Uint8Array): Uint8Array {
  const octets = new Uint8Array((4 + payload.length + 3) & ~3);
  const head = view(octets);
  head.setUint16(0, 4 + payload.length, true);
  head.setUint16(2, type, true);
  octets.set(payload, 4);
  return octets;
}

function nested(type: number, ...attributes: readonly Uint8Array[]): Uint8Array {
  return attribute(type | NLA_F_NESTED, concat(attributes));
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\0`);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const octets = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    octets.set(part, at);
    at += part.length;
  }
  return octets;
}
