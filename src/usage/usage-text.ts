/**
 * The book as text, for a file: a line for each account and one at either end, each with a checksum, so that nothing is believed
 * that was half written or damaged.
 */
import { formatDay, formatMonth, parseDay, parseMonth } from './calendar.ts';
import { newAccount, MOST_ACCOUNTS, type Account, type Traffic } from './book.ts';

export interface Saved {
  /** How often it was written: of two the one with more is newer. */
  readonly serial: number;
  /** ms since 1970, see Dates. */
  readonly seen: number;
  readonly accounts: readonly Account[];
}

const HEAD = 'pptp-gateway usage 1';
const LONGEST_NAME = 1_024;

export function usageText(
  { serial, seen }: Pick<Saved, 'serial' | 'seen'>,
  lines: readonly string[],
): string {
  const head = line([HEAD, serial, seen]);
  return [head, ...lines, line(['end', lines.length])].join('');
}

export function accountLine(account: Account): string {
  const { kind, name, total, undated, days, months, told } = account;
  const rows = (sums: ReadonlyMap<number, Traffic>, format: (at: number) => string) =>
    [...sums].map(([at, { rx, tx }]) => [format(at), rx, tx]);
  return line([
    kind,
    name,
    total.rx,
    total.tx,
    undated.rx,
    undated.tx,
    told === undefined ? '' : formatDay(told),
    rows(days, formatDay),
    rows(months, formatMonth),
  ]);
}

/** undefined: it is damaged. */
export function parseUsage(text: string): Saved | undefined {
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines.length > MOST_ACCOUNTS + 2) return undefined;
  const words = lines.map(wordsOf);
  const [name, serial, seen] = words.shift() ?? [];
  const [end, count] = words.pop() ?? [];
  if (name !== HEAD || !isCount(serial) || !isCount(seen)) return undefined;
  if (end !== 'end' || count !== words.length) return undefined;
  const accounts = words.map((each) => each && parseAccount(each));
  return accounts.some((account) => account === undefined)
    ? undefined
    : { serial, seen, accounts: accounts as Account[] };
}

function parseAccount(words: readonly unknown[]): Account | undefined {
  const [kind, name, rx, tx, undatedRx, undatedTx, told, dayRows, monthRows] = words;
  const days = parseRows(dayRows, parseDay);
  const months = parseRows(monthRows, parseMonth);
  if (kind !== 'user' && kind !== 'link') return undefined;
  if (typeof name !== 'string' || name.length > LONGEST_NAME) return undefined;
  if (!isCount(rx) || !isCount(tx) || !isCount(undatedRx) || !isCount(undatedTx)) return undefined;
  if (typeof told !== 'string' || days === undefined || months === undefined) return undefined;
  return {
    ...newAccount(kind, name),
    total: { rx, tx },
    undated: { rx: undatedRx, tx: undatedTx },
    days,
    months,
    told: parseDay(told),
  };
}

function parseRows(
  rows: unknown,
  parse: (text: string) => number | undefined,
): Map<number, Traffic> | undefined {
  const sums = new Map<number, Traffic>();
  if (!Array.isArray(rows)) return undefined;
  for (const row of rows as readonly unknown[]) {
    if (!Array.isArray(row)) return undefined;
    const [text, rx, tx] = row as readonly unknown[];
    const at = typeof text === 'string' ? parse(text) : undefined;
    if (at === undefined || !isCount(rx) || !isCount(tx)) return undefined;
    sums.set(at, { rx, tx });
  }
  return sums;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function line(words: readonly unknown[]): string {
  const text = JSON.stringify(words);
  return `${checksum(text)} ${text}\n`;
}

function wordsOf(text: string): readonly unknown[] | undefined {
  const json = text.slice(9);
  if (!text.startsWith(`${checksum(json)} `)) return undefined;
  const words: unknown = JSON.parse(json); // as it was written
  return Array.isArray(words) ? words : undefined;
}

/** FNV-1a. */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash ^= text.charCodeAt(at);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, '0');
}
