/**
 * What is told, and what was told and holds no more: the latter is told with a lifetime of zero for as long as somebody may believe
 * it (RFC 9096 §3.5).
 */

/** Of those that fade so many are kept; the ones that end first go. */
const MOST = 8;

interface Faded<T> {
  readonly item: T;
  readonly until: number;
}

export class Fading<T> {
  readonly #isSame: (a: T, b: T) => boolean;
  #current: readonly T[];
  #faded: readonly Faded<T>[] = [];
  /** When all of `current` was last told, and how long that holds, ms. */
  #until = 0;

  constructor(current: readonly T[], isSame: (a: T, b: T) => boolean) {
    this.#current = current;
    this.#isSame = isSame;
  }

  /** Not carried: #isSame; #current, which is given anew. */
  save() {
    return { faded: this.#faded, until: this.#until };
  }

  restore({ faded, until }: { readonly faded: readonly Faded<T>[]; readonly until: number }): void {
    this.#faded = faded;
    this.#until = until;
  }

  get current(): readonly T[] {
    return this.#current;
  }

  /** Those that end last stand last. */
  get faded(): readonly Faded<T>[] {
    return this.#faded;
  }

  /** The current ones are told, and hold until then. */
  told(until: number): void {
    this.#until = until;
  }

  /** @returns those that are gone at once, for there are too many */
  change(current: readonly T[], now: number): readonly T[] {
    const old = this.#current
      .filter((item) => !this.#has(current, item))
      .map((item) => ({ item, until: this.#until }));
    this.#current = current;
    const faded = [...this.#faded.filter(({ item }) => !this.#has(current, item)), ...old];
    const over = faded.filter(({ until }, n) => until <= now || n < faded.length - MOST);
    this.#faded = faded.filter((item) => !over.includes(item));
    return over.map(({ item }) => item);
  }

  /** @returns those whose time is over */
  expire(now: number): readonly T[] {
    const over = this.#faded.filter(({ until }) => until <= now);
    if (over.length > 0) this.#faded = this.#faded.filter(({ until }) => until > now);
    return over.map(({ item }) => item);
  }

  nextTimeout(): number | undefined {
    return this.#faded[0]?.until;
  }

  #has(list: readonly T[], item: T): boolean {
    return list.some((other) => this.#isSame(item, other));
  }
}
