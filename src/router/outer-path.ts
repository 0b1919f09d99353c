/**
 * Between which addresses a control connection, and so GRE of its calls (RFC 2637 §4), travels outside of this router: where
 * its own NAT turns the connection, connection tracking knows what the peer sees (linux/netfilter/nfnetlink_conntrack.h).
 */
import type { CallId, Ipv4 } from '../wire/brand.ts';
import {
  attribute,
  find,
  message,
  messagesIn,
  nested,
  NFGENMSG,
  NFPROTO_IPV4,
  NLM_F_REQUEST,
  octets16,
  octets32,
  view,
  type Netlink,
} from './netlink-message.ts';
import type { ControlPath, OuterPath } from './router.ts';

const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT_NEW = 0;
const IPCTNL_MSG_CT_GET = 1;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_HELP = 5;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;
const CTA_IP_V4_SRC = 1;
const CTA_IP_V4_DST = 2;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_SRC_PORT = 2;
const CTA_PROTO_DST_PORT = 3;
const TCP = 6;
const GRE = 47;

/**
 * Our address as the peer sees it: the socket's own where nothing is tracked, or the kernel does not tell.
 * @param opener who opened the connection: its first packet made the entry
 * @returns undefined: the kernel's helper for PPTP follows the connection, and its GRE with it
 */
export function outerAddress(
  netfilter: Netlink,
  path: ControlPath,
  opener: 'we' | 'peer',
): number | undefined {
  const ours: Tuple = {
    protocol: TCP,
    source: path.local,
    sourceKey: path.localPort,
    destination: path.peer,
    destinationKey: path.peerPort,
  };
  // In the entry of a connection of ours the answers go to the outer address; in one of the peer its first packet did.
  const [known, wanted] =
    opener === 'we' ? [CTA_TUPLE_ORIG, CTA_TUPLE_REPLY] : [CTA_TUPLE_REPLY, CTA_TUPLE_ORIG];
  const entry = ask(netfilter, known, ours);
  if (find(entry, CTA_HELP) !== undefined) return undefined;
  return addressIn(entry, wanted, CTA_IP_V4_DST) ?? path.local;
}

/** GRE of one call, as it is without NAT. */
export interface GrePath extends OuterPath {
  readonly callId: CallId;
  readonly peerCallId: CallId;
}

/**
 * What this router's own NAT makes of GRE that is tracked: who gets that of the peer, or as whom ours leaves.
 * @returns undefined: it leaves it alone, as far as can be known
 */
export function translation(
  netfilter: Netlink,
  { peer, local, callId, peerCallId }: GrePath,
): { readonly taker: Ipv4 } | { readonly source: Ipv4 } | undefined {
  // Without the helper for PPTP the kernel knows each direction by the call id in its packets alone.
  const entry = (source: Ipv4, destination: Ipv4, destinationKey: number) =>
    ask(netfilter, CTA_TUPLE_ORIG, {
      protocol: GRE,
      source,
      sourceKey: 0,
      destination,
      destinationKey,
    });
  const taker = addressIn(entry(peer, local, callId), CTA_TUPLE_REPLY, CTA_IP_V4_SRC);
  if (taker !== undefined && taker !== local) return { taker };
  const source = addressIn(entry(local, peer, peerCallId), CTA_TUPLE_REPLY, CTA_IP_V4_DST);
  return source !== undefined && source !== local ? { source } : undefined;
}

/** Ports of TCP, call ids of GRE. */
interface Tuple {
  readonly protocol: number;
  readonly source: Ipv4;
  readonly sourceKey: number;
  readonly destination: Ipv4;
  readonly destinationKey: number;
}

/** The attributes of an entry, by one of its tuples. */
function ask(
  netfilter: Netlink,
  known: Ipv4,
  { protocol, source, sourceKey, destination, destinationKey }: Tuple,
): Uint8Array | undefined {
  const request = message(
    (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET,
    NLM_F_REQUEST,
    Uint8Array.of(NFPROTO_IPV4, 0, 0, 0),
    [
      nested(
        known,
        nested(
          CTA_TUPLE_IP,
          attribute(CTA_IP_V4_SRC, octets32(source)),
          attribute(CTA_IP_V4_DST, octets32(destination)),
        ),
        nested(
          CTA_TUPLE_PROTO,
          attribute(CTA_PROTO_NUM, Uint8Array.of(protocol)),
          attribute(CTA_PROTO_SRC_PORT, octets16(sourceKey)),
          attribute(CTA_PROTO_DST_PORT, octets16(destinationKey)),
        ),
      ),
    ],
  );
  const entry = messagesIn(netfilter(request)).find(
    ({ type }) => type === ((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_NEW),
  );
  return entry?.body.subarray(NFGENMSG);
}

function addressIn(
  entry: Uint8Array | undefined,
  tuple: number,
  field: number,
): number | undefined {
  const address = find(entry, tuple, CTA_TUPLE_IP, field);
  return address?.length === 4 ? view(address).getUint32(0) : undefined;
}
