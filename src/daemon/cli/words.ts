/** The words of a command line, as people type them: a command, its operands, and options anywhere among them. */
import { ExitCode, Fatal } from '../exit-codes.ts';
import { nearest } from '../nearest.ts';
import {
  commandTable,
  options,
  optionsOf,
  type CommandEntry,
  type OptionEntry,
  type OptionName,
} from './command-table.ts';
import { synopsis } from './usage.ts';

export type OptionValues = {
  -readonly [Name in OptionName]?: (typeof options)[Name]['type'] extends 'boolean' ? true : string;
};

export interface Words {
  readonly operands: readonly string[];
  readonly values: OptionValues;
}

const names = Object.keys(options) as OptionName[];
const commandNames = commandTable.map(({ name }) => name);

/** An answer in JSON is wanted: that holds for faults in the other words, too. */
export function wantsJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end === -1 ? undefined : end).includes('--json');
}

/** @throws {Fatal} an option that there is not, or not here, or without its value */
export function readWords(words: readonly string[]): Words {
  const operands: string[] = [];
  const given: { readonly name: OptionName | undefined; readonly word: string }[] = [];
  const values: Record<string, string | true> = {};
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === '--') {
      operands.push(...words.slice(at + 1));
      break;
    }
    const [, spelt, value] = /^(-[^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (spelt === undefined) {
      operands.push(word);
      continue;
    }
    const name = names.find((each) => `--${each}` === spelt || shorts(each).includes(spelt));
    given.push({ name, word: spelt });
    if (name === undefined) continue; // which command it is is not known yet
    if (options[name].type === 'boolean') {
      if (value !== undefined) throw usageError(`--${name} takes no value`);
      values[name] = true;
    } else {
      const found = value ?? words[++at];
      if (found === undefined || (value === undefined && found.startsWith('--')))
        throw usageError(`--${name}: expected ${(options[name] as OptionEntry).value ?? ''}`);
      values[name] = found;
    }
  }
  const command = commandTable.find(({ name }) => name === operands[0]);
  const taken = command === undefined ? names : [...optionsOf(command), 'version' as const];
  const strange = given.find(({ name }) => name === undefined || !taken.includes(name));
  if (strange !== undefined && values['help'] === undefined)
    throw strangeOption(strange.word, strange.name, command, taken);
  return { operands, values };
}

function strangeOption(
  word: string,
  name: OptionName | undefined,
  command: CommandEntry | undefined,
  taken: readonly OptionName[],
): Fatal {
  const meant = name === undefined ? nearest(word.replace(/^-+/, ''), taken) : undefined;
  const owners = commandTable.filter(
    (each) => name !== undefined && optionsOf(each).includes(name),
  );
  const advice =
    meant !== undefined
      ? `: did you mean --${meant}?`
      : owners.length > 0
        ? ` (but of ${owners.map((each) => each.name).join(', ')})`
        : ' (what begins with - and is no option stands behind --)';
  return usageError(
    `${word} is no option${command === undefined ? '' : ` of ${command.name}`}${advice}`,
    command,
  );
}

/** @throws {Fatal} there is none of this name, or it takes another number of operands */
export function commandOf(
  name: string,
  operands: readonly string[],
): (typeof commandTable)[number] {
  const command = commandNamed(name);
  const { operands: wanted = [] } = command;
  const missing = wanted[operands.length];
  if (missing !== undefined && missing.optional !== true)
    throw usageError(`${name} needs ${missing.name}`, command);
  if (operands.length > wanted.length)
    throw usageError(`${name}: '${operands[wanted.length]!}' is too much`, command);
  return command;
}

/** @throws {Fatal} */
export function commandNamed(name: string): (typeof commandTable)[number] {
  const command = commandTable.find((each) => each.name === name);
  if (command !== undefined) return command;
  const begun = commandNames.filter((each) => name.length > 1 && each.startsWith(name));
  const meant = begun.length === 1 ? begun[0] : nearest(name, commandNames);
  throw usageError(
    `unknown command '${name}'${meant === undefined ? '' : `: did you mean ${meant}?`}`,
  );
}

/** Below what is wrong stands how it is done. */
export function usageError(text: string, command?: CommandEntry): Fatal {
  const how =
    command === undefined
      ? 'pptp-gateway help shows what there is'
      : `usage: pptp-gateway ${synopsis(command)}`;
  return new Fatal(ExitCode.Usage, `${text}\n${how}`);
}

/** @throws {Fatal} it is none of these */
export function oneOf<const Word extends string>(
  option: string,
  known: readonly Word[],
  word: string,
  command: CommandEntry,
): Word {
  const found = known.find((each) => each === word);
  if (found !== undefined) return found;
  const meant = nearest(word, known);
  throw usageError(
    `${option}: ${meant === undefined ? `expected ${known.join(', ')}` : `there is no '${word}': did you mean ${meant}?`}`,
    command,
  );
}

function shorts(name: OptionName): readonly string[] {
  const { short = '' }: OptionEntry = options[name];
  return Array.from(short, (letter) => `-${letter}`);
}
