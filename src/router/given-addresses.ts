/**
 * What a peer gives a link, held against what this machine is and has. An address of our own is refused. To the peer's own
 * address there is a route only where that takes nothing away from anybody: not to a host of a network of ours, nor to a name
 * server, nor to the public address of somebody else, unless the owner's routes cover it.
 */
import type { Ipv4 } from '../wire/brand.ts';
import type { Tunnel } from '../session/ports.ts';
import { formatAddress, formatPrefix, parsePrefix, prefixContains } from '../wire/ip.ts';
import { networkOf, ownerOf, type OwnNetwork } from './own-networks.ts';
import { routeConflicts, without } from './route-conflicts.ts';
import { RouterError } from './router.ts';

/** RFC 1918, RFC 6598, RFC 3927: addresses that are nobody's in particular. */
const privateNetworks = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
].map((text) => parsePrefix(text)!);

/** What this machine is and has. */
export interface Surroundings {
  readonly networks: readonly OwnNetwork[];
  /** Name servers of this machine. */
  readonly resolvers: readonly Ipv4[];
}

/** A tunnel as the kernel may have it, and a line for each thing that is left out. */
export interface Sound {
  readonly tunnel: Tunnel;
  readonly leftOut: readonly string[];
}

/**
 * The routes without those that conflict, and `peerAddress` the same as `localAddress` where there is to be no route to it.
 *
 * @param hostRoute a route keeps the server's outside address outside
 * @throws RouterError ADDRESS_IN_USE
 */
export function soundTunnel(tunnel: Tunnel, hostRoute: boolean, around: Surroundings): Sound {
  const { name, device, role, peer, routes, localAddress } = tunnel;
  const others = around.networks.filter((own) => own.device !== device);
  const interfaces = others.map((own) => ({ name: own.device, addresses: [own.network] }));
  const server = role === 'link' ? { address: peer, hostRoute } : undefined;
  const conflicts = routeConflicts(device, routes, server, interfaces);
  const leftOut = conflicts.map(
    ({ route, what }) =>
      `interface ${name}: route ${formatPrefix(route)} is left out (ROUTE_CONFLICT): ${what}`,
  );
  const sound = { ...tunnel, routes: without(routes, conflicts) };
  if (role === 'caller') return { tunnel: sound, leftOut };
  checkOwnAddress(tunnel, around);
  const surprise = peerLeftOut(sound, around);
  if (surprise === undefined) return { tunnel: sound, leftOut };
  return { tunnel: { ...sound, peerAddress: localAddress }, leftOut: [...leftOut, surprise] };
}

/** @throws RouterError the peer gives us an address that is ours already */
export function checkOwnAddress(
  { device, localAddress }: Tunnel,
  { networks }: Surroundings,
): void {
  const own = ownerOf(
    localAddress,
    networks.filter((each) => each.device !== device),
  );
  if (own !== undefined)
    throw new RouterError(
      `the peer gives the address ${formatAddress(localAddress)}, which ${own.device} has`,
      'ADDRESS_IN_USE',
    );
}

/** For the owner, where there is to be no route to the peer's own address; undefined: there may be one. */
export function peerLeftOut(tunnel: Tunnel, around: Surroundings): string | undefined {
  const why = surprise(tunnel, around);
  return (
    why &&
    `interface ${tunnel.name}: no route to ${formatAddress(tunnel.peerAddress)}, which the other end says to have inside the tunnel: ${why}`
  );
}

function surprise(
  { device, peer, localAddress, peerAddress, routes, defaultRoute, dns }: Tunnel,
  around: Surroundings,
): string | undefined {
  const { resolvers } = around;
  const networks = around.networks.filter((own) => own.device !== device);
  if (peerAddress === localAddress) return undefined;
  if (peerAddress === 0) return 'it is none';
  const own = ownerOf(peerAddress, networks);
  if (own !== undefined) return `it is ours, on ${own.device}`;
  const near = networkOf(peerAddress, networks);
  if (near !== undefined)
    return `it is in the network ${formatPrefix(near.network)} of ${near.device}`;
  if (peerAddress === peer) return 'it is where the tunnel itself leads to';
  if (defaultRoute || routes.some((route) => prefixContains(route, peerAddress))) return undefined;
  if (resolvers.includes(peerAddress) && !dns.includes(peerAddress))
    return 'it is a name server of this machine, and no route of the link covers it';
  if (!privateNetworks.some((network) => prefixContains(network, peerAddress)))
    return 'it is a public address, and no route of the link covers it';
  return undefined;
}
