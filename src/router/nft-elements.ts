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

export interface ElementChange {
  readonly what: 'add' | 'delete';
  readonly element: Element;
}

/** Sends octets over NETLINK_NETFILTER and returns the answer. */
export type Netfilter = (request: Uint8Array) => Uint8Array;

// linux/netlink.h, linux/netfilter/nfnetlink.h
const NLMSG_ERROR = 2;
const NLMSG_HEADER = 16;
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
const NFT_MSG_DELSETELEM = 14;
const NFTA_SET_ELEM_LIST_TABLE = 1;
const NFTA_SET_ELEM_LIST_SET = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
const NFTA_LIST_ELEM = 1;
const NFTA_SET_ELEM_KEY = 1;
const NFTA_SET_ELEM_DATA = 2;
const NFTA_DATA_VALUE = 1;

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

/** The transaction's octets. */
export function encodeChanges(table: string, changes: readonly ElementChange[]): Uint8Array {
  const last = changes.length - 1;
  return concat([
    message(NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, 0, NFNL_SUBSYS_NFTABLES, []),
    ...changes.map(({ what, element }, i) =>
      message(
        (NFNL_SUBSYS_NFTABLES << 8) | (what === 'add' ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM),
        NLM_F_REQUEST |
          (what === 'add' ? NLM_F_CREATE | NLM_F_EXCL : 0) |
          (i === last ? NLM_F_ACK : 0),
        NFPROTO_IPV4,
        0,
        [
          attribute(NFTA_SET_ELEM_LIST_TABLE, text(table)),
          attribute(NFTA_SET_ELEM_LIST_SET, text(element.set)),
          nested(NFTA_SET_ELEM_LIST_ELEMENTS, nested(NFTA_LIST_ELEM, ...keyAndData(element, what))),
        ],
      ),
    ),
    message(NFNL_MSG_BATCH_END, NLM_F_REQUEST, 0, NFNL_SUBSYS_NFTABLES, []),
  ]);
}

function keyAndData({ key, data }: Element, what: ElementChange['what']): Uint8Array[] {
  const value = (type: number, octets: Uint8Array) =>
    nested(type, attribute(NFTA_DATA_VALUE, octets));
  return data === undefined || what === 'delete'
    ? [value(NFTA_SET_ELEM_KEY, key)]
    : [value(NFTA_SET_ELEM_KEY, key), value(NFTA_SET_ELEM_DATA, data)];
}

/** The first error number in an answer; 0: every message was done. */
function firstError(answer: Uint8Array): number {
  const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
  for (let at = 0; at + NLMSG_HEADER + 4 <= answer.length;) {
    const length = view.getUint32(at, true);
    const error =
      view.getUint16(at + 4, true) === NLMSG_ERROR ? -view.getInt32(at + NLMSG_HEADER, true) : 0;
    if (error !== 0) return error;
    if (length < NLMSG_HEADER) break;
    at += (length + 3) & ~3;
  }
  return 0;
}

/** nlmsghdr, nfgenmsg, attributes. */
function message(
  type: number,
  flags: number,
  family: number,
  resource: number,
  attributes: readonly Uint8Array[],
): Uint8Array {
  const head = new Uint8Array(NLMSG_HEADER + 4);
  const octets = concat([head, ...attributes]);
  const view = new DataView(octets.buffer);
  view.setUint32(0, octets.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint8(NLMSG_HEADER, family);
  view.setUint16(NLMSG_HEADER + 2, resource); // network order
  return octets;
}

/** Padded to four octets; its length is that without the padding. */
function attribute(type: number, payload: Uint8Array): Uint8Array {
  const octets = new Uint8Array((4 + payload.length + 3) & ~3);
  const view = new DataView(octets.buffer);
  view.setUint16(0, 4 + payload.length, true);
  view.setUint16(2, type, true);
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
