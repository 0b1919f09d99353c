/**
 * Neighbor Discovery: RFC 4861 §4, with the options of RFC 8106 (name servers) and RFC 4191 (routes).
 *
 * Whether a packet is one of these at all (hop limit, checksum, code) is decided here; what it means is for src/ipv6.
 */
import {
  bytes,
  decode,
  encode,
  isMalformed,
  malformed,
  reserved,
  rest,
  struct,
  u16,
  u32,
  u8,
} from './codec.ts';
import type { Codec, Malformed, Value } from './codec.ts';
import { domainNames } from './domain-names.ts';
import {
  hasRightIpv6Checksum,
  Ipv6NextHeader,
  writeIpv6Checksum,
  type Ipv6Packet,
} from './ipv6.ts';
import { copyOctets } from './octets.ts';

const address = bytes(16);

/** RFC 8106 §5.1 */
const addresses: Codec<readonly Uint8Array[]> = {
  minimum: 16,
  maximum: Infinity,
  measure: (list) => 16 * list.length,
  read(octets, at, end) {
    const list: Uint8Array[] = [];
    for (; at + 16 <= end; at += 16) list.push(copyOctets(octets, at, at + 16));
    return list;
  },
  write(octets, at, list, field) {
    list.forEach((item, n) => address.write(octets, at + 16 * n, item, field));
  },
};

/** RFC 4191 §2.3: of an address as many octets as the option has. */
const network: Codec<Uint8Array> = {
  minimum: 0,
  maximum: 16,
  measure: () => 16,
  read(octets, at, end) {
    const whole = new Uint8Array(16);
    whole.set(octets.subarray(at, end));
    return whole;
  },
  write(octets, at, value, field) {
    address.write(octets, at, value, field);
  },
};

/** Flags of a prefix: RFC 4861 §4.6.2. */
export const PrefixFlags = { OnLink: 0x80, Autonomous: 0x40 } as const;
/** Flags of a router advertisement: RFC 4861 §4.2. */
export const RouterFlags = { Managed: 0x80, Other: 0x40 } as const;
/** Flags of a neighbor advertisement: RFC 4861 §4.4. */
export const NeighborFlags = {
  Router: 0x80000000,
  Solicited: 0x40000000,
  Override: 0x20000000,
} as const;

/** Octets that an option has are counted in units of eight, type and length included: RFC 4861 §4.6. */
const UNIT = 8;

const options = {
  /** RFC 4861 §4.6.1 */
  'source-link-layer-address': { type: 1, body: rest },
  /** RFC 4861 §4.6.2; lifetimes in seconds */
  prefix: {
    type: 3,
    body: struct({
      length: u8,
      flags: u8,
      validLifetime: u32,
      preferredLifetime: u32,
      reserved: reserved(4),
      address,
    }),
  },
  /** RFC 4861 §4.6.4 */
  mtu: { type: 5, body: struct({ reserved: reserved(2), mtu: u32 }) },
  /** RFC 4191 §2.3 */
  route: { type: 24, body: struct({ length: u8, flags: u8, lifetime: u32, address: network }) },
  /** RFC 8106 §5.1 */
  'name-servers': { type: 25, body: struct({ reserved: reserved(2), lifetime: u32, addresses }) },
  /** RFC 8106 §5.2; its rest is padded with zeros */
  'search-list': {
    type: 31,
    body: struct({ reserved: reserved(2), lifetime: u32, names: domainNames }),
  },
} as const;

type OptionName = keyof typeof options;
/** One arm per option, told apart by `name`. */
export type NeighborOption = {
  [N in OptionName]: { readonly name: N; readonly value: Value<(typeof options)[N]['body']> };
}[OptionName];

const messages = {
  /** RFC 4861 §4.1 */
  'router-solicitation': { type: 133, body: struct({ reserved: reserved(4) }) },
  /** RFC 4861 §4.2; the router's lifetime in seconds */
  'router-advertisement': {
    type: 134,
    body: struct({
      hopLimit: u8,
      flags: u8,
      lifetime: u16,
      reachableTime: u32,
      retransmitTimer: u32,
    }),
  },
  /** RFC 4861 §4.3 */
  'neighbor-solicitation': { type: 135, body: struct({ reserved: reserved(4), target: address }) },
  /** RFC 4861 §4.4 */
  'neighbor-advertisement': { type: 136, body: struct({ flags: u32, target: address }) },
  /** RFC 4861 §4.5 */
  redirect: {
    type: 137,
    body: struct({ reserved: reserved(4), target: address, destination: address }),
  },
} as const;

