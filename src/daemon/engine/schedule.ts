/** A heap of deadlines: one entry per machine, the earliest first. Nothing is ever scanned. */

interface Entry<T> {
  at: number;
  readonly item: T;
}

export class Schedule<T> {
  readonly #heap: Entry<T>[] = [];
  readonly #positions = new Map<T, number>();

  /** Sets, moves or (undefined) removes the deadline of an item; milliseconds. */
  set(item: T, at: number | undefined): void {
    const position = this.#positions.get(item);
    if (at === undefined) {
      if (position !== undefined) this.#remove(position);
    } else if (position === undefined) {
      this.#heap.push({ at, item });
      this.#up(this.#heap.length - 1);
    } else {
      this.#heap[position]!.at = at;
      this.#down(this.#up(position));
    }
  }

  /** The earliest deadline. */
  next(): number | undefined {
    return this.#heap[0]?.at;
  }

  /** Takes out an item that is due, if any is. */
  due(now: number): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.at > now) return undefined;
    this.#remove(0);
    return first.item;
  }

  #remove(position: number): void {
    this.#positions.delete(this.#heap[position]!.item);
    const last = this.#heap.pop()!;
    if (position === this.#heap.length) return;
    this.#place(last, position);
    this.#down(this.#up(position));
  }

  #up(position: number): number {
    const entry = this.#heap[position]!;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (this.#heap[parent]!.at <= entry.at) break;
      this.#place(this.#heap[parent]!, position);
      position = parent;
    }
    this.#place(entry, position);
    return position;
  }

  #down(position: number): void {
    const entry = this.#heap[position]!;
    for (;;) {
      let child = 2 * position + 1;
      if (child >= this.#heap.length) break;
      if (child + 1 < this.#heap.length && this.#heap[child + 1]!.at < this.#heap[child]!.at)
        child++;
      if (this.#heap[child]!.at >= entry.at) break;
      this.#place(this.#heap[child]!, position);
      position = child;
    }
    this.#place(entry, position);
  }

  #place(entry: Entry<T>, position: number): void {
    this.#heap[position] = entry;
    this.#positions.set(entry.item, position);
  }
}
