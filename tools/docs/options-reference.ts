/** The reference of options as Markdown tables, made from the option tables of the parser. */
import {
  globalOptions,
  linkOptions,
  relayOptions,
  serverOptions,
  userOptions,
} from '../../src/daemon/configuration/options.ts';
import { nasOptions, radiusOptions } from '../../src/daemon/configuration/radius-options.ts';
import { classes, type OptionTable } from '../../src/daemon/configuration/option-table.ts';
import { table } from './markdown.ts';

const sections: readonly (readonly [string, OptionTable])[] = [
  ["`network`: `config interface` with `option proto 'pptpserver'` (a server)", serverOptions],
  ["`network`: `config interface` with `option proto 'pptpgw'` or `'pptp'` (a link)", linkOptions],
  ['`pptp_users`: `config user`', userOptions],
  ["`pptp`: `config pptp 'globals'`", globalOptions],
  ['`pptp`: `config relay` (passthrough)', relayOptions],
  ['`pptp_radius`: `config radius` (a RADIUS server)', radiusOptions],
  ["`pptp_radius`: `config nas 'nas'` (this router, as RADIUS servers see it)", nasOptions],
];

const applies = [
  'What a changed option disturbs when the configuration is read again:',
  '',
  ...Object.entries(classes).map(([word, what]) => `- *${word}*: ${what}`),
].join('\n');

export function optionsReference(): string {
  return [applies, ...sections.map(([title, options]) => `## ${title}\n\n${rows(options)}`)].join(
    '\n\n',
  );
}

function rows(options: OptionTable): string {
  return table(
    ['option', 'value', 'default', 'applies', 'meaning'],
    Object.entries(options).map(([name, { type, presence, ...rest }]) => [
      presence === 'list' ? `list \`${name}\`` : `\`${name}\``,
      type.allowed,
      presence === 'required'
        ? '**required**'
        : defaultText(rest.default) +
          (rest.stockDefault === undefined ? '' : `; pptp: ${defaultText(rest.stockDefault)}`),
      rest.applies,
      rest.doc,
    ]),
  );
}

function defaultText(value: string | readonly string[] | undefined): string {
  const words = value === undefined ? [] : typeof value === 'string' ? [value] : value;
  return words.map((word) => `\`${word}\``).join(' ');
}
