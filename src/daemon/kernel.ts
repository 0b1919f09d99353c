/** How the router asks the kernel: netlink. */
import { NETLINK_NETFILTER, NETLINK_ROUTE, netlinkRequest } from '../native/netlink.ts';
import type { Kernel } from '../router/netlink-message.ts';

export const kernel: Kernel = {
  route: (request) => netlinkRequest(NETLINK_ROUTE, request),
  netfilter: (request) => netlinkRequest(NETLINK_NETFILTER, request),
};
