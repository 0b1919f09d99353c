/**
 * A message (ubusmsg.h): a header, and attributes in a root attribute.
 *
 *     u8 version 0 | u8 type | u16 seq | u32 peer | root attribute
 */
import {
  BlobWriter,
  decodeText,
  encodeText,
  HEADER,
  MAX_BLOB,
  readAttributes,
  viewOf,
  type Attribute,
} from './blob.ts';
import { parseError, UbusError } from './status.ts';

/** A type's place in the list is its number on the wire. */
const types = [
  'HELLO',
  'STATUS',
  'DATA',
  'PING',
  'LOOKUP',
  'INVOKE',
  'ADD_OBJECT',
  'REMOVE_OBJECT',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'NOTIFY',
  'MONITOR',
] as const;
export type MessageType = (typeof types)[number];

/** Objects of ubusd itself. */
export const SystemObject = { Event: 1, Acl: 2, Monitor: 3 } as const;

/** How an attribute's payload is read and written. */
interface Codec<T> {
  read(payload: Uint8Array): T | UbusError;
  write(writer: BlobWriter, value: T): void;
}

const u32: Codec<number> = {
  read: (payload) =>
    payload.length === 4 ? viewOf(payload).getUint32(0) : parseError('expected 32 bits'),
  write: (writer, value) => writer.u32(value),
};
const flag: Codec<boolean> = {
  read: (payload) => (payload.length === 1 ? payload[0] !== 0 : parseError('expected 8 bits')),
  write: (writer, value) => writer.u8(value ? 1 : 0),
};
const text: Codec<string> = {
  read: decodeText,
  write: (writer, value) => writer.bytes(encodeText(value)),
};
/** Attributes that whoever needs them decodes. */
const nested: Codec<Uint8Array> = {
  read: (payload) => payload,
  write: (writer, value) => writer.bytes(value),
};
const ids: Codec<readonly number[]> = {
  read(payload) {
    const found = readAttributes(payload);
    if (found instanceof UbusError) return found;
    const values = found.map((attribute) => u32.read(attribute.payload));
    return values.find((value) => value instanceof UbusError) ?? (values as number[]);
  },
  write(writer, values) {
    for (const value of values) writer.attribute(0, () => u32.write(writer, value));
  },
};

const attributes = {
  status: { id: 1, codec: u32 },
  objpath: { id: 2, codec: text },
  objid: { id: 3, codec: u32 },
  method: { id: 4, codec: text },
  objtype: { id: 5, codec: u32 },
  /** A blobmsg: see signature.ts. */
  signature: { id: 6, codec: nested },
  /** A blobmsg: see blobmsg.ts. */
  data: { id: 7, codec: nested },
  target: { id: 8, codec: u32 },
  active: { id: 9, codec: flag },
  noReply: { id: 10, codec: flag },
  subscribers: { id: 11, codec: ids },
  user: { id: 12, codec: text },
  group: { id: 13, codec: text },
} as const;

/** MONITOR has attributes of its own: a message that passed ubusd, seen by a monitor. */
const monitorAttributes = {
  client: { id: 0, codec: u32 },
  monitorPeer: { id: 1, codec: u32 },
  /** To the client. */
  send: { id: 2, codec: flag },
  monitorSeq: { id: 3, codec: u32 },
  monitorType: { id: 4, codec: u32 },
  monitorData: { id: 5, codec: nested },
} as const;

interface AnyCodec {
  read(payload: Uint8Array): unknown;
  write(writer: BlobWriter, value: never): void;
}
type Declarations = Readonly<Record<string, { id: number; codec: AnyCodec }>>;
type ValuesOf<D> = {
  readonly [K in keyof D]?: D[K] extends { codec: Codec<infer T> } ? T : never;
};
/** They are written in the order in which they are given. */
export type Attributes = ValuesOf<typeof attributes>;
type MonitorAttributes = ValuesOf<typeof monitorAttributes>;

