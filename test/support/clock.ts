/**
 * A virtual clock for sans-IO machines: time jumps from one deadline or event to the next, so that "the peer is silent
 * for 60 s" is arithmetic and takes no time. Milliseconds; starts far from 0.
 */

/** The time verbs that every sans-IO machine has. */
export interface Timed {
  nextTimeout(): number | undefined;
  handleTimeout(now: number): void;
}

export class VirtualClock {
  now = 1_000_000;
  readonly #events: { at: number; run: () => void }[] = [];

  /** Runs `run` in `delay` ms; events of one moment in the order in which they were made. */
  after(delay: number, run: () => void): void {
    const at = this.now + delay;
    const later = this.#events.findIndex((event) => event.at > at);
    this.#events.splice(later === -1 ? this.#events.length : later, 0, { at, run });
  }

  /**
   * Lets `duration` ms pass: events and time-outs of `machines` happen in their order. `drain` is called at the start and
   * after each step, to move what the machines have put out. A machine that never stops asking for a time-out throws.
   */
  advance(duration: number, machines: readonly Timed[], drain: () => void): void {
    const end = this.now + duration;
    drain();
    for (let steps = 0; ; steps++) {
      if (steps > 100_000) throw new Error('a machine does not come to rest');
      const timeouts = machines.map((machine) => machine.nextTimeout() ?? Infinity);
      const event = this.#events[0];
      const next = Math.min(event?.at ?? Infinity, ...timeouts);
      if (next > end) break;
      this.now = Math.max(this.now, next);
      if (event !== undefined && event.at === next) {
        this.#events.shift();
        event.run();
      } else {
        machines[timeouts.indexOf(next)]!.handleTimeout(this.now);
      }
      drain();
    }
    this.now = end;
  }
}
