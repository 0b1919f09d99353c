/**
 * DHCP messages: RFC 2131 §2, options of RFC 2132, 3396 (long ones), 3397 (search list) and 3442 (routes). Option 249 is Microsoft's
 * number for 121 (MS-DHCPE §2.2.8).
 *
 * Names and boot files carry nothing here, nor options in their place (RFC 2132 §9.3): a request has no need of that.
 */
import type { Ipv4 } from './brand.ts';
import {
  bytes,
  decode,
  encode,
  ipv4,
  isMalformed,
  malformed,
  reserved,
  rest,
  struct,
  u16,
  u32,
  u8,
  type Codec,
  type Malformed,
  type Value,
} from './codec.ts';
import { domainNames } from './domain-names.ts';
import { netmask, type Prefix } from './ip.ts';
import { copyOctets, fromLatin1, readU32, toLatin1, writeU32 } from './octets.ts';

export const DHCP_SERVER_PORT = 67;
export const DHCP_CLIENT_PORT = 68;

/** RFC 2132 §9.6 */
export const DhcpMessageType = {
  Discover: 1,
  Offer: 2,
  Request: 3,
  Decline: 4,
  Ack: 5,
  Nak: 6,
  Release: 7,
  Inform: 8,
} as const;

/** `op` of RFC 2131 §2. */
export const BootpOperation = { Request: 1, Reply: 2 } as const;

/** A route as a client is told it: RFC 3442. */
export interface ClasslessRoute extends Prefix {
  readonly router: Ipv4;
}

/** Addresses one after another; a rest of less than four octets is nothing. */
const addresses: Codec<readonly Ipv4[]> = {
  minimum: 4,
  maximum: Infinity,
  measure: (list) => 4 * list.length,
  read(octets, at, end) {
    const list: Ipv4[] = [];
    for (; at + 4 <= end; at += 4) list.push(readU32(octets, at));
    return list;
  },
  write(octets, at, list, field) {
    list.forEach((address, n) => ipv4.write(octets, at + 4 * n, address, field));
  },
};

/** RFC 2132 §3.17: without the dot at its end. */
const domainName: Codec<string> = {
  minimum: 1,
  maximum: Infinity,
  measure: (text) => text.length,
  read: (octets, at, end) => fromLatin1(octets.subarray(at, end)),
  write(octets, at, text) {
    octets.set(toLatin1(text), at);
  },
};

/** RFC 3442: the length of each prefix, as many of its octets as count, the router. What goes over the end is left out. */
const routes: Codec<readonly ClasslessRoute[]> = {
  minimum: 5,
  maximum: Infinity,
  measure: (list) => list.reduce((sum, { length }) => sum + 5 + Math.ceil(length / 8), 0),
  read(octets, at, end) {
    const list: ClasslessRoute[] = [];
    while (at < end) {
      const length = octets[at]!;
      const significant = Math.ceil(length / 8);
      if (length > 32 || at + 5 + significant > end) break;
      const address = new Uint8Array(4);
      address.set(octets.subarray(at + 1, at + 1 + significant));
      const router = readU32(octets, at + 1 + significant);
      list.push({ address: (readU32(address, 0) & netmask(length)) >>> 0, length, router });
      at += 5 + significant;
    }
    return list;
  },
  write(octets, at, list, field) {
    const destination = new Uint8Array(4);
    for (const { address, length, router } of list) {
      if (!Number.isInteger(length) || length < 0 || length > 32)
        throw new RangeError(`${field}: prefix length ${length}`);
      octets[at] = length;
      const significant = Math.ceil(length / 8);
      writeU32(destination, 0, address);
      octets.set(destination.subarray(0, significant), at + 1);
      ipv4.write(octets, at + 1 + significant, router, field);
      at += 5 + significant;
    }
  },
};

/** RFC 2132 §3.3, §3.8, §3.17, §9.6 to §9.10, §9.14; RFC 3397; RFC 3442 */
export const dhcpOptions = {
  'subnet-mask': { code: 1, value: ipv4 },
  'domain-name-servers': { code: 6, value: addresses },
  'domain-name': { code: 15, value: domainName },
  'message-type': { code: 53, value: u8 },
  'server-identifier': { code: 54, value: ipv4 },
  'parameter-request-list': { code: 55, value: rest },
  'maximum-message-size': { code: 57, value: u16 },
  'client-identifier': { code: 61, value: rest },
  'domain-search': { code: 119, value: domainNames },
  'classless-routes': { code: 121, value: routes },
  'microsoft-classless-routes': { code: 249, value: routes },
} as const;

