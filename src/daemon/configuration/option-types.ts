/** Types of options: text to value, with a sentence that says what is allowed. */
import { Secret } from '../../crypto/secret.ts';
import { SharedSecret } from '../../radius/shared-secret.ts';
import { parseSetName, SET_NAME } from '../../router/set-name.ts';
import type { FilterSet, Hours } from '../../session/options.ts';
import { MAX_NAME } from '../../ppp/options.ts';
import type { Quota } from '../../session/options.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import {
  formatPrefix,
  parseAddress,
  parsePrefix,
  parseRange,
  type AddressRange,
  type Prefix,
} from '../../wire/ip.ts';
import {
  formatIpv6Prefix,
  isSameIpv6Address,
  parseIpv6Address,
  parseIpv6Prefix,
  type Ipv6Prefix,
} from '../../wire/ipv6.ts';
import { parseHours } from './hours.ts';

export interface OptionType<T> {
  /** "an IPv4 address", "a whole number from 1 to 9": completes "expected …". */
  readonly allowed: string;
  /** undefined: not allowed. */
  parse(text: string): T | undefined;
  /** Of what is not allowed, and yet often meant: what to write instead, as the end of a sentence. */
  advice?(text: string): string | undefined;
  /** Of what is allowed, and yet may be a slip: what is made of it. */
  remark?(text: string): string | undefined;
  /** The value must not be shown. */
  readonly secret?: boolean;
  /** A list that is written as an option has one of them: it does not end at a blank. */
  readonly hasBlanks?: boolean;
}

/** As /tmp/reports: names that a mount can have, without ways back. */
export const folder: OptionType<string> = {
  allowed: 'a folder such as /tmp/reports',
  parse: (value) => (/^(?:\/(?!\.{1,2}(?:\/|$))[^\s/:]+)+$/.test(value) ? value : undefined),
};

/** What goes to the wire, the kernel or a program is limited in octets, whatever characters they make. */
function octetsOf(value: string): number {
  return new TextEncoder().encode(value).length;
}

export const text: OptionType<string> = { allowed: 'text', parse: (value) => value };

/** Octets of a shell command; the kernel takes 131,071 in one argument. */
const COMMAND = 8192;

export const command: OptionType<string> = {
  allowed: `a shell command of at most ${COMMAND} octets`,
  parse: (value) => (octetsOf(value) <= COMMAND && !value.includes('\0') ? value : undefined),
};

export const bool: OptionType<boolean> = {
  allowed: '0 or 1',
  parse: (value) =>
    ['1', 'yes', 'on', 'true', 'enabled'].includes(value)
      ? true
      : ['0', 'no', 'off', 'false', 'disabled'].includes(value)
        ? false
        : undefined,
};

export function integer(minimum: number, maximum: number, unit = ''): OptionType<number> {
  return {
    allowed: `a whole number from ${minimum} to ${maximum}${unit && ` (${unit})`}`,
    parse(value) {
      const number = /^\d{1,10}$/.test(value) ? Number(value) : NaN;
      return number >= minimum && number <= maximum ? number : undefined;
    },
  };
}

/** A whole number of seconds; the value is milliseconds. */
export function seconds(minimum: number, maximum: number): OptionType<number> {
  const whole = integer(minimum, maximum, 'seconds');
  return {
    allowed: whole.allowed,
    parse: (value) => {
      const number = whole.parse(value);
      return number === undefined ? undefined : number * 1000;
    },
  };
}

/** As seconds, or 0. */
export function secondsOrNever(minimum: number, maximum: number): OptionType<number> {
  const whole = seconds(minimum, maximum);
  return {
    allowed: `${whole.allowed}, or 0`,
    parse: (value) => (value === '0' ? 0 : whole.parse(value)),
  };
}

export function oneOf<const T extends string>(...words: readonly T[]): OptionType<T> {
  return { allowed: words.join(' | '), parse: (value) => words.find((word) => word === value) };
}

export const address: OptionType<Ipv4> = { allowed: 'an IPv4 address', parse: parseAddress };

/** A network; an address alone is /32. */
export const prefix: OptionType<Prefix> = {
  allowed: 'a network such as 10.1.0.0/16',
  parse: parsePrefix,
  remark(value) {
    const found = parsePrefix(value);
    const isHost = found !== undefined && parseAddress(value.split('/')[0]!) !== found.address;
    return isHost
      ? `is an address inside the network: counts as ${formatPrefix(found)}`
      : undefined;
  },
};

