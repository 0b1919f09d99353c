/** Jobs that wait for each other. */

/** Jobs of one key run one after the other, in the order in which they were given. */
export class Serial {
  readonly #last = new Map<string, Promise<unknown>>();

  get isIdle(): boolean {
    return this.#last.size === 0;
  }

  run<T>(key: string, job: () => Promise<T>): Promise<T> {
    const done = (this.#last.get(key) ?? Promise.resolve()).then(job);
    const settled = done.catch(() => undefined); // the caller sees the failure; the next job must still run
    this.#last.set(key, settled);
    void settled.then(() => {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    });
    return done;
  }
}

/** One run of a job at a time, and at most one that waits, for all who ask meanwhile. */
export class Coalesced {
  readonly #job: () => Promise<void>;
  #running: Promise<void> | undefined;
  #waiting: Promise<void> | undefined;

  constructor(job: () => Promise<void>) {
    this.#job = job;
  }

  /** A run that begins from now on. @throws what it throws */
  run(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#job().finally(() => (this.#running = undefined));
      return this.#running;
    }
    this.#waiting ??= this.#running
      .catch(() => undefined) // who asked for it sees that
      .then(() => {
        this.#waiting = undefined;
        return this.run();
      });
    return this.#waiting;
  }
}
