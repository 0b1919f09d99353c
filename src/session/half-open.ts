/** How many callers have not logged in yet, in all and from each source. */
import type { Limits } from './options.ts';

export class HalfOpen {
  readonly #bySource = new Map<number, number>();
  #total = 0;

  isFull(source: number, limits: Limits): boolean {
    return (
      this.#total >= limits.maxHalfOpen ||
      (this.#bySource.get(source) ?? 0) >= limits.maxHalfOpenPerSource
    );
  }

  enter(source: number): void {
    this.#total += 1;
    this.#bySource.set(source, (this.#bySource.get(source) ?? 0) + 1);
  }

  leave(source: number): void {
    const count = this.#bySource.get(source);
    if (count === undefined) throw new Error('a caller left twice');
    this.#total -= 1;
    if (count === 1) this.#bySource.delete(source);
    else this.#bySource.set(source, count - 1);
  }
}
