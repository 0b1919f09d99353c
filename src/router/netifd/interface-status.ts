/** What `network.interface dump` tells of an interface, as far as we need it. */
import type { Table, Value } from '../../ubus-js/index.ts';
import { parseAddress, type Prefix } from '../../wire/ip.ts';
import { ipv6PrefixOf, parseIpv6Address, type Ipv6Prefix } from '../../wire/ipv6.ts';

export interface InterfaceStatus {
  readonly name: string;
  readonly proto: string;
  readonly up: boolean;
  /** netifd has called the handler's setup and waits for link-up. */
  readonly pending: boolean;
  readonly autostart: boolean;
  /** Codes that its handler reported, the newest last. */
  readonly errors: readonly string[];
  readonly dynamic: boolean;
  /** The device that carries its packets; undefined while it is down. */
  readonly device: string | undefined;
  /** Firewall zone that the interface itself asks for. */
  readonly zone: string | undefined;
  /** With the interface's own address, not that of the network. */
  readonly addresses: readonly Prefix[];
  /** Addresses, and the prefixes that were given to it for other networks; without link-local ones. */
  readonly ipv6: readonly Ipv6Prefix[];
  /** What netifd has assigned to it out of the router's prefixes (`ip6assign`): networks. */
  readonly assigned: readonly Ipv6Prefix[];
  readonly defaultRoutes: readonly { readonly metric: number }[];
}

/** @returns what makes sense of it: netifd of another version may add to it */
export function parseDump(dump: Table): InterfaceStatus[] {
  return list(dump['interface']).flatMap((entry) => parseInterface(entry) ?? []);
}

function parseInterface(entry: Table): InterfaceStatus | undefined {
  const name = entry['interface'];
  if (typeof name !== 'string') return undefined;
  const metric = number(entry['metric']) ?? 0;
  return {
    name,
    proto: string(entry['proto']) ?? '',
    up: entry['up'] === true,
    pending: entry['pending'] === true,
    autostart: entry['autostart'] === true,
    dynamic: entry['dynamic'] === true,
    errors: list(entry['errors']).flatMap(({ code }) => string(code) ?? []),
    device: string(entry['l3_device']),
    zone: isTable(entry['data']) ? string(entry['data']['zone']) : undefined,
    addresses: list(entry['ipv4-address']).flatMap(({ address: text, mask }) => {
      const address = parseAddress(string(text) ?? '');
      const length = prefixLength(mask);
      return address === undefined || length === undefined ? [] : [{ address, length }];
    }),
    ipv6: [
      ...list(entry['ipv6-address']).flatMap(({ address }) => ipv6Prefix(address, 128)),
      ...list(entry['ipv6-prefix']).flatMap(({ address, mask }) => ipv6Prefix(address, mask)),
    ],
    assigned: list(entry['ipv6-prefix-assignment']).flatMap(({ address, mask }) =>
      ipv6Prefix(address, mask).map((prefix) => ipv6PrefixOf(prefix.address, prefix.length)),
    ),
    defaultRoutes: list(entry['route'])
      // Routes of a table of its own are no concern of ours.
      .filter(
        ({ target, mask, table }) => target === '0.0.0.0' && mask === 0 && table === undefined,
      )
      .map((route) => ({ metric: number(route['metric']) ?? metric })),
  };
}

function ipv6Prefix(text: Value | undefined, mask: Value | undefined): readonly Ipv6Prefix[] {
  const address = parseIpv6Address(string(text) ?? '');
  const length = number(mask);
  if (address === undefined || length === undefined || length < 0 || length > 128) return [];
  const isLinkLocal = address[0] === 0xfe && (address[1]! & 0xc0) === 0x80;
  return isLinkLocal ? [] : [{ address, length }];
}

function list(value: Value | undefined): Table[] {
  return Array.isArray(value) ? (value as readonly Value[]).filter(isTable) : [];
}

function isTable(value: Value | undefined): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function string(value: Value | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function prefixLength(value: Value | undefined): number | undefined {
  const bits = number(value);
  return bits !== undefined && Number.isInteger(bits) && bits >= 0 && bits <= 32 ? bits : undefined;
}

function number(value: Value | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
