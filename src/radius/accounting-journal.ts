/**
 * The journal of accounting: what a daemon that is killed leaves to the next one. Lines of a checksum and JSON, each telling
 * of one change; a line that is torn or damaged is as if it had not been written.
 *
 * The order of the lines makes the promises: a session is written before its Start is sent, and what a record says before that is
 * sent, so no server ever knows more than the journal. That a record was answered is written after that, so it may be sent again
 * by the next daemon, with the same Acct-Session-Id and Event-Timestamp, but never once its answer stands here.
 */
import { fromHex, toHex } from '../wire/octets.ts';
import {
  NOTHING_YET,
  type AccountedSession,
  type AccountingRecord,
  type Reading,
  type RecordKind,
} from './accounting-record.ts';

/** What becomes of a session, as the journal tells it. */
export type JournalEntry =
  /** It has begun; its Start is record 0. */
  | { readonly kind: 'session'; readonly session: AccountedSession; readonly at: number }
  /** Another Class or interval. */
  | { readonly kind: 'changed'; readonly session: AccountedSession }
  | { readonly kind: 'reading'; readonly id: string; readonly reading: Reading }
  /** An interim or a stop. */
  | { readonly kind: 'record'; readonly id: string; readonly record: AccountingRecord }
  /** The record waits no more: it was answered, or given up. With the stop goes the session. */
  | { readonly kind: 'done'; readonly id: string; readonly number: number }
  | { readonly kind: 'forgotten'; readonly id: string };

/** A session that has not ended, or whose records wait. */
export interface JournaledSession {
  session: AccountedSession;
  readonly startedAt: number;
  /** The last that is known. */
  last: Reading;
  /** In their order. */
  records: AccountingRecord[];
  /** Of the next record. */
  nextNumber: number;
  isOpen: boolean;
}

export function startRecord(at: number): AccountingRecord {
  const reading = { at, seconds: 0, counters: NOTHING_YET };
  return { kind: 'start', number: 0, reading, terminateCause: undefined };
}

/** One line. */
export function journalLine(entry: JournalEntry): string {
  const json = JSON.stringify(fieldsOf(entry));
  return `${checksum(json)} ${json}\n`;
}

/** The sessions in the order in which they began, by Acct-Session-Id. Nothing is thrown, whatever the text. */
export function readJournal(text: string): Map<string, JournaledSession> {
  const sessions = new Map<string, JournaledSession>();
  const lines = text.split('\n');
  lines.pop(); // torn, or empty
  for (const line of lines) {
    const entry = entryOf(line);
    if (entry !== undefined) apply(sessions, entry);
  }
  return sessions;
}

/** What brings a reader of an empty journal to just this. */
export function sessionLines(session: JournaledSession): string {
  const id = session.session.call.sessionId;
  const [first] = session.records;
  const entries: JournalEntry[] = [
    { kind: 'session', session: session.session, at: session.startedAt },
    { kind: 'reading', id, reading: session.last },
  ];
  if (first?.kind !== 'start') entries.push({ kind: 'done', id, number: 0 });
  for (const record of session.records)
    if (record.kind !== 'start') entries.push({ kind: 'record', id, record });
  return entries.map(journalLine).join('');
}

function apply(sessions: Map<string, JournaledSession>, entry: JournalEntry): void {
  const id = 'session' in entry ? entry.session.call.sessionId : entry.id;
  const known = sessions.get(id);
  if (entry.kind === 'session') {
    const start = startRecord(entry.at);
    sessions.set(id, {
      session: entry.session,
      startedAt: entry.at,
      last: start.reading,
      records: [start],
      nextNumber: 1,
      isOpen: true,
    });
    return;
  }
  if (known === undefined) return;
  switch (entry.kind) {
    case 'changed':
      known.session = entry.session;
      break;
    case 'reading':
      known.last = entry.reading;
      break;
    case 'record':
      known.last = entry.record.reading;
      known.records.push(entry.record);
      known.nextNumber = entry.record.number + 1;
      if (entry.record.kind === 'stop') known.isOpen = false;
      break;
    case 'done':
      known.records = known.records.filter(({ number }) => number !== entry.number);
      if (!known.isOpen && known.records.length === 0) sessions.delete(id);
      break;
    case 'forgotten':
      sessions.delete(id);
  }
}

const KINDS: readonly RecordKind[] = ['start', 'interim', 'stop'];

