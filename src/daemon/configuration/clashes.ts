/**
 * A server's addresses against networks that the router has otherwise: those of its other interfaces, whether they stand in
 * the configuration or the kernel has them.
 *
 * A range without `network` is meant to be a part of the LAN (proxy ARP); a network of the tunnels must be nobody else's.
 */
import type { ServerOptions } from '../../session/options.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import {
  formatAddress,
  formatPrefix,
  prefixContains,
  prefixOf,
  prefixRange,
  rangeContains,
  type AddressRange,
  type Prefix,
} from '../../wire/ip.ts';

export interface Surrounding {
  /** Whose it is: "interface lan", "device eth0". */
  readonly name: string;
  /** The router's own address there. */
  readonly address: Ipv4;
  /** What is reached through it; a /32: the other end. */
  readonly network: Prefix;
}

export interface Clash {
  /** error: no caller could be reached. */
  readonly severity: 'error' | 'warning';
  readonly option: 'localip' | 'network' | 'range';
  readonly value: string;
  readonly message: string;
}

export function clashes(server: ServerOptions, others: readonly Surrounding[]): Clash[] {
  return others.flatMap((other) =>
    server.proxyArp ? clashesOfRange(server, other) : clashOfNetwork(server, other),
  );
}

/** Addresses that callers must not get: they lead, or belong, to somebody else. */
export function keptFrom(
  server: ServerOptions,
  others: readonly Surrounding[],
): readonly AddressRange[] {
  const own = ownNetwork(server);
  return others.flatMap(({ address, network }) => {
    const all = prefixRange(network);
    const single = { first: address, last: address };
    if (!server.proxyArp && isInside(network, own)) return [single, all];
    const ends = network.length > 30 ? [] : [all.first, all.last];
    return [single, ...ends.map((end) => ({ first: end, last: end }))];
  });
}

function clashOfNetwork(server: ServerOptions, { name, address, network }: Surrounding): Clash[] {
  const own = ownNetwork(server);
  const clash = (severity: Clash['severity'], message: string): Clash[] => [
    { severity, option: 'network', value: formatPrefix(own), message },
  ];
  if (address === server.localAddress)
    return [
      {
        severity: 'error',
        option: 'localip',
        value: formatAddress(address),
        message: `is the address of ${name}`,
      },
    ];
  // The more specific of two networks gets the packets; of two that are the same, the one that was there first.
  if (isInside(network, own)) {
    const whole = server.pool.every((range) => isRangeInside(range, prefixRange(network)));
    return whole
      ? clash(
          'error',
          `${name} has ${formatPrefix(network)}: callers could not be reached; expected a network that the router does not have, or only a range for a part of a LAN`,
        )
      : clash('warning', `${name} has ${formatPrefix(network)}: callers get no addresses of it`);
  }
  if (isInside(own, network))
    return clash(
      'warning',
      `is a part of ${formatPrefix(network)}, which ${name} has: what has such an address there is out of reach`,
    );
  return prefixContains(own, address)
    ? clash('warning', `${name} has ${formatAddress(address)}: no caller gets it`)
    : [];
}

function clashesOfRange(server: ServerOptions, { name, address, network }: Surrounding): Clash[] {
  return server.pool.flatMap((range): Clash[] => {
    const value = `${formatAddress(range.first)}-${formatAddress(range.last)}`;
    const warning = (message: string): Clash[] => [
      { severity: 'warning', option: 'range', value, message },
    ];
    if (range.first === range.last && range.first === address && server.pool.length === 1)
      return [
        {
          severity: 'error',
          option: 'range',
          value,
          message: `is the address of ${name}, and there is no other`,
        },
      ];
    const there = prefixRange(network);
    if (rangeContains(range, address))
      return warning(`${name} has ${formatAddress(address)}: no caller gets it`);
    const overlaps = range.first <= there.last && there.first <= range.last;
    if (overlaps && !isRangeInside(range, there))
      return warning(`only a part of it is in ${formatPrefix(network)}, which ${name} has`);
    return [];
  });
}

function ownNetwork({ network }: ServerOptions): Prefix {
  return prefixOf(network.address, network.length);
}

/** Also when they are the same. */
function isInside(inner: Prefix, outer: Prefix): boolean {
  return inner.length >= outer.length && prefixContains(outer, inner.address);
}

function isRangeInside(inner: AddressRange, outer: AddressRange): boolean {
  return outer.first <= inner.first && inner.last <= outer.last;
}
