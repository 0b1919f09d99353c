/**
 * Limits what strangers can write into the log: of each kind some lines at once, then one a second; the others are
 * counted. A flood of one kind does not hide another.
 */
const BURST = 20;
const INTERVAL = 1_000; // ms

interface Allowance {
  lines: number;
  filled: number;
  omitted: number;
}

export class Strangers {
  readonly #kinds = new Map<string, Allowance>();

  /**
   * @param kind one of a few: each is remembered for ever
   * @returns whether there may be a line, and how many of its kind were left out since the last one
   */
  admit(kind: string, now: number): { readonly omitted: number } | undefined {
    const allowance = this.#kinds.get(kind) ?? { lines: BURST, filled: now, omitted: 0 };
    this.#kinds.set(kind, allowance);
    const { filled, omitted } = allowance;
    allowance.lines = Math.min(BURST, allowance.lines + (now - filled) / INTERVAL);
    allowance.filled = now;
    if (allowance.lines < 1) {
      allowance.omitted++;
      return undefined;
    }
    allowance.lines--;
    allowance.omitted = 0;
    return { omitted };
  }
}
