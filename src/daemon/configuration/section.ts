/** Reads one UCI section by its option table. */
import type { UciSection } from '../../router/uci.ts';
import type { OptionTable, Values } from './option-table.ts';
import { complainer, type Place, type Problem } from './problems.ts';
import { nearest } from '../nearest.ts';

interface Reading {
  /** Options of others that may stand in the section. */
  readonly ignored?: ReadonlySet<string>;
  /** What options were called before: taken, with a warning, while the name of today is absent. */
  readonly former?: Readonly<Record<string, string>>;
  /** The defaults are those of the stock client. */
  readonly stockDefaults?: boolean;
}

/** A section that stands in no file. */
export function unwritten(
  file: string,
  type: string,
  name: string,
  words: Readonly<Record<string, string>> = {},
): UciSection {
  const values = Object.entries(words).map(
    ([option, word]) => [option, { line: 0, list: false, values: [word], lines: [0] }] as const,
  );
  return { file, line: 0, type, name, values: new Map(values) };
}

export function placeOf({ file, name }: UciSection): Place {
  return { file, section: name };
}

/** undefined when the section has errors; all of them are in `problems`. */
export function readSection<const Table extends OptionTable>(
  section: UciSection,
  table: Table,
  problems: Problem[],
  { ignored, former = {}, stockDefaults = false }: Reading = {},
): Values<Table> | undefined {
  const errors = () => problems.filter(({ severity }) => severity === 'error').length;
  const before = errors();
  const place = placeOf(section);
  const warn = (option: string, message: string) =>
    problems.push({ severity: 'warning', ...place, option, message });
  /** The name that an option of the table has in this section. */
  const written = (name: string) => {
    const old = former[name];
    return old !== undefined && section.values.has(old) && !section.values.has(name) ? old : name;
  };
  const names = new Map(Object.keys(table).map((name) => [written(name), name]));
  const { empty = [] } = section;
  for (const option of [...section.values.keys(), ...empty]) {
    const name = names.get(option);
    const { replaces } = section.values.get(option) ?? {};
    if (name === undefined) {
      if (ignored?.has(option) === true) continue;
      // Ignored it would leave open what was to be closed.
      const meant = nearest(option, Object.keys(table));
      if (meant === undefined) warn(option, 'unknown option; it is ignored');
      else
        complainer(problems, place)(
          option,
          undefined,
          `there is no such option: did you mean ${meant}?`,
        );
      continue;
    }
    if (name !== option) warn(option, `is called ${name} now; taken for it until it is renamed`);
    if (replaces !== undefined)
      warn(option, `stands here twice: what line ${replaces} says does not count`);
    if (empty.includes(option) && table[name]!.presence !== 'required')
      warn(option, 'is empty: counts as if it were not there');
  }

  const values: Record<string, unknown> = {};
  for (const [name, { type, presence, ...defaults }] of Object.entries(table)) {
    const fallback = (stockDefaults ? defaults.stockDefault : undefined) ?? defaults.default;
    const writtenName = written(name);
    const given = section.values.get(writtenName);
    // A quote that is not closed takes in the lines below it, and a password may stand there.
    const isOpen = given?.values.some((value) => value.includes('\n')) === true;
    const complain = (message: string, value?: string) => {
      const shown = value === undefined || isOpen || type.secret === true ? {} : { value };
      const doubt = isOpen
        ? `${message}; there are several lines: is a quote not closed?`
        : message;
      problems.push({ severity: 'error', ...place, option: writtenName, ...shown, message: doubt });
    };
    const words =
      given === undefined
        ? toList(fallback)
        : presence === 'list' && !given.list && type.hasBlanks !== true
          ? given.values.flatMap(blankSeparated)
          : given.values;
    const parsed = words.map((word) => {
      const value = type.parse(word);
      if (value === undefined)
        complain(`expected ${type.allowed}${type.advice?.(word) ?? ''}`, word);
      const remark = type.remark?.(word);
      if (remark !== undefined) complainer(problems, place, 'warning')(writtenName, word, remark);
      return value;
    });
    if (presence === 'list') values[name] = parsed;
    else if (parsed.length > 1) complain('expected one value, not a list');
    else if (parsed.length === 0 && presence === 'required')
      complain(`is required: expected ${type.allowed}`);
    else values[name] = parsed[0];
  }
  return errors() > before ? undefined : (values as Values<Table>);
}

/** `option dns '192.0.2.1 192.0.2.2'` is a list too, as netifd reads it. */
function blankSeparated(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function toList(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}
