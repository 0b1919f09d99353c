/**
 * Outputs in order, and between them the end of call paths: a path is freed only when the daemon has carried out what came
 * before, because its slot may at once be another call's.
 */
import type { CallPath } from './ports.ts';
import { takeFirst } from '../wire/queue.ts';

type Entry<Output> = { readonly output: Output } | { readonly release: CallPath };

export class OutputQueue<Output> {
  readonly #entries: Entry<Output>[] = [];

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  push(output: Output): void {
    this.#entries.push({ output });
  }

  /** Closes `path` when the outputs before are carried out, that is when poll() is called after them. */
  release(path: CallPath): void {
    this.#entries.push({ release: path });
  }

  poll(): Output | undefined {
    for (;;) {
      const entry = takeFirst(this.#entries);
      if (entry === undefined) return undefined;
      if ('output' in entry) return entry.output;
      entry.release.close();
    }
  }
}
