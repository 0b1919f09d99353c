/**
 * What an Access-Accept gives a session, and a CoA-Request changes of it: RFC 2865 §5, RFC 2869 §5, RFC 2548 §2.4, RFC 3162 §2,
 * RFC 4818 §3, RFC 6911 §3, and rates.
 */
import type { MppeBits } from '../crypto/mppe-keys.ts';
import type { Ipv4 } from '../wire/brand.ts';
import { malformed, type Malformed } from '../wire/codec.ts';
import { addressFault, formatAddress } from '../wire/ip.ts';
import type { Ipv6Prefix } from '../wire/ipv6.ts';
import {
  parseFramedIpv6Route,
  parseFramedRoute,
  parseMikrotikRateLimit,
  type FramedIpv6Route,
  type FramedRoute,
  type UserRates,
} from '../wire/radius-texts.ts';
import type { AnswerReader } from './answer-reader.ts';

/** What a server may change of a session that lives. Absent: nothing is said of it. Times in ms. */
export interface Changes {
  /** 0: no limit, as `idleTimeout`. */
  readonly sessionTimeout?: number;
  readonly idleTimeout?: number;
  readonly rates?: UserRates;
  /** RFC 2865 §5.11: there may be several. */
  readonly filters?: readonly string[];
}

/** What a session is given. Absent: the router decides. Times in ms. */
export interface Grant extends Changes {
  /** pool: the router chooses; caller: the caller may. RFC 2865 §5.8 */
  readonly address?: Ipv4 | 'pool' | 'caller';
  readonly netmask?: Ipv4;
  readonly pool?: string;
  readonly routes: readonly FramedRoute[];
  /** Octets: RFC 2865 §5.12. */
  readonly mtu?: number;
  readonly interimInterval?: number;
  readonly dns: readonly Ipv4[];
  readonly nbns: readonly Ipv4[];
  readonly encryption?: Encryption;
  readonly keys?: GivenKeys;
  /** For every accounting packet of the session, as it came. */
  readonly classes: readonly Uint8Array[];
  /** For the caller, or the log; may be empty. */
  readonly message: string;
  /** Sessions that the user may have at a time. */
  readonly portLimit?: number;
  /** The name that accounting is to use. */
  readonly userName?: string;
  readonly ipv6: Ipv6Grant;
}

interface Ipv6Grant {
  /** 8 octets */
  readonly interfaceId?: Uint8Array;
  readonly prefixes: readonly Ipv6Prefix[];
  readonly delegated: readonly Ipv6Prefix[];
  /** 16 octets each, as `dns` */
  readonly addresses: readonly Uint8Array[];
  readonly dns: readonly Uint8Array[];
  readonly pool?: string;
  readonly routes: readonly FramedIpv6Route[];
}

export interface Encryption {
  readonly isRequired: boolean;
  /** Empty: none may be used. */
  readonly strengths: readonly MppeBits[];
}

/** Keys that the server made of the login, for it alone knows the password. */
export type GivenKeys =
  /** RFC 2548 §2.4.2, §2.4.3: start keys of 16 octets as this end sees them, or 32 out of EAP. */
  | { readonly kind: 'start-keys'; readonly send: Uint8Array; readonly receive: Uint8Array }
  /** RFC 2548 §2.4.1: NtPasswordHashHash, and the first 8 octets of the LM hash where the server has one. */
  | {
      readonly kind: 'mschap';
      readonly ntHashHash: Uint8Array;
      readonly lmKey: Uint8Array | undefined;
    };

/** RFC 2865 §5.8 */
const CALLER_CHOOSES = 0xffffffff;
const ROUTER_CHOOSES = 0xfffffffe;
/** RFC 2865 §5.12 */
const MIN_MTU = 64;
const MAX_MTU = 65535;
/** RFC 2869 §5.16, s */
const SHORTEST_INTERIM = 60;
/** RFC 2548 §2.4.4, §2.4.5 */
const Policy = { Allowed: 1, Required: 2 } as const;
const strengthBits: readonly (readonly [number, MppeBits])[] = [
  [4, 128],
  [8, 56],
  [2, 40],
];

