/**
 * blob (libubox blob.h): attributes in attributes. Big-endian, each
 *
 *     u32  bit 31 EXTENDED, bits 24-30 id, bits 0-23 length with these four octets and without the padding
 *     payload, zero-padded to a multiple of four
 */
import { parseError, UbusError } from './status.ts';

/** ubusd closes the connection of a client whose root attribute is longer. */
export const MAX_BLOB = 1 << 20;
/** What ubus puts in front of the root attribute. */
export const HEADER = 8;
export const EXTENDED = 0x80;

const ATTRIBUTE_HEADER = 4;
const LENGTH_MASK = 0xffffff;

export interface Attribute {
  /** Without EXTENDED. */
  readonly id: number;
  /** A view of the octets it was found in. */
  readonly payload: Uint8Array;
}

/** Everything that `octets` holds. */
export function readAttributes(octets: Uint8Array): readonly Attribute[] | UbusError {
  const view = viewOf(octets);
  const found: Attribute[] = [];
  for (let at = 0; at < octets.length;) {
    const room = octets.length - at;
    if (room < ATTRIBUTE_HEADER) return parseError(`${room} octets are no attribute`);
    const head = view.getUint32(at);
    const length = head & LENGTH_MASK;
    if (length < ATTRIBUTE_HEADER) return parseError(`an attribute of length ${length}`);
    if (padded(length) > room)
      return parseError(`an attribute of ${length} octets where ${room} are left`);
    found.push({
      id: (head >>> 24) & 0x7f,
      payload: octets.subarray(at + ATTRIBUTE_HEADER, at + length),
    });
    at += padded(length);
  }
  return found;
}

/** Grows as it is written to; throws UbusError NO_MEMORY where it would be too long. */
export class BlobWriter {
  #octets = new Uint8Array(512);
  #view = viewOf(this.#octets);
  #length = 0;
  readonly #longest: number;

  constructor(longest: number) {
    this.#longest = longest;
  }

  /** An attribute around what `payload` writes. @param id with EXTENDED where it is a blobmsg */
  attribute(id: number, payload: () => void): void {
    const start = this.#length;
    this.#reserve(ATTRIBUTE_HEADER);
    payload();
    this.#view.setUint32(start, ((id << 24) | (this.#length - start)) >>> 0);
    this.pad();
  }

  u8(value: number): void {
    const at = this.#reserve(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#reserve(2);
    this.#view.setUint16(at, value);
  }

  /** Or a signed one: both are the same 32 bits. */
  u32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value);
  }

  i64(value: bigint): void {
    const at = this.#reserve(8);
    this.#view.setBigInt64(at, value);
  }

  f64(value: number): void {
    const at = this.#reserve(8);
    this.#view.setFloat64(at, value);
  }

  bytes(value: Uint8Array): void {
    const at = this.#reserve(value.length);
    this.#octets.set(value, at);
  }

  pad(): void {
    this.#reserve(padded(this.#length) - this.#length);
  }

  finish(): Uint8Array {
    return this.#octets.slice(0, this.#length);
  }

  /** @returns where the `count` octets are, zero so far. May replace octets and view. */
  #reserve(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#longest)
      throw new UbusError('NO_MEMORY', 'larger than a ubus message may be (1 MiB)');
    if (this.#length > this.#octets.length) {
      const grown = new Uint8Array(2 * this.#length);
      grown.set(this.#octets);
      this.#octets = grown;
      this.#view = viewOf(grown);
    }
    return at;
  }
}

export function padded(length: number): number {
  return (length + 3) & ~3;
}

export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** UTF-8 that ends with a NUL. What such text cannot carry (a NUL, half of a surrogate pair) travels as U+FFFD. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(`${text.replaceAll('\0', '\ufffd')}\0`);
}

/** Up to the first NUL, as every reader in C sees it. Octets that are no UTF-8 become U+FFFD. */
export function decodeText(payload: Uint8Array): string | UbusError {
  if (payload.at(-1) !== 0) return parseError('text that does not end with a NUL');
  return decoder.decode(payload.subarray(0, payload.indexOf(0)));
}
