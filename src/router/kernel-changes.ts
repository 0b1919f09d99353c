/**
 * What others may have done to what we put into the kernel, from its own words: datagrams of NETLINK_ROUTE and
 * NETLINK_NETFILTER (linux/rtnetlink.h, linux/netfilter/nf_tables.h). They say that a look is worth while, not what to do.
 */
import { fromLatin1 } from '../wire/octets.ts';
import { find, messagesIn, NFGENMSG, type Message } from './netlink-message.ts';

export type KernelChange = 'devices' | 'routes' | 'nftables';

export const everyChange: readonly KernelChange[] = ['devices', 'routes', 'nftables'];

/** RTNLGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV4_RULE, _IPV6_IFADDR, _IPV6_ROUTE; and NFNLGRP_NFTABLES. */
export const routeGroups: readonly number[] = [1, 5, 7, 8, 9, 11];
export const netfilterGroups: readonly number[] = [7];

/** RTM_NEWROUTE, RTM_DELROUTE, RTM_NEWRULE, RTM_DELRULE */
const routing = new Set([24, 25, 32, 33]);
const NFNL_SUBSYS_NFTABLES = 10;
/** NFT_MSG_NEWTABLE, and all that delete: tables, chains, rules, sets, elements. */
const netfilterTypes = new Set([0, 2, 5, 8, 11, 14]);
/** NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_SET_TABLE and so on: all are the first attribute. */
const NFTA_TABLE = 1;

/** @param datagram undefined: some were lost, so anything may have changed */
export function routeChanges(datagram: Uint8Array | undefined): ReadonlySet<KernelChange> {
  if (datagram === undefined) return new Set<KernelChange>(['devices', 'routes']);
  return new Set<KernelChange>(
    messagesIn(datagram).map(({ type }) => (routing.has(type) ? 'routes' : 'devices')),
  );
}

/**
 * Of tables that have anything of ours: those we make, fw4's, and the owner's.
 * @param isUsed whether a table of the owner's is one
 */
export function netfilterChanges(
  datagram: Uint8Array | undefined,
  isUsed: (table: string) => boolean,
): ReadonlySet<KernelChange> {
  const isOurs =
    datagram === undefined || messagesIn(datagram).some((each) => concernsUs(each, isUsed));
  return new Set<KernelChange>(isOurs ? ['nftables'] : []);
}

function concernsUs({ type, body }: Message, isUsed: (table: string) => boolean): boolean {
  if (type >> 8 !== NFNL_SUBSYS_NFTABLES || !netfilterTypes.has(type & 0xff)) return false;
  const field = find(body.subarray(NFGENMSG), NFTA_TABLE) ?? new Uint8Array(1);
  const name = fromLatin1(field.subarray(0, -1));
  return name === 'fw4' || name.startsWith('pptp_gateway_') || isUsed(name);
}
