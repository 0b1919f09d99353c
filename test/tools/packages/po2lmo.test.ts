import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePo, superFastHash } from '../../../tools/packages/po2lmo.ts';

/** Of each entry: key -> [number of plural forms, translation]. */
function decode(lmo: Buffer): Map<number, [number, string]> {
  const index = lmo.readUInt32BE(lmo.length - 4);
  const entries = new Map<number, [number, string]>();
  for (let at = index; at < lmo.length - 4; at += 16) {
    const offset = lmo.readUInt32BE(at + 8);
    const translation = lmo.subarray(offset, offset + lmo.readUInt32BE(at + 12)).toString();
    entries.set(lmo.readUInt32BE(at), [lmo.readUInt32BE(at + 4), translation]);
  }
  return entries;
}
const hash = (text: string) => superFastHash(Buffer.from(text));

/** What LuCI's po2lmo (25.12) makes of the catalogue in the first test. */
const OCTETS =
  '6e706c7572616c733d323b20706c7572616c3d286e20213d2031293b4b656e6e776f727442656e75747a6572' +
  '0000000000000000000000000000001c0723e0990000000100000024000000088f9289a4000000010000001c' +
  '000000080000002c';

const header =
  'msgid ""\nmsgstr ""\n"Language: de\\n"\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n';

test('the octets are those of LuCI’s own compiler', () => {
  const po = `${header}\nmsgid "Password"\nmsgstr "Kennwort"\n\nmsgid "User"\nmsgstr "Benutzer"\n`;
  assert.equal(compilePo(po).toString('hex'), OCTETS);
});

test('a key has the context and the number of the plural form in it', () => {
  const entries = decode(
    compilePo(
      'msgctxt "link"\nmsgid "Down"\nmsgstr "Getrennt"\n\n' +
        'msgid "%d session"\nmsgid_plural "%d sessions"\nmsgstr[0] "%d Sitzung"\nmsgstr[1] "%d Sitzungen"\n',
    ),
  );
  assert.deepEqual(entries.get(hash('link\u0001Down')), [1, 'Getrennt']);
  assert.deepEqual(entries.get(hash('%d session\u00020')), [2, '%d Sitzung']);
  assert.deepEqual(entries.get(hash('%d session\u00021')), [2, '%d Sitzungen']);
  assert.equal(entries.size, 3);
});

test('texts over several lines, quotes, backslashes, comments, letters outside ASCII', () => {
  const entries = decode(
    compilePo(
      '#: a.js:1\nmsgid ""\n"The server "\n"\\"%s\\" \\\\"\nmsgstr "Der Server „%s“ "\n"wählt"\n#~ msgid "gone"\n',
    ),
  );
  assert.deepEqual(entries.get(hash('The server "%s" \\')), [1, 'Der Server „%s“ wählt']);
});

test('the index is sorted by key, and what is not translated is not in it', () => {
  const messages = ['One', 'Two', 'Three', 'Four', 'Five'].map(
    (id) => `msgid "${id}"\nmsgstr "${id}!"\n`,
  );
  const lmo = compilePo(
    `${messages.join('\n')}\nmsgid "Six"\nmsgstr ""\n\nmsgid "Same"\nmsgstr "Same"\n`,
  );
  const keys = [...decode(lmo).keys()];
  assert.equal(keys.length, 5);
  assert.deepEqual(
    keys,
    keys.toSorted((a, b) => a - b),
  );
});

test('what is no catalogue is refused', () => {
  assert.throws(() => compilePo('msgid "a"\nmsgstr b\n'), /line 2 is no PO: msgstr b/);
  assert.throws(() => compilePo('"text"\n'), /line 1 belongs to no message/);
  assert.throws(() => compilePo('msgid "a"\nmsgstr ""\n'), /nothing is translated/);
});
