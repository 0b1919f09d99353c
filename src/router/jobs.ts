/** Jobs that wait for each other. */

/** Jobs of one key run one after the other, in the order in which they were given. */
export class Serial {
  readonly #last = new Map<string, Promise<unknown>>();

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
