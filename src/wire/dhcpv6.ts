/**
 * DHCPv6 messages between client and server: RFC 9915 (RFC 8415) §8, with the options of §21 and RFC 3646 (name servers).
 */
import {
  bytes,
  decode,
  encode,
  isMalformed,
  malformed,
  rest,
  struct,
  u16,
  u32,
  u8,
} from './codec.ts';
import type { Codec, Malformed, Value } from './codec.ts';
import { domainNames } from './domain-names.ts';
import { copyOctets, readU16, writeU16 } from './octets.ts';

export const DHCPV6_CLIENT_PORT = 546;
export const DHCPV6_SERVER_PORT = 547;
/** All_DHCP_Relay_Agents_and_Servers: RFC 8415 §7.1. */
export const ALL_DHCP_SERVERS = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2);

/** RFC 8415 §7.3 */
const MESSAGE_TYPES = {
  solicit: 1,
  advertise: 2,
  request: 3,
  confirm: 4,
  renew: 5,
  rebind: 6,
  reply: 7,
  release: 8,
  decline: 9,
  reconfigure: 10,
  'information-request': 11,
} as const;
export type Dhcpv6MessageName = keyof typeof MESSAGE_TYPES;

/** RFC 8415 §21.13 */
export const Dhcpv6Status = {
  Success: 0,
  NoAddrsAvail: 2,
  NoBinding: 3,
  NotOnLink: 4,
  NoPrefixAvail: 6,
} as const;

const address = bytes(16);
const u16List: Codec<readonly number[]> = listOf(2, readU16, writeU16);
const addresses: Codec<readonly Uint8Array[]> = listOf(
  16,
  (octets, at) => copyOctets(octets, at, at + 16),
  (octets, at, item) => {
    octets.set(item, at);
  },
);
const empty: Codec<object> = struct({});
/** RFC 8415 §21.13; the text is UTF-8, which ours does not leave ASCII for. */
const status = struct({ code: u16, message: rest });
const associated = struct({ iaid: u32, t1: u32, t2: u32, options: rest });

/** What an identity association has in it: RFC 8415 §21.6, §21.13, §21.22. */
const inAssociation = {
  address: {
    code: 5,
    value: struct({ address, preferredLifetime: u32, validLifetime: u32, options: rest }),
  },
  status: { code: 13, value: status },
  prefix: {
    code: 26,
    value: struct({
      preferredLifetime: u32,
      validLifetime: u32,
      length: u8,
      address,
      options: rest,
    }),
  },
} as const;

/** RFC 8415 §21, RFC 3646 §3, §4 */
const inMessage = {
  'client-identifier': { code: 1, value: rest },
  'server-identifier': { code: 2, value: rest },
  /** Addresses (IA_NA). */
  addresses: { code: 3, value: associated },
  'option-request': { code: 6, value: u16List },
  'elapsed-time': { code: 8, value: u16 },
  status: { code: 13, value: status },
  'rapid-commit': { code: 14, value: empty },
  'name-servers': { code: 23, value: addresses },
  'search-list': { code: 24, value: domainNames },
  /** Delegated prefixes (IA_PD). */
  prefixes: { code: 25, value: associated },
  /** Seconds: RFC 8415 §21.23. */
  'refresh-time': { code: 32, value: u32 },
} as const;
/** For the option request. */
export const dhcpv6OptionCodes = {
  'name-servers': inMessage['name-servers'].code,
  'search-list': inMessage['search-list'].code,
  'refresh-time': inMessage['refresh-time'].code,
} as const;

type Table = Readonly<Record<string, { readonly code: number; readonly value: Codec<unknown> }>>;
type OptionIn<T extends Table> = {
  [N in keyof T]: { readonly name: N; readonly value: Value<T[N]['value']> };
}[keyof T];

export type AssociationOption = OptionIn<typeof inAssociation>;
type PlainOption = OptionIn<Omit<typeof inMessage, 'addresses' | 'prefixes'>>;
export type Association = Omit<Value<typeof associated>, 'options'> & {
  readonly options: readonly AssociationOption[];
};
type AssociationName = 'addresses' | 'prefixes';
export type Dhcpv6Option =
  | PlainOption
  | { [N in AssociationName]: { readonly name: N; readonly value: Association } }[AssociationName];
type OptionValues = { [O in Dhcpv6Option as O['name']]: O['value'] };

export interface Dhcpv6Message {
  readonly name: Dhcpv6MessageName;
  /** 0..2^24-1 */
  readonly transaction: number;
  /** Those of our table, in their order. */
  readonly options: readonly Dhcpv6Option[];
}

