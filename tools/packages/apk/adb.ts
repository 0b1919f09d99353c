/**
 * The data block of apk's database format, ADB (apk-tools, doc/apk-v3.5): values of a schema <-> octets.
 *
 * A value is a u32: its type in the upper 4 bits, and below either the number itself or where in the block it stands. A
 * record has its fields in numbered slots, a list its members; what is empty or not given is null. All is little-endian.
 */

/** What a value is. A record's fields are in the order of their slots, from 1. */
export type Schema =
  | 'text'
  | 'octets'
  | 'integer'
  | { readonly list: Schema }
  | { readonly fields: Readonly<Record<string, Schema>> };

export type Value<S extends Schema> = S extends 'text'
  ? string
  : S extends 'octets'
    ? Uint8Array
    : S extends 'integer'
      ? number
      : S extends { readonly list: infer M extends Schema }
        ? readonly Value<M>[]
        : S extends { readonly fields: infer F extends Readonly<Record<string, Schema>> }
          ? { readonly [K in keyof F]?: Value<F[K]> | undefined }
          : never;

export const list = <const M extends Schema>(member: M) => ({ list: member });
export const record = <const F extends Readonly<Record<string, Schema>>>(fields: F) => ({ fields });

/** Version and a reserved field (u8, u8, u16), then the root value. */
const ROOT = 4;
const HEADER = 8;
const NULL = 0;
const SMALL = 2 ** 28;
const Type = {
  Small: 1,
  Int32: 2,
  Int64: 3,
  Blob8: 8,
  Blob16: 9,
  Blob32: 10,
  List: 13,
  Record: 14,
};

/** @throws RangeError: more than the format holds (2^28 octets) */
export function encode<S extends Schema>(schema: S, value: Value<S>): Uint8Array {
  const block = new Block();
  return block.finish(block.write(schema, value));
}

class Block {
  #octets = Buffer.alloc(4096);
  #length = HEADER;
  /** Equal data is written once. */
  readonly #written = new Map<string, number>();

  finish(root: number): Uint8Array {
    this.#octets.writeUInt32LE(root, ROOT);
    return this.#octets.subarray(0, this.#length);
  }

  write(schema: Schema, value: unknown): number {
    if (schema === 'text') return this.#blob(Buffer.from(value as string, 'utf8'));
    if (schema === 'octets') return this.#blob(value as Uint8Array);
    if (schema === 'integer') return this.#integer(value as number);
    if ('list' in schema)
      return this.#slots(
        (value as readonly unknown[]).map((each) => this.write(schema.list, each)),
      );
    const given = value as Readonly<Record<string, unknown>>;
    return this.#slots(
      Object.entries(schema.fields).map(([name, field]) =>
        given[name] === undefined ? NULL : this.write(field, given[name]),
      ),
    );
  }

  #blob(octets: Uint8Array): number {
    const { length } = octets;
    if (length === 0) return NULL;
    const width = length < 2 ** 8 ? 1 : length < 2 ** 16 ? 2 : 4;
    const type = { 1: Type.Blob8, 2: Type.Blob16, 4: Type.Blob32 }[width];
    const datum = Buffer.alloc(width + length);
    datum.writeUIntLE(length, 0, width);
    datum.set(octets, width);
    return this.#put(type, datum, width);
  }

  #integer(value: number): number {
    if (value < SMALL) return typed(Type.Small, value);
    const datum = Buffer.alloc(value < 2 ** 32 ? 4 : 8);
    if (datum.length === 4) datum.writeUInt32LE(value);
    else datum.writeBigUInt64LE(BigInt(value));
    return this.#put(datum.length === 4 ? Type.Int32 : Type.Int64, datum, 4);
  }

  /** Lists, too, are written as records: apk does so. */
  #slots(values: readonly number[]): number {
    const last = values.findLastIndex((value) => value !== NULL);
    if (last === -1) return NULL;
    const datum = Buffer.alloc(4 * (last + 2));
    datum.writeUInt32LE(last + 2); // itself included
    for (let i = 0; i <= last; i++) datum.writeUInt32LE(values[i]!, 4 * (i + 1));
    return this.#put(Type.Record, datum, 4);
  }

  #put(type: number, datum: Buffer, alignment: number): number {
    const key = `${type} ${datum.toString('latin1')}`;
    const before = this.#written.get(key);
    if (before !== undefined) return before;
    const at = alignedTo(alignment, this.#length);
    const end = at + datum.length;
    if (end > SMALL) throw new RangeError('too much for a block');
    if (end > this.#octets.length) {
      const larger = Buffer.alloc(2 * end);
      larger.set(this.#octets.subarray(0, this.#length));
      this.#octets = larger;
    }
    this.#octets.set(datum, at);
    this.#length = end;
    const value = typed(type, at);
    this.#written.set(key, value);
    return value;
  }
}

function typed(type: number, rest: number): number {
  return ((type << 28) | rest) >>> 0;
}

export function alignedTo(alignment: number, at: number): number {
  return Math.ceil(at / alignment) * alignment;
}

/** @throws Error or RangeError: it is no block of this schema */
export function decode<S extends Schema>(schema: S, octets: Uint8Array): Value<S> {
  const view = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  return read(view, schema, view.readUInt32LE(ROOT)) as Value<S>;
}

function read(block: Buffer, schema: Schema, value: number): unknown {
  if (schema === 'text') return blobAt(block, value).toString('utf8');
  if (schema === 'octets') return blobAt(block, value);
  if (schema === 'integer') return integerAt(block, value);
  const slots = slotsAt(block, value);
  if ('list' in schema) return slots.map((slot) => read(block, schema.list, slot));
  const fields = Object.entries(schema.fields);
  if (slots.length > fields.length) throw new Error('a record has more fields than its schema');
  return Object.fromEntries(
    slots.flatMap((slot, i) => {
      const [name, field] = fields[i]!;
      return slot === NULL ? [] : [[name, read(block, field, slot)]];
    }),
  );
}

function split(value: number): { type: number; rest: number } {
  return { type: value >>> 28, rest: value & (SMALL - 1) };
}

function blobAt(block: Buffer, value: number): Buffer {
  if (value === NULL) return Buffer.alloc(0);
  const { type, rest } = split(value);
  const width = { [Type.Blob8]: 1, [Type.Blob16]: 2, [Type.Blob32]: 4 }[type];
  if (width === undefined) throw new Error(`a blob is of type ${type}`);
  const length = block.readUIntLE(rest, width);
  if (rest + width + length > block.length) throw new RangeError('a blob goes beyond its block');
  return block.subarray(rest + width, rest + width + length);
}

function integerAt(block: Buffer, value: number): number {
  const { type, rest } = split(value);
  if (value === NULL) return 0;
  if (type === Type.Small) return rest;
  if (type === Type.Int32) return block.readUInt32LE(rest);
  if (type === Type.Int64) return Number(block.readBigUInt64LE(rest));
  throw new Error(`a number is of type ${type}`);
}

function slotsAt(block: Buffer, value: number): number[] {
  if (value === NULL) return [];
  const { type, rest } = split(value);
  if (type !== Type.List && type !== Type.Record) throw new Error(`a record is of type ${type}`);
  const count = block.readUInt32LE(rest) - 1;
  if (rest + 4 * count > block.length) throw new RangeError('a record goes beyond its block');
  return Array.from({ length: count }, (_, i) => block.readUInt32LE(rest + 4 * (i + 1)));
}
