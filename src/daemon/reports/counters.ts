/** Things that were counted and belong to no session. */

export class Counters {
  readonly #counts = new Map<string, number>();

  count(counter: string): void {
    this.#counts.set(counter, (this.#counts.get(counter) ?? 0) + 1);
  }

  restore(counts: Readonly<Record<string, number>>): void {
    for (const [counter, count] of Object.entries(counts)) this.#counts.set(counter, count);
  }

  all(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}
