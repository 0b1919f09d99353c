/** What a tunnel device should be like, and what it lacks. */
import { parsePrefix, type Prefix } from '../wire/ip.ts';
import { isSameIpv6Prefix, parseIpv6Prefix, type Ipv6Prefix } from '../wire/ipv6.ts';
import { ip, ipJson } from './ip-command.ts';
import { linkLocal } from './link-local.ts';
import type { Advertisements } from './tunnel-device.ts';

/** rtm_protocol of our routes; 5..255 are free for daemons (linux/rtnetlink.h). */
export const PROTOCOL = '147';

export interface TunnelDevice {
  readonly device: string;
  readonly mtu: number;
  /** Arguments of `ip address`; the first is the local one. */
  readonly address: readonly string[];
  /** Of its link-local IPv6 address, if it has one. */
  readonly identifier: Uint8Array | undefined;
  /** Networks in IPv6 that are reached through it. */
  readonly ipv6Routes?: readonly Ipv6Prefix[];
  /** Absent: those of its peer are not heeded. */
  readonly advertisements?: Advertisements;
}

export interface TunnelRoute {
  readonly prefix: Prefix;
  /** Arguments of `ip route`. */
  readonly attributes: readonly string[];
}

/** `ip` leaves empty objects where others have been filtered out. */
interface ShownAddress {
  readonly flags?: readonly string[];
  readonly addr_info?: readonly { readonly local?: string }[];
}

export interface Lack {
  readonly address: boolean;
  readonly routes: readonly TunnelRoute[];
  readonly ipv6Routes: readonly Ipv6Prefix[];
}

/** @throws RouterError there is no such device any more */
export async function lacks(
  { device, address, identifier, ipv6Routes = [] }: TunnelDevice,
  routes: readonly TunnelRoute[],
): Promise<Lack> {
  const [addresses, shown] = (await ipJson([
    ['address', 'show', 'dev', device],
    ['route', 'show', 'dev', device],
  ])) as [readonly ShownAddress[], readonly { readonly dst: string }[]];
  const wanted = [
    address[0]!.split('/')[0]!,
    ...(identifier === undefined ? [] : [linkLocal(identifier)]),
  ];
  const isThere = addresses.some(
    ({ flags = [], addr_info = [] }) =>
      flags.includes('UP') && wanted.every((own) => addr_info.some(({ local }) => local === own)),
  );
  const present = shown.flatMap(
    ({ dst }) => parsePrefix(dst === 'default' ? '0.0.0.0/0' : dst) ?? [],
  );
  const missing = routes.filter(
    ({ prefix }) =>
      !present.some(({ address: at, length }) => at === prefix.address && length === prefix.length),
  );
  return {
    address: !isThere,
    routes: missing,
    ipv6Routes: ipv6Routes.length === 0 ? [] : await lackingIpv6Routes(device, ipv6Routes),
  };
}

async function lackingIpv6Routes(
  device: string,
  routes: readonly Ipv6Prefix[],
): Promise<readonly Ipv6Prefix[]> {
  const shown = await ip('-6', '-json', 'route', 'show', 'dev', device, 'proto', PROTOCOL);
  const present = (JSON.parse(shown || '[]') as readonly { readonly dst: string }[]).flatMap(
    ({ dst }) => parseIpv6Prefix(dst === 'default' ? '::/0' : dst) ?? [],
  );
  return routes.filter((route) => !present.some((each) => isSameIpv6Prefix(each, route)));
}
