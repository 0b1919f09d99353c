/**
 * What we put into the kernel stays there: after others have changed something, and from time to time, everything is looked
 * at and put back where it has gone. Whoever removes it again and again wins, and the owner is told.
 */
import type { Timer } from '../platform/clock.ts';
import { errorText } from '../platform/errors.ts';
import { clock } from '../platform/platform.ts';
import { everyChange, type KernelChange } from './kernel-changes.ts';

/** One thing of ours in the kernel. */
export interface Kept {
  /** For the owner: "the routes of link office". */
  readonly what: string;
  /** What may take it away. */
  readonly by: readonly KernelChange[];
  /**
   * Puts it back where it has gone.
   * @returns whether it had
   * @throws Error it cannot be put back now
   */
  readonly look: () => Promise<boolean>;
}

/** Changes come in masses: a look waits for this long, and so long after the one before, ms. */
const SETTLING = 200;
const PAUSE = 1_000;
/** Some things vanish without a word (proxy ARP entries). */
const ROUND = 30_000;
/** Put back more often than this in this time, ms: somebody does not want it. */
const MOST = 5;
const WITHIN = 60_000;
/** Then it is left alone for so long. */
const TRUCE = 600_000;

interface State {
  readonly kept: Kept;
  /** When it was put back. */
  times: number[];
  givenUp: number | undefined;
  /** Why it could not be put back at the last look. */
  fault: string | undefined;
}

export class Upkeep {
  readonly #warn: (text: string) => void;
  readonly #states = new Set<State>();
  #pending = new Set<KernelChange>();
  #timer: Timer | undefined;
  #looking = false;
  #closed = false;
  #lastLook = -Infinity;
  readonly #round: Timer;

  constructor(warn: (text: string) => void) {
    this.#warn = warn;
    this.#round = clock.every(ROUND, () => this.changed(everyChange));
  }

  /** @returns stops looking after it */
  keep(kept: Kept): () => void {
    const state: State = { kept, times: [], givenUp: undefined, fault: undefined };
    this.#states.add(state);
    return () => this.#states.delete(state);
  }

  /** Somebody, or we ourselves, have changed something of these kinds. */
  changed(changes: Iterable<KernelChange>): void {
    if (this.#closed) return;
    for (const change of changes) this.#pending.add(change);
    if (this.#pending.size === 0 || this.#looking || this.#timer !== undefined) return;
    const pause = Math.max(SETTLING, this.#lastLook + PAUSE - clock.monotonic());
    this.#timer = clock.meanwhile(pause, () => void this.#look());
  }

  /** What is missing now, for the owner. */
  problems(): string[] {
    return [...this.#states].flatMap(({ kept, givenUp, fault }) => {
      if (givenUp !== undefined)
        return [`${kept.what}: somebody removes this again and again, so it is left alone for now`];
      return fault === undefined ? [] : [`${kept.what}: missing, and cannot be put back: ${fault}`];
    });
  }

  close(): void {
    this.#closed = true;
    clock.cancel(this.#timer);
    clock.cancel(this.#round);
    this.#states.clear();
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    this.#looking = true;
    const changes = this.#pending;
    this.#pending = new Set();
    for (const state of [...this.#states])
      if (state.kept.by.some((change) => changes.has(change))) await this.#lookAt(state);
    this.#looking = false;
    this.#lastLook = clock.monotonic();
    this.changed([]); // what came meanwhile
  }

  async #lookAt(state: State): Promise<void> {
    const { kept } = state;
    const now = clock.monotonic();
    if (state.givenUp !== undefined) {
      if (now - state.givenUp < TRUCE) return;
      state.givenUp = undefined;
      state.times = [];
    }
    try {
      const wasMissing = await kept.look();
      state.fault = undefined;
      if (!wasMissing || !this.#states.has(state)) return;
      state.times = [...state.times.filter((time) => now - time < WITHIN), now];
      if (state.times.length <= MOST) this.#warn(`${kept.what}: had gone, and is put back`);
      else {
        state.givenUp = now;
        this.#warn(
          `${kept.what}: put back ${MOST} times in ${WITHIN / 1000} s, and gone again: somebody removes it, so it is left alone for ${TRUCE / 60_000} minutes`,
        );
      }
    } catch (error) {
      if (!this.#states.has(state)) return; // it went meanwhile, and is not missed
      const fault = errorText(error);
      if (fault !== state.fault)
        this.#warn(`${kept.what}: missing, and cannot be put back: ${fault}`);
      state.fault = fault;
    }
  }
}
