/** Who has proved to be whom: a user of the configuration, or somebody whom RADIUS has let in. */
import type { Ipv4 } from '../../wire/brand.ts';
import { prefixContains, prefixOf, type Prefix } from '../../wire/ip.ts';
import type { SessionTimes } from './session-limits.ts';
import {
  ordinaryTerms,
  type AccountIpv6,
  type Authorization,
  type Terms,
} from '../authorization.ts';
import type { FilterSet, Hours, Rates, ServerOptions, User } from '../options.ts';

export interface Account {
  readonly username: string;
  /** undefined: not of the configuration. */
  readonly user: User | undefined;
  /** undefined: from the pool. */
  readonly address: Ipv4 | undefined;
  /** undefined: the server's own. */
  readonly pool: string | undefined;
  /** Networks behind the caller. */
  readonly routes: readonly Prefix[];
  readonly ip6: AccountIpv6;
  /** undefined: the server's maxPerUser. */
  readonly maxSessions: number | undefined;
  /** Last valid moment, ms since 1970 UTC. */
  readonly expires: number | undefined;
  readonly hours: Hours | undefined;
  readonly terms: Terms;
}

export function accountOf(user: User): Account {
  const { username, address, routes, maxSessions, expires, hours } = user;
  const ip6 = { ...user.ip6, dns: undefined };
  const terms = ordinaryTerms;
  const pool = undefined;
  return { username, user, address, pool, routes, ip6, maxSessions, expires, hours, terms };
}

/**
 * @param bareUsername as the caller gave it, without its domain
 * @param peer its address outside
 */
export function accountFrom(
  authorization: Authorization,
  bareUsername: string,
  server: ServerOptions,
  peer: Ipv4,
): Account {
  const { username = bareUsername, address, pool, ip6, maxSessions, terms } = authorization;
  const routes = [...authorization.routes, ...networkOf(authorization, server, peer)];
  const ofUsers = { user: undefined, expires: undefined, hours: undefined };
  return { username, address, pool, routes, ip6, maxSessions, terms, ...ofUsers };
}

/**
 * A caller who is a router has its address in the network behind it (RFC 2865 §5.9). Many servers send the mask of the
 * tunnels' own network with every address: that leads to nobody.
 */
function networkOf(
  { address, prefixLength }: Authorization,
  { network, localAddress }: ServerOptions,
  peer: Ipv4,
): readonly Prefix[] {
  if (address === undefined || prefixLength === 0 || prefixLength === 32) return [];
  const behind = prefixOf(address, prefixLength);
  const isElsewhere =
    prefixContains(network, address) ||
    [network.address, localAddress, peer].some((other) => prefixContains(behind, other));
  return isElsewhere ? [] : [behind];
}

/** What ends a session by itself. */
export function timesOf(
  { terms }: Account,
  { idleTimeout, sessionTimeout }: SessionTimes,
): SessionTimes {
  return {
    idleTimeout: terms.idleTimeout ?? idleTimeout,
    sessionTimeout: terms.sessionTimeout ?? sessionTimeout,
  };
}

/** nftables sets that the address is in; a Filter-Id that nobody has permitted has no effect. */
export function groupsOf(
  { user, terms }: Account,
  filterSets: readonly FilterSet[],
): readonly string[] {
  const filtered = filterSets.filter(({ filter }) => terms.filters.includes(filter));
  return [...new Set([...(user?.groups ?? []), ...filtered.map(({ set }) => set)])];
}

/** @param server what holds for those that have no rates of their own */
export function ratesOf({ user, terms: { rates } }: Account, server: Rates): Rates {
  const { up, down, burst } = { ...server, ...user?.rates };
  return { up: rates.up ?? up, down: rates.down ?? down, burst };
}
