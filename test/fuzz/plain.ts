/** Inputs as text, for the corpus, and in smaller forms, for whoever has to understand them. */
import { fromHex, toHex } from '../../src/wire/octets.ts';
import type { Plain } from './harness.ts';
import { joined } from './random.ts';

export function toText(input: Plain): string {
  const text = JSON.stringify(
    input,
    (_, value: Plain) =>
      value instanceof Uint8Array ? { octets: toHex(value).toLowerCase() } : value,
    1,
  );
  return `${text}\n`;
}

export function fromText(text: string): Plain {
  return JSON.parse(text, (_, value: Plain) => {
    if (typeof value !== 'object' || value === null || !('octets' in value)) return value;
    const { octets, ...others } = value;
    if (typeof octets !== 'string' || Object.keys(others).length > 0) return value;
    const found = fromHex(octets);
    if (found === undefined) throw new Error(`octets '${octets}'`);
    return found;
  }) as Plain;
}

/** Forms of `input` with less in them, those with much less first. `kind` says which form a record has: it stays. */
export function* smaller(input: Plain): Generator<Plain> {
  if (typeof input === 'number') yield* smallerNumber(input);
  else if (typeof input === 'string')
    yield* shorter(input.length, (from, to) => input.slice(0, from) + input.slice(to));
  else if (input === true) yield false;
  else if (input instanceof Uint8Array) {
    yield* shorter(input.length, (from, to) => joined(input.subarray(0, from), input.subarray(to)));
    for (const [at, octet] of input.entries())
      if (octet !== 0) yield input.map((other, i) => (i === at ? 0 : other));
  } else if (isList(input)) {
    yield* shorter(input.length, (from, to) => [...input.slice(0, from), ...input.slice(to)]);
    for (const [at, member] of input.entries())
      for (const less of smaller(member)) yield input.with(at, less);
  } else if (typeof input === 'object' && input !== null) {
    for (const [name, value] of Object.entries(input))
      if (name !== 'kind') for (const less of smaller(value)) yield { ...input, [name]: less };
  }
}

/** Unlike Array.isArray, it keeps the type of the members. */
function isList(input: Plain): input is readonly Plain[] {
  return Array.isArray(input);
}

function* smallerNumber(input: number): Generator<number> {
  if (input === 0) return;
  yield 0;
  const half = Math.trunc(input / 2);
  if (half !== 0) yield half;
  if (Number.isInteger(input)) yield input - Math.sign(input);
}

/** Without a half, a quarter … a single member. */
function* shorter<T extends Plain>(
  length: number,
  without: (from: number, to: number) => T,
): Generator<T> {
  for (let size = length; size > 0; size = size >> 1)
    for (let from = 0; from + size <= length; from += size) yield without(from, from + size);
}
