/**
 * The state document: what a program leaves to the next one in its place. A line that says what it is, then JSON in which octets
 * are characters. It is taken as a whole or not at all.
 */
import { sha1 } from '../../crypto/sha1.ts';
import { fromLatin1, toHex, toLatin1 } from '../../wire/octets.ts';
import type { Plain } from '../../wire/plain.ts';

/** Grows with every change of what is saved: a program takes no other. */
export const STATE_VERSION = 2;

const MAGIC = 'pptp-gateway-state';
/** The key of an object that stands for octets. */
const OCTETS = '~';

/** @param architecture of the CPU: the addon's descriptors are its own */
export function encodeDocument<T>(state: T & Plain<T>, architecture: string): Uint8Array {
  const text = JSON.stringify(written(state));
  const body = new TextEncoder().encode(text);
  const words = [MAGIC, STATE_VERSION, architecture, body.length, toHex(sha1(body))];
  const head = new TextEncoder().encode(`${words.join(' ')}\n`);
  const octets = new Uint8Array(head.length + body.length);
  octets.set(head);
  octets.set(body, head.length);
  return octets;
}

/** @returns what was encoded @throws Error it is damaged, or another program's: in words for the log */
export function decodeDocument(octets: Uint8Array, architecture: string): unknown {
  const end = octets.subarray(0, 256).indexOf(0x0a);
  const words = new TextDecoder().decode(octets.subarray(0, Math.max(end, 0))).split(' ');
  const [magic, version, made, length, digest] = words;
  if (magic !== MAGIC) throw new Error('it is no state document');
  if (version !== String(STATE_VERSION))
    throw new Error(`it has version ${version ?? '?'}, this program knows ${STATE_VERSION}`);
  if (made !== architecture)
    throw new Error(`it is of another architecture (${made ?? '?'}, here ${architecture})`);
  const body = octets.subarray(end + 1);
  if (String(body.length) !== length || toHex(sha1(body)) !== digest)
    throw new Error('it is damaged');
  return read(JSON.parse(new TextDecoder().decode(body)));
}

/** By walks of our own: what JSON offers for that costs ten times as much, and no packet moves meanwhile. */
function written(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return { [OCTETS]: fromLatin1(value) };
  if (Array.isArray(value)) return value.map(written);
  const copy: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(value)) copy[key] = written(entry);
  return copy;
}

/** In place. */
function read(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const entries = value as Record<string, unknown>;
  const text = entries[OCTETS];
  if (typeof text === 'string') return toLatin1(text);
  for (const key in entries) {
    const entry = entries[key];
    if (typeof entry === 'object') entries[key] = read(entry);
  }
  return value;
}
