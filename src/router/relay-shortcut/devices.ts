/** The devices that relays' rules name: linux/if_link.h. */
import {
  attribute,
  find,
  message,
  messagesIn,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  text,
  view,
  type Netlink,
} from '../netlink-message.ts';

export interface Device {
  readonly name: string;
  readonly index: number;
  readonly mtu: number;
  /** Its packets have a header of Ethernet; otherwise none at all. */
  readonly isEthernet: boolean;
}

const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_EXT_MASK = 29;
const RTEXT_FILTER_SKIP_STATS = 8;
const IFINFOMSG = 16;
const ARPHRD_ETHER = 1;
/** ARPHRD_PPP, _TUNNEL, _SIT, _IPGRE, _NONE, _RAWIP */
const BARE = new Set([512, 768, 776, 778, 0xfffe, 519]);

/** @param names `name*` stands for all that begin so @returns those that there are and whose packets we can read */
export function devicesNamed(route: Netlink, names: readonly string[]): readonly Device[] {
  const plain = names.filter((name) => !name.endsWith('*'));
  const beginnings = names.flatMap((name) => (name.endsWith('*') ? name.slice(0, -1) : []));
  const found = plain.flatMap((name) => links(route, 0, [attribute(IFLA_IFNAME, text(name))]));
  if (beginnings.length > 0)
    found.push(
      ...links(route, NLM_F_DUMP, []).filter(({ name }) =>
        beginnings.some((beginning) => name.startsWith(beginning)),
      ),
    );
  return [...new Map(found.map((device) => [device.index, device])).values()];
}

function links(route: Netlink, flags: number, attributes: readonly Uint8Array[]): Device[] {
  const mask = new Uint8Array(4);
  view(mask).setUint32(0, RTEXT_FILTER_SKIP_STATS, true);
  const all = [...attributes, attribute(IFLA_EXT_MASK, mask)];
  const answer = route(message(RTM_GETLINK, NLM_F_REQUEST | flags, new Uint8Array(IFINFOMSG), all));
  return messagesIn(answer).flatMap(({ type, body }) => {
    if (type !== RTM_NEWLINK || body.length < IFINFOMSG) return [];
    const kind = view(body).getUint16(2, true);
    const name = find(body.subarray(IFINFOMSG), IFLA_IFNAME);
    const mtu = find(body.subarray(IFINFOMSG), IFLA_MTU);
    if (name === undefined || mtu?.length !== 4) return [];
    if (kind !== ARPHRD_ETHER && !BARE.has(kind)) return [];
    return {
      name: new TextDecoder().decode(name).replace(/\0$/, ''),
      index: view(body).getInt32(4, true),
      mtu: view(mtu).getUint32(0, true),
      isEthernet: kind === ARPHRD_ETHER,
    };
  });
}
