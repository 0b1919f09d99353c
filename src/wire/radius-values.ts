/**
 * What RADIUS attributes hold: the types of RFC 2865 §5, the tagged ones of RFC 2868 §3, IPv6 (RFC 3162 §2) and the records
 * that Microsoft's attributes carry (RFC 2548 §2).
 */
import { bytes, malformed, rest, reserved, struct, u16, u8 } from './codec.ts';
import type { Codec, Malformed } from './codec.ts';
import type { Ipv6Prefix } from './ipv6.ts';
import { copyOctets } from './octets.ts';
import { textFromOctets, type Text } from './text.ts';

/** Octets that a standard attribute's value has at most: its length is one octet and counts type and length, too. */
const MAX_VALUE = 253;

/** Text that is not empty: RFC 2865 §5 has an empty one left out. */
export const someText: Codec<Text> = {
  minimum: 1,
  maximum: MAX_VALUE,
  measure: ({ octets }) => octets.length,
  read: (octets, at, end) => textFromOctets(octets.subarray(at, end)),
  write(octets, at, { octets: text }) {
    octets.set(text, at);
  },
};

/** Octets that mean something to the server alone; at least one. */
export const opaque: Codec<Uint8Array> = { ...rest, minimum: 1, maximum: MAX_VALUE };

/** A password: what pads it in front of its encryption (RFC 2865 §5.2) is cut off. */
export const password: Codec<Uint8Array> = {
  ...rest,
  maximum: 128,
  read(octets, at, end) {
    while (end > at && octets[end - 1] === 0) end--;
    return copyOctets(octets, at, end);
  },
};

export interface Tagged<T> {
  /** 0..31: attributes with the same one belong together, 0 belongs to all. RFC 2868 §3 */
  readonly tag: number;
  readonly value: T;
}

const MAX_TAG = 0x1f;

function checkTag(tag: number, field: string): void {
  if (!Number.isInteger(tag) || tag < 0 || tag > MAX_TAG)
    throw new RangeError(`${field}: tag ${tag}`);
}

/** RFC 2868 §3.1: a tag and an integer of three octets. */
export const taggedInteger: Codec<Tagged<number>> = {
  minimum: 4,
  maximum: 4,
  measure: () => 4,
  read: (octets, at) => ({
    tag: octets[at]! > MAX_TAG ? 0 : octets[at]!,
    value: (octets[at + 1]! << 16) | (octets[at + 2]! << 8) | octets[at + 3]!,
  }),
  write(octets, at, { tag, value }, field) {
    checkTag(tag, field);
    if (value > 0xffffff) throw new RangeError(`${field}: ${value} is more than three octets`);
    u8.write(octets, at, tag, field);
    u8.write(octets, at + 1, value >>> 16, field);
    u16.write(octets, at + 2, value & 0xffff, field);
  },
};

/** RFC 2868 §3.3: a first octet above 31 is no tag, but the text's. */
export const taggedText: Codec<Tagged<Text>> = {
  minimum: 1,
  maximum: MAX_VALUE,
  measure: ({ value }) => 1 + value.octets.length,
  read(octets, at, end) {
    const isTag = octets[at]! <= MAX_TAG;
    return {
      tag: isTag ? octets[at]! : 0,
      value: textFromOctets(octets.subarray(isTag ? at + 1 : at, end)),
    };
  },
  write(octets, at, { tag, value }, field) {
    checkTag(tag, field);
    octets[at] = tag;
    octets.set(value.octets, at + 1);
  },
};

/**
 * RFC 3162 §2.3: a reserved octet, the length, and as many octets as the server saw fit to send. The length read is not yet
 * checked: 0..255.
 */
export const ipv6Prefix: Codec<Ipv6Prefix> = {
  minimum: 2,
  maximum: 18,
  measure: () => 18,
  read(octets, at, end) {
    const address = new Uint8Array(16);
    address.set(octets.subarray(at + 2, end));
    return { address, length: octets[at + 1]! };
  },
  write(octets, at, { address, length }, field) {
    if (!Number.isInteger(length) || length < 0 || length > 128)
      throw new RangeError(`${field}: prefix length ${length}`);
    octets[at] = 0;
    octets[at + 1] = length;
    bytes(16).write(octets, at + 2, address, field);
  },
};

