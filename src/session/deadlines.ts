/** The named deadlines of one machine. */
export class Deadlines<Name extends string> {
  /** Undefined: none, as in most sessions that are up. */
  #at: Map<Name, number> | undefined;

  save(): readonly (readonly [Name, number])[] {
    return [...(this.#at ?? [])];
  }

  restore(saved: readonly (readonly [Name, number])[]): void {
    for (const [name, at] of saved) this.set(name, at);
  }

  set(name: Name, at: number): void {
    this.#at ??= new Map<Name, number>();
    this.#at.set(name, at);
  }

  clear(name: Name): void {
    this.#at?.delete(name);
    if (this.#at?.size === 0) this.#at = undefined;
  }

  clearAll(): void {
    this.#at = undefined;
  }

  next(): number | undefined {
    return this.#at === undefined ? undefined : earliest(...this.#at.values());
  }

  /** Takes out a deadline that has come, the earliest first. */
  due(now: number): Name | undefined {
    const next = this.next();
    if (next === undefined || next > now) return undefined;
    for (const [name, at] of this.#at ?? []) {
      if (at !== next) continue;
      this.clear(name);
      return name;
    }
    return undefined;
  }
}

export function earliest(...times: (number | undefined)[]): number | undefined {
  let next: number | undefined;
  for (const time of times) {
    if (time !== undefined && (next === undefined || time < next)) next = time;
  }
  return next;
}
