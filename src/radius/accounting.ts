/* eslint max-lines: ['error', { max: 430, skipBlankLines: true, skipComments: true }] -- one machine, with what of it goes on */
/**
 * Accounting (RFC 2866): records of sessions go to the servers, and none is lost.
 *
 * - A session's records go one after another, so that its Stop always follows its Start; those of different sessions go side by
 *   side, as many as the window has room for. A record waits until it was answered (RFC 5080 §2.2.1).
 * - Accounting-On and -Off are between sessions: they go when all records of earlier sessions are answered, and before those of
 *   later ones.
 * - While nobody answers, one record after another asks whether somebody does, ever more rarely.
 * - A record that is never answered while others are is given up at last, so that it does not stay for ever.
 * - Once a minute, at a moment of chance, the counters of all sessions are read and written down (accounting-queue.ts). Interim
 *   records are made of these readings: a server never knows more than the journal does. So their intervals are whole minutes.
 * - What the journal of an earlier daemon has as going on has ended with that: its Stop says as much as is known. What has counters goes
 *   on all the same: there was a fault here, and this machine follows one that has thrown.
 */
import { RadiusCode } from '../wire/radius.ts';
import type { RadiusAttribute } from '../wire/radius-attributes.ts';
import { cause, type Cause } from '../wire/cause.ts';
import { takeFirst } from '../wire/queue.ts';
import { readJournal } from './accounting-journal.ts';
import {
  AccountingQueue,
  type Account,
  type AccountingLimits,
  type JournalStore,
} from './accounting-queue.ts';
import {
  markAttributes,
  recordAttributes,
  type AccountedSession,
  type NasIdentity,
  type Reading,
  type SessionCounters,
} from './accounting-record.ts';
import { TerminateCause } from './terminate-cause.ts';

export type AccountingCounter =
  /** Interim records for which there was no room. */
  | 'interims dropped'
  /** Sessions for whose records there was no room. */
  | 'sessions lost'
  /** Records that no server would take. */
  | 'records refused'
  /** Tries that nobody answered. */
  | 'unanswered';

export interface AccountingPorts {
  readonly random: (length: number) => Uint8Array;
  readonly count: (what: AccountingCounter) => void;
  /** ms since 1970 */
  readonly wallClock: () => number;
  /** Of a session that goes on; undefined: it has none (any more). */
  readonly counters: (id: string) => SessionCounters | undefined;
  readonly store: JournalStore;
}

/** An Accounting-Request. The object itself comes back with its outcome. */
export interface AccountingRequest {
  readonly code: typeof RadiusCode.AccountingRequest;
  /** Without Acct-Delay-Time. */
  readonly attributes: readonly RadiusAttribute[];
  /** When it happened, on the clock of `now`: Acct-Delay-Time is counted from there. */
  readonly happened: number;
}

export type AccountingOutput =
  /** To any server. Answer: handleAnswered or handleUnanswered. */
  | { readonly kind: 'send'; readonly request: AccountingRequest }
  /** Something is lost for good. */
  | { readonly kind: 'trouble'; readonly username: string | undefined; readonly cause: Cause };

/** Accounting-On or -Off that waits. */
interface Mark {
  readonly kind: 'on' | 'off';
  readonly nas: NasIdentity;
  readonly at: number;
  readonly wallAt: number;
  /** Whose records go before it. */
  readonly before: Set<Account>;
  isInFlight: boolean;
  /** That nobody has answered. */
  tries: number;
}

interface Flight {
  readonly what: Account | Mark;
  /** How many answers there had been. */
  readonly answers: number;
}

/** How many records may be on their way: one more with each answer, half as many with each that does not come. */
const WIDEST_WINDOW = 16;
const TICK = 60_000;
/** An answer is written down within this, ms. */
const WRITE_DELAY = 1_000;
/** Between tries while nobody answers, ms. */
const FIRST_PAUSE = 5_000;
const LONGEST_PAUSE = 60_000;
/** What was not answered while others were is tried again after this, each time twice as long, ms. */
const FIRST_STRIKE_PAUSE = 1_000;
const LONGEST_STRIKE_PAUSE = 20_000;
/** Then a record is given up, half an hour later. */
const MOST_STRIKES = 90;
/** After so many tries Accounting-On does not wait for a record any more, nor later records for Accounting-On. */
const PATIENCE = 2;

