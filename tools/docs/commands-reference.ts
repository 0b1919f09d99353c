/** Commands, options and exit codes as Markdown tables, made from the command table. */
import {
  commandTable,
  exitCodes,
  options,
  type CommandEntry,
  type OptionName,
} from '../../src/daemon/cli/command-table.ts';
import { table } from './markdown.ts';

export function commandsReference(): string {
  return [
    table(
      ['command', 'what it does'],
      commandTable.map((command) => [
        `\`${synopsis(command)}\``,
        [`${command.doc}.`, command.more].filter((part) => part !== undefined).join(' '),
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
    '## Exit codes',
    table(
      ['code', 'meaning'],
      Object.entries(exitCodes).map(([code, meaning]) => [code, meaning]),
    ),
  ].join('\n\n');
}

function synopsis({ name, operands = [], options: own = [] }: CommandEntry): string {
  return [
    name,
    ...operands.map((operand) => (operand.optional === true ? `[${operand.name}]` : operand.name)),
    ...own.filter((option) => option !== 'socket').map((option) => `[${optionText(option)}]`),
  ].join(' ');
}

function optionText(name: OptionName): string {
  const entry = options[name];
  return `--${name}${'value' in entry ? ` ${entry.value}` : ''}`;
}

function users(name: OptionName): string {
  const having = commandTable.filter((command) => command.options?.includes(name));
  if (name === 'help') return 'all';
  const asking = commandTable.filter(({ asks }) => asks === 'daemon');
  return name === 'socket' && asking.every((command) => having.includes(command))
    ? '`run`, and all that ask the daemon'
    : having.map((command) => `\`${command.name}\``).join(', ');
}
