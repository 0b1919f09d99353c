/** The last entries. Those that strangers cause, as many as they like, have a part of the room, and push no others out. */
export class Recent<Entry extends object> {
  readonly #most: number;
  readonly #mostOfStrangers: number;
  readonly #entries: Entry[] = [];
  /** The oldest first. */
  readonly #ofStrangers = new Set<Entry>();

  constructor(most: number, mostOfStrangers: number) {
    this.#most = most;
    this.#mostOfStrangers = mostOfStrangers;
  }

  /** Oldest first. */
  get list(): readonly Entry[] {
    return this.#entries;
  }

  /** @returns what has made room for it */
  add(entry: Entry, isOfStranger: boolean): Entry | undefined {
    this.#entries.push(entry);
    if (isOfStranger) this.#ofStrangers.add(entry);
    const [ofStranger] = this.#ofStrangers;
    if (this.#ofStrangers.size > this.#mostOfStrangers) return this.remove(ofStranger);
    return this.#entries.length > this.#most ? this.remove(this.#entries[0]) : undefined;
  }

  /** @returns the entry; undefined: there was none */
  remove(entry: Entry | undefined): Entry | undefined {
    const at = entry === undefined ? -1 : this.#entries.indexOf(entry);
    if (entry === undefined || at === -1) return undefined;
    this.#entries.splice(at, 1);
    this.#ofStrangers.delete(entry);
    return entry;
  }
}