type MessageName = keyof typeof messages;
/** One arm per message, told apart by `name`. */
export type NeighborMessage = {
  [N in MessageName]: Value<(typeof messages)[N]['body']> & {
    readonly name: N;
    /** Those of our table, in their order. */
    readonly options: readonly NeighborOption[];
  };
}[MessageName];

/** RFC 4861 §3.1: what has come through a router has less. */
const HOP_LIMIT = 255;
const head = struct({ type: u8, code: u8, checksum: u16, body: rest });
const CHECKSUM = 2;

const messageByType = byType(messages);
const optionByType = byType(options);

/** The message in a packet whose next header is ICMPv6: RFC 4861 §6.1, §7.1, §8.1. */
export function decodeNeighborMessage(packet: Ipv6Packet): NeighborMessage | Malformed {
  const read = decode(head, packet.payload, 'ICMPv6');
  if (isMalformed(read)) return read;
  const name = messageByType.get(read.type);
  if (name === undefined) return malformed('unknown-type', `ICMPv6 type ${read.type}`);
  if (packet.hopLimit !== HOP_LIMIT)
    return malformed('bad-value', `${name}: hop limit ${packet.hopLimit}`);
  if (read.code !== 0) return malformed('bad-value', `${name}: code ${read.code}`);
  if (!hasRightIpv6Checksum(packet)) return malformed('bad-value', `${name}: wrong checksum`);
  const body: Codec<object> = messages[name].body;
  const fields = decode(body, read.body.subarray(0, body.minimum), name);
  if (isMalformed(fields)) return fields;
  const found = decodeOptions(read.body.subarray(body.minimum));
  if (isMalformed(found)) return found;
  return { name, ...fields, options: found } as NeighborMessage;
}

/** An option without a length makes the whole packet invalid (RFC 4861 §4.6), and so does one that goes over the end. */
function decodeOptions(octets: Uint8Array): NeighborOption[] | Malformed {
  const found: NeighborOption[] = [];
  for (let at = 0; at < octets.length;) {
    const length = UNIT * (octets[at + 1] ?? 0);
    if (length === 0) return malformed('bad-value', `option ${octets[at]!}: length 0`);
    if (at + length > octets.length) return malformed('too-short', `option ${octets[at]!}`);
    const name = optionByType.get(octets[at]!);
    if (name !== undefined) {
      const body: Codec<unknown> = options[name].body;
      const value = decode(body, octets.subarray(at + 2, at + length), name);
      if (isMalformed(value)) return value;
      const option = { name, value } as NeighborOption;
      if ((option.name === 'prefix' || option.name === 'route') && option.value.length > 128)
        return malformed('bad-value', `${name}: length ${option.value.length}`);
      found.push(option);
    }
    at += length;
  }
  return found;
}

/** The packet with `message`. Throws RangeError for a value that its field cannot carry. */
export function encodeNeighborMessage(
  message: NeighborMessage,
  source: Uint8Array,
  destination: Uint8Array,
): Ipv6Packet {
  const { type, body }: { type: number; body: Codec<object> } = messages[message.name];
  const parts = [
    Uint8Array.of(type, 0, 0, 0),
    encode(body, message, message.name),
    ...message.options.map(encodeOption),
  ];
  const payload = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    payload.set(part, at);
    at += part.length;
  }
  const nextHeader = Ipv6NextHeader.Icmpv6;
  const packet = { nextHeader, hopLimit: HOP_LIMIT, source, destination, payload };
  writeIpv6Checksum(packet, CHECKSUM);
  return packet;
}

function encodeOption(option: NeighborOption): Uint8Array {
  const { type, body }: { type: number; body: Codec<unknown> } = options[option.name];
  const octets = new Uint8Array(neighborOptionLength(option));
  octets[0] = type;
  octets[1] = octets.length / UNIT;
  octets.set(encode(body, option.value, option.name), 2);
  return octets;
}

/** Octets that an option takes. */
export function neighborOptionLength({ name, value }: NeighborOption): number {
  const body: Codec<unknown> = options[name].body;
  return UNIT * Math.ceil((2 + body.measure(value)) / UNIT);
}

function byType<N extends string>(
  table: Readonly<Record<N, { readonly type: number }>>,
): ReadonlyMap<number, N> {
  return new Map(
    (Object.entries(table) as [N, { type: number }][]).map(([name, { type }]) => [type, name]),
  );
}
