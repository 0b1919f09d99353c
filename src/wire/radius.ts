/**
 * RADIUS packets: RFC 2865 §3 (header), §5 (attributes), §5.26 (those of vendors). The attributes are in radius-attributes.ts.
 *
 * What is wrong with one attribute is a fault of that one; what makes the packet's structure uncertain is Malformed. Attributes
 * that we do not know are skipped and counted.
 */
import { bytes, decode, encode, isMalformed, malformed, struct, u16, u8 } from './codec.ts';
import type { Codec, Malformed } from './codec.ts';
import { copyOctets, readU16, readU32, writeU32 } from './octets.ts';
import { radiusAttributes, type Declaration, type Hiding } from './radius-attributes.ts';
import type { RadiusAttribute, RadiusAttributeName } from './radius-attributes.ts';

/** RFC 2865 §3, 2866 §3, 5176 §2, 5997 §2 */
export const RadiusCode = {
  AccessRequest: 1,
  AccessAccept: 2,
  AccessReject: 3,
  AccountingRequest: 4,
  AccountingResponse: 5,
  AccessChallenge: 11,
  StatusServer: 12,
  DisconnectRequest: 40,
  DisconnectAck: 41,
  DisconnectNak: 42,
  CoaRequest: 43,
  CoaAck: 44,
  CoaNak: 45,
} as const;

/** Octets of code, identifier, length and authenticator; the least that a packet has. */
export const RADIUS_HEADER_LENGTH = 20;
/** RFC 2865 §3 */
export const RADIUS_MAX_LENGTH = 4096;
/** Where the authenticator begins, 16 octets. */
export const RADIUS_AUTHENTICATOR_AT = 4;

const VENDOR_SPECIFIC = 26;
const MESSAGE_AUTHENTICATOR = radiusAttributes['Message-Authenticator'].type;

const header = struct({ code: u8, identifier: u8, length: u16, authenticator: bytes(16) });

export interface RadiusHeader {
  /** A RadiusCode, or another number. */
  readonly code: number;
  readonly identifier: number;
  /** Octets of the whole packet, 20..4096; what follows them is padding. */
  readonly length: number;
  /** 16 octets */
  readonly authenticator: Uint8Array;
}

export interface RadiusPacket {
  readonly code: number;
  readonly identifier: number;
  /** 16 octets */
  readonly authenticator: Uint8Array;
  readonly attributes: readonly RadiusAttribute[];
}

export interface DecodedRadiusPacket extends RadiusPacket {
  /** Attributes that are not in our table. */
  readonly skipped: number;
  /** Attributes that are, but with a value that cannot be read: name and reason. */
  readonly faults: readonly string[];
}

/** Hides and reveals values with the secret that both ends share. */
export interface AttributeCipher {
  readonly hide: (hiding: Hiding, plain: Uint8Array) => Uint8Array;
  readonly reveal: (hiding: Hiding, hidden: Uint8Array) => Uint8Array | Malformed;
}

/** Octets of the packet that begins here; undefined while they have not all come. For streams (RFC 6613 §2.6.4), too. */
export function radiusLength(octets: Uint8Array): number | Malformed | undefined {
  if (octets.length < 4) return undefined;
  const length = readU16(octets, 2);
  if (length < RADIUS_HEADER_LENGTH) return malformed('too-short', `RADIUS: length ${length}`);
  if (length > RADIUS_MAX_LENGTH) return malformed('too-long', `RADIUS: length ${length}`);
  return octets.length < length ? undefined : length;
}

/** Reads the header and checks the length (RFC 2865 §3: a packet shorter than it says is discarded). */
export function decodeRadiusHeader(octets: Uint8Array): RadiusHeader | Malformed {
  const value = decode(header, octets.subarray(0, RADIUS_HEADER_LENGTH), 'RADIUS');
  if (isMalformed(value)) return value;
  const length = radiusLength(octets);
  if (isMalformed(length)) return length;
  if (length === undefined)
    return malformed('too-short', `RADIUS: length ${value.length}, ${octets.length} octets came`);
  return value;
}

/** An attribute where it lies: value in octets[at..end). */
interface Place {
  readonly vendor: number | undefined;
  readonly type: number;
  readonly at: number;
  readonly end: number;
}

/** The attributes in octets[at..end). RFC 2865 §5 */
function places(octets: Uint8Array, at: number, end: number, vendor?: number): Place[] | Malformed {
  const found: Place[] = [];
  while (at < end) {
    const type = octets[at]!;
    const length = octets[at + 1] ?? 0;
    if (at + 2 > end || length < 2 || at + length > end)
      return malformed('bad-value', `attribute ${type}: length ${length}, ${end - at} octets left`);
    found.push({ vendor, type, at: at + 2, end: at + length });
    at += length;
  }
  return found;
}

/**
 * Where the Message-Authenticator's 16 octets begin (RFC 3579 §3.2); undefined: there is none. Malformed where it occurs
 * twice or has another length, as does any packet that cannot be cut into attributes.
 */
export function messageAuthenticatorAt(octets: Uint8Array): number | Malformed | undefined {
  const head = decodeRadiusHeader(octets);
  if (isMalformed(head)) return head;
  const all = places(octets, RADIUS_HEADER_LENGTH, head.length);
  if (isMalformed(all)) return all;
  const found = all.filter(({ type }) => type === MESSAGE_AUTHENTICATOR);
  if (found.length > 1 || (found[0] !== undefined && found[0].end - found[0].at !== 16))
    return malformed('bad-value', 'Message-Authenticator twice or not of 16 octets');
  return found[0]?.at;
}

