/**
 * How everything is sent through a link.
 *
 * A default route of the same metric as the upstream's would take its place in the kernel, and when the tunnel drops no
 * default route is left, though netifd still lists the upstream's. Only where the metrics differ a default route is safe.
 */
import type { DefaultRoute } from './announcement.ts';
import type { InterfaceStatus } from './interface-status.ts';

export function chooseDefaultRoute(
  link: { readonly name: string; readonly defaultRoute: boolean; readonly metric: number },
  interfaces: readonly InterfaceStatus[],
): DefaultRoute {
  if (!link.defaultRoute) return 'none';
  const others = interfaces
    .filter(({ name }) => name !== link.name)
    .flatMap(({ defaultRoutes }) => defaultRoutes);
  // An upstream that shows none yet may get one at any time.
  return others.length > 0 && others.every(({ metric }) => metric !== link.metric)
    ? 'whole'
    : 'halves';
}
