/** What the tests of this folder share: octets written as hexadecimal, and the three outcomes of a decoder. */
import assert from 'node:assert/strict';
import { isMalformed, type Malformed } from '../../src/wire/codec.ts';

/** The octets of hexadecimal digits; blanks and line ends are free, `'text'` stands for ASCII, `0*n` for n zero octets. */
export function hex(text: string): Uint8Array {
  const octets: number[] = [];
  for (const [part] of text.matchAll(/'[^']*'|0\*\d+|\S+/g)) {
    if (part.startsWith("'")) {
      for (const character of part.slice(1, -1)) octets.push(character.charCodeAt(0));
    } else if (part.startsWith('0*')) {
      octets.push(...new Uint8Array(Number(part.slice(2))));
    } else {
      assert.match(part, /^([0-9a-f]{2})+$/, `not octets: ${part}`);
      for (let i = 0; i < part.length; i += 2)
        octets.push(Number.parseInt(part.slice(i, i + 2), 16));
    }
  }
  return Uint8Array.from(octets);
}

/** The value, which must not be Malformed. */
export function ok<T>(value: T | Malformed): T {
  if (isMalformed(value)) assert.fail(`${value.error}: ${value.detail}`);
  return value;
}

/** Asserts that `value` is Malformed by `error`. */
export function bad(value: unknown, error: Malformed['error']): void {
  if (!isMalformed(value)) assert.fail(`not malformed: ${JSON.stringify(value)}`);
  assert.equal(value.error, error);
  assert.notEqual(value.detail, '');
}

/** `octets` with others around it, so that a reader that looks beyond its length or ignores `at` is found out. */
export function embed(octets: Uint8Array, at: number, filler: number): Uint8Array {
  const buffer = new Uint8Array(at + octets.length + 8).fill(filler);
  buffer.set(octets, at);
  return buffer;
}