type Known = readonly [RadiusAttributeName, Declaration<unknown>];

const key = (vendor: number | undefined, type: number) => (vendor ?? 0) * 256 + type;
const byNumber = new Map(
  (Object.entries(radiusAttributes) as unknown as Known[]).map((known) => [
    key(known[1].vendor, known[1].type),
    known,
  ]),
);
const vendors = new Set([...byNumber.values()].map(([, { vendor }]) => vendor));

/** Decodes a packet; `cipher` reveals hidden values. Octets behind its length are ignored. */
export function decodeRadiusPacket(
  octets: Uint8Array,
  cipher: AttributeCipher,
): DecodedRadiusPacket | Malformed {
  const head = decodeRadiusHeader(octets);
  if (isMalformed(head)) return head;
  const all = places(octets, RADIUS_HEADER_LENGTH, head.length);
  if (isMalformed(all)) return all;
  const reader = new Reader(octets, cipher);
  for (const place of all) {
    if (place.type === VENDOR_SPECIFIC) reader.readVendor(place);
    else reader.read(place);
  }
  const { code, identifier, authenticator } = head;
  const { skipped, faults } = reader;
  return { code, identifier, authenticator, attributes: reader.finish(), skipped, faults };
}

class Reader {
  readonly #octets: Uint8Array;
  readonly #cipher: AttributeCipher;
  readonly #attributes: RadiusAttribute[] = [];
  /** The pieces of values that go over several attributes. */
  readonly #series = new Map<Known, Uint8Array[]>();
  readonly faults: string[] = [];
  skipped = 0;

  constructor(octets: Uint8Array, cipher: AttributeCipher) {
    this.#octets = octets;
    this.#cipher = cipher;
  }

  /** RFC 2865 §5.26: the vendor's number, and attributes of its own, which are nobody else's to judge. */
  readVendor({ at, end }: Place): void {
    const vendor = end - at < 4 ? undefined : readU32(this.#octets, at);
    const inner =
      vendor !== undefined && vendors.has(vendor) && places(this.#octets, at + 4, end, vendor);
    if (inner === false) this.skipped++;
    else if (isMalformed(inner)) this.faults.push(`vendor ${String(vendor)}: ${inner.detail}`);
    else for (const place of inner) this.read(place);
  }

  read({ vendor, type, at, end }: Place): void {
    const known = byNumber.get(key(vendor, type));
    if (known === undefined) {
      this.skipped++;
      return;
    }
    const value = copyOctets(this.#octets, at, end);
    if (known[1].series === undefined) this.#take(known, value);
    else this.#series.set(known, [...(this.#series.get(known) ?? []), value]);
  }

  finish(): RadiusAttribute[] {
    for (const [known, parts] of this.#series) this.#take(known, known[1].series!.join(parts));
    return this.#attributes;
  }

  #take([name, { hiding, value: codec }]: Known, octets: Uint8Array | Malformed): void {
    const plain =
      hiding === undefined || isMalformed(octets) ? octets : this.#cipher.reveal(hiding, octets);
    if (isMalformed(plain)) {
      this.faults.push(`${name}: ${plain.detail}`);
      return;
    }
    const value = decode(codec, plain, name);
    if (isMalformed(value)) this.faults.push(value.detail);
    else this.#attributes.push({ name, value } as RadiusAttribute);
  }
}

/**
 * The octets of a packet, attributes in their order; `cipher` hides what is to be hidden. Throws RangeError for a value that its
 * attribute cannot carry, and for a packet of more than 4096 octets.
 */
export function encodeRadiusPacket(packet: RadiusPacket, cipher: AttributeCipher): Uint8Array {
  const octets = new Uint8Array(RADIUS_MAX_LENGTH);
  let at = RADIUS_HEADER_LENGTH;
  for (const { name, value } of packet.attributes) {
    const { vendor, type, hiding, series, value: codec } = radiusAttributes[name];
    const plain = encodeValue(codec, value, name);
    const whole = hiding === undefined ? plain : cipher.hide(hiding, plain);
    for (const part of series === undefined ? [whole] : series.split(whole)) {
      const outer = vendor === undefined ? 0 : 6;
      const length = outer + 2 + part.length;
      if (length > 255 || at + length > octets.length)
        throw new RangeError(`${name}: ${part.length} octets, more than fit`);
      if (vendor !== undefined) {
        octets[at] = VENDOR_SPECIFIC;
        octets[at + 1] = length;
        writeU32(octets, at + 2, vendor);
      }
      octets[at + outer] = type;
      octets[at + outer + 1] = 2 + part.length;
      octets.set(part, at + outer + 2);
      at += length;
    }
  }
  const { code, identifier, authenticator } = packet;
  octets.set(encode(header, { code, identifier, length: at, authenticator }, 'RADIUS'));
  return octets.slice(0, at);
}

function encodeValue(codec: Codec<unknown>, value: unknown, name: string): Uint8Array {
  const length = codec.measure(value);
  if (length < codec.minimum || length > codec.maximum)
    throw new RangeError(`${name}: ${length} octets`);
  return encode(codec, value, name);
}
