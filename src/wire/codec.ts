/**
 * One declaration of a wire format gives its encoder, its decoder and its type.
 *
 *     const echo = struct({ identifier: u32, resultCode: u8, errorCode: u8, reserved1: reserved(2) });
 *     type Echo = Value<typeof echo>;           // { identifier: number; resultCode: number; errorCode: number }
 *
 * Decoding never throws, whatever the octets: it returns a value or Malformed. Encoding a value that the format cannot
 * carry is our own misuse and throws RangeError. Decoded values never share memory with their input.
 */
import type { CallId, Ipv4 } from './brand.ts';
import {
  copyOctets,
  fromLatin1,
  readU16,
  readU32,
  toLatin1,
  writeU16,
  writeU32,
} from './octets.ts';

export interface Malformed {
  readonly error: 'too-short' | 'too-long' | 'bad-value' | 'unknown-type';
  /** What was wrong, for a log line. */
  readonly detail: string;
}

export function malformed(error: Malformed['error'], detail: string): Malformed {
  return { error, detail };
}

/** No value of this floor has a field `error`, so this tells any of them from Malformed. */
export function isMalformed(value: unknown): value is Malformed {
  return typeof value === 'object' && value !== null && 'error' in value && 'detail' in value;
}

export interface Codec<T> {
  /** Octets at least; also the octets exactly where `maximum` is the same. */
  readonly minimum: number;
  /** Octets at most (Infinity: any number). */
  readonly maximum: number;
  /** Octets that `value` will take. */
  measure(value: T): number;
  /** Reads octets[at..end); the caller has checked end - at against minimum and maximum. */
  read(octets: Uint8Array, at: number, end: number): T;
  /** Throws RangeError, naming the field, if `value` does not fit. */
  write(octets: Uint8Array, at: number, value: T, field: string): void;
}

/** The type that a codec reads and writes. */
export type Value<C> = C extends Codec<infer T> ? T : never;

/** Decodes all of `octets`; `what` names the thing in Malformed. */
export function decode<T>(codec: Codec<T>, octets: Uint8Array, what: string): T | Malformed {
  const { length } = octets;
  if (length < codec.minimum)
    return malformed('too-short', `${what}: ${length} octets, at least ${codec.minimum} expected`);
  if (length > codec.maximum)
    return malformed('too-long', `${what}: ${length} octets, at most ${codec.maximum} expected`);
  return codec.read(octets, 0, length);
}

/** Throws RangeError if the format cannot carry `value`. */
export function encode<T>(codec: Codec<T>, value: T, what: string): Uint8Array {
  const octets = new Uint8Array(codec.measure(value));
  codec.write(octets, 0, value, what);
  return octets;
}

function checkInteger(value: number, maximum: number, field: string): void {
  if (!Number.isInteger(value) || value < 0 || value > maximum)
    throw new RangeError(`${field}: ${value} is not an integer of 0..${maximum}`);
}

function integer(
  length: number,
  maximum: number,
  read: (octets: Uint8Array, at: number) => number,
  write: (octets: Uint8Array, at: number, value: number) => void,
): Codec<number> {
  return {
    minimum: length,
    maximum: length,
    measure: () => length,
    read,
    write(octets, at, value, field) {
      checkInteger(value, maximum, field);
      write(octets, at, value);
    },
  };
}

export const u8 = integer(
  1,
  0xff,
  (octets, at) => octets[at]!,
  (octets, at, value) => {
    octets[at] = value;
  },
);
export const u16 = integer(2, 0xffff, readU16, writeU16);
export const u32 = integer(4, 0xffffffff, readU32, writeU32);
export const ipv4: Codec<Ipv4> = integer(4, 0xffffffff, readU32, writeU32);
export const callId: Codec<CallId> = integer(2, 0xffff, readU16, writeU16);

/** A u8 that may be absent at the end of a struct; absent is undefined. */
export const optionalU8: Codec<number | undefined> = {
  minimum: 0,
  maximum: 1,
  measure: (value) => (value === undefined ? 0 : 1),
  read: (octets, at, end) => (at < end ? octets[at]! : undefined),
  write(octets, at, value, field) {
    if (value !== undefined) u8.write(octets, at, value, field);
  },
};

