/** FreeRADIUS' database, of which the server has the file open: accounting in its table, and what a test waits for there. */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Row {
  readonly acctsessionid: string;
  readonly username: string;
  readonly acctstarttime: number;
  /** null: it goes on. */
  readonly acctstoptime: number | null;
  readonly acctsessiontime: number;
  readonly acctinputoctets: number;
  readonly acctoutputoctets: number;
  readonly acctterminatecause: string;
  readonly framedipaddress: string;
  readonly callingstationid: string;
  readonly nasipaddress: string;
}

export const hasEnded = ({ acctstoptime }: Row): boolean => acctstoptime !== null;

/** Runs sqlite3 with these words, where its file is. @returns what it prints */
type Sqlite3 = (words: readonly string[]) => Promise<string>;
const here: Sqlite3 = (words) =>
  Promise.resolve(execFileSync('sqlite3', words, { encoding: 'utf8' }));

export class RadiusDatabase {
  readonly #file: string;
  readonly #sqlite3: Sqlite3;

  constructor(file: string, sqlite3 = here) {
    this.#file = file;
    this.#sqlite3 = sqlite3;
  }

  /** @returns rows of a SELECT */
  async query<T>(text: string): Promise<T[]> {
    const found = await this.#sqlite3(['-cmd', '.timeout 10000', '-json', this.#file, text]);
    return found === '' ? [] : (JSON.parse(found) as T[]);
  }

  rows(): Promise<Row[]> {
    return this.query<Row>('SELECT * FROM radacct ORDER BY radacctid');
  }

  /** The first row of accounting that is as wanted, once there is one. */
  async row(isWanted: (row: Row) => boolean): Promise<Row> {
    for (;;) {
      const found = (await this.rows()).find(isWanted);
      if (found !== undefined) return found;
      await sleep(50);
    }
  }

  /** A session's row once it has ended. */
  ended(id: string): Promise<Row> {
    return this.row((row) => row.acctsessionid === id && hasEnded(row));
  }

  /** The row of one that goes on, and has none of these ids. */
  open(but: readonly string[] = []): Promise<Row> {
    return this.row((row) => !hasEnded(row) && !but.includes(row.acctsessionid));
  }
}
