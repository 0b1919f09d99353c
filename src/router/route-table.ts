/** The kernel's main IPv4 routing table, read without any tool. */
import { files } from '../platform/platform.ts';
import type { Ipv4 } from '../wire/brand.ts';
import { netmask, prefixContains, type Prefix } from '../wire/ip.ts';

export interface KernelRoute {
  readonly prefix: Prefix;
  readonly device: string;
  /** 0: none. */
  readonly gateway: Ipv4;
  readonly metric: number;
}

/** RTF_UP and RTF_REJECT (linux/route.h). */
const UP = 0x0001;
const REJECT = 0x0200;

export async function readRoutes(): Promise<KernelRoute[]> {
  return parseRoutes(await files.textLater('/proc/net/route', 'latin1'));
}

/** Addresses are numbers of the machine's octet order in hex: little-endian on all that we run on. */
export function parseRoutes(text: string): KernelRoute[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [device, destination, gateway, flags, , , metric, mask] = line.trim().split(/\s+/);
      if (device === undefined || mask === undefined) return [];
      const bits = parseInt(flags!, 16);
      if ((bits & UP) === 0 || (bits & REJECT) !== 0) return [];
      const length = [...Array(33).keys()].find((n) => netmask(n) === swapped(mask));
      if (length === undefined) return [];
      return [
        {
          prefix: { address: swapped(destination!), length },
          device,
          gateway: swapped(gateway!),
          metric: Number(metric),
        },
      ];
    });
}

/** The most specific route, and of those the one of the lowest metric. */
export function wayTo(
  address: Ipv4,
  routes: readonly KernelRoute[],
  device?: string,
): KernelRoute | undefined {
  return routes
    .filter(
      (route) =>
        prefixContains(route.prefix, address) && (device === undefined || route.device === device),
    )
    .sort((a, b) => b.prefix.length - a.prefix.length || a.metric - b.metric)[0];
}

function swapped(hex: string): number {
  const value = parseInt(hex, 16);
  return (
    ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0
  );
}
