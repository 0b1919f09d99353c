/**
 * What netifd is told of a tunnel that is up: the arguments of `notify_proto` action 0.
 *
 * netifd installs the addresses and routes itself, so `address-external` is left out. Masks are texts: a number would be
 * ignored, and /32 taken (typed blobmsg policies skip what is of another type). A route without a gateway is one by the device.
 */
import type { Tunnel } from '../../session/ports.ts';
import type { Table } from '../../ubus-js/index.ts';
import { formatAddress, type Prefix } from '../../wire/ip.ts';
import { addressInPrefix, formatIpv6Address, type Ipv6Prefix } from '../../wire/ipv6.ts';
import { linkLocal } from '../link-local.ts';
import type { ServerInterface } from '../router.ts';
import { SERVER_INTERFACE_IDENTIFIER } from '../../session/ports.ts';

/** Two halves are more specific than any default route there is, and leave it in place for when the tunnel goes. */
const halves: readonly Prefix[] = [
  { address: 0, length: 1 },
  { address: 0x80000000, length: 1 },
];
const whole: readonly Prefix[] = [{ address: 0, length: 0 }];

/** How everything is sent through a link: see default-route.ts. */
export type DefaultRoute = 'none' | 'whole' | 'halves';

export interface Route {
  readonly prefix: Prefix;
  /** Only where it differs from the device's. */
  readonly mtu?: number;
}

export function linkAnnouncement(
  { device, localAddress, peerAddress, ipv6, ipv6Routes, dns }: Tunnel,
  routes: readonly Prefix[],
  defaultRoute: DefaultRoute,
  isPeerRouted = true,
): Table {
  const everything = { none: [], whole, halves }[defaultRoute];
  return linkUp(device, {
    ipaddr: [
      {
        ipaddr: formatAddress(localAddress),
        mask: '32',
        ...(isPeerRouted ? { ptp: formatAddress(peerAddress) } : {}),
      },
    ],
    ...(ipv6 === undefined
      ? {}
      : { ip6addr: [linkLocalAddress(ipv6.local)], routes6: ipv6Routes.map(ipv6RouteTable) }),
    routes: [...routes, ...everything].map((prefix) => routeTable({ prefix })),
    dns: dns.map(formatAddress),
  });
}

/**
 * @param routes to callers and to the networks behind them
 * @param networks those of the server that netifd has not assigned: an address in each is ours, and what no caller has ends here
 * @param prefixes of callers, in any of its networks and outside
 */
export function serverAnnouncement(
  { device, localAddress, prefixLength, ipv6 }: ServerInterface,
  routes: readonly Route[],
  networks: readonly Ipv6Prefix[] = [],
  prefixes: readonly Ipv6Prefix[] = [],
): Table {
  return linkUp(device, {
    ipaddr: [{ ipaddr: formatAddress(localAddress), mask: String(prefixLength) }],
    ...(ipv6
      ? {
          ip6addr: [
            linkLocalAddress(SERVER_INTERFACE_IDENTIFIER),
            ...networks.map((network) => ({
              ipaddr: formatIpv6Address(addressInPrefix(network, SERVER_INTERFACE_IDENTIFIER)),
              mask: '128',
            })),
          ],
          routes6: [...networks, ...prefixes].map(ipv6RouteTable),
        }
      : {}),
    routes: routes.map(routeTable),
  });
}

function linkUp(device: string, more: Table): Table {
  return { 'link-up': true, ifname: device, ...more };
}

function linkLocalAddress(identifier: Uint8Array): Table {
  return { ipaddr: linkLocal(identifier), mask: '64' };
}

function ipv6RouteTable({ address, length }: Ipv6Prefix): Table {
  return { target: formatIpv6Address(address), netmask: String(length) };
}

function routeTable({ prefix: { address, length }, mtu }: Route): Table {
  return {
    target: formatAddress(address),
    netmask: String(length),
    ...(mtu === undefined ? {} : { mtu }),
  };
}
