/** What a tunnel device should be like, and what it lacks. */
import { parsePrefix, type Prefix } from '../wire/ip.ts';
import { ipJson } from './ip-command.ts';

export interface TunnelDevice {
  readonly device: string;
  readonly mtu: number;
  /** Arguments of `ip address`; the first is the local one. */
  readonly address: readonly string[];
  /** Of its link-local IPv6 address, if it has one. */
  readonly identifier: Uint8Array | undefined;
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

/** @throws RouterError there is no such device any more */
export async function lacks(
  { device, address }: TunnelDevice,
  routes: readonly TunnelRoute[],
): Promise<{ readonly address: boolean; readonly routes: readonly TunnelRoute[] }> {
  const [addresses, shown] = (await ipJson([
    ['address', 'show', 'dev', device],
    ['route', 'show', 'dev', device],
  ])) as [readonly ShownAddress[], readonly { readonly dst: string }[]];
  const [local] = address[0]!.split('/');
  const isThere = addresses.some(
    ({ flags = [], addr_info = [] }) =>
      flags.includes('UP') && addr_info.some((entry) => entry.local === local),
  );
  const present = shown.flatMap(
    ({ dst }) => parsePrefix(dst === 'default' ? '0.0.0.0/0' : dst) ?? [],
  );
  const missing = routes.filter(
    ({ prefix }) =>
      !present.some(({ address: at, length }) => at === prefix.address && length === prefix.length),
  );
  return { address: !isThere, routes: missing };
}