/** RFC 2865 §5.3 */
export const chapPassword = struct({ identifier: u8, response: bytes(16) });

/** RFC 2548 §2.1.3 */
export const msChapResponse = struct({
  identifier: u8,
  /** 1: the NT response counts. */
  flags: u8,
  lmResponse: bytes(24),
  ntResponse: bytes(24),
});

/** RFC 2548 §2.3.2 */
export const msChapV2Response = struct({
  identifier: u8,
  flags: u8,
  peerChallenge: bytes(16),
  reserved1: reserved(8),
  ntResponse: bytes(24),
});

/** RFC 2548 §2.1.4; `code` is 7. */
export const msChapCpw2 = struct({
  code: u8,
  identifier: u8,
  oldNtHash: bytes(16),
  oldLmHash: bytes(16),
  lmResponse: bytes(24),
  ntResponse: bytes(24),
  flags: u16,
});

/** RFC 2548 §2.3.3; `code` is 7. */
export const msChapV2Cpw = struct({
  code: u8,
  identifier: u8,
  encryptedHash: bytes(16),
  peerChallenge: bytes(16),
  reserved1: reserved(8),
  ntResponse: bytes(24),
  flags: u16,
});

/** RFC 2548 §2.1.6, put together: the new password, encrypted. */
export const msChapEncryptedPassword = struct({ identifier: u8, encryptedPassword: bytes(516) });

/** RFC 2548 §2.1.5, §2.3.3, §2.1.2: the identifier of the CHAP packet, and text. */
export const identifiedText: Codec<{ readonly identifier: number; readonly value: Text }> = {
  minimum: 1,
  maximum: MAX_VALUE - 6,
  measure: ({ value }) => 1 + value.octets.length,
  read: (octets, at, end) => ({
    identifier: octets[at]!,
    value: textFromOctets(octets.subarray(at + 1, end)),
  }),
  write(octets, at, { identifier, value }, field) {
    u8.write(octets, at, identifier, field);
    octets.set(value.octets, at + 1);
  },
};

/** RFC 2548 §2.4.1: keys of MS-CHAPv1; the LM one is the first half of the LM hash. */
export const msChapMppeKeys = struct({ lmKey: bytes(8), ntKey: bytes(16), padding: reserved(8) });

/** How a value that is too long for one attribute goes over several in a row. */
export interface Series {
  /** Values of single attributes, in their order. */
  split(octets: Uint8Array): Uint8Array[];
  join(parts: readonly Uint8Array[]): Uint8Array | Malformed;
}

/** RFC 3579 §3.1: the pieces one after the other; an empty value is one empty attribute. */
export const concatenated: Series = {
  split: (octets) => pieces(octets, MAX_VALUE),
  join: (parts) => joinOctets(parts),
};

/** RFC 2548 §2.1.6: Code 6, the identifier and a number in front of each piece of at most 243 octets. */
export const numbered: Series = {
  split: ([identifier = 0, ...data]) =>
    pieces(Uint8Array.from(data), 243).map((piece, i) =>
      joinOctets([Uint8Array.of(6, identifier, 0, i + 1), piece]),
    ),
  join(parts) {
    const wrong = parts.findIndex((part, i) => part.length < 5 || part[3] !== i + 1);
    if (wrong !== -1) return malformed('bad-value', `piece ${wrong + 1} is short or out of order`);
    return joinOctets([parts[0]!.subarray(1, 2), ...parts.map((part) => part.subarray(4))]);
  },
};

function pieces(octets: Uint8Array, length: number): Uint8Array[] {
  const count = Math.max(1, Math.ceil(octets.length / length));
  return Array.from({ length: count }, (_, i) => octets.subarray(i * length, (i + 1) * length));
}

function joinOctets(parts: readonly Uint8Array[]): Uint8Array {
  const octets = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    octets.set(part, at);
    at += part.length;
  }
  return octets;
}
