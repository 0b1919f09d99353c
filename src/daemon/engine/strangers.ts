/**
 * Limits what strangers can write into the log: of each kind some lines at once, then one a second, say; the others are
 * counted. A flood of one kind does not hide another.
 */
const usual: Allowance = { burst: 20, interval: 1_000 };

/** So many at once, and then one each `interval` ms. */
export interface Allowance {
  readonly burst: number;
  readonly interval: number;
}

interface Kind {
  lines: number;
  filled: number;
  omitted: number;
}

export class Strangers {
  readonly #kinds = new Map<string, Kind>();

  /**
   * @param kind one of a few: each is remembered for ever
   * @returns whether there may be a line, and how many of its kind were left out since the last one
   */
  admit(
    kind: string,
    now: number,
    { burst, interval } = usual,
  ): { readonly omitted: number } | undefined {
    const before = this.#kinds.get(kind) ?? { lines: burst, filled: now, omitted: 0 };
    this.#kinds.set(kind, before);
    const { filled, omitted } = before;
    before.lines = Math.min(burst, before.lines + (now - filled) / interval);
    before.filled = now;
    if (before.lines < 1) {
      before.omitted++;
      return undefined;
    }
    before.lines--;
    before.omitted = 0;
    return { omitted };
  }
}