/** A network; an address alone is /128. */
export const ipv6Prefix: OptionType<Ipv6Prefix> = {
  allowed: 'an IPv6 network such as 2001:db8:1::/48',
  parse: parseIpv6Prefix,
  remark(value) {
    const found = parseIpv6Prefix(value);
    const address = parseIpv6Address(value.split('/')[0]!);
    const isHost = found !== undefined && !isSameIpv6Address(found.address, address!);
    return isHost
      ? `is an address inside the network: counts as ${formatIpv6Prefix(found)}`
      : undefined;
  },
};

/** A range of addresses, both ends included; an address alone is a range of one. */
export const range: OptionType<AddressRange> = {
  allowed: 'a range of addresses such as 192.168.99.10-192.168.99.60',
  parse: parseRange,
};

const portApart = (value: string) =>
  /^[^:]+:\d+$/.test(value) ? '; the port has an option of its own: port' : undefined;

/** As 2001:db8::1, [2001:db8::1] and [2001:db8::1]:1723. */
const isIpv6Host = (value: string) => {
  const [, bare = value] = /^\[([^\]]*)\](?::\d+)?$/.exec(value) ?? [];
  return parseIpv6Address(bare) !== undefined;
};

/** Of a PPTP server: PPTP is spoken over IPv4. */
export const host: OptionType<string> = {
  allowed: 'a host name or an IPv4 address',
  advice: (value) =>
    isIpv6Host(value)
      ? '; PPTP needs IPv4: ask the other side for a name or an address of IPv4'
      : portApart(value),
  parse: (value) => (/^[A-Za-z0-9_]([A-Za-z0-9._-]{0,252})$/.test(value) ? value : undefined),
};

/** As DNS has it (RFC 1035 §2.3.4), with the underscores of Windows; at most what an answer to DHCPINFORM has room for. */
export const domain: OptionType<string> = {
  allowed: 'a domain such as office.lan, of at most 128 characters',
  parse: (value) =>
    /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*$/.test(value) &&
    value.length <= 128
      ? value
      : undefined,
};

/** Of those that we only call ourselves, IPv6 may be among them. */
export const anyHost: OptionType<string> = {
  allowed: 'a host name or an address',
  advice: portApart,
  parse: (value) =>
    host.parse(value) ?? (parseIpv6Address(value) === undefined ? undefined : value),
};

export const source: OptionType<string> = {
  allowed: 'an address',
  parse: (value) =>
    parseAddress(value) === undefined && parseIpv6Address(value) === undefined ? undefined : value,
};

export const device: OptionType<string> = {
  allowed: 'the name of a network device (at most 15 octets)',
  parse: (value) =>
    /^[^\s/:\0]+$/.test(value) && octetsOf(value) <= 15 && value !== '.' && value !== '..'
      ? value
      : undefined,
};

/** An interface of netifd, whose name may be longer than the kernel's, or on plain Linux a device. */
export const network: OptionType<string> = {
  allowed: 'the name of a network (plain Linux: device)',
  parse: (value) =>
    /^[^\s/:]{1,64}$/.test(value) && value !== '.' && value !== '..' ? value : undefined,
};

/** What fw4 calls a zone (11 characters), a network, or a device, where a + at the end stands for anything. */
export const zone: OptionType<string> = {
  allowed: 'the name of a firewall zone, network or device',
  parse: (value) => (/^[A-Za-z0-9_.@-]{1,15}\+?$/.test(value) ? value : undefined),
};

// eslint-disable-next-line no-control-regex -- that is what is excluded
const CONTROL = /[\u0000-\u001f\u007f]/;

/** What happens when a quota is used up; kbit/s. */
export const quotaAction: OptionType<Quota['action']> = {
  allowed: 'deny, notify, or slow with a rate in kbit/s such as slow 512',
  parse(value) {
    if (value === 'deny' || value === 'notify') return { kind: value };
    const [, digits = ''] = /^slow[ ,]+(\d{1,8})$/.exec(value) ?? [];
    const rate = integer(1, 10_000_000).parse(digits);
    return rate === undefined ? undefined : { kind: 'slow', rate };
  },
};

/** Of this machine: on all addresses whoever can reach it could ask. */
export const endpoint: OptionType<{ readonly address: Ipv4; readonly port: number }> = {
  allowed: 'one IPv4 address of this machine and a port, such as 127.0.0.1:9723',
  parse(value) {
    const [, text = '', digits = ''] = /^([\d.]+):(\d{1,5})$/.exec(value) ?? [];
    const address = parseAddress(text);
    const port = integer(1, 65_535).parse(digits);
    if (address === undefined || port === undefined) return undefined;
    // Neither 0.0.0.0 nor multicast.
    return address < 0x01000000 || address >= 0xe0000000 ? undefined : { address, port };
  },
};

