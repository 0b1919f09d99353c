/**
 * Configuration options: RFC 1661 §6. RawOption is the octets; an OptionTable gives each known option its typed value
 * from one declaration. Decoding and encoding again gives the same octets, as a Configure-Ack or -Reject needs it.
 */
import {
  decode,
  encode,
  isMalformed,
  malformed,
  type Codec,
  type Malformed,
  type Value,
} from './codec.ts';
import { copyOctets } from './octets.ts';

export interface RawOption {
  readonly type: number;
  /** Without type and length: 0..253 octets. */
  readonly data: Uint8Array;
}

/** An option that we do not know, or (malformed) know but whose length is wrong: to be rejected as it came. */
export interface UnknownOption {
  readonly name: 'unknown';
  readonly type: number;
  readonly data: Uint8Array;
  readonly malformed?: true;
}

/** Splits the data of a Configure packet. Options that run over its end make the whole of it malformed. */
export function decodeOptions(data: Uint8Array): RawOption[] | Malformed {
  const options: RawOption[] = [];
  for (let at = 0; at < data.length;) {
    if (data.length - at < 2) return malformed('too-short', 'option: 1 octet left');
    const type = data[at]!;
    const length = data[at + 1]!;
    if (length < 2) return malformed('bad-value', `option ${type}: length ${length}`);
    if (at + length > data.length)
      return malformed('too-short', `option ${type}: length ${length}, ${data.length - at} left`);
    options.push({ type, data: copyOctets(data, at + 2, at + length) });
    at += length;
  }
  return options;
}

/** Throws RangeError for a type that is no octet or data of more than 253 octets. */
export function encodeOptions(options: readonly RawOption[]): Uint8Array {
  let length = 0;
  for (const { type, data } of options) {
    if (!Number.isInteger(type) || type < 0 || type > 0xff || data.length > 253)
      throw new RangeError(`option ${type}: ${data.length} octets`);
    length += 2 + data.length;
  }
  const octets = new Uint8Array(length);
  let at = 0;
  for (const { type, data } of options) {
    octets[at] = type;
    octets[at + 1] = 2 + data.length;
    octets.set(data, at + 2);
    at += 2 + data.length;
  }
  return octets;
}

type Declarations = Readonly<
  Record<string, { readonly type: number; readonly body: Codec<object> }>
>;
type Flat<T> = { readonly [K in keyof T]: T[K] };

/** One arm per declared option, told apart by `name`, and UnknownOption. */
type OptionOf<D extends Declarations> =
  { [N in keyof D]: Flat<{ readonly name: N } & Value<D[N]['body']>> }[keyof D] | UnknownOption;

/** Typed options of one protocol, both ways. */
export interface OptionTable<O> {
  /** The options in the data of a Configure packet, in their order. */
  decode(data: Uint8Array): O[] | Malformed;
  /** Throws RangeError for a value that its option cannot carry. */
  encode(options: readonly O[]): Uint8Array;
  /** Never fails: what is not understood is 'unknown'. */
  fromRaw(raw: RawOption): O;
  toRaw(option: O): RawOption;
}

/** The options that a table decodes to. */
export type OptionIn<T> = T extends OptionTable<infer O> ? O : never;

export function optionTable<const D extends Declarations>(
  declarations: D,
): OptionTable<OptionOf<D>> {
  type O = OptionOf<D>;
  const byType = new Map(
    Object.entries(declarations).map(([name, { type, body }]) => [type, { name, body }]),
  );

  const fromRaw = ({ type, data }: RawOption): O => {
    const known = byType.get(type);
    if (known === undefined) return { name: 'unknown', type, data };
    const body = decode(known.body, data, known.name);
    if (isMalformed(body)) return { name: 'unknown', type, data, malformed: true };
    return { name: known.name, ...body } as O;
  };

  const toRaw = (option: O): RawOption => {
    if (isUnknown(option)) return { type: option.type, data: option.data };
    const name = option.name as string;
    const { type, body } = declarations[name]!;
    return { type, data: encode(body, option, name) };
  };

  return {
    decode(data) {
      const raw = decodeOptions(data);
      return isMalformed(raw) ? raw : raw.map(fromRaw);
    },
    encode: (options) => encodeOptions(options.map(toRaw)),
    fromRaw,
    toRaw,
  };
}

function isUnknown(option: { readonly name: unknown }): option is UnknownOption {
  return option.name === 'unknown';
}