const DEFAULT_LIMITS: AccountingLimits = { records: 8_192, octets: 2 * 1024 * 1024 };

export type SavedAccounting = ReturnType<Accounting['save']>;

export class Accounting {
  readonly #ports: AccountingPorts;
  readonly #queue: AccountingQueue;
  /** Whose first record may go, in the order in which they are tried. */
  readonly #ready = new Set<Account>();
  /** Which wait after a strike, and until when. */
  readonly #held = new Map<Account | Mark, number>();
  /** The first of these moments, or one before. */
  #heldUntil: number | undefined;
  readonly #flights = new Map<AccountingRequest, Flight>();
  readonly #outputs: AccountingOutput[] = [];
  /** Ticks until the next interim record. */
  readonly #interims = new Map<Account, number>();
  #open = 0;
  #mark: Mark | undefined;
  #wasMark = false;
  #answers = 0;
  #window = WIDEST_WINDOW;
  /** So often in a row nobody has answered; 0: somebody does. */
  #silence = 0;
  /** While nobody answers: when somebody is asked again; undefined: now. */
  #probeAt: number | undefined;
  #tickAt: number | undefined;
  #writeAt: number | undefined;
  #isFailing = false;

  /**
   * Nothing is sent before handleOn.
   * @param journal what an earlier daemon has left in the store; '': nothing
   * @param saved of the program before, whose sessions go on
   */
  constructor(
    ports: AccountingPorts,
    journal: string,
    now: number,
    limits: AccountingLimits = DEFAULT_LIMITS,
    saved?: SavedAccounting,
  ) {
    this.#ports = ports;
    this.#queue = new AccountingQueue(ports.store, limits, {
      dropped: (account) => this.#dropped(account),
      lost: (account) => this.#lost(account),
    });
    this.#restore(journal, saved, now);
  }

  /**
   * Besides what is in the journal, which is written now.
   * Not carried: #ports, #queue, #ready; #flights, for what is not answered is sent again; #held, #heldUntil, #open, #outputs, #mark,
   * #wasMark, #answers, #window, #silence, #probeAt, #writeAt and #isFailing, with which it begins anew.
   */
  save() {
    this.#queue.write();
    const interims = [...this.#interims].map(([{ id }, ticks]) => ({ id, ticks }));
    return { interims, tickAt: this.#tickAt };
  }

  /** Records that wait for an answer, also those of accounting itself. */
  get waiting(): number {
    return this.#queue.records + (this.#mark === undefined ? 0 : 1);
  }

  /** This router takes sessions from now on, and none goes on from before. */
  handleOn(nas: NasIdentity, now: number): void {
    this.#setMark('on', nas, now);
  }

  /** This router takes no more sessions; those that have not ended end now. */
  handleOff(nas: NasIdentity, now: number): void {
    for (const account of this.#queue.accounts())
      if (account.isOpen) this.#stop(account, undefined, TerminateCause.AdminReboot, now);
    this.#setMark('off', nas, now);
  }

  /** One that has begun already has what is told now from now on. */
  handleStart(session: AccountedSession, now: number): void {
    const known = this.#queue.get(session.call.sessionId);
    if (known?.isOpen === true) {
      this.#change(known, session, now);
      return;
    }
    const account = this.#queue.begin(session, this.#ports.wallClock(), now);
    this.#goesOn(account, now);
    this.#settle(account, now);
  }

  /** Another Class, or another interval, from now on. */
  handleChange(
    id: string,
    change: Partial<Pick<AccountedSession, 'classes' | 'interimInterval'>>,
    now: number,
  ): void {
    const account = this.#queue.get(id);
    if (account?.isOpen === true) this.#change(account, { ...account.session, ...change }, now);
  }

  /** @param terminateCause RFC 2866 §5.10 */
  handleStop(id: string, counters: SessionCounters, terminateCause: number, now: number): void {
    const account = this.#queue.get(id);
    if (account?.isOpen !== true) return;
    this.#stop(account, counters, terminateCause, now);
    this.#settle(account, now);
  }

  handleAnswered(request: AccountingRequest, now: number): void {
    const flight = this.#landed(request);
    if (flight === undefined) return;
    this.#answers++;
    this.#window = Math.min(this.#window + 1, WIDEST_WINDOW);
    this.#silence = 0;
    this.#probeAt = undefined;
    const { what } = flight;
    if (what === this.#mark) this.#mark = undefined;
    else if ('records' in what) this.#done(what, now);
    this.#pump(now);
    if (this.waiting === 0 && this.#open === 0) this.#write(now);
  }

  /** All servers were tried in vain. */
  handleUnanswered(request: AccountingRequest, now: number): void {
    const flight = this.#landed(request);
    if (flight === undefined) return;
    this.#ports.count('unanswered');
    this.#window = Math.ceil(this.#window / 2);
    const { what, answers } = flight;
    if (!('records' in what)) what.tries++;
    if (answers === this.#answers) {
      if (this.#probeAt === undefined) this.#pause(now);
      if ('records' in what) this.#awaits(what);
    } else this.#strike(what, now);
    this.#pump(now);
  }

  /** A server that had not answered does so again. */
  handleReachable(now: number): void {
    this.#probeAt = undefined;
    this.#pump(now);
  }

  /** The daemon ends: what is not written down yet is so now. */
  flush(): void {
    this.#queue.write();
  }

  nextTimeout(): number | undefined {
    const times = [this.#tickAt, this.#writeAt, this.#heldUntil, this.#probeAt];
    return times.reduce((a, b) => (a === undefined || (b !== undefined && b < a) ? b : a));
  }

  handleTimeout(now: number): void {
    if (this.#heldUntil !== undefined && this.#heldUntil <= now) this.#release(now);
    if (this.#tickAt !== undefined && this.#tickAt <= now) this.#tick(now);
    if (this.#writeAt !== undefined && this.#writeAt <= now) {
      this.#writeAt = undefined;
      this.#write(now);
    }
    if (this.#probeAt !== undefined && this.#probeAt <= now) this.#probeAt = undefined;
    this.#pump(now);
  }

  poll(): AccountingOutput | undefined {
    return takeFirst(this.#outputs);
  }

  #restore(journal: string, saved: SavedAccounting | undefined, now: number): void {
    const wall = this.#ports.wallClock();
    for (const found of readJournal(journal).values()) {
      const age = Math.max(0, wall - found.startedAt);
      const account = this.#queue.restore(found, now - age);
      if (account.isOpen) {
        const isAlive = saved !== undefined || this.#ports.counters(account.id) !== undefined;
        if (isAlive) this.#goesOn(account, now);
        else this.#queue.end(account, account.last, TerminateCause.NasReboot);
        const interim = saved?.interims.find(({ id }) => id === account.id);
        if (interim !== undefined) this.#interims.set(account, interim.ticks);
      }
      this.#awaits(account);
    }
    if (journal !== '') this.#queue.rewrite();
    this.#tickAt = saved?.tickAt ?? this.#tickAt;
  }

  /** Sessions that go on end, but for those that live. */
  retain(isAlive: (id: string) => boolean, now: number): void {
    for (const account of this.#queue.accounts())
      if (account.isOpen && !isAlive(account.id))
        this.#stop(account, undefined, TerminateCause.NasRequest, now);
    this.#pump(now);
  }

  /** One waits at most: the latest tells all that those before it did. */
  #setMark(kind: Mark['kind'], nas: NasIdentity, now: number): void {
    const before = new Set<Account>();
    for (const account of this.#queue.accounts())
      if (account.records.length > 0 && account.strikes < PATIENCE) before.add(account);
    if (this.#mark !== undefined) this.#held.delete(this.#mark);
    const wallAt = this.#ports.wallClock();
    this.#mark = { kind, nas, at: now, wallAt, before, isInFlight: false, tries: 0 };
    this.#write(now);
    this.#pump(now);
  }

  #goesOn(account: Account, now: number): void {
    this.#open++;
    this.#tickAt ??= now + Math.ceil(TICK * (1 - this.#chance() / 2));
    this.#schedule(account);
  }

  #change(account: Account, session: AccountedSession, now: number): void {
    const isRescheduled = session.interimInterval !== account.session.interimInterval;
    this.#queue.change(account, session);
    if (isRescheduled) this.#schedule(account);
    this.#settle(account, now);
  }

  /** @param counters undefined: as they are */
  #stop(
    account: Account,
    counters: SessionCounters | undefined,
    terminateCause: number,
    now: number,
  ): void {
    this.#open--;
    this.#interims.delete(account);
    this.#queue.end(account, this.#reading(account, now, counters), terminateCause);
    this.#awaits(account);
  }

  #reading(account: Account, now: number, counters?: SessionCounters): Reading {
    return {
      at: this.#ports.wallClock(),
      seconds: Math.floor((now - account.since) / 1000),
      counters: counters ?? this.#ports.counters(account.id) ?? account.last.counters,
    };
  }

  /** What is urgent was told of it. */
  #settle(account: Account, now: number): void {
    this.#awaits(account);
    this.#write(now);
    this.#pump(now);
  }

  #tick(now: number): void {
    for (const account of this.#queue.accounts()) {
      if (!account.isOpen) continue;
      const reading = this.#reading(account, now);
      const left = this.#interims.get(account);
      if (left !== undefined && left <= 1) {
        this.#interims.set(account, ticksOf(account.session.interimInterval));
        this.#queue.addInterim(account, reading);
        this.#awaits(account);
      } else {
        if (left !== undefined) this.#interims.set(account, left - 1);
        this.#queue.read(account, reading);
      }
    }
    this.#write(now);
    this.#tickAt = this.#open === 0 ? undefined : now + TICK;
  }

  /** The first comes somewhere in the interval, so that callers who came together do not report together. */
  #schedule(account: Account): void {
    const ticks = ticksOf(account.session.interimInterval);
    if (ticks === 0) this.#interims.delete(account);
    else this.#interims.set(account, 1 + Math.floor(ticks * this.#chance()));
  }

  /** Its next record may go, unless one is on its way or it is held. */
  #awaits(account: Account): void {
    if (account.records.length === 0 || account.isInFlight || this.#held.has(account)) return;
    this.#ready.add(account);
  }

  #done(account: Account, now: number): void {
    account.strikes = 0;
    // That an interim record was answered is not worth a write.
    const delay = account.records[0]?.kind === 'interim' ? TICK : WRITE_DELAY;
    if (!this.#isFailing) this.#writeAt = Math.min(this.#writeAt ?? Infinity, now + delay);
    this.#queue.done(account);
    if (account.records.length === 0) this.#mark?.before.delete(account);
    this.#awaits(account);
  }

  #landed(request: AccountingRequest): Flight | undefined {
    const flight = this.#flights.get(request);
    if (flight === undefined) return undefined;
    this.#flights.delete(request);
    flight.what.isInFlight = false;
    return flight;
  }

  #pause(now: number): void {
    const full = Math.min(FIRST_PAUSE * 2 ** Math.min(this.#silence++, 10), LONGEST_PAUSE);
    this.#probeAt = now + Math.ceil(full * (1 - this.#chance() / 4));
  }

  /** Others were answered, but this was not. */
  #strike(what: Account | Mark, now: number): void {
    if ('records' in what) this.#strikeRecord(what, now);
    else if (what === this.#mark && what.tries > PATIENCE) {
      this.#mark = undefined;
      this.#refused(undefined, `Accounting-${what.kind === 'on' ? 'On' : 'Off'}`);
    } else if (what === this.#mark) this.#hold(what, LONGEST_STRIKE_PAUSE, now);
  }

  #strikeRecord(account: Account, now: number): void {
    account.strikes++;
    if (account.strikes >= PATIENCE) this.#mark?.before.delete(account);
    if (account.strikes < MOST_STRIKES) {
      const pause = FIRST_STRIKE_PAUSE * 2 ** Math.min(account.strikes - 1, 10);
      this.#hold(account, Math.min(pause, LONGEST_STRIKE_PAUSE), now);
      return;
    }
    this.#refused(account, `${account.records[0]!.kind} of session ${account.id}`);
    this.#done(account, now);
  }

  #hold(what: Account | Mark, pause: number, now: number): void {
    this.#held.set(what, now + pause);
    this.#heldUntil = Math.min(this.#heldUntil ?? Infinity, now + pause);
  }

  #release(now: number): void {
    let next = Infinity;
    for (const [what, until] of this.#held) {
      if (until > now) next = Math.min(next, until);
      else {
        this.#held.delete(what);
        if ('records' in what) this.#awaits(what);
      }
    }
    this.#heldUntil = next === Infinity ? undefined : next;
  }

  #refused(account: Account | undefined, what: string): void {
    this.#ports.count('records refused');
    const username = account?.session.username;
    this.#outputs.push({ kind: 'trouble', username, cause: cause('ACCOUNTING_REFUSED', what) });
  }

  #dropped(account: Account): void {
    this.#ports.count('interims dropped');
    if (account.records.length > 0) return;
    this.#ready.delete(account);
    this.#held.delete(account);
    this.#mark?.before.delete(account);
  }

  #lost(account: Account): void {
    this.#ports.count('sessions lost');
    this.#ready.delete(account);
    this.#held.delete(account);
    this.#mark?.before.delete(account);
    this.#outputs.push({
      kind: 'trouble',
      username: account.session.username,
      cause: cause('ACCOUNTING_LOST', `session ${account.id}`),
    });
  }

  /** A store that has failed is not asked again before the next minute. */
  #write(now: number): void {
    if (this.#isFailing && this.#writeAt !== undefined) return;
    this.#isFailing = !this.#queue.write();
    this.#writeAt = this.#isFailing ? now + TICK : undefined;
  }

  #pump(now: number): void {
    const window = this.#silence === 0 ? this.#window : this.#probeAt === undefined ? 1 : 0;
    while (this.#flights.size < window) {
      const next = this.#next();
      if (next === undefined) return;
      this.#send(next, now);
    }
  }

  #next(): Account | Mark | undefined {
    const mark = this.#mark;
    const [first] = this.#ready;
    if (mark === undefined) return first;
    if (mark.before.size > 0)
      for (const account of this.#ready) if (mark.before.has(account)) return account;
    if (mark.before.size > 0) return undefined;
    // Is it that nobody answers, or that they do not answer this? One later record may find out.
    const mayPass = mark.tries >= PATIENCE && this.#flights.size === (mark.isInFlight ? 1 : 0);
    const isFree = !mark.isInFlight && !this.#held.has(mark);
    if (isFree && !(mayPass && this.#wasMark && first !== undefined)) return mark;
    return mayPass ? first : undefined;
  }

  #send(what: Account | Mark, now: number): void {
    const request = this.#requestOf(what, now);
    what.isInFlight = true;
    this.#flights.set(request, { what, answers: this.#answers });
    this.#wasMark = what === this.#mark;
    this.#outputs.push({ kind: 'send', request });
  }

  #requestOf(what: Account | Mark, now: number): AccountingRequest {
    const code = RadiusCode.AccountingRequest;
    if (!('records' in what))
      return {
        code,
        attributes: markAttributes(what.kind, what.nas, what.wallAt),
        happened: what.at,
      };
    this.#ready.delete(what);
    // So that no daemon begins again further back than with the record that was sent last.
    if (!this.#queue.isWritten(what)) this.#write(now);
    const record = what.records[0]!;
    const attributes = recordAttributes(what.session, record);
    // Monotonic time: whatever becomes of the wall clock, no delay is negative.
    return {
      code,
      attributes,
      happened: Math.min(now, what.since + 1000 * record.reading.seconds),
    };
  }

  /** 0 to just below 1. */
  #chance(): number {
    const [high = 0, low = 0] = this.#ports.random(2);
    return ((high << 8) | low) / 0x10000;
  }
}

/** Whole minutes, at least one; 0: none. */
function ticksOf(interval: number): number {
  return interval <= 0 ? 0 : Math.max(1, Math.floor(interval / TICK));
}