/** CHAP names are at most 255 octets less the value; RFC 2759 §4 gives 256 characters in all. */
export const username: OptionType<string> = {
  allowed: 'a user name of 1 to 128 octets without control characters',
  parse: (value) =>
    value !== '' && octetsOf(value) <= 128 && !CONTROL.test(value) ? value : undefined,
};

/**
 * Any method may carry it: PAP takes 255 octets, MS-CHAP 256 characters (RFC 2759 §4), which 255 octets never exceed. An
 * empty one is refused as a mistake.
 */
export const password: OptionType<Secret> = {
  allowed: `a password of 1 to ${MAX_NAME} octets`,
  secret: true,
  parse: (value) =>
    value !== '' && octetsOf(value) <= MAX_NAME ? Secret.fromPassword(value) : undefined,
};

/** RFC 2865 §3 wants 16 octets at least and gives no most; short ones can be guessed from one packet. */
export const sharedSecret: OptionType<SharedSecret> = {
  allowed: 'a secret of 1 to 255 octets',
  secret: true,
  parse: (value) => (value !== '' && octetsOf(value) <= 255 ? new SharedSecret(value) : undefined),
};

/** An attribute has room for 253 octets (RFC 2865 §5). */
export const nasIdentifier: OptionType<string> = {
  allowed: 'a name of 1 to 253 octets without control characters',
  parse: (value) =>
    value !== '' && octetsOf(value) <= 253 && !CONTROL.test(value) ? value : undefined,
};

export const pemFile: OptionType<string> = {
  allowed: 'a file such as /etc/pptp-gateway/ca.pem',
  parse: (value) => (/^\/[^\0\n]+$/.test(value) ? value : undefined),
};

export const ntHash: OptionType<Secret> = {
  allowed: '32 hexadecimal digits',
  secret: true,
  parse: (value) =>
    /^[0-9a-fA-F]{32}$/.test(value)
      ? Secret.fromNtHash(Uint8Array.from(value.match(/../g)!, (octet) => parseInt(octet, 16)))
      : undefined,
};

/** A day, valid to its end (UTC). The value is ms since 1970 of its last millisecond. */
export const date: OptionType<number> = {
  allowed: 'a date such as 2027-12-31',
  parse(value) {
    if (!/^\d{4}-\d\d-\d\d$/.test(value)) return undefined;
    const start = Date.parse(`${value}T00:00:00Z`);
    // Date.parse takes 2027-02-31 for 3 March in some engines and for NaN in others: neither is a date.
    return !Number.isNaN(start) && new Date(start).toISOString().startsWith(value)
      ? start + 86_399_999
      : undefined;
  },
};

/** "failures seconds" or "failures,seconds"; failures alone means every 5 seconds; 0 for either turns it off, as in pppd. */
export const keepalive: OptionType<{ failures: number; interval: number } | 'off'> = {
  allowed: "failures and seconds such as '3 30', or 0 for off",
  parse(value) {
    const match = /^(\d{1,3})(?:[ ,]+(\d{1,4}))?$/.exec(value);
    if (match === null) return undefined;
    const failures = Number(match[1]);
    const interval = Number(match[2] ?? 5);
    return failures === 0 || interval === 0 ? 'off' : { failures, interval: interval * 1000 };
  },
};

export const hours: OptionType<Hours> = {
  allowed: "days and times such as 'Mon-Fri 08:00-18:00'",
  hasBlanks: true,
  parse: parseHours,
};

/** An nftables set: family, table and name. */
export const setName: OptionType<string> = {
  allowed: SET_NAME,
  hasBlanks: true,
  parse: parseSetName,
};

/** `staff`, or `everybody in sales = sales`. */
export const filterSet: OptionType<FilterSet> = {
  allowed: `a Filter-Id that is a firewall set (staff), or Filter-Id = set (sales team=inet filter sales)`,
  hasBlanks: true,
  parse(value) {
    const at = value.lastIndexOf('=');
    const filter = value.slice(0, at === -1 ? undefined : at).trim();
    const set = parseSetName(value.slice(at + 1));
    const isFilter = filter !== '' && octetsOf(filter) <= 253 && !CONTROL.test(filter);
    return isFilter && set !== undefined ? { filter, set } : undefined;
  },
};

export const note: OptionType<string> = {
  allowed: 'a text of at most 256 octets without control characters',
  parse: (value) => (octetsOf(value) <= 256 && !CONTROL.test(value) ? value : undefined),
};