/** Exactly `length` octets. */
export function bytes(length: number): Codec<Uint8Array> {
  return {
    minimum: length,
    maximum: length,
    measure: () => length,
    read: (octets, at) => copyOctets(octets, at, at + length),
    write(octets, at, value, field) {
      if (value.length !== length)
        throw new RangeError(`${field}: ${value.length} octets, ${length} expected`);
      octets.set(value, at);
    },
  };
}

/** All octets to the end; only as the last field. */
export const rest: Codec<Uint8Array> = {
  minimum: 0,
  maximum: Infinity,
  measure: (value) => value.length,
  read: (octets, at, end) => copyOctets(octets, at, end),
  write(octets, at, value) {
    octets.set(value, at);
  },
};

/**
 * Text in a field of `length` octets, padded with NUL. A peer may fill the field without a NUL at its end. Read as
 * ISO 8859-1: the RFCs say ASCII, and no octets may fail to decode.
 */
export function text(length: number): Codec<string> {
  return {
    minimum: length,
    maximum: length,
    measure: () => length,
    read(octets, at) {
      const field = octets.subarray(at, at + length);
      const nul = field.indexOf(0);
      return fromLatin1(nul === -1 ? field : field.subarray(0, nul));
    },
    write(octets, at, value, field) {
      if (value.length > length || value.includes('\0'))
        throw new RangeError(`${field}: not a text of at most ${length} octets without NUL`);
      octets.set(toLatin1(value), at);
    },
  };
}

const RESERVED: unique symbol = Symbol('reserved');
type Reserved = typeof RESERVED;

/** `length` octets that carry nothing: ignored on read, 0 on write, and absent from the type of a struct. */
export function reserved(length: number): Codec<Reserved> {
  return {
    minimum: length,
    maximum: length,
    measure: () => length,
    read: () => RESERVED,
    write(octets, at) {
      octets.fill(0, at, at + length);
    },
  };
}

type Fields = Readonly<Record<string, Codec<unknown>>>;
type RequiredKeys<F extends Fields> = {
  [K in keyof F]: Value<F[K]> extends Reserved ? never : undefined extends Value<F[K]> ? never : K;
}[keyof F];
type OptionalKeys<F extends Fields> = {
  [K in keyof F]: undefined extends Value<F[K]> ? K : never;
}[keyof F];
type Flat<T> = { readonly [K in keyof T]: T[K] };
type StructValue<F extends Fields> = Flat<
  { [K in RequiredKeys<F>]: Value<F[K]> } & {
    [K in OptionalKeys<F>]?: Exclude<Value<F[K]>, undefined>;
  }
>;

/** Fields in their order on the wire. Only the last may have a variable length. */
export function struct<const F extends Fields>(fields: F): Codec<StructValue<F>> {
  const entries = Object.entries(fields);
  let minimum = 0;
  let maximum = 0;
  for (const [name, field] of entries) {
    if (minimum !== maximum) throw new TypeError(`${name} follows a field of variable length`);
    minimum += field.minimum;
    maximum += field.maximum;
  }
  return {
    minimum,
    maximum,
    measure(value) {
      let length = 0;
      for (const [name, field] of entries)
        length += field.measure((value as Record<string, unknown>)[name]);
      return length;
    },
    read(octets, at, end) {
      const value: Record<string, unknown> = {};
      for (const [name, field] of entries) {
        const next = field.minimum === field.maximum ? at + field.minimum : end;
        const part = field.read(octets, at, next);
        if (part !== RESERVED && part !== undefined) value[name] = part;
        at = next;
      }
      return value as StructValue<F>;
    },
    write(octets, at, value, what) {
      for (const [name, field] of entries) {
        field.write(octets, at, (value as Record<string, unknown>)[name], `${what}.${name}`);
        at += field.minimum;
      }
    },
  };
}
