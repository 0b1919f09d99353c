/**
 * Writes sections of UCI text, for files that programs and their owner go on editing: what stands there already, comments
 * too, stays as it is.
 */

/** A list is an array; undefined: the option is left out. */
export type UciOptions = Readonly<Record<string, string | readonly string[] | undefined>>;

/** @param name undefined: an anonymous section. @throws RangeError for a name that UCI does not take, or text on two lines */
export function sectionText(type: string, name: string | undefined, options: UciOptions): string {
  const head = `config ${word(type)}${name === undefined ? '' : ` '${word(name)}'`}\n`;
  return head + optionLines(options);
}

/** The options alone, to stand below a `config` line. */
export function optionLines(options: UciOptions): string {
  return Object.entries(options)
    .map(([name, value]) =>
      typeof value === 'string'
        ? `\toption ${word(name)} ${quote(value)}\n`
        : (value ?? []).map((each) => `\tlist ${word(name)} ${quote(each)}\n`).join(''),
    )
    .join('');
}

/** The text with one more section at its end. */
export function withSection(text: string, section: string): string {
  const ended = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return `${ended}${ended === '' ? '' : '\n'}${section}`;
}

/** The text with more lines below its line `line` (from 1): where parseUci found a section to begin. */
export function withLinesBelow(text: string, line: number, lines: string): string {
  const all = text.split('\n');
  let at = line;
  // A backslash at the end joins the next line to it; a comment it does not.
  while (/^[^#]*\\$/.test(all[at - 1] ?? '')) if (++at > all.length) all.push('');
  all.splice(at, 0, ...lines.replace(/\n$/, '').split('\n'));
  return all.join('\n');
}

function word(text: string): string {
  if (!/^[A-Za-z0-9_]+$/.test(text)) throw new RangeError(`'${text}' is no name in UCI`);
  return text;
}

/** Single quotes are literal in UCI; one inside stands between two pieces. */
function quote(text: string): string {
  // eslint-disable-next-line no-control-regex -- that is what is refused
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(text))
    throw new RangeError('a value for UCI has a control character in it');
  return `'${text.replaceAll("'", "'\\''")}'`;
}
