/** The words were taken from pppd's own getword() (2.4.9), as was what it finds in whole files. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pppdWords } from '../../../src/daemon/import/pppd-words.ts';

const words = (text: string) => pppdWords(text).map((word) => word.text);

test('blanks, comments and quotes', () => {
  assert.deepEqual(words('a  b\tc\vd\fe\rf\n'), ['a', 'b', 'c', 'd', 'e', 'f']);
  assert.deepEqual(words('# all of it\na #b\nc#d e\n"#f"'), ['a', 'c', '#f']);
  assert.deepEqual(words(`"a b"'c d' 'it"s' "it's" ""`), ['a bc d', 'it"s', "it's"]);
  assert.deepEqual(words('"" a'), ['', 'a']);
  assert.deepEqual(words('"a\nb" c'), ['a\nb', 'c']);
  assert.deepEqual(words('a "b c'), ['a', 'b c']);
});

test("escapes as C's, in quotes of both kinds", () => {
  assert.deepEqual(words(String.raw`\a\b\f\n\r\s\t\q\\ \  x`), ['\x07\b\f\n\r \tq\\', ' ', 'x']);
  assert.deepEqual(words(String.raw`\101\1012\18\400\377 \x41\x4g\x414`), ['AA2\x018', 'A\x04gA4']);
  assert.deepEqual(words(String.raw`'a\'b' 'a\sb' "\"" \#a`), ["a'b", 'a b', '"', '#a']);
  assert.deepEqual(words('a\\\nb \\\n c\\'), ['ab', 'c']);
});

test('a NUL ends what C sees of a word, and 1023 octets are its most', () => {
  assert.deepEqual(words(String.raw`ab\0cd \xz \x00`), ['ab', '', '']);
  assert.deepEqual(words(`${'x'.repeat(2000)} y`), ['x'.repeat(1023), 'y']);
});

test('which words begin a line', () => {
  const first = (text: string) =>
    pppdWords(text).flatMap(({ first, text: word, line }) => (first ? [[word, line]] : []));
  assert.deepEqual(first('a b\n c d\n#x\n\ne\\\n f\n"g\n" h\ni'), [
    ['a', 1],
    ['c', 2],
    ['e', 5],
    ['g\n', 7],
    ['i', 9],
  ]);
});

test('no text makes it fail', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      for (const word of pppdWords(text)) assert.ok(!word.text.includes('\0'));
    }),
  );
});