/** Message type in the first octet, transaction in the others. */
const head = struct({ first: u32, options: rest });
const nameByType = new Map<number, Dhcpv6MessageName>(
  Object.entries(MESSAGE_TYPES).map(([name, type]) => [type, name as Dhcpv6MessageName]),
);

/** How it went, of a message or an association. */
export function dhcpv6StatusOption(code: number) {
  return { name: 'status', value: { code, message: new Uint8Array() } } as const;
}

/** The value of an option; undefined: it is not there. */
export function dhcpv6Option<N extends Dhcpv6Option['name']>(
  { options }: Dhcpv6Message,
  name: N,
): OptionValues[N] | undefined {
  return options.find((option) => option.name === name)?.value as OptionValues[N] | undefined;
}

export function decodeDhcpv6(octets: Uint8Array): Dhcpv6Message | Malformed {
  const read = decode(head, octets, 'DHCPv6');
  if (isMalformed(read)) return read;
  const name = nameByType.get(read.first >>> 24);
  if (name === undefined) return malformed('unknown-type', `DHCPv6 type ${read.first >>> 24}`);
  const options = decodeOptions(inMessage, read.options);
  if (isMalformed(options)) return options;
  const found: Dhcpv6Option[] = [];
  for (const option of options) {
    if (option.name !== 'addresses' && option.name !== 'prefixes') {
      found.push(option);
      continue;
    }
    const inner = decodeOptions(inAssociation, option.value.options);
    if (isMalformed(inner)) return inner;
    for (const { name: what, value } of inner)
      if (what === 'prefix' && value.length > 128)
        return malformed('bad-value', `DHCPv6 prefix: length ${value.length}`);
    found.push({ name: option.name, value: { ...option.value, options: inner } });
  }
  return { name, transaction: read.first & 0xffffff, options: found };
}

/** Throws RangeError for a value that its field cannot carry. */
export function encodeDhcpv6({ name, transaction, options }: Dhcpv6Message): Uint8Array {
  const first = MESSAGE_TYPES[name] * 2 ** 24 + transaction;
  const parts = options.map(({ name: option, value }) => {
    if (option !== 'addresses' && option !== 'prefixes')
      return encodeOption(inMessage[option], value, option);
    const inner = value.options.map((inside) =>
      encodeOption(inAssociation[inside.name], inside.value, inside.name),
    );
    return encodeOption(inMessage[option], { ...value, options: joined(inner) }, option);
  });
  return encode(head, { first, options: joined(parts) }, name);
}

function decodeOptions<T extends Table>(table: T, octets: Uint8Array): OptionIn<T>[] | Malformed {
  const found: OptionIn<T>[] = [];
  for (let at = 0; at < octets.length;) {
    if (at + 4 > octets.length) return malformed('too-short', 'DHCPv6 option: no length');
    const code = readU16(octets, at);
    const end = at + 4 + readU16(octets, at + 2);
    if (end > octets.length) return malformed('too-short', `DHCPv6 option ${code}`);
    const known = Object.entries(table).find(([, option]) => option.code === code);
    if (known !== undefined) {
      const [name, { value: codec }] = known;
      const value = decode(codec, octets.subarray(at + 4, end), name);
      if (isMalformed(value)) return value;
      found.push({ name, value } as OptionIn<T>);
    }
    at = end;
  }
  return found;
}

function encodeOption(
  { code, value: codec }: { readonly code: number; readonly value: Codec<unknown> },
  value: unknown,
  name: string,
): Uint8Array {
  const data = encode(codec, value, name);
  const octets = new Uint8Array(4 + data.length);
  writeU16(octets, 0, code);
  writeU16(octets, 2, data.length);
  octets.set(data, 4);
  return octets;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Items of `size` octets one after another; a rest that is shorter is nothing. */
function listOf<T>(
  size: number,
  readItem: (octets: Uint8Array, at: number) => T,
  writeItem: (octets: Uint8Array, at: number, item: T) => void,
): Codec<readonly T[]> {
  return {
    minimum: size,
    maximum: Infinity,
    measure: (list) => size * list.length,
    read(octets, at, end) {
      const list: T[] = [];
      for (; at + size <= end; at += size) list.push(readItem(octets, at));
      return list;
    },
    write(octets, at, list) {
      list.forEach((item, n) => {
        writeItem(octets, at + size * n, item);
      });
    },
  };
}
