/** Attributes of RADIUS that are text with something to read in it: routes (RFC 2865 §5.22, RFC 3162 §2.5) and Mikrotik's rates. */
import type { Ipv4 } from './brand.ts';
import { malformed, type Malformed } from './codec.ts';
import { parseAddress, prefixOf, type Prefix } from './ip.ts';
import { parseIpv6Address, type Ipv6Prefix } from './ipv6.ts';

/** Most text of a peer in what is said of it. */
const SHOWN = 60;

export interface FramedRoute {
  readonly destination: Prefix;
  /** undefined: the user's own address. */
  readonly gateway: Ipv4 | undefined;
  readonly metric: number | undefined;
}

export interface FramedIpv6Route {
  readonly destination: Ipv6Prefix;
  /** 16 octets; undefined: the user. */
  readonly gateway: Uint8Array | undefined;
  readonly metric: number | undefined;
}

/**
 * `192.168.1.0/24 192.168.1.1 1`: network, gateway (0.0.0.0: the user's address) and metrics, of which the first counts. Gateway
 * and metrics may be absent; without a length the network is that of its class.
 */
export function parseFramedRoute(text: string): FramedRoute | Malformed {
  const { network, length, gateway, metric } = parts(text);
  const address = parseAddress(network);
  const bits = length ?? (address === undefined ? 0 : classLength(address));
  const next = gateway === undefined ? 0 : parseAddress(gateway);
  if (address === undefined || !(bits <= 32) || next === undefined || Number.isNaN(metric))
    return malformed('bad-value', `no route: '${shown(text)}'`);
  return { destination: prefixOf(address, bits), gateway: next === 0 ? undefined : next, metric };
}

/** `2001:db8:0:106::/64 2001:db8::1 1`: as a Framed-Route, with `::` for the user. */
export function parseFramedIpv6Route(text: string): FramedIpv6Route | Malformed {
  const { network, length = 128, gateway, metric } = parts(text);
  const address = parseIpv6Address(network);
  const next = gateway === undefined ? new Uint8Array(16) : parseIpv6Address(gateway);
  if (address === undefined || !(length <= 128) || next === undefined || Number.isNaN(metric))
    return malformed('bad-value', `no route: '${shown(text)}'`);
  const isUser = next.every((octet) => octet === 0);
  return { destination: { address, length }, gateway: isUser ? undefined : next, metric };
}

interface Parts {
  readonly network: string;
  /** NaN, as `metric`: no number. */
  readonly length: number | undefined;
  readonly gateway: string | undefined;
  readonly metric: number | undefined;
}

function parts(text: string): Parts {
  const [destination = '', gateway, metric] = text.trim().split(/\s+/);
  const [network = '', length, ...more] = destination.split('/');
  return {
    network: more.length > 0 ? '' : network,
    length: length === undefined ? undefined : whole(length),
    gateway,
    metric: metric === undefined ? undefined : whole(metric),
  };
}

function whole(digits: string): number {
  return /^\d{1,9}$/.test(digits) ? Number(digits) : NaN;
}

function classLength(address: Ipv4): number {
  if (address < 0x80000000) return 8;
  return address < 0xc0000000 ? 16 : 24;
}

/** bit/s; undefined: no limit. */
export interface UserRates {
  /** From the user. */
  readonly up: number | undefined;
  /** To the user. */
  readonly down: number | undefined;
}

const RATE = '(\\d{1,12})([kMG]?)';
/** One rate for both, or two: what the router receives comes first. Bursts, priority and least rates follow. */
const RATES = new RegExp(`^${RATE}(?:/${RATE})?(?:\\s+[\\dkMG/]+){0,5}$`);
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };

/** `2M/10M`, `512k`, `1M/4M 2M/8M 1M/4M 10/10`: Mikrotik-Rate-Limit. Only the lasting rates count here; 0 is no limit. */
export function parseMikrotikRateLimit(text: string): UserRates | Malformed {
  const match = RATES.exec(text.trim());
  if (match === null) return malformed('bad-value', `no rates: '${shown(text)}'`);
  const [, up = '', upUnit = '', down = up, downUnit = upUnit] = match;
  const rate = (digits: string, unit: string) => Number(digits) * UNITS[unit]! || undefined;
  return { up: rate(up, upUnit), down: rate(down, downUnit) };
}

function shown(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, SHOWN);
}
