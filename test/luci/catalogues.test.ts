/** Template and catalogues are current and complete. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  languages,
  parsed,
  template,
  templatePath,
  texts,
  translation,
  translationPath,
} from '../../tools/luci/catalogues.ts';
import { packages } from '../../tools/luci/sources.ts';

const howTo = 'run: node --import tsx tools/luci/catalogues.ts --write';
const placeholders = (text: string) => (text.match(/%[0-9.]*[a-z]/g) ?? []).sort();

for (const name of packages)
  describe(name, () => {
    test('the template is what stands in the sources', () => {
      assert.equal(readFileSync(templatePath(name), 'utf8'), template(name), howTo);
    });

    for (const language of languages)
      test(`${language}: current, complete, with the placeholders of the text`, () => {
        const catalogue = readFileSync(translationPath(name, language), 'utf8');
        const translations = parsed(catalogue);
        assert.equal(catalogue, translation(name, language, translations), howTo);
        for (const text of texts(name).keys()) {
          const translated = translations.get(text);
          assert.ok(translated, `no translation of: ${text}`);
          assert.deepEqual(placeholders(translated), placeholders(text), text);
        }
      });
  });

test('languages differ from the text and from each other', () => {
  for (const name of packages)
    for (const [text, german] of parsed(readFileSync(translationPath(name, 'de'), 'utf8'))) {
      if (text.split(' ').length < 4) continue;
      const others = languages.map((language) =>
        parsed(readFileSync(translationPath(name, language), 'utf8')).get(text),
      );
      assert.equal(new Set([text, german, ...others]).size, 4, text);
    }
});
