/**
 * What jsmin does to a script when LuCI is built, by its rules: comments and most white space go; it knows strings,
 * template literals (as one string up to the next back-quote) and regular expressions, the latter only after certain
 * characters. Code that needs a semicolon or a space that jsmin takes away breaks only on the router.
 */

const REGEX_AFTER = '(,=:[!&|?+-~*/{};';
const KEEP_NEWLINE_AFTER = '}])+-"\'`';
const KEEP_NEWLINE_BEFORE = '{[(+-!~';
const OPERATORS = '+-*/';

const isWord = (c: string) => /[A-Za-z0-9_$\\]/.test(c) || c.charCodeAt(0) > 126;

export function jsmin(source: string): string {
  let out = '';
  let at = 0;
  while (at < source.length) {
    const gap = skipWhite(source, at);
    at = gap.end;
    if (at === source.length) break;
    const before = out.at(-1) ?? '';
    const c = source[at]!;
    out += separator(before, gap.white, c);
    const piece =
      c === '"' || c === "'" || c === '`'
        ? string(source, at)
        : c === '/' && before !== '' && REGEX_AFTER.includes(before)
          ? regularExpression(source, at)
          : c;
    out += piece;
    at += piece.length;
  }
  return out;
}

function separator(before: string, white: '' | ' ' | '\n', after: string): string {
  if (white === '' || before === '') return '';
  if (white === '\n') {
    const ends = isWord(before) || KEEP_NEWLINE_AFTER.includes(before);
    const begins = isWord(after) || KEEP_NEWLINE_BEFORE.includes(after);
    if (ends && begins) return '\n';
  } else if (isWord(before) && isWord(after)) return ' ';
  return OPERATORS.includes(before) && OPERATORS.includes(after) ? white : '';
}

/** White space and comments; a line comment counts as the end of its line, a block comment as a space. */
function skipWhite(source: string, start: number): { end: number; white: '' | ' ' | '\n' } {
  let white: '' | ' ' | '\n' = '';
  let end = start;
  for (;;) {
    const c = source[end];
    if (c === undefined) return { end, white };
    if (c === '\n' || c === '\r') {
      white = '\n';
      end++;
    } else if (c <= ' ') {
      if (white === '') white = ' ';
      end++;
    } else if (source.startsWith('//', end)) {
      white = '\n';
      end = (source.indexOf('\n', end) + 1 || source.length + 1) - 1;
    } else if (source.startsWith('/*', end)) {
      if (white === '') white = ' ';
      end = source.indexOf('*/', end) + 2;
    } else return { end, white };
  }
}

function string(source: string, start: number): string {
  let end = start + 1;
  while (source[end] !== source[start]) {
    if (end >= source.length) throw new Error('unterminated string literal');
    end += source[end] === '\\' ? 2 : 1;
  }
  return source.slice(start, end + 1);
}

function regularExpression(source: string, start: number): string {
  let inClass = false;
  for (let end = start + 1; end < source.length; end++) {
    const c = source[end]!;
    if (c === '\\') end++;
    else if (c === '[') inClass = true;
    else if (c === ']') inClass = false;
    else if (c === '/' && !inClass) return source.slice(start, end + 1);
  }
  throw new Error('unterminated regular expression literal');
}
