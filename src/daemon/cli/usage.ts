/** The help: the command table as text. */
import {
  commandTable,
  exitCodes,
  exitsOf,
  options,
  optionsOf,
  type CommandEntry,
  type OptionEntry,
  type OptionName,
} from './command-table.ts';

/** Where what a command does begins, and where a line should end. */
const COLUMN = 28;
const WIDTH = 79;

export const optionText = (name: OptionName): string => {
  const { value }: OptionEntry = options[name];
  return `--${name}${value === undefined ? '' : ` ${value}`}`;
};

/** What goes without saying. */
const unsaid: readonly OptionName[] = ['socket', 'json', 'help'];

/** `check [NAME] [--server HOST[:PORT]]` */
export function synopsis(command: CommandEntry): string {
  const own = optionsOf(command).filter((each) => !unsaid.includes(each));
  return [nameAndOperands(command), ...own.map((each) => `[${optionText(each)}]`)].join(' ');
}

function nameAndOperands({ name, operands = [] }: CommandEntry): string {
  return [name, ...operands.map((each) => (each.optional ? `[${each.name}]` : each.name))].join(
    ' ',
  );
}

const optionLines = (names: readonly OptionName[]) =>
  names.map((name) => entry(optionText(name), options[name].doc)).join('\n');
const codes = (of: readonly string[]) =>
  wrapped(
    `Exit codes: ${of.map((code) => `${code} ${exitCodes[Number(code) as 0]}`).join(', ')}.`,
    0,
  );

export const usage = `usage: pptp-gateway COMMAND [OPTION...]

${commandTable.map((command) => entry(nameAndOperands(command), command.doc)).join('\n')}

Options of all:
${optionLines(['json', 'help', 'version'])}

pptp-gateway help COMMAND shows what else there is.

${codes(Object.keys(exitCodes))}`;

/** The help of one command. */
export function usageOf(command: CommandEntry): string {
  const { doc, more } = command;
  return `${wrapped(`usage: pptp-gateway ${synopsis(command)}`, 0)}

${wrapped(`${doc.charAt(0).toUpperCase()}${doc.slice(1)}.${more === undefined ? '' : ` ${more}`}`, 0)}

${optionLines(optionsOf(command))}

${codes(exitsOf(command).map(String))}`;
}

/** What there is, and beside or below it what it does. */
function entry(what: string, doc: string): string {
  const head = `  ${what}`;
  const body = wrapped(doc, COLUMN);
  return head.length + 2 > COLUMN ? `${head}\n${body}` : head.padEnd(COLUMN) + body.trimStart();
}

function wrapped(text: string, indent: number): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = lines.length === 0 ? undefined : `${lines.at(-1)!} ${word}`;
    if (longer === undefined || longer.length > WIDTH - indent) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines.map((line) => ' '.repeat(indent) + line).join('\n');
}
