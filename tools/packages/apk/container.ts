/**
 * An ADB file (apk-tools, doc/apk-v3.5): "ADB." and the schema's name, then blocks, each padded to 8 octets: the data (one),
 * signatures, contents of files. Packages are deflated as a whole; "ADBd" is in front of them then.
 */
import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { alignedTo } from './adb.ts';

/** The u32 that follows "ADB.". */
export const schemaIds = { package: 'pckg', index: 'indx' } as const;
export type SchemaId = (typeof schemaIds)[keyof typeof schemaIds];

export interface Container {
  readonly schema: string;
  /** The data block's octets (adb.ts). */
  readonly data: Uint8Array;
  readonly signatures: readonly Uint8Array[];
  /** DATA blocks, as they are. */
  readonly contents: readonly Uint8Array[];
}

const BlockType = { Adb: 0, Signature: 1, Data: 2 } as const;
/** Length and type share 32 bits; longer blocks have a header of 16 octets. */
const LONGEST = 0x3fffffff;
const SIGNATURE_VERSION = 0;
const SHA512 = 4;
const KEY_ID_LENGTH = 16;
/** RFC 1952 §2.3, without a name. */
const GZIP_HEADER = 10;
const GZIP_TRAILER = 8;

export function writeContainer(
  schema: SchemaId,
  { data, signatures = [], contents = [] }: Partial<Container> & { readonly data: Uint8Array },
): Buffer {
  return Buffer.concat([
    Buffer.from(`ADB.${schema}`, 'latin1'),
    ...block(BlockType.Adb, data),
    ...signatures.flatMap((signature) => block(BlockType.Signature, signature)),
    ...contents.flatMap((content) => block(BlockType.Data, content)),
  ]);
}

function block(type: number, payload: Uint8Array): Uint8Array[] {
  const length = 4 + payload.length;
  if (length > LONGEST) throw new RangeError('a block of 1 GiB or more');
  const head = Buffer.alloc(4);
  head.writeUInt32LE(((type << 30) | length) >>> 0);
  return [head, payload, new Uint8Array(alignedTo(8, length) - length)];
}

/** @throws Error: it is no such file */
export function readContainer(file: Uint8Array): Container {
  const octets = expanded(Buffer.from(file.buffer, file.byteOffset, file.byteLength));
  const schema = octets.toString('latin1', 4, 8);
  const blocks: { type: number; payload: Buffer }[] = [];
  for (let at = 8; at < octets.length;) {
    const head = octets.readUInt32LE(at);
    const length = head & LONGEST;
    if (length < 4 || at + length > octets.length) throw new Error('a block goes beyond the file');
    blocks.push({ type: head >>> 30, payload: octets.subarray(at + 4, at + length) });
    at += alignedTo(8, length);
  }
  const of = (type: number) => blocks.flatMap((each) => (each.type === type ? [each.payload] : []));
  const [data] = of(BlockType.Adb);
  if (data === undefined || blocks[0]?.payload !== data) throw new Error('no data block in front');
  return { schema, data, signatures: of(BlockType.Signature), contents: of(BlockType.Data) };
}

/** By libdeflate: smaller than zlib makes it by 4 %, and the same whichever zlib Node has. */
export function deflated(container: Uint8Array): Buffer {
  const gzip = execFileSync('libdeflate-gzip', ['-12', '-c'], {
    input: container,
    maxBuffer: 2 ** 30,
  });
  return Buffer.concat([
    Buffer.from('ADBd', 'latin1'),
    gzip.subarray(GZIP_HEADER, gzip.length - GZIP_TRAILER),
  ]);
}

function expanded(file: Buffer): Buffer {
  const magic = file.toString('latin1', 0, 4);
  const octets = magic === 'ADBd' ? inflateRawSync(file.subarray(4)) : file;
  if (octets.toString('latin1', 0, 4) !== 'ADB.') throw new Error('no ADB file');
  return octets;
}

/** A signature block for this data. @param key the private key of an elliptic curve */
export function signature(schema: SchemaId, data: Uint8Array, key: KeyObject): Uint8Array {
  const head = Buffer.from([SIGNATURE_VERSION, SHA512, ...keyId(key)]);
  return Buffer.concat([head, sign('sha512', signedOctets(schema, head, data), key)]);
}

export function isSignedBy({ schema, data, signatures }: Container, key: KeyObject): boolean {
  const length = 2 + KEY_ID_LENGTH;
  return signatures.some((each) => {
    const head = each.subarray(0, length);
    if (!Buffer.from([SIGNATURE_VERSION, SHA512, ...keyId(key)]).equals(head)) return false;
    return verify('sha512', signedOctets(schema, head, data), key, each.subarray(length));
  });
}

function signedOctets(schema: string, head: Uint8Array, data: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from(schema, 'latin1'),
    head,
    createHash('sha512').update(data).digest(),
  ]);
}

/** The first octets of the hash of the public key's point, uncompressed (0x04, X, Y). */
function keyId(key: KeyObject): Buffer {
  const { x = '', y = '' } = (key.type === 'private' ? createPublicKey(key) : key).export({
    format: 'jwk',
  });
  const point = [Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
  const hash = createHash('sha512').update(Buffer.concat(point)).digest();
  return hash.subarray(0, KEY_ID_LENGTH);
}
