/**
 * What nftables has of a table: enough to see that somebody has removed something. (That its elements are there is
 * another question: nft-elements.ts.)
 */
import {
  attribute,
  find,
  message,
  messagesIn,
  NFGENMSG,
  NFPROTO_IPV4,
  NLM_F_REQUEST,
  text,
  type Message,
  type Netlink,
} from './netlink-message.ts';
import { subsystemType } from './nft-elements.ts';

// linux/netfilter/nf_tables.h
const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_GETTABLE = 1;
const NFT_MSG_NEWCHAIN = 3;
const NFT_MSG_GETCHAIN = 4;
const NFTA_TABLE_NAME = 1;
const NFTA_TABLE_USE = 3;
const NFTA_TABLE_HANDLE = 4;
const NFTA_CHAIN_TABLE = 1;
const NFTA_CHAIN_NAME = 3;
const NFTA_CHAIN_USE = 6;

/**
 * A text that changes when an ip table is made anew, or chains, sets or rules of it come or go.
 * @returns undefined: there is no such table
 */
export function tableState(
  netfilter: Netlink,
  table: string,
  chains: readonly string[],
): string | undefined {
  const found = ask(netfilter, NFT_MSG_GETTABLE, NFT_MSG_NEWTABLE, [
    attribute(NFTA_TABLE_NAME, text(table)),
  ]);
  if (found === undefined) return undefined;
  const [handle, use] = [field(found, NFTA_TABLE_HANDLE), field(found, NFTA_TABLE_USE)];
  const rules = chains.map((chain) => {
    const answer = ask(netfilter, NFT_MSG_GETCHAIN, NFT_MSG_NEWCHAIN, [
      attribute(NFTA_CHAIN_TABLE, text(table)),
      attribute(NFTA_CHAIN_NAME, text(chain)),
    ]);
    return answer === undefined ? 'none' : field(answer, NFTA_CHAIN_USE);
  });
  return [handle, use, ...rules].join(' ');
}

function ask(
  netfilter: Netlink,
  question: number,
  answer: number,
  attributes: readonly Uint8Array[],
): Message | undefined {
  const header = Uint8Array.of(NFPROTO_IPV4, 0, 0, 0);
  const request = message(subsystemType(question), NLM_F_REQUEST, header, attributes);
  return messagesIn(netfilter(request)).find(({ type }) => type === subsystemType(answer));
}

function field({ body }: Message, attributeType: number): string {
  return (find(body.subarray(NFGENMSG), attributeType) ?? []).join();
}
