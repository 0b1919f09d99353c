/**
 * What could not be undone when it was time, for want of a descriptor or whatever else: tried again, later and later, until
 * it is done.
 */
import type { Timer } from '../platform/clock.ts';
import { errorText } from '../platform/errors.ts';
import { clock } from '../platform/platform.ts';

/** Pause before it is tried again, doubled each time; ms. */
const FIRST = 2_000;
const LONGEST = 60_000;
/** The oldest is given up then, and that is said. */
const MOST = 256;

/** What is left to do; it looks first whether somebody wants it now that it is there. @throws why it is not done yet */
type Undo = () => Promise<void>;

export class Leftovers {
  readonly #warn: (text: string) => void;
  readonly #left = new Map<string, Undo>();
  #pause = FIRST;
  #timer: Timer | undefined;
  #trying: Promise<void> | undefined;

  constructor(warn: (text: string) => void) {
    this.#warn = warn;
  }

  /** @param what it is, for the owner; the same twice is one */
  add(what: string, why: unknown, undo: Undo): void {
    this.#warn(`${what}: ${errorText(why)}; it is tried again`);
    this.#left.delete(what);
    this.#left.set(what, undo);
    const [oldest] = this.#left.keys();
    if (this.#left.size > MOST) {
      this.#left.delete(oldest!);
      this.#warn(`${oldest!}: given up, too much waits to be undone`);
    }
    this.#pause = FIRST;
    this.#arm();
  }

  /** Once more, and not again. */
  async close(): Promise<void> {
    clock.cancel(this.#timer);
    await this.#trying; // which may have begun too early
    await this.#retry();
    clock.cancel(this.#timer);
  }

  #arm(): void {
    clock.cancel(this.#timer);
    if (this.#left.size === 0 || this.#trying !== undefined) return;
    this.#timer = clock.meanwhile(this.#pause, () => void this.#retry());
    this.#pause = Math.min(2 * this.#pause, LONGEST);
  }

  #retry(): Promise<void> {
    this.#trying ??= this.#tryAll().finally(() => {
      this.#trying = undefined;
      this.#arm();
    });
    return this.#trying;
  }

  async #tryAll(): Promise<void> {
    for (const [what, undo] of [...this.#left]) {
      try {
        await undo();
        if (this.#left.get(what) === undo) this.#left.delete(what);
      } catch {
        // It was said, and it is tried again.
      }
    }
  }
}
