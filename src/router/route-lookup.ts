/** The kernel's routing, asked one question at a time (linux/rtnetlink.h, linux/fib_rules.h). */
import type { Ipv4 } from '../wire/brand.ts';
import {
  attribute,
  find,
  message,
  messagesIn,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  octets16,
  octets32,
  view,
  type Message,
  type Netlink,
} from './netlink-message.ts';

export interface Way {
  /** Index of the device. */
  readonly device: number;
  /** 0: none. */
  readonly gateway: Ipv4;
  /** Octets of a packet, where the route says so. */
  readonly mtu: number | undefined;
}

export interface RouteQuestion {
  readonly to: Ipv4;
  /** One of our addresses; with `by` that of the sender. */
  readonly from?: Ipv4;
  /** Index of the device that the packet comes in by: it is to be forwarded. */
  readonly by?: number;
  readonly mark?: number;
  /** As a packet of TCP with these ports. */
  readonly ports?: readonly [source: number, destination: number];
}

const AF_INET = 2;
const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const RTM_NEWRULE = 32;
const RTM_GETRULE = 34;
const RTA_DST = 1;
const RTA_SRC = 2;
const RTA_IIF = 3;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_METRICS = 8;
const RTAX_MTU = 2;
const RTA_MARK = 16;
const RTA_IP_PROTO = 27;
const RTA_SPORT = 28;
const RTA_DPORT = 29;
const RTM_F_FIB_MATCH = 0x2000;
const IFLA_IFNAME = 3;
const FRA_PRIORITY = 6;
const FRA_FWMARK = 10;
const TCP = 6;
/** Octets of rtmsg and fib_rule_hdr, and of ifinfomsg. */
const RTMSG = 12;
const IFINFOMSG = 16;

/** undefined: there is no way. */
export function wayOf(
  route: Netlink,
  { to, from, by, mark, ports }: RouteQuestion,
): Way | undefined {
  const attributes = [
    attribute(RTA_DST, octets32(to)),
    ...(from === undefined ? [] : [attribute(RTA_SRC, octets32(from))]),
    ...(by === undefined ? [] : [attribute(RTA_IIF, number32(by))]),
    ...(mark === undefined || mark === 0 ? [] : [attribute(RTA_MARK, number32(mark))]),
    ...(ports === undefined
      ? []
      : [
          attribute(RTA_IP_PROTO, Uint8Array.of(TCP)),
          attribute(RTA_SPORT, octets16(ports[0])),
          attribute(RTA_DPORT, octets16(ports[1])),
        ]),
  ];
  return ask(route, from !== undefined, 0, attributes);
}

/** The device that has one of our addresses. */
export function deviceWith(route: Netlink, address: Ipv4): number | undefined {
  return ask(route, false, RTM_F_FIB_MATCH, [attribute(RTA_DST, octets32(address))])?.device;
}

export interface RoutingRule {
  readonly preference: number;
  /** 0: it asks for none. */
  readonly mark: number;
}

export function routingRules(route: Netlink): readonly RoutingRule[] {
  const header = new Uint8Array(RTMSG);
  header[0] = AF_INET;
  const request = message(RTM_GETRULE, NLM_F_REQUEST | NLM_F_DUMP, header, []);
  return messagesIn(route(request)).flatMap((rule) =>
    rule.type === RTM_NEWRULE
      ? {
          preference: numberIn(rule, RTMSG, FRA_PRIORITY) ?? 0,
          mark: numberIn(rule, RTMSG, FRA_FWMARK) ?? 0,
        }
      : [],
  );
}

export function deviceName(route: Netlink, index: number): string | undefined {
  const header = new Uint8Array(IFINFOMSG);
  view(header).setInt32(4, index, true);
  const [found] = messagesIn(route(message(RTM_GETLINK, NLM_F_REQUEST, header, [])));
  if (found?.type !== RTM_NEWLINK) return undefined;
  const name = find(found.body.subarray(IFINFOMSG), IFLA_IFNAME);
  return name && new TextDecoder().decode(name).replace(/\0$/, '');
}

function ask(
  route: Netlink,
  hasSource: boolean,
  flags: number,
  attributes: readonly Uint8Array[],
): Way | undefined {
  const header = new Uint8Array(RTMSG);
  header.set([AF_INET, 32, hasSource ? 32 : 0]);
  view(header).setUint32(8, flags, true);
  const [found] = messagesIn(route(message(RTM_GETROUTE, NLM_F_REQUEST, header, attributes)));
  if (found?.type !== RTM_NEWROUTE) return undefined;
  const device = numberIn(found, RTMSG, RTA_OIF);
  const gateway = find(found.body.subarray(RTMSG), RTA_GATEWAY);
  const mtu = find(found.body.subarray(RTMSG), RTA_METRICS, RTAX_MTU);
  return device === undefined
    ? undefined
    : {
        device,
        gateway: gateway?.length === 4 ? view(gateway).getUint32(0) : 0,
        mtu: mtu?.length === 4 ? view(mtu).getUint32(0, true) : undefined,
      };
}

function numberIn({ body }: Message, header: number, type: number): number | undefined {
  const value = find(body.subarray(header), type);
  return value?.length === 4 ? view(value).getUint32(0, true) : undefined;
}

function number32(value: number): Uint8Array {
  const octets = new Uint8Array(4);
  view(octets).setUint32(0, value, true);
  return octets;
}
