/** A map of limited size: the entry that was set longest ago makes room for a new one. */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The oldest first; set() one after the other makes it again. */
  entries(): readonly (readonly [K, V])[] {
    return [...this.#entries];
  }

  values(): IterableIterator<V> {
    return this.#entries.values();
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  /** Sets the entry and makes it the newest. @returns what made room for it */
  set(key: K, value: V): V | undefined {
    this.#entries.delete(key);
    let displaced: V | undefined;
    if (this.#entries.size >= this.#limit) {
      const oldest = this.#entries.entries().next();
      if (oldest.done !== true) {
        displaced = oldest.value[1];
        this.#entries.delete(oldest.value[0]);
      }
    }
    this.#entries.set(key, value);
    return displaced;
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }
}
