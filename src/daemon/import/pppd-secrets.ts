/**
 * Who may log in, as pppd finds it in a file of secrets (scan_authfile() in its auth.c): lines of `client server secret
 * address… [-- option…]`, where * is any client or server. Of the lines that fit, one that names the server goes before one that
 * names only the client, one that names both before both, and the first of its kind counts.
 */
import { pppdWords } from './pppd-words.ts';

export interface Secret {
  /** Of the line that counts for this client. */
  readonly line: number;
  /** Octets, one character each. */
  readonly client: string;
  readonly secret: string;
  /** It is good for other servers than this one. */
  readonly anyServer: boolean;
  readonly addresses: readonly string[];
  readonly options: readonly string[];
}

/** Octets of a secret that count (MAXSECRETLEN). */
const LONGEST = 256;

/** @param leftOut what is said of lines that are nobody's account */
export function pppdSecrets(
  text: string,
  server: string,
  leftOut: (line: number, why: string) => void,
): Secret[] {
  const lines: { readonly line: number; readonly words: string[] }[] = [];
  for (const { text: word, first, line } of pppdWords(text)) {
    if (first || lines.length === 0) lines.push({ line, words: [] });
    lines.at(-1)!.words.push(word);
  }
  const fitting = lines.filter(({ line, words: [, whose, secret] }) => {
    if (secret === undefined) leftOut(line, 'left out, there is no password');
    else if (whose !== server && whose !== '*') leftOut(line, 'left out, it is for another server');
    return secret !== undefined && (whose === server || whose === '*');
  });
  const clients = new Set<string>();
  for (const { line, words } of fitting) {
    const [client = ''] = words;
    if (client === '*')
      leftOut(
        line,
        'not taken over: any name could log in with this password, and here each has its own account',
      );
    else if (clients.has(client)) leftOut(line, 'left out, there is a line of this name already');
    else clients.add(client);
  }
  return [...clients].map((client) => {
    const rank = ([name, whose]: readonly string[]) =>
      (name === client ? 1 : 0) + (whose === server ? 2 : 0);
    const { line, words } = fitting
      .filter(({ words: [name] }) => name === client || name === '*')
      .reduce((best, other) => (rank(other.words) > rank(best.words) ? other : best));
    const [, whose, secret = '', ...more] = words;
    const dashes = more.indexOf('--');
    return {
      line,
      client,
      secret: secret.slice(0, LONGEST),
      anyServer: whose === '*',
      addresses: dashes === -1 ? more : more.slice(0, dashes),
      options: dashes === -1 ? [] : more.slice(dashes + 1),
    };
  });
}