export function readGrant(reader: AnswerReader): Grant {
  return {
    ...readChanges(reader),
    ...some('address', address(reader)),
    ...some('netmask', netmask(reader)),
    ...some('pool', reader.value('Framed-Pool')?.text),
    routes: all(reader, 'Framed-Route', parseFramedRoute),
    ...some('mtu', mtu(reader)),
    ...some('interimInterval', interimInterval(reader)),
    dns: hosts(reader, 'MS-Primary-DNS-Server', 'MS-Secondary-DNS-Server'),
    nbns: hosts(reader, 'MS-Primary-NBNS-Server', 'MS-Secondary-NBNS-Server'),
    ...some('encryption', encryption(reader)),
    ...some('keys', givenKeys(reader)),
    classes: reader.values('Class'),
    message: reader
      .values('Reply-Message')
      .map(({ text }) => text)
      .join(' '),
    ...some('portLimit', reader.value('Port-Limit')),
    ...some('userName', reader.value('User-Name')?.text),
    ipv6: ipv6(reader),
  };
}

/** As readGrant, what a session that lives can be given (RFC 5176 §3.6). */
export function readChanges(reader: AnswerReader): Changes {
  const filters = reader.values('Filter-Id').map(({ text }) => text);
  return {
    ...some('sessionTimeout', seconds(reader, 'Session-Timeout')),
    ...some('idleTimeout', seconds(reader, 'Idle-Timeout')),
    ...some('rates', rates(reader)),
    ...(filters.length === 0 ? {} : { filters }),
  };
}

function wrong(what: string | number): Malformed {
  return malformed('bad-value', String(what));
}

function some<K extends string, T>(name: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: T });
}

function address(reader: AnswerReader): Grant['address'] {
  const given = reader.value('Framed-IP-Address');
  if (given === undefined) return undefined;
  if (given === CALLER_CHOOSES) return 'caller';
  if (given === ROUTER_CHOOSES) return 'pool';
  const fault = addressFault(given);
  return reader.checked('Framed-IP-Address', fault === undefined ? given : wrong(fault));
}

function netmask(reader: AnswerReader): Ipv4 | undefined {
  const mask = reader.value('Framed-IP-Netmask');
  if (mask === undefined) return undefined;
  const hostBits = ~mask >>> 0;
  const isMask = (hostBits & (hostBits + 1)) === 0;
  return reader.checked('Framed-IP-Netmask', isMask ? mask : wrong(formatAddress(mask)));
}

function mtu(reader: AnswerReader): number | undefined {
  const value = reader.value('Framed-MTU');
  const isMtu = value === undefined || (value >= MIN_MTU && value <= MAX_MTU);
  return reader.checked('Framed-MTU', isMtu ? value : wrong(value));
}

function seconds(
  reader: AnswerReader,
  name: 'Session-Timeout' | 'Idle-Timeout',
): number | undefined {
  const value = reader.value(name);
  return value === undefined ? undefined : value * 1000;
}

function interimInterval(reader: AnswerReader): number | undefined {
  const value = reader.value('Acct-Interim-Interval');
  if (value === undefined || value === 0) return undefined;
  if (value < SHORTEST_INTERIM) reader.fault('Acct-Interim-Interval', value);
  return Math.max(value, SHORTEST_INTERIM) * 1000;
}

function all<T>(
  reader: AnswerReader,
  name: 'Framed-Route' | 'Framed-IPv6-Route',
  parse: (text: string) => T | Malformed,
): T[] {
  return reader
    .values(name)
    .map(({ text }) => reader.checked(name, parse(text)))
    .filter((route) => route !== undefined);
}

