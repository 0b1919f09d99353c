/**
 * What a method's arguments are. ubusd passes signatures on (`ubus -v list`) and never checks a call against them: whoever
 * serves the object does, here.
 */
import {
  decodeTable,
  encodeTable,
  typeNames,
  type Table,
  type TypeName,
  type Value,
} from './blobmsg.ts';
import { UbusError } from './status.ts';

/** A question mark: the argument may be left out. (Signatures on the wire do not say so.) */
export type ArgumentType = TypeName | `${TypeName}?`;
export type ArgumentTypes = Readonly<Record<string, ArgumentType>>;
/** Methods and their arguments. */
export type Signature = Readonly<Record<string, Readonly<Record<string, TypeName>>>>;

interface TypeOf {
  unspec: Value;
  array: readonly Value[];
  table: Table;
  string: string;
  int64: number | bigint;
  int32: number;
  int16: number;
  bool: boolean;
  double: number;
}
type Required<A> = { [K in keyof A]: A[K] extends TypeName ? K : never }[keyof A];
type Optional<A> = { [K in keyof A]: A[K] extends TypeName ? never : K }[keyof A];
type Named<T> = T extends TypeName
  ? TypeOf[T]
  : T extends `${infer N extends TypeName}?`
    ? TypeOf[N]
    : never;
/** The values that arguments of these types have. */
export type ArgumentsOf<A extends ArgumentTypes> = { readonly [K in Required<A>]: Named<A[K]> } & {
  readonly [K in Optional<A>]?: Named<A[K]>;
};

/** rpcd and uhttpd add it to every call that comes from a browser. */
const SESSION = 'ubus_rpc_session';

const accepts: Readonly<Record<TypeName, (value: Value) => boolean>> = {
  unspec: () => true,
  array: Array.isArray,
  table: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  string: (value) => typeof value === 'string',
  int64: (value) => Number.isSafeInteger(value) || typeof value === 'bigint',
  int32: (value) => typeof value === 'number' && value === (value | 0),
  int16: (value) => typeof value === 'number' && value === (value << 16) >> 16,
  bool: (value) => typeof value === 'boolean',
  double: (value) => typeof value === 'number',
};

/** @throws {UbusError} INVALID_ARGUMENT, saying which and what was expected */
export function checkArguments(types: ArgumentTypes, args: Table): void {
  for (const [name, type] of Object.entries(types)) {
    const optional = type.endsWith('?');
    const value = Object.hasOwn(args, name) ? args[name] : undefined;
    if (value === undefined ? !optional : !accepts[nameOf(type)](value))
      throw new UbusError('INVALID_ARGUMENT', `expected ${name} (${nameOf(type)})`);
  }
  for (const name of Object.keys(args))
    if (!Object.hasOwn(types, name) && name !== SESSION)
      throw new UbusError(
        'INVALID_ARGUMENT',
        `unknown argument '${name}'; there are: ${Object.keys(types).join(', ') || 'none'}`,
      );
}

/** As ADD_OBJECT carries it: one table per method, one INT32 per argument. */
export function encodeSignature(methods: Readonly<Record<string, ArgumentTypes>>): Uint8Array {
  return encodeTable(
    mapValues(methods, (types) => mapValues(types, (type) => typeNames.indexOf(nameOf(type)))),
  );
}

export function decodeSignature(octets: Uint8Array): Signature | UbusError {
  const methods = decodeTable(octets);
  if (methods instanceof UbusError) return methods;
  return mapValues(methods, (types) =>
    typeof types === 'object' && types !== null
      ? mapValues(types as Table, (type) => typeNames[Number(type)] ?? 'unspec')
      : {},
  );
}

function nameOf(type: ArgumentType): TypeName {
  return (type.endsWith('?') ? type.slice(0, -1) : type) as TypeName;
}

function mapValues<T, U>(
  record: Readonly<Record<string, T>>,
  map: (value: T) => U,
): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}
