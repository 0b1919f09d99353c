/**
 * What a process writes, line by line, and waiting for a line: the interop tests wait for events, never for times.
 *
 * Every wait has a ceiling (a generous one: it only ends what would otherwise hang), and a wait that fails says what it
 * waited for and what was seen instead.
 */

/** Milliseconds; for what takes a second or two on a machine at rest. */
export const defaultCeiling = 90_000;

/** The promise's value, or an error once `milliseconds` have passed. `describe` words the error at that time. */
export async function within<T>(
  milliseconds: number,
  promise: Promise<T>,
  describe: () => string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const ceiling = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${describe()} (waited ${milliseconds / 1000} s)`));
    }, milliseconds);
  });
  try {
    return await Promise.race([promise, ceiling]);
  } finally {
    clearTimeout(timer);
  }
}

interface Waiter {
  readonly pattern: RegExp;
  readonly resolve: (match: RegExpExecArray) => void;
  readonly reject: (error: Error) => void;
}

export class LineLog {
  readonly lines: string[] = [];
  readonly #name: string;
  readonly #waiters = new Set<Waiter>();
  #rest = '';
  #closed = false;

  /** `name` is what errors call the process that writes this log. */
  constructor(name: string) {
    this.#name = name;
  }

  get text(): string {
    return this.lines.join('\n');
  }

  /** Takes output as it arrives, in pieces of any size. */
  write(piece: string): void {
    const lines = (this.#rest + piece).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.push(line);
  }

  push(line: string): void {
    this.lines.push(line);
    for (const waiter of this.#waiters) {
      const match = waiter.pattern.exec(line);
      if (match === null) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(match);
    }
  }

  /** The process has ended: nothing more comes, and who still waits is told so. */
  close(): void {
    if (this.#rest !== '') this.push(this.#rest);
    this.#rest = '';
    this.#closed = true;
    for (const waiter of this.#waiters) waiter.reject(this.#missed(waiter.pattern, 'has ended'));
    this.#waiters.clear();
  }

  /**
   * The first line, from line number `from` on, that matches; a pattern must not be global or sticky.
   * Rejects when the process ends without such a line, or when `ceiling` milliseconds have passed.
   */
  async waitFor(pattern: RegExp, from = 0, ceiling = defaultCeiling): Promise<RegExpExecArray> {
    for (const line of this.lines.slice(from)) {
      const match = pattern.exec(line);
      if (match !== null) return match;
    }
    if (this.#closed) throw this.#missed(pattern, 'has ended');
    let waiter: Waiter | undefined;
    const seen = new Promise<RegExpExecArray>((resolve, reject) => {
      waiter = { pattern, resolve, reject };
      this.#waiters.add(waiter);
    });
    try {
      return await within(ceiling, seen, () => this.#missed(pattern, 'is silent').message);
    } finally {
      if (waiter !== undefined) this.#waiters.delete(waiter);
    }
  }

  #missed(pattern: RegExp, state: string): Error {
    const last = this.lines.slice(-60).join('\n  ');
    return new Error(
      `${this.#name} ${state}; no line matches ${String(pattern)}; last:\n  ${last}`,
    );
  }
}
