/**
 * The records that no server has taken yet, of all sessions, and the sessions that go on: in memory, and in the journal.
 *
 * What is urgent is in the journal before the caller goes on; the rest waits for the next write. Both are bounded: where there is
 * no more room the oldest interim records go first, for later ones tell all that they do; then the records of the sessions that
 * ended first.
 */
import {
  journalLine,
  sessionLines,
  startRecord,
  type JournaledSession,
  type JournalEntry,
} from './accounting-journal.ts';
import type { AccountedSession, AccountingRecord, Reading } from './accounting-record.ts';

/** Where the journal is. false: it could not be written, and whoever keeps it has said so. */
export interface JournalStore {
  append(text: string): boolean;
  /** Whatever happens, it is the old text or this. */
  replace(text: string): boolean;
}

export interface AccountingLimits {
  /** Records that wait. */
  readonly records: number;
  /** Of journal that they, and the sessions that go on, take. */
  readonly octets: number;
}

/** A session that goes on, or whose records wait. */
export interface Account extends JournaledSession {
  readonly id: string;
  /** Monotonic ms; of one from the journal, as far as the wall clock tells. */
  readonly since: number;
  readonly octets: number;
  /** Its first record is on its way. */
  isInFlight: boolean;
  /** Its first record was not answered so often, while others were. */
  strikes: number;
}

export interface QueueOwner {
  /** An interim record was dropped. */
  dropped(account: Account): void;
  /** A session is forgotten with all its records. */
  lost(account: Account): void;
}

/** What a record, or a reading, takes of the journal at most. */
const RECORD_OCTETS = 128;
/** What is appended to the journal before it is written anew, octets. */
const LEAST_APPENDED = 262_144;
/** And how many times as much as it had then. */
const MOST_GROWTH = 1;

export class AccountingQueue {
  readonly #store: JournalStore;
  readonly #limits: AccountingLimits;
  readonly #owner: QueueOwner;
  readonly #accounts = new Map<string, Account>();
  /** The interim records that wait, oldest first. */
  readonly #interims = new Map<AccountingRecord, Account>();
  /** Those that have ended, the first first. */
  readonly #ended = new Set<Account>();
  #records = 0;
  #octets = 0;
  #unwritten: string[] = [];
  /** Of which it is not written that a record was answered. */
  readonly #answered = new Set<Account>();
  /** Since it was written anew. */
  #appended = 0;
  #rewriteAt = 0;
  #isWhole = true;

  constructor(store: JournalStore, limits: AccountingLimits, owner: QueueOwner) {
    this.#store = store;
    this.#limits = limits;
    this.#owner = owner;
  }

  /** Records that wait. */
  get records(): number {
    return this.#records;
  }

  get(id: string): Account | undefined {
    return this.#accounts.get(id);
  }

  accounts(): IterableIterator<Account> {
    return this.#accounts.values();
  }

  /** A session of an earlier daemon. */
  restore(found: JournaledSession, since: number): Account {
    const account = this.#insert(found, since);
    for (const record of found.records) this.#entered(account, record);
    if (!found.isOpen) this.#ended.add(account);
    this.#makeRoom();
    return account;
  }

  /** A session has begun: its Start waits. Throws where it is known already. */
  begin(session: AccountedSession, at: number, now: number): Account {
    const { sessionId } = session.call;
    if (this.#accounts.has(sessionId)) throw new Error(`session ${sessionId} has begun already`);
    const start = startRecord(at);
    const account = this.#insert(
      {
        session,
        startedAt: at,
        last: start.reading,
        records: [start],
        nextNumber: 1,
        isOpen: true,
      },
      now,
    );
    this.#entered(account, start);
    this.#note({ kind: 'session', session, at });
    this.#makeRoom();
    return account;
  }

  change(account: Account, session: AccountedSession): void {
    account.session = session;
    this.#note({ kind: 'changed', session });
  }

  /** How far a session that goes on has come. */
  read(account: Account, reading: Reading): void {
    account.last = reading;
    this.#note({ kind: 'reading', id: account.id, reading });
  }

  /** Its counters as they are now, in a record. */
  addInterim(account: Account, reading: Reading): void {
    this.#add(account, { kind: 'interim', reading, terminateCause: undefined });
  }