function hosts(reader: AnswerReader, ...names: HostName[]): Ipv4[] {
  const found: Ipv4[] = [];
  for (const name of names) {
    const host = reader.value(name);
    if (host === undefined) continue;
    const fault = addressFault(host);
    if (fault === undefined) found.push(host);
    else reader.fault(name, fault);
  }
  return found;
}

type HostName =
  | 'MS-Primary-DNS-Server'
  | 'MS-Secondary-DNS-Server'
  | 'MS-Primary-NBNS-Server'
  | 'MS-Secondary-NBNS-Server';

/** Mikrotik's say most, then WISPr's, then Ascend's. */
function rates(reader: AnswerReader): UserRates | undefined {
  const limit = reader.value('Mikrotik-Rate-Limit')?.text;
  const both =
    limit === undefined
      ? undefined
      : reader.checked('Mikrotik-Rate-Limit', parseMikrotikRateLimit(limit));
  if (both !== undefined) return both;
  const pairs = [
    ['WISPr-Bandwidth-Max-Up', 'WISPr-Bandwidth-Max-Down'],
    ['Ascend-Data-Rate', 'Ascend-Xmit-Rate'],
  ] as const;
  for (const [fromUser, toUser] of pairs) {
    const up = reader.value(fromUser);
    const down = reader.value(toUser);
    if (up !== undefined || down !== undefined)
      return { up: up || undefined, down: down || undefined };
  }
  return undefined;
}

function encryption(reader: AnswerReader): Encryption | undefined {
  const types = reader.value('MS-MPPE-Encryption-Types');
  const said = reader.value('MS-MPPE-Encryption-Policy');
  const isPolicy = said === undefined || said === Policy.Allowed || said === Policy.Required;
  const policy = reader.checked('MS-MPPE-Encryption-Policy', isPolicy ? said : wrong(said));
  if (types === undefined && policy === undefined) return undefined;
  const strengths = strengthBits.filter(([bit]) => ((types ?? ~0) & bit) !== 0);
  return {
    isRequired: policy === Policy.Required,
    strengths: strengths.map(([, bits]) => bits),
  };
}

function givenKeys(reader: AnswerReader): GivenKeys | undefined {
  const send = reader.value('MS-MPPE-Send-Key');
  const receive = reader.value('MS-MPPE-Recv-Key');
  if (send !== undefined && receive !== undefined) {
    const { length } = send;
    const isRight = (length === 16 || length === 32) && receive.length === length;
    return reader.checked(
      'MS-MPPE-Send-Key',
      isRight
        ? { kind: 'start-keys', send, receive }
        : wrong(`${length} octets, the other ${receive.length}`),
    );
  }
  const hashes = reader.value('MS-CHAP-MPPE-Keys');
  if (hashes === undefined) return undefined;
  const { ntKey, lmKey } = hashes;
  const hasLm = lmKey.some((octet) => octet !== 0);
  return { kind: 'mschap', ntHashHash: ntKey, lmKey: hasLm ? lmKey : undefined };
}

function ipv6(reader: AnswerReader): Ipv6Grant {
  const prefixes = (name: 'Framed-IPv6-Prefix' | 'Delegated-IPv6-Prefix') =>
    reader
      .values(name)
      .map((one) => reader.checked(name, one.length <= 128 ? one : wrong(`length ${one.length}`)))
      .filter((one) => one !== undefined);
  return {
    ...some('interfaceId', reader.value('Framed-Interface-Id')),
    prefixes: prefixes('Framed-IPv6-Prefix'),
    delegated: prefixes('Delegated-IPv6-Prefix'),
    addresses: reader.values('Framed-IPv6-Address'),
    dns: reader.values('DNS-Server-IPv6-Address'),
    ...some('pool', reader.value('Framed-IPv6-Pool')?.text),
    routes: all(reader, 'Framed-IPv6-Route', parseFramedIpv6Route),
  };
}
