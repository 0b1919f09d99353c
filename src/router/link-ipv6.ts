/** IPv6 of links on plain Linux, beside what the kernel takes from router advertisements: see tunnel-device.ts. */
import type { Tunnel } from '../session/ports.ts';
import { formatIpv6Prefix, type Ipv6Prefix } from '../wire/ipv6.ts';
import { ip } from './ip-command.ts';
import { linkLocal } from './link-local.ts';
import { PROTOCOL } from './tunnel-state.ts';

/** What its device has of IPv6. */
export function linkIpv6({ ipv6, ipv6Client, ipv6Routes, defaultRoute, metric }: Tunnel) {
  const isOpen = ipv6 !== undefined;
  return {
    identifier: ipv6?.local,
    ipv6Routes: isOpen ? ipv6Routes : [],
    ...(isOpen && ipv6Client ? { advertisements: { defaultRoute, metric } } : {}),
  };
}

/** What of IPv6 a device has from the session before, unless it goes on: the device of a link that dials on demand stays. */
export async function forgetIpv6(
  { device, ipv6, ipv6Client }: Tunnel,
  next: Tunnel,
): Promise<void> {
  if (ipv6 === undefined || ipv6.local.join() === next.ipv6?.local.join()) return;
  await ip('-6', 'route', 'flush', 'dev', device, 'proto', PROTOCOL);
  if (ipv6Client !== undefined) {
    await ip('-6', 'route', 'flush', 'dev', device, 'proto', 'ra');
    await ip('-6', 'address', 'flush', 'dev', device, 'dynamic');
  }
  await ip('-6', 'address', 'flush', 'dev', device, 'to', linkLocal(ipv6.local));
}

/** Behind the kernel's own routes to our networks, which have 256, unless the owner's metric says otherwise. */
export async function addIpv6Routes(
  prefixes: readonly Ipv6Prefix[],
  { device, metric }: Tunnel,
): Promise<void> {
  const attributes = metric === 0 ? [] : ['metric', String(metric)];
  for (const text of prefixes.map(formatIpv6Prefix)) {
    await ip('-6', 'route', 'flush', 'exact', text, 'dev', device, 'proto', PROTOCOL);
    await ip('-6', 'route', 'append', text, 'dev', device, 'proto', PROTOCOL, ...attributes);
  }
}
