/**
 * The catalogues of the LuCI packages. The template (po/templates/NAME.pot) is made from the texts in `_('…')` and from the
 * titles and descriptions in the menu and the ACL; each po/LANGUAGE/NAME.po keeps its translations and gets the texts of
 * the template.
 *
 *     node --import tsx tools/luci/catalogues.ts --write     brings all of them up to date
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  calls,
  constant,
  packages,
  repository,
  sources,
  syntaxTree,
  type Package,
} from './sources.ts';

export const languages = ['de', 'ru', 'zh_Hans'] as const;
export type Language = (typeof languages)[number];

/** luci.mk names a catalogue after its package without luci-app- or luci-proto-. */
const catalogueName = (name: Package) => name.replace(/^luci-(app|proto)-/, '');

const pluralForms: Record<Language, string> = {
  de: 'nplurals=2; plural=(n != 1);',
  ru: 'nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);',
  zh_Hans: 'nplurals=1; plural=0;',
};

/** Text to the places where it stands. */
export function texts(name: Package): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const note = (text: string, place: string) => {
    const places = found.get(text) ?? [];
    if (places.at(-1) !== place) places.push(place);
    found.set(text, places);
  };
  for (const { path, text } of sources().filter((source) => source.package === name))
    for (const call of calls(syntaxTree(text)))
      if (call.callee === '_') note(constant(call.arguments[0]) as string, path);
  for (const [folder, key] of [
    ['luci/menu.d', 'title'],
    ['rpcd/acl.d', 'description'],
  ] as const) {
    const path = join('openwrt', name, 'root/usr/share', folder, `${name}.json`);
    if (!existsSync(join(repository, path))) continue;
    const entries = JSON.parse(readFileSync(join(repository, path), 'utf8')) as Record<
      string,
      Record<string, unknown>
    >;
    for (const entry of Object.values(entries)) note(entry[key] as string, path);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const templatePath = (name: Package) =>
  join(repository, 'openwrt', name, 'po/templates', `${catalogueName(name)}.pot`);
export const translationPath = (name: Package, language: Language) =>
  join(repository, 'openwrt', name, 'po', language, `${catalogueName(name)}.po`);

export function template(name: Package): string {
  return written(texts(name), () => '', 'Content-Type: text/plain; charset=UTF-8\\n');
}

/** The catalogue with the texts of today and the translations of before. */
export function translation(
  name: Package,
  language: Language,
  before: ReadonlyMap<string, string>,
): string {
  const header = [
    'Content-Type: text/plain; charset=UTF-8\\n',
    'Content-Transfer-Encoding: 8bit\\n',
    `Language: ${language}\\n`,
    `Plural-Forms: ${pluralForms[language]}\\n`,
  ];
  return written(texts(name), (text) => before.get(text) ?? '', ...header);
}

function written(
  found: ReadonlyMap<string, readonly string[]>,
  translated: (text: string) => string,
  ...header: readonly string[]
): string {
  const entries = [...found].map(
    ([text, places]) =>
      `${places.map((place) => `#: ${place}\n`).join('')}msgid ${quoted(text)}\nmsgstr ${quoted(translated(text))}\n`,
  );
  return [`msgid ""\nmsgstr ""\n${header.map((line) => `"${line}"\n`).join('')}`, ...entries].join(
    '\n',
  );
}

const quoted = (text: string) => `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`;

/** msgid to msgstr, without the header. Only what this tool writes: one line each. */
export function parsed(catalogue: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, text, translated] of catalogue.matchAll(/^msgid "(.*)"\nmsgstr "(.*)"$/gm))
    if (text !== '') found.set(unquoted(text!), unquoted(translated!));
  return found;
}

const unquoted = (text: string) => text.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));

if (process.argv[2] === '--write')
  for (const name of packages) {
    writeFileSync(templatePath(name), template(name));
    for (const language of languages) {
      const path = translationPath(name, language);
      const before = existsSync(path)
        ? parsed(readFileSync(path, 'utf8'))
        : new Map<string, string>();
      writeFileSync(path, translation(name, language, before));
      const missing = [...texts(name).keys()].filter((text) => !before.get(text)).length;
      process.stdout.write(`${path}: ${missing} texts without a translation\n`);
    }
  }