export interface Message {
  readonly type: MessageType;
  readonly seq: number;
  readonly peer: number;
  readonly attributes: Attributes & MonitorAttributes;
}

/** The rest of the stream is sound: whoever sent it can be told so. */
export class MalformedMessage extends UbusError {
  readonly seq: number;
  readonly peer: number;

  constructor(seq: number, peer: number, error: UbusError) {
    super(error.status, error.message);
    this.seq = seq;
    this.peer = peer;
  }
}

/** @throws {UbusError} NO_MEMORY: longer than a message may be */
export function encodeMessage(message: Message): Uint8Array {
  const writer = new BlobWriter(HEADER + MAX_BLOB);
  writer.u8(0);
  writer.u8(types.indexOf(message.type));
  writer.u16(message.seq);
  writer.u32(message.peer);
  writer.attribute(0, () => writeAttributes(writer, message));
  return writer.finish();
}

function writeAttributes(writer: BlobWriter, { type, attributes: values }: Message): void {
  const declared = declarations(type);
  for (const [name, value] of Object.entries(values)) {
    const { id, codec } = declared[name]!;
    writer.attribute(id, () => codec.write(writer, value as never));
  }
}

/** @param octets a whole message, as Framer gives it */
export function decodeMessage(octets: Uint8Array): Message | MalformedMessage {
  const view = viewOf(octets);
  const type = types[view.getUint8(1)];
  const seq = view.getUint16(2);
  const peer = view.getUint32(4);
  if (type === undefined)
    return new MalformedMessage(seq, peer, new UbusError('INVALID_COMMAND', 'unknown type'));
  const found = decodeAttributes(octets.subarray(HEADER + 4), declarations(type));
  if (found instanceof UbusError) return new MalformedMessage(seq, peer, found);
  return { type, seq, peer, attributes: found };
}

/** What a monitor is told of a message that a client has sent or is sent. */
export function encodeMonitored(
  client: number,
  direction: 'from' | 'to',
  message: Message,
  seq: number,
): Message {
  const writer = new BlobWriter(MAX_BLOB);
  writeAttributes(writer, message);
  const attributes = {
    client,
    monitorPeer: message.peer,
    monitorSeq: message.seq,
    monitorType: types.indexOf(message.type),
    send: direction === 'to',
    monitorData: writer.finish(),
  };
  return { type: 'MONITOR', seq, peer: 0, attributes };
}

/** A message that a monitor saw: its attributes are in a DATA attribute, its header in numbers. */
export function decodeMonitored({ attributes: seen }: Message): Message | UbusError {
  const { monitorType = -1, monitorSeq = 0, monitorPeer = 0, monitorData } = seen;
  const type = types[monitorType];
  if (type === undefined || monitorData === undefined) return parseError('unknown type');
  const found = decodeAttributes(monitorData, declarations(type));
  if (found instanceof UbusError) return found;
  return { type, seq: monitorSeq, peer: monitorPeer, attributes: found };
}

function declarations(type: MessageType): Declarations {
  return type === 'MONITOR' ? monitorAttributes : attributes;
}

function decodeAttributes(octets: Uint8Array, declared: Declarations): Attributes | UbusError {
  const found = readAttributes(octets);
  if (found instanceof UbusError) return found;
  const values: Record<string, unknown> = {};
  for (const attribute of found) {
    const value = decodeAttribute(attribute, declared);
    if (value instanceof UbusError) return value;
    if (value !== undefined) values[value.name] = value.value;
  }
  return values;
}

/** undefined: from a later version of the protocol. */
function decodeAttribute({ id, payload }: Attribute, declared: Declarations) {
  for (const name in declared) {
    if (declared[name]!.id !== id) continue;
    const value = declared[name]!.codec.read(payload);
    return value instanceof UbusError ? parseError(`${name}: ${value.message}`) : { name, value };
  }
  return undefined;
}
