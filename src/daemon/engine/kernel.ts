/** How the router asks the kernel, and hears of it: netlink. */
import {
  attachProgram,
  createMap,
  eraseEntry,
  loadProgram,
  readEntry,
  writeEntry,
} from '../../native/bpf.ts';
import { closeDescriptor } from '../../native/succession.ts';
import {
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  netlinkRequest,
  NetlinkWatch,
} from '../../native/netlink.ts';
import { errorText } from '../../platform/errors.ts';
import {
  netfilterChanges,
  netfilterGroups,
  routeChanges,
  routeGroups,
} from '../../router/kernel-changes.ts';
import { RelayShortcut } from '../../router/relay-shortcut/shortcut.ts';
import type { Kernel } from '../../router/netlink-message.ts';
import type { Upkeep } from '../../router/upkeep.ts';

export const kernel: Kernel = {
  route: (request) => netlinkRequest(NETLINK_ROUTE, request),
  netfilter: (request) => netlinkRequest(NETLINK_NETFILTER, request),
};

/** Not loaded yet. */
export function relayShortcut(): RelayShortcut {
  const bpf = {
    createMap,
    loadProgram,
    attachProgram,
    writeEntry,
    eraseEntry,
    readEntry,
    closeDescriptor,
  };
  return new RelayShortcut({ bpf, route: kernel.route });
}

/**
 * What the kernel tells of changes goes to the upkeep; without that it looks from time to time.
 * @param isUsed whether something of ours is in a table of the owner's
 */
export function watchKernel(
  upkeep: Upkeep,
  warn: (message: string) => void,
  isUsed: (table: string) => boolean = () => false,
): NetlinkWatch[] {
  const watch = (open: () => NetlinkWatch): NetlinkWatch[] => {
    try {
      return [open()];
    } catch (error) {
      warn(`changes in the kernel are noticed late: ${errorText(error)}`);
      return [];
    }
  };
  return [
    ...watch(
      () =>
        new NetlinkWatch(NETLINK_ROUTE, routeGroups, (datagram) =>
          upkeep.changed(routeChanges(datagram)),
        ),
    ),
    ...watch(
      () =>
        new NetlinkWatch(NETLINK_NETFILTER, netfilterGroups, (datagram) =>
          upkeep.changed(netfilterChanges(datagram, isUsed)),
        ),
    ),
  ];
}
