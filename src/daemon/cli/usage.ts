/** The help: the command table as text. */
import {
  commandTable,
  exitCodes,
  options,
  type CommandEntry,
  type OptionEntry,
  type OptionName,
} from './command-table.ts';

/** Where what a command does begins, and where a line should end. */
const COLUMN = 36;
const WIDTH = 118;

export const optionText = (name: OptionName): string => {
  const { value }: OptionEntry = options[name];
  return `--${name}${value === undefined ? '' : ` ${value}`}`;
};

/** `check [NAME] [--server HOST[:PORT]] [--json]`: all but where the daemon's bus is. */
export function synopsis({ name, operands = [], options: taken = [] }: CommandEntry): string {
  return [
    name,
    ...operands.map((each) => (each.optional === true ? `[${each.name}]` : each.name)),
    ...taken.filter((each) => each !== 'socket').map((each) => `[${optionText(each)}]`),
  ].join(' ');
}

const commandLines = commandTable.map((command) => entry(synopsis(command), command.doc));
const optionLines = (Object.keys(options) as OptionName[]).map((name) =>
  entry(optionText(name), options[name].doc),
);
const codes = Object.entries(exitCodes).map(([code, meaning]) => `${code} ${meaning}`);

export const usage = `usage: pptp-gateway COMMAND [OPTION...]

${commandLines.join('\n')}

${optionLines.join('\n')}

${wrapped(`Exit codes: ${codes.join(', ')}.`, 0)}`;

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
