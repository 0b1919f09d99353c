/**
 * blobmsg (libubox blobmsg.h): named and typed attributes, as JSON-like values. An attribute's id is its type; its
 * payload is
 *
 *     u16 length of the name, name, NUL, zero-padded to a multiple of four; then the value
 *
 * A member of an array has an empty name.
 */
import {
  BlobWriter,
  decodeText,
  encodeText,
  EXTENDED,
  MAX_BLOB,
  padded,
  readAttributes,
  viewOf,
} from './blob.ts';
import { parseError, UbusError } from './status.ts';

/**
 * Integers travel as INT32, or as INT64 where they do not fit, other numbers as DOUBLE. Received integers that a number
 * cannot hold exactly are bigint.
 */
export type Value =
  null | boolean | number | bigint | string | readonly Value[] | { readonly [name: string]: Value };
export type Table = { readonly [name: string]: Value };

/** A type's place in the list is its number on the wire. */
export const typeNames = [
  'unspec',
  'array',
  'table',
  'string',
  'int64',
  'int32',
  'int16',
  'bool',
  'double',
] as const;
export type TypeName = (typeof typeNames)[number];

/** Tables and arrays within one another: as deep as json-c reads. */
export const MAX_DEPTH = 32;

const NAME_LENGTH = 2;
/** What an answer has room for besides OBJID, so that whoever makes a table too large hears of it. */
const MAX_TABLE = MAX_BLOB - 16;

/** The members of `table`, without a table around them, as DATA carries them. @throws {UbusError} NO_MEMORY, INVALID_ARGUMENT */
export function encodeTable(table: Table): Uint8Array {
  const writer = new BlobWriter(MAX_TABLE);
  writeMembers(writer, table, 1);
  return writer.finish();
}

export function decodeTable(octets: Uint8Array): Table | UbusError {
  return readTable(octets, 1);
}

function writeMembers(writer: BlobWriter, table: Table, depth: number): void {
  for (const [name, value] of Object.entries(table)) writeValue(writer, name, value, depth);
}

function writeValue(writer: BlobWriter, name: string, value: Value, depth: number): void {
  const type = typeOf(value, name);
  writer.attribute(EXTENDED | typeNames.indexOf(type), () => {
    writeName(writer, name);
    writePayload(writer, name, value, type, depth);
  });
}

function writeName(writer: BlobWriter, name: string): void {
  const octets = encodeText(name);
  if (octets.length - 1 > 0xffff) throw new UbusError('INVALID_ARGUMENT', 'a name is too long');
  writer.u16(octets.length - 1);
  writer.bytes(octets);
  writer.pad();
}

/** The type that `value` travels as. */
function typeOf(value: Value, name: string): TypeName {
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'number':
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) return 'double';
      return value === (value | 0) ? 'int32' : 'int64';
    case 'bigint':
      return 'int64';
    case 'string':
      return 'string';
    case 'object':
      if (value === null) return 'unspec';
      return Array.isArray(value) ? 'array' : 'table';
    case 'undefined':
    case 'function':
    case 'symbol': // a hole in the types of whoever calls
      throw new UbusError('INVALID_ARGUMENT', `${name}: ubus has no ${typeof value}`);
  }
}

function writePayload(
  writer: BlobWriter,
  name: string,
  value: Value,
  type: TypeName,
  depth: number,
): void {
  switch (type) {
    case 'unspec':
      return;
    case 'bool':
      writer.u8(value === true ? 1 : 0);
      return;
    case 'int32':
      writer.u32(value as number);
      return;
    case 'int64': {
      const integer = BigInt(value as number | bigint);
      if (BigInt.asIntN(64, integer) !== integer)
        throw new UbusError('INVALID_ARGUMENT', `${name}: ${integer} has more than 64 bits`);
      writer.i64(integer);
      return;
    }
    case 'double':
      writer.f64(value as number);
      return;
    case 'string':
      writer.bytes(encodeText(value as string));
      return;
    case 'array':
    case 'table':
      if (depth >= MAX_DEPTH)
        throw new UbusError('INVALID_ARGUMENT', `nested deeper than ${MAX_DEPTH}`);
      if (type === 'table') writeMembers(writer, value as Table, depth + 1);
      else
        for (const member of value as readonly Value[]) writeValue(writer, '', member, depth + 1);
      return;
    case 'int16':
      return; // never chosen by typeOf
  }
}

function readTable(octets: Uint8Array, depth: number): Table | UbusError {
  const members = readMembers(octets, depth);
  // fromEntries defines properties, so that the name __proto__ is a name like any other.
  return members instanceof UbusError ? members : Object.fromEntries(members);
}

function readMembers(octets: Uint8Array, depth: number): [name: string, Value][] | UbusError {
  if (depth > MAX_DEPTH) return parseError(`nested deeper than ${MAX_DEPTH}`);
  const attributes = readAttributes(octets);
  if (attributes instanceof UbusError) return attributes;
  const members: [string, Value][] = [];
  for (const { id, payload } of attributes) {
    if (payload.length < NAME_LENGTH + 1) return parseError('a member without room for its name');
    const end = NAME_LENGTH + viewOf(payload).getUint16(0);
    if (padded(end + 1) > payload.length)
      return parseError('a name that does not end within its member');
    const name = decodeText(payload.subarray(NAME_LENGTH, end + 1));
    if (name instanceof UbusError) return name;
    const value = readValue(typeNames[id], payload.subarray(padded(end + 1)), depth);
    if (value instanceof UbusError) return parseError(`${name}: ${value.message}`);
    members.push([name, value]);
  }
  return members;
}

/** Octets of the types that have a fixed length. */
const lengths: Partial<Record<TypeName, number>> = {
  bool: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  double: 8,
};

function readValue(
  type: TypeName | undefined,
  octets: Uint8Array,
  depth: number,
): Value | UbusError {
  if (type === undefined) return parseError('a value of unknown type');
  const length = lengths[type];
  if (length !== undefined && octets.length !== length)
    return parseError(`${octets.length} octets are no ${type}`);
  const view = viewOf(octets);
  switch (type) {
    case 'unspec':
      return null;
    case 'bool':
      return view.getInt8(0) !== 0;
    case 'int16':
      return view.getInt16(0);
    case 'int32':
      return view.getInt32(0);
    case 'int64': {
      const integer = view.getBigInt64(0);
      const number = Number(integer);
      return Number.isSafeInteger(number) ? number : integer;
    }
    case 'double':
      return view.getFloat64(0);
    case 'string':
      return decodeText(octets);
    case 'table':
      return readTable(octets, depth + 1);
    case 'array': {
      const members = readMembers(octets, depth + 1);
      return members instanceof UbusError ? members : members.map(([, value]) => value);
    }
  }
}
