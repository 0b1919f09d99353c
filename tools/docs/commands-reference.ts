/** Commands, options, JSON and exit codes as Markdown tables, made from the command table. */
import {
  commandTable,
  exitCodes,
  exitsOf,
  options,
  optionsOf,
  type OptionName,
} from '../../src/daemon/cli/command-table.ts';
import { nameOf } from '../../src/daemon/cli/answer.ts';
import { optionText, synopsis } from '../../src/daemon/cli/usage.ts';
import { always, answers, parts } from './json-fields.ts';
import { table } from './markdown.ts';

export function commandsReference(): string {
  return [
    table(
      ['command', 'what it does'],
      commandTable.map((command) => [
        `\`${synopsis(command)}\``,
        [`${command.doc}.`, command.more ?? ''].join(' ').trimEnd(),
      ]),
    ),
    '## Options',
    table(
      ['option', 'of', 'meaning'],
      (Object.keys(options) as OptionName[]).map((name) => [
        `\`${optionText(name)}\``,
        users(name),
        options[name].doc,
      ]),
    ),
    '## Answers in JSON, and exit codes',
    'With `--json` a command answers with one document on standard output, and where it fails with one, too. Every document has:',
    fieldTable(always),
    'and, by command (what may be left out is absent where there is nothing to say):',
    table(
      ['command', 'fields with `--json`', 'exit codes'],
      commandTable.map((command) => [
        `\`${command.name}\``,
        Object.entries(answers[command.name])
          .map(([field, meaning]) => `\`${field}\`: ${meaning}`)
          .join('; '),
        exitsOf(command).join(', '),
      ]),
    ),
    ...Object.entries(parts).flatMap(([name, fields]) => [`### A ${name}`, fieldTable(fields)]),
    '## Exit codes',
    table(
      ['code', 'name', 'meaning'],
      Object.entries(exitCodes).map(([code, meaning]) => [
        code,
        nameOf(Number(code) as 0),
        meaning,
      ]),
    ),
  ].join('\n\n');
}

function fieldTable(fields: Readonly<Record<string, string>>): string {
  return table(
    ['field', 'meaning'],
    Object.entries(fields).map(([field, meaning]) => [`\`${field}\``, meaning]),
  );
}

function users(name: OptionName): string {
  const having = commandTable.filter((command) => optionsOf(command).includes(name));
  if (having.length === commandTable.length || name === 'version') return 'all';
  const asking = commandTable.filter(({ asks }) => asks === 'daemon');
  return name === 'socket' && asking.every((command) => having.includes(command))
    ? '`run`, and all that ask the daemon'
    : having.map((command) => `\`${command.name}\``).join(', ');
}
