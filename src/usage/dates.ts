/**
 * On which day something was, although clocks are wrong: a router without a battery starts in 1970 or on the day of its newest
 * file, and NTP, or its owner, sets the clock later.
 *
 * - A clock that is before this program, or at the start clearly before what an earlier daemon has seen, is not believed, the
 *   latter for an hour: what happens meanwhile has no date until the clock is right, and is dated then.
 * - A clock that is set back shows that what lies in its future was dated wrongly: that is dated anew. The setting back may have
 *   been the mistake: then a jump forward undoes it.
 * - Else what lies before a jump forward stays where it is.
 */
import { DAY, dayOf, nextDay, type Zone } from './calendar.ts';
import { keyOf, nothing, redate, sum, type Account, type Traffic } from './book.ts';

/** 2026-01-01: no clock of today is before that. */
const EARLIEST = Date.UTC(2026);
/** For how long a clock may find itself, and how far it may be behind what was seen, ms. */
const SETTLING = 3_600_000;
const BEHIND = 600_000;
/** More than clocks are slewed by, ms. */
const JUMP = 60_000;
/** What has passed lately: so much in a piece, and so many pieces. */
const PIECE = 1_800_000;
const PIECES = 48;

interface Piece {
  /** When, on the monotonic clock. */
  readonly since: number;
  until: number;
  day: number | undefined;
  isDoubtful: boolean;
  readonly traffic: Map<string, { readonly account: Account; traffic: Traffic }>;
}

export class Dates {
  /** When the clock was believed last, ms since 1970; 0: never. */
  seen: number;
  readonly #started: number;
  readonly #zone: Zone;
  #wall: number;
  /** Between the two clocks. */
  #offset: number;
  #isBelieved = false;
  /** It was set back, or is behind what an earlier daemon has seen. */
  #isDoubtful = false;
  #pieces: Piece[] = [];

  /** @param seen of an earlier daemon */
  constructor(zone: Zone, seen: number, wall: number, now: number) {
    this.seen = seen;
    this.#zone = zone;
    this.#started = now;
    this.#wall = wall;
    this.#offset = wall - now;
  }

  /** False: what happens has no date yet. */
  get isBelieved(): boolean {
    return this.#isBelieved;
  }

  /** As far as is known. */
  get today(): number {
    return dayOf(this.#isBelieved || this.seen === 0 ? this.#wall : this.seen, this.#zone);
  }

  /** When the next day begins, on the monotonic clock. */
  get midnight(): number {
    return nextDay(this.#wall, this.#zone) - this.#offset;
  }

  /**
   * What time it is; before what has happened since is noted.
   * @param accounts all
   * @returns dates have been changed
   */
  look(wall: number, now: number, accounts: () => Iterable<Account>): boolean {
    const offset = wall - now;
    const jump = offset - this.#offset;
    const isSettling = now - this.#started < SETTLING;
    const wasBelieved = this.#isBelieved;
    this.#wall = wall;
    this.#offset = offset;
    this.#isBelieved =
      wall >= EARLIEST && (wasBelieved || wall >= this.seen - BEHIND || !isSettling);
    if (!this.#isBelieved) return false;
    const behind = this.seen - BEHIND;
    this.seen = wall;
    if (!wasBelieved) {
      this.#isDoubtful = wall < behind;
      const dated = this.#dateAgain(({ day }) => day === undefined, now);
      return this.#dateRest(accounts()) || dated;
    }
    if (jump < -JUMP) {
      this.#isDoubtful = true;
      const { today } = this;
      return this.#dateAgain(({ day = today }) => day > today, now);
    }
    if (jump < JUMP || !this.#isDoubtful) return false;
    this.#isDoubtful = false;
    return this.#dateAgain(({ isDoubtful }) => isDoubtful, now);
  }

  /** @param at on the monotonic clock @returns the day, as it is entered in the book */
  note(account: Account, traffic: Traffic, at: number): number | undefined {
    const day = this.#isBelieved ? dayOf(at + this.#offset, this.#zone) : undefined;
    const isDoubtful = this.#isDoubtful;
    const last = this.#pieces.at(-1);
    const isSame =
      last !== undefined &&
      last.day === day &&
      last.isDoubtful === isDoubtful &&
      at - last.since < PIECE;
    const piece: Piece = isSame
      ? last
      : { since: at, until: at, day, isDoubtful, traffic: new Map() };
    if (!isSame) this.#pieces.push(piece);
    if (this.#pieces.length > PIECES) this.#pieces.shift();
    piece.until = at;
    const key = keyOf(account);
    const before = piece.traffic.get(key)?.traffic ?? nothing;
    piece.traffic.set(key, { account, traffic: sum(before, traffic) });
    return day;
  }

  #dateAgain(isMeant: (piece: Piece) => boolean, now: number): boolean {
    this.#pieces = this.#pieces.filter(({ until }) => now - until < DAY);
    const meant = this.#pieces.filter(isMeant);
    for (const piece of meant) {
      const day = dayOf((piece.since + piece.until) / 2 + this.#offset, this.#zone);
      for (const { account, traffic } of piece.traffic.values())
        redate(account, piece.day, day, traffic);
      piece.day = day;
      piece.isDoubtful = this.#isDoubtful;
    }
    return meant.length > 0;
  }

  /** What earlier daemons could not date is of today. */
  #dateRest(accounts: Iterable<Account>): boolean {
    let isAny = false;
    for (const account of accounts) {
      const { undated } = account;
      if (undated.rx + undated.tx === 0) continue;
      redate(account, undefined, this.today, undated);
      isAny = true;
    }
    return isAny;
  }
}
