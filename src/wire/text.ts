/**
 * Text of a peer (names of CHAP and PAP, messages): the octets as they came and their reading.
 *
 * The RFCs name no character set. The octets are the truth (digests are made over them, answers repeat them); `text`
 * is UTF-8 where the octets are valid UTF-8, else ISO 8859-1, so that every name has exactly one reading.
 */
import { copyOctets, fromLatin1 } from './octets.ts';

export interface Text {
  readonly octets: Uint8Array;
  readonly text: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The text of octets off the wire; the octets are copied. */
export function textFromOctets(octets: Uint8Array): Text {
  const text = decoder.decode(octets);
  const own = copyOctets(octets);
  // Invalid sequences were replaced by U+FFFD, so they do not come back.
  return { octets: own, text: sameOctets(encoder.encode(text), own) ? text : fromLatin1(own) };
}

/** Our own text, sent as UTF-8. Throws RangeError for a lone surrogate, which UTF-8 cannot carry. */
export function textOf(text: string): Text {
  const octets = encoder.encode(text);
  if (decoder.decode(octets) !== text) throw new RangeError('text with a lone surrogate');
  return { octets, text };
}

/** Longest part of a peer's message that goes into a cause. */
const MAX_DETAIL = 80;

/** A peer's text as part of a log line; undefined where nothing is left of it. */
export function readable(text: string): string | undefined {
  const printable = text.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, ' ').trim();
  return printable === '' ? undefined : printable.slice(0, MAX_DETAIL);
}

function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}
