/**
 * Elements of nftables maps and sets, added and removed without the program nft: starting it costs more than setting up
 * a call may take. One transaction of the kernel's nfnetlink (linux/netfilter/nf_tables.h), all of it is done or none.
 */
import {
  attribute,
  concat,
  find,
  firstError,
  message,
  messagesIn,
  nested,
  NFGENMSG,
  NFPROTO_IPV4,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  text,
  view,
  type Netlink,
} from './netlink-message.ts';
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

// linux/netfilter/nfnetlink.h
const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;
const NFNL_SUBSYS_NFTABLES = 10;
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
  netfilter: Netlink,
  table: string,
  changes: readonly ElementChange[],
): void {
  const error = firstError(netfilter(encodeChanges(table, changes)));
  if (error !== 0)
    throw new RouterError(`nftables table ${table}: ${reasons[error] ?? `error ${error}`}`);
}

/** What elements of maps with counters have counted; an element that is not there has counted nothing. */
export function readCounters(
  netfilter: Netlink,
  table: string,
  elements: readonly Element[],
): readonly Count[] {
  const counts: Count[] = elements.map(() => ({ packets: 0, octets: 0 }));
  readElements(netfilter, table, elements, (index, body) => {
    const count = find(
      body.subarray(NFGENMSG),
      NFTA_SET_ELEM_LIST_ELEMENTS,
      NFTA_LIST_ELEM,
      NFTA_SET_ELEM_EXPR,
      NFTA_EXPR_DATA,
    );
    counts[index] = {
      packets: number64(find(count, NFTA_COUNTER_PACKETS)),
      octets: number64(find(count, NFTA_COUNTER_BYTES)),
    };
  });
  return counts;
}

/** Whether all of these elements are in the table. */
export function areThere(netfilter: Netlink, table: string, elements: readonly Element[]): boolean {
  const found = new Set<number>();
  readElements(netfilter, table, elements, (index) => found.add(index));
  return found.size === elements.length;
}

function readElements(
  netfilter: Netlink,
  table: string,
  elements: readonly Element[],
  found: (index: number, body: Uint8Array) => void,
): void {
  for (let first = 0; first < elements.length; first += READ_AT_ONCE) {
    const requests = elements
      .slice(first, first + READ_AT_ONCE)
      .map(({ set, key }, i) =>
        elementMessage(table, NFT_MSG_GETSETELEM, NLM_F_REQUEST, { set, key }, first + i),
      );
    for (const { type, sequence, body } of messagesIn(netfilter(concat(requests))))
      if (type === subsystemType(NFT_MSG_NEWSETELEM) && sequence < elements.length)
        found(sequence, body);
  }
}

/** The transaction's octets. */
export function encodeChanges(table: string, changes: readonly ElementChange[]): Uint8Array {
  const last = changes.length - 1;
  return concat([
    message(NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, nfgenmsg(0, NFNL_SUBSYS_NFTABLES), []),
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
    message(NFNL_MSG_BATCH_END, NLM_F_REQUEST, nfgenmsg(0, NFNL_SUBSYS_NFTABLES), []),
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
    nfgenmsg(NFPROTO_IPV4, 0),
    [
      attribute(NFTA_SET_ELEM_LIST_TABLE, text(table)),
      attribute(NFTA_SET_ELEM_LIST_SET, text(set)),
      nested(NFTA_SET_ELEM_LIST_ELEMENTS, nested(NFTA_LIST_ELEM, ...element)),
    ],
    sequence,
  );
}

/** @param resource in network order, unlike all others */
function nfgenmsg(family: number, resource: number): Uint8Array {
  return Uint8Array.of(family, 0, resource >>> 8, resource);
}

/** Of a message to nftables. */
export function subsystemType(type: number): number {
  return (NFNL_SUBSYS_NFTABLES << 8) | type;
}

function number64(octets: Uint8Array | undefined): number {
  return octets?.length === 8 ? Number(view(octets).getBigUint64(0)) : 0;
}