export type DhcpOptionName = keyof typeof dhcpOptions;
export type DhcpOptionValue<N extends DhcpOptionName> = Value<(typeof dhcpOptions)[N]['value']>;
export type DhcpOption = {
  [N in DhcpOptionName]: { readonly name: N; readonly value: DhcpOptionValue<N> };
}[DhcpOptionName];

const header = struct({
  operation: u8,
  hardwareType: u8,
  hardwareLength: u8,
  hops: u8,
  transaction: u32,
  seconds: u16,
  flags: u16,
  /** ciaddr, yiaddr, siaddr, giaddr */
  clientAddress: ipv4,
  yourAddress: ipv4,
  nextServer: ipv4,
  relayAgent: ipv4,
  hardwareAddress: bytes(16),
  nameAndFile: reserved(64 + 128),
  cookie: u32,
});

export interface DhcpMessage extends Omit<Value<typeof header>, 'cookie'> {
  /** Those of our table, in their order. */
  readonly options: readonly DhcpOption[];
}

/** RFC 2131 §3 */
const COOKIE = 0x63825363;
const PAD = 0;
const END = 255;
const HEADER_LENGTH = header.minimum;
/** RFC 1542 §2.1: shorter ones are not understood by some. */
const LEAST_LENGTH = 300;

const codecOf = (name: DhcpOptionName): Codec<unknown> => dhcpOptions[name].value;
const byCode = new Map<number, DhcpOptionName>(
  Object.entries(dhcpOptions).map(([name, { code }]) => [code, name as DhcpOptionName]),
);

export function decodeDhcp(octets: Uint8Array): DhcpMessage | Malformed {
  const head = decode(header, octets.subarray(0, HEADER_LENGTH), 'DHCP');
  if (isMalformed(head)) return head;
  const { cookie, ...fields } = head;
  if (cookie !== COOKIE) return malformed('bad-value', 'DHCP: another cookie (BOOTP?)');
  const options: DhcpOption[] = [];
  const found = optionOctets(octets);
  if (isMalformed(found)) return found;
  for (const [code, data] of found) {
    const name = byCode.get(code);
    if (name === undefined) continue;
    const value = decode(codecOf(name), data, name);
    if (isMalformed(value)) return value;
    options.push({ name, value } as DhcpOption);
  }
  return { ...fields, options };
}

/** RFC 3396 §5: parts of the same option are one. */
function optionOctets(octets: Uint8Array): ReadonlyMap<number, Uint8Array> | Malformed {
  const found = new Map<number, Uint8Array>();
  for (let at = HEADER_LENGTH; at < octets.length && octets[at] !== END;) {
    const code = octets[at++]!;
    if (code === PAD) continue;
    const end = at + 1 + (octets[at] ?? octets.length);
    if (end > octets.length) return malformed('too-short', `DHCP option ${code}`);
    const before = found.get(code) ?? new Uint8Array();
    found.set(code, copyOctets(Uint8Array.of(...before, ...octets.subarray(at + 1, end))));
    at = end;
  }
  return found;
}

/** Octets that an option takes: RFC 3396 §6, one that is longer than 255 comes in parts. */
export function dhcpOptionLength(option: DhcpOption): number {
  const length = codecOf(option.name).measure(option.value);
  return length + 2 * Math.max(1, Math.ceil(length / 255));
}

/** Octets of a message with options of so many octets. */
export function dhcpLength(optionsLength: number): number {
  return Math.max(LEAST_LENGTH, HEADER_LENGTH + optionsLength + 1);
}

/** Throws RangeError for a value that its field cannot carry. */
export function encodeDhcp({ options, ...fields }: DhcpMessage): Uint8Array {
  const octets = new Uint8Array(
    dhcpLength(options.reduce((sum, option) => sum + dhcpOptionLength(option), 0)),
  );
  octets.set(encode(header, { ...fields, cookie: COOKIE }, 'DHCP'));
  let at = HEADER_LENGTH;
  for (const option of options) {
    const { code } = dhcpOptions[option.name];
    const data = encode(codecOf(option.name), option.value, option.name);
    for (let done = 0; done === 0 || done < data.length; done += 255) {
      const part = data.subarray(done, done + 255);
      octets[at] = code;
      octets[at + 1] = part.length;
      octets.set(part, at + 2);
      at += 2 + part.length;
    }
  }
  octets[at] = END;
  return octets;
}