function fieldsOf(entry: JournalEntry): unknown[] {
  switch (entry.kind) {
    case 'session':
      return ['session', plainSession(entry.session), entry.at];
    case 'changed':
      return ['changed', plainSession(entry.session)];
    case 'reading':
      return ['reading', entry.id, ...plainReading(entry.reading)];
    case 'record': {
      const { kind, number, terminateCause = -1, reading } = entry.record;
      const at = KINDS.indexOf(kind);
      return ['record', entry.id, ...plainReading(reading), number, at, terminateCause];
    }
    case 'done':
      return ['done', entry.id, entry.number];
    case 'forgotten':
      return ['forgotten', entry.id];
  }
}

function plainReading({ at, seconds, counters }: Reading): number[] {
  const { inputOctets, outputOctets, inputPackets, outputPackets } = counters;
  return [at, seconds, inputOctets, outputOctets, inputPackets, outputPackets];
}

type PlainSession = Omit<AccountedSession, 'classes' | 'multiSessionId'> & {
  /** Empty: none. */
  readonly multiSessionId: string;
  /** Hexadecimal, with commas between. */
  readonly classes: string;
};

function plainSession({ classes, multiSessionId = '', ...rest }: AccountedSession): PlainSession {
  return { ...rest, multiSessionId, classes: classes.map(toHex).join() };
}

const LIKE: PlainSession = {
  call: {
    nasIdentifier: '',
    nasAddress: 0,
    port: 0,
    portId: '',
    sessionId: '',
    peer: 0,
    local: 0,
    peerHostName: '',
    tunnelId: '',
    connectInfo: '',
  },
  multiSessionId: '',
  username: '',
  address: 0,
  authentic: 'local',
  classes: '',
  interimInterval: 0,
};

function isLike(value: unknown, like: object): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(like).every(([name, one]: [string, unknown]) => {
    const other: unknown = value[name as keyof object];
    return typeof one === 'object' && one !== null
      ? isLike(other, one)
      : typeof other === typeof one;
  });
}

function sessionOf(value: unknown): AccountedSession | undefined {
  if (!isLike(value, LIKE)) return undefined;
  const { classes, multiSessionId, ...rest } = value as PlainSession;
  const octets = classes === '' ? [] : classes.split(',').map(fromHex);
  return {
    ...rest,
    multiSessionId: multiSessionId === '' ? undefined : multiSessionId,
    classes: octets.filter((one) => one !== undefined),
  };
}

/** undefined: torn, damaged, or of a version that is not ours. */
function entryOf(line: string): JournalEntry | undefined {
  const json = line.slice(9);
  if (line[8] !== ' ' || checksum(json) !== line.slice(0, 8)) return undefined;
  let fields: unknown;
  try {
    fields = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!Array.isArray(fields)) return undefined;
  const [kind, first, ...numbers] = fields as unknown[];
  const session = sessionOf(first);
  if (kind === 'changed') return session && { kind, session };
  if (session === undefined && typeof first !== 'string') return undefined;
  if (!numbers.every((one) => Number.isSafeInteger(one) && Number(one) >= -1)) return undefined;
  return entryOfNumbers(kind, session ?? String(first), numbers as number[]);
}

function entryOfNumbers(
  kind: unknown,
  of: AccountedSession | string,
  numbers: readonly number[],
): JournalEntry | undefined {
  const [at, seconds, inputOctets, outputOctets, inputPackets, outputPackets] = numbers;
  if (typeof of !== 'string')
    return kind === 'session' && at !== undefined ? { kind, session: of, at } : undefined;
  if (kind === 'forgotten') return { kind, id: of };
  if (kind === 'done' && at !== undefined) return { kind, id: of, number: at };
  if (outputPackets === undefined) return undefined;
  const counters = { inputOctets, outputOctets, inputPackets, outputPackets };
  const reading = { at, seconds, counters } as Reading;
  if (kind === 'reading') return { kind, id: of, reading };
  const [number, recordKind, terminateCause] = numbers.slice(6);
  const name = KINDS[recordKind ?? -1];
  if (kind !== 'record' || number === undefined || name === undefined) return undefined;
  const why = terminateCause === -1 ? undefined : terminateCause;
  return { kind, id: of, record: { kind: name, number, reading, terminateCause: why } };
}

/** FNV-1a of the characters: tells a damaged line, not a forged one. */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