  /** The last record. */
  end(account: Account, reading: Reading, terminateCause: number): void {
    account.isOpen = false;
    this.#ended.add(account);
    this.#add(account, { kind: 'stop', reading, terminateCause });
  }

  /** The first record of it waits no more. */
  done(account: Account): void {
    const record = account.records.shift();
    if (record === undefined || this.#accounts.get(account.id) !== account) return;
    this.#left(record);
    this.#note({ kind: 'done', id: account.id, number: record.number });
    this.#answered.add(account);
    if (!account.isOpen && account.records.length === 0) this.#remove(account);
  }

  /** All that was answered of it is written. */
  isWritten(account: Account): boolean {
    return !this.#answered.has(account);
  }

  /** All of it is lost. */
  forget(account: Account): void {
    this.#note({ kind: 'forgotten', id: account.id });
    this.#remove(account);
  }

  /** Writes what is not written. false: that failed. */
  write(): boolean {
    if (this.#isWhole && this.#unwritten.length === 0) return true;
    const text = this.#unwritten.join('');
    this.#unwritten = [];
    this.#answered.clear();
    if (this.#isWhole && this.#appended + text.length <= this.#rewriteAt) {
      this.#isWhole = this.#store.append(text);
      this.#appended += text.length;
      if (this.#isWhole) return true;
    }
    return this.rewrite();
  }

  /** What waits and what goes on, and nothing else. */
  rewrite(): boolean {
    this.#unwritten = [];
    this.#answered.clear();
    const text = [...this.#accounts.values()].map(sessionLines).join('');
    this.#isWhole = this.#store.replace(text);
    this.#appended = 0;
    this.#rewriteAt = Math.max(LEAST_APPENDED, MOST_GROWTH * text.length);
    return this.#isWhole;
  }

  #insert(found: JournaledSession, since: number): Account {
    const id = found.session.call.sessionId;
    const { session, startedAt: at } = found;
    const octets = journalLine({ kind: 'session', session, at }).length + RECORD_OCTETS;
    const account: Account = {
      ...found,
      id,
      since,
      octets,
      isInFlight: false,
      strikes: 0,
    };
    this.#accounts.set(id, account);
    this.#octets += octets;
    return account;
  }

  #add(account: Account, what: Omit<AccountingRecord, 'number'>): void {
    const record = { ...what, number: account.nextNumber++ };
    account.last = record.reading;
    account.records.push(record);
    this.#entered(account, record);
    this.#note({ kind: 'record', id: account.id, record });
    this.#makeRoom();
  }

  #entered(account: Account, record: AccountingRecord): void {
    if (record.kind === 'interim') this.#interims.set(record, account);
    this.#records++;
    this.#octets += RECORD_OCTETS;
  }

  #left(record: AccountingRecord): void {
    this.#interims.delete(record);
    this.#records--;
    this.#octets -= RECORD_OCTETS;
  }

  #remove(account: Account): void {
    for (const record of account.records) this.#left(record);
    account.records = [];
    this.#octets -= account.octets;
    this.#ended.delete(account);
    this.#accounts.delete(account.id);
  }

  #note(entry: JournalEntry): void {
    if (this.#isWhole) this.#unwritten.push(journalLine(entry)); // else it is written anew
  }

  #makeRoom(): void {
    while (this.#records > this.#limits.records || this.#octets > this.#limits.octets) {
      if (!this.#dropInterim() && !this.#loseEnded()) return;
    }
  }

  /** One that is on its way is not dropped. */
  #dropInterim(): boolean {
    for (const [record, account] of this.#interims) {
      const at = account.records.indexOf(record);
      if (account.isInFlight && at === 0) continue;
      account.records.splice(at, 1);
      this.#left(record);
      this.#note({ kind: 'done', id: account.id, number: record.number });
      this.#owner.dropped(account);
      return true;
    }
    return false;
  }

  #loseEnded(): boolean {
    for (const account of this.#ended) {
      if (account.isInFlight) continue;
      this.forget(account);
      this.#owner.lost(account);
      return true;
    }
    return false;
  }
}
