/**
 * The README's reference of options as Markdown tables, made from the option table of the parser.
 *
 *     node --import tsx tools/docs/options-reference.ts            prints it
 *     node --import tsx tools/docs/options-reference.ts --write    puts it between the markers of README.md
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  globalOptions,
  linkOptions,
  relayOptions,
  serverOptions,
  userOptions,
} from '../../src/daemon/configuration/options.ts';
import { classes, type OptionTable } from '../../src/daemon/configuration/option-table.ts';

const BEGIN = '<!-- options:begin -->';
const END = '<!-- options:end -->';

const sections: readonly (readonly [string, OptionTable])[] = [
  ["`network`: `config interface` with `option proto 'pptpserver'` (a server)", serverOptions],
  ["`network`: `config interface` with `option proto 'pptpgw'` or `'pptp'` (a link)", linkOptions],
  ['`pptp_users`: `config user`', userOptions],
  ["`pptp`: `config pptp 'globals'`", globalOptions],
  ['`pptp`: `config relay` (passthrough)', relayOptions],
];

const applies = [
  'What a changed option disturbs when the configuration is read again:',
  '',
  ...Object.entries(classes).map(([word, what]) => `- *${word}*: ${what}`),
].join('\n');

/** All tables, as they stand between the markers. */
export function optionsReference(): string {
  return [applies, ...sections.map(([title, table]) => `### ${title}\n\n${markdown(table)}`)].join(
    '\n\n',
  );
}

/** What stands between the markers of a README. @throws Error when a marker is missing */
export function referenceIn(readme: string): string {
  const [begin, end] = markers(readme);
  return readme.slice(begin, end).trim();
}

/** The README with the reference between its markers. @throws Error when a marker is missing */
export function withReference(readme: string, reference: string): string {
  const [begin, end] = markers(readme);
  return `${readme.slice(0, begin)}\n${reference}\n${readme.slice(end)}`;
}

function markers(readme: string): [number, number] {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin === -1 || end < begin)
    throw new Error(`README.md needs the markers ${BEGIN} and ${END}, in this order`);
  return [begin + BEGIN.length, end];
}

function markdown(table: OptionTable): string {
  const rows = Object.entries(table).map(([name, { type, presence, ...rest }]) => [
    presence === 'list' ? `list \`${name}\`` : `\`${name}\``,
    type.allowed,
    presence === 'required'
      ? '**required**'
      : defaultText(rest.default) +
        (rest.stockDefault === undefined ? '' : `; pptp: ${defaultText(rest.stockDefault)}`),
    rest.applies,
    rest.doc,
  ]);
  return [
    ['option', 'value', 'default', 'applies', 'meaning'],
    ['---', '---', '---', '---', '---'],
    ...rows,
  ]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

function defaultText(value: string | readonly string[] | undefined): string {
  const words = value === undefined ? [] : typeof value === 'string' ? [value] : value;
  return words.map((word) => `\`${word}\``).join(' ');
}

if (process.argv[1] === import.meta.filename) {
  const readme = resolve(import.meta.dirname, '../../README.md');
  if (process.argv.includes('--write'))
    writeFileSync(readme, withReference(readFileSync(readme, 'utf8'), optionsReference()));
  else process.stdout.write(`${optionsReference()}\n`);
}
