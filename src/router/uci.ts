/**
 * UCI text: the configuration format of OpenWrt (libuci, file.c), read only.
 *
 *     config interface 'home'
 *             option proto 'pptpserver'
 *             list   dns '192.168.99.1'
 *
 * Words are bare, in '…' (literal) or in "…" (backslash escapes), and adjacent pieces join: 'it'\''s'. Quotes may span
 * lines; outside single quotes a backslash at the end of a line joins it to the next. A # outside quotes begins a comment
 * and ends the word; a ; ends the line. Sections with the same name and type are merged; a later option replaces an
 * earlier one; a list grows. An option that is absent differs from one that is empty.
 *
 * Faults never repeat what stands in the text beyond names: it may be a piece of a password.
 */

export interface UciValue {
  /** Of its last line. */
  readonly line: number;
  readonly list: boolean;
  readonly values: readonly string[];
  /** Of each of the values. */
  readonly lines: readonly number[];
  /** An earlier line says otherwise, and does not count. */
  readonly replaces?: number;
}

export interface UciSection {
  readonly file: string;
  readonly line: number;
  readonly type: string;
  /** Name, or '@type[index]' of an anonymous section, as the uci command writes it. */
  readonly name: string;
  readonly values: ReadonlyMap<string, UciValue>;
  /** Options that are there and say nothing: taken out of `values`. */
  readonly empty?: readonly string[];
}

/** Text that is not UCI. */
export interface UciFault {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export function parseUci(
  file: string,
  text: string,
): { sections: UciSection[]; faults: UciFault[] } {
  const sections: (UciSection & { values: Map<string, UciValue> })[] = [];
  const faults: UciFault[] = [];
  const named = new Map<string, (typeof sections)[number]>();
  const names = new SectionNames();
  let current: (typeof sections)[number] | undefined;

  for (const { line, words, fault } of uciLines(text)) {
    const complain = (message: string) => faults.push({ file, line, message });
    if (fault !== undefined) {
      complain(fault);
      continue;
    }
    const [keyword, first, second] = words;
    if (keyword === 'package') continue;
    if (keyword === 'config') {
      current = undefined;
      if (first === undefined || !TYPE.test(first) || words.length > 3)
        complain("expected: config TYPE ['NAME']");
      else if (second !== undefined && second !== '' && !NAME.test(second))
        complain('the name of a section has only letters, digits and _');
      else {
        const key = second === undefined || second === '' ? undefined : `${first} ${second}`;
        current = key === undefined ? undefined : named.get(key);
        if (current === undefined) {
          const name = names.next(first, second);
          current = { file, line, type: first, name, values: new Map() };
          sections.push(current);
          if (key !== undefined) named.set(key, current);
        }
      }
    } else if (keyword === 'option' || keyword === 'list') {
      if (first === undefined || second === undefined || words.length > 3)
        complain(`expected: ${keyword} NAME 'VALUE'`);
      else if (!NAME.test(first)) complain('the name of an option has only letters, digits and _');
      else if (current === undefined)
        complain(`${keyword} '${first}' stands before any config line`);
      else {
        const before = current.values.get(first);
        const list = keyword === 'list';
        const kept = list ? before : undefined;
        current.values.set(first, {
          line,
          list,
          values: [...(kept?.values ?? []), second],
          lines: [...(kept?.lines ?? []), line],
          ...(list || before === undefined ? {} : { replaces: before.line }),
        });
      }
    } else complain('expected a line that begins with config, option or list');
  }
  return { sections, faults };
}

/** `list network 'a'` and `option network 'a b'` are the same to fw4. */
export function wordsIn({ values }: UciSection, option: string): string[] {
  return values.get(option)?.values.flatMap((text) => text.trim().split(/\s+/)) ?? [];
}

/** What libuci accepts (uci_validate_type, uci_validate_text). */
const TYPE = /^[!-~]+$/;
const NAME = /^[A-Za-z0-9_]+$/;

/** What sections are called, in the order of a text. */
export class SectionNames {
  readonly #seen = new Set<string>();
  readonly #counts = new Map<string, number>();

  /** The name of the next section; it may be one that was there before. */
  next(type: string, name: string | undefined): string {
    const key = `${type} ${name}`;
    const isNamed = name !== undefined && name !== '';
    if (isNamed && this.#seen.has(key)) return name;
    this.#seen.add(key);
    const index = this.#counts.get(type) ?? 0;
    this.#counts.set(type, index + 1);
    return isNamed ? name : `@${type}[${index}]`;
  }
}

export interface UciLine {
  readonly line: number;
  /** Where in the text its words begin, and where they end. */
  readonly from: number;
  readonly to: number;
  readonly words: readonly string[];
  readonly fault?: string;
}

/** Splits into logical lines of words; quotes and a backslash at the end of a line span lines. */
export function* uciLines(text: string): Generator<UciLine> {
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const start = line;
    const words: string[] = [];
    let word: string | undefined;
    let quote: string | undefined;
    let from: number | undefined;
    let to = at;
    for (; at < text.length; at++) {
      const c = text[at]!;
      const begin = at;
      if (c === '\n') line++;
      if (quote !== undefined) {
        if (c === quote) quote = undefined;
        else if (c === '\\' && quote === '"' && at + 1 < text.length) {
          const next = text[++at]!;
          if (next === '\n') line++;
          else word = (word ?? '') + next;
        } else word = (word ?? '') + c;
      } else if (c === "'" || c === '"') {
        quote = c;
        word ??= '';
      } else if (c === '\\') {
        const next = text[++at]; // undefined: there is no next line to join
        if (next === '\n') line++;
        else if (next !== undefined) word = (word ?? '') + next;
      } else if (c === '\n' || c === ';') {
        at++;
        break;
      } else if (/\s/.test(c)) {
        if (word !== undefined) words.push(word);
        word = undefined;
      } else if (c === '#') {
        while (at + 1 < text.length && text[at + 1] !== '\n') at++;
      } else word = (word ?? '') + c;
      if (word !== undefined) {
        from ??= begin;
        to = at + 1;
      }
    }
    if (word !== undefined) words.push(word);
    if (quote !== undefined)
      yield { line: start, from: from ?? at, to, words, fault: `a quote (${quote}) is not closed` };
    else if (words.length > 0) yield { line: start, from: from ?? at, to, words };
  }
}
