/**
 * What a machine has taken from all (a place, an address, a number) and gives back, each once. A machine that has thrown, in
 * whatever state that leaves it, is relieved of all at once.
 */
export class Claims {
  readonly #releases = new Set<() => void>();
  #closed = false;

  /** Something was taken. @returns gives it back; harmless when it has been given back */
  add(release: () => void): () => void {
    const once = (): void => {
      if (this.#releases.delete(once)) release();
    };
    this.#releases.add(once);
    if (this.#closed) once();
    return once;
  }

  /** Gives all back, also what is taken from now on. @throws the first failure, when all has been tried */
  close(): void {
    this.#closed = true;
    const [release] = this.#releases;
    if (release === undefined) return;
    try {
      release();
    } finally {
      this.close();
    }
  }
}
