/** Routes through a tunnel that would take a network or an address away from where it is. */
import type { Ipv4 } from '../wire/brand.ts';
import { formatPrefix, prefixContains, type Prefix } from '../wire/ip.ts';

/** Somebody else's networks. */
export interface Neighbour {
  readonly name: string;
  readonly addresses: readonly Prefix[];
}

export interface Conflict {
  readonly route: Prefix;
  /** For the owner: what the route would take away. */
  readonly what: string;
}

/**
 * A network that holds an interface's network is no conflict: the more specific route wins. Neither is one that holds the
 * server's address, as long as the server has a host route; the address alone is.
 *
 * @param link the interface with the routes
 * @param server outside address of the tunnel's other end, and whether a host route keeps it outside; undefined for a
 * network behind a caller, which was looked at at its login
 */
export function routeConflicts(
  link: string,
  routes: readonly Prefix[],
  server: { readonly address: Ipv4; readonly hostRoute: boolean } | undefined,
  interfaces: readonly Neighbour[],
): Conflict[] {
  return routes.flatMap((route) => {
    if (
      server !== undefined &&
      prefixContains(route, server.address) &&
      (route.length === 32 || !server.hostRoute)
    )
      return [{ route, what: 'the PPTP server itself would be looked for inside the tunnel' }];
    for (const { name, addresses } of interfaces) {
      if (name === link) continue;
      const own = addresses.find(
        (network) => route.length >= network.length && prefixContains(network, route.address),
      );
      if (own !== undefined) return [{ route, what: `interface ${name} has ${formatPrefix(own)}` }];
    }
    return [];
  });
}

export function without(
  routes: readonly Prefix[],
  conflicts: readonly Conflict[],
): readonly Prefix[] {
  return routes.filter((route) => !conflicts.some((conflict) => conflict.route === route));
}
