/** Accounting in FreeRADIUS' table: what a test waits for. */
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

/** Runs SQL while the server has the database open. @returns rows of a SELECT */
export function sql<T>(database: string, query: string): T[] {
  const text = execFileSync('sqlite3', ['-cmd', '.timeout 10000', '-json', database, query]);
  return text.length === 0 ? [] : (JSON.parse(text.toString()) as T[]);
}

export class Radacct {
  readonly #database: string;

  constructor(database: string) {
    this.#database = database;
  }

  rows(): Row[] {
    return sql<Row>(this.#database, 'SELECT * FROM radacct ORDER BY radacctid');
  }

  /** The first row that is as wanted, once there is one. */
  async row(isWanted: (row: Row) => boolean): Promise<Row> {
    for (;;) {
      const found = this.rows().find(isWanted);
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
