/**
 * Words as pppd reads them from its files of options and secrets (getword() in its options.c).
 *
 * Text is octets here, one character each: files have no encoding for pppd. A word ends at white space or at #, which begins
 * a comment; quotes of both kinds group, also over lines; a backslash begins C's escapes (\s is a blank), inside quotes of
 * both kinds too, and takes away the end of a line.
 */

export interface Word {
  /** Up to the first NUL, as C sees it. */
  readonly text: string;
  /** It is the first of its line: there is the end of a line before it. The first of a file counts, too. */
  readonly first: boolean;
  /** Where it begins, from 1. */
  readonly line: number;
}

/** Octets that a word can have (MAXWORDLEN, with the NUL); what is longer is cut. */
const LONGEST = 1023;
/** isspace() in the locale C. */
const BLANK = /[ \t\n\v\f\r]/;
const controls: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  s: ' ',
  t: '\t',
};

export function pppdWords(text: string): Word[] {
  const words: Word[] = [];
  let line = 1;
  let at = 0;
  let first = true;
  /** The character after the one that is read. */
  const next = () => {
    if (text[at] === '\n') line++;
    return text[++at];
  };
  for (;;) {
    let escaped = false;
    let comment = false;
    let c = text[at];
    for (; c !== undefined; c = next()) {
      if (c === '\n') {
        if (!escaped) {
          first = true;
          comment = false;
        }
        escaped = false;
      } else if (comment) continue;
      else if (escaped) break;
      else if (c === '\\') escaped = true;
      else if (c === '#') comment = true;
      else if (!BLANK.test(c)) break;
    }
    const start = line;
    let word = '';
    let quote: string | undefined;
    while (c !== undefined) {
      if (escaped) {
        escaped = false;
        if (c === '\n') {
          c = next();
          continue;
        }
        const number = /^(?:[0-7]{1,3}|x[0-9A-Fa-f]{0,2})/.exec(text.slice(at, at + 3))?.[0];
        if (number === undefined) {
          word += Object.hasOwn(controls, c) ? controls[c]! : c;
          c = next();
        } else {
          const value = number.startsWith('x')
            ? parseInt(number.slice(1) || '0', 16)
            : parseInt(number, 8);
          word += String.fromCharCode(value & 0xff);
          at += number.length;
          c = text[at];
        }
      } else if (c === '\\') {
        escaped = true;
        c = next();
      } else if (quote === undefined && (BLANK.test(c) || c === '#')) break;
      else {
        if (c === quote) quote = undefined;
        else if (quote === undefined && (c === '"' || c === "'")) quote = c;
        else word += c;
        c = next();
      }
    }
    if (c === undefined && word === '') return words;
    words.push({ text: word.slice(0, LONGEST).split('\0', 1)[0]!, first, line: start });
    first = false;
  }
}
