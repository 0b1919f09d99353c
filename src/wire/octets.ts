/**
 * Octets: big-endian integers, copies, hexadecimal and text. Network byte order is the order of every format here.
 *
 * The integer readers and writers are for the hot path: they check nothing, the caller has checked the length once.
 */

export function readU16(octets: Uint8Array, at: number): number {
  return (octets[at]! << 8) | octets[at + 1]!;
}

export function readU32(octets: Uint8Array, at: number): number {
  return (
    ((octets[at]! << 24) | (octets[at + 1]! << 16) | (octets[at + 2]! << 8) | octets[at + 3]!) >>> 0
  );
}

/** Writes the low 16 bits of `value`. */
export function writeU16(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >>> 8;
  octets[at + 1] = value;
}

/** Writes the low 32 bits of `value`. */
export function writeU32(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >>> 24;
  octets[at + 1] = value >>> 16;
  octets[at + 2] = value >>> 8;
  octets[at + 3] = value;
}

/**
 * A copy of octets[from..to), always a plain Uint8Array: `slice` of Node's Buffer, which is a Uint8Array too, would be
 * a view of memory that its owner uses again.
 */
export function copyOctets(octets: Uint8Array, from = 0, to = octets.length): Uint8Array {
  return new Uint8Array(octets.subarray(from, to));
}

const HEX = Array.from({ length: 256 }, (_, octet) =>
  octet.toString(16).padStart(2, '0').toUpperCase(),
);

/** Upper-case hexadecimal, as MS-CHAP messages have it (RFC 2759 §5). */
export function toHex(octets: Uint8Array): string {
  let hex = '';
  for (const octet of octets) hex += HEX[octet]!;
  return hex;
}

/** The octets of hexadecimal digits in either case; undefined if `hex` is anything else. */
export function fromHex(hex: string): Uint8Array | undefined {
  if (hex.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(hex)) return undefined;
  const octets = new Uint8Array(hex.length / 2);
  for (let i = 0; i < octets.length; i++)
    octets[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return octets;
}

/** One character per octet (ISO 8859-1): no octets are invalid. */
export function fromLatin1(octets: Uint8Array): string {
  let text = '';
  for (const octet of octets) text += String.fromCharCode(octet);
  return text;
}

/** Throws RangeError for a character above U+00FF. */
export function toLatin1(text: string): Uint8Array {
  const octets = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) throw new RangeError(`character ${code.toString(16)} is not in ISO 8859-1`);
    octets[i] = code;
  }
  return octets;
}
