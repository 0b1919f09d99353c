/**
 * The one event loop around the sans-IO machines: feed, drain, arm one timer.
 *
 * Whoever feeds a machine calls touched() after it: its outputs are carried out and its deadline is noted. Carrying out
 * an output may touch other machines; they are drained after it, never inside it.
 */
import { Schedule } from './schedule.ts';

export interface Machine<Output> {
  nextTimeout(): number | undefined;
  handleTimeout(now: number): void;
  poll(): Output | undefined;
}

interface Driven {
  drain(): void;
  nextTimeout(): number | undefined;
  handleTimeout(now: number): void;
}

/** Milliseconds on a monotonic clock. */
export const monotonic = (): number => performance.now();

export class Drive {
  /** Called when nothing is left to drain: packets that were queued are sent then. */
  settled: () => void = () => undefined;
  private readonly driven = new Map<object, Driven>();
  private readonly schedule = new Schedule<object>();
  private readonly pending: object[] = [];
  private draining = false;
  private stopped = false;
  private timer: NodeJS.Timeout | undefined;
  private armedFor = Infinity;

  add<Output>(machine: Machine<Output>, carryOut: (output: Output) => void): void {
    this.driven.set(machine, {
      drain() {
        for (let output = machine.poll(); output !== undefined; output = machine.poll())
          carryOut(output);
      },
      nextTimeout: () => machine.nextTimeout(),
      handleTimeout: (now) => machine.handleTimeout(now),
    });
    this.touched(machine);
  }

  remove(machine: object): void {
    this.driven.delete(machine);
    this.schedule.set(machine, undefined);
  }

  touched(machine: object): void {
    this.pending.push(machine);
    if (this.draining) return;
    this.draining = true;
    try {
      for (let next = this.pending.shift(); next !== undefined; next = this.pending.shift()) {
        this.driven.get(next)?.drain();
        this.schedule.set(next, this.driven.get(next)?.nextTimeout()); // it may have been removed while it was drained
      }
      this.settled();
    } finally {
      this.draining = false;
      this.arm();
    }
  }

  /** Nothing is carried out any more. */
  stop(): void {
    this.stopped = true; // sockets that close later still touch their machines
    clearTimeout(this.timer);
    this.driven.clear();
  }

  private arm(): void {
    const next = this.schedule.next() ?? Infinity;
    if (this.stopped) return;
    // A timer that comes too early is left alone, for deadlines move on with every batch: it arms the next one.
    if (next >= this.armedFor && next !== Infinity) return;
    clearTimeout(this.timer);
    this.armedFor = next;
    if (next === Infinity) return;
    // Node fires up to a millisecond early by this clock, hence the ceiling; longer than 2^31 ms overflows setTimeout.
    this.timer = setTimeout(
      this.expire,
      Math.min(2 ** 31 - 1, Math.max(1, Math.ceil(next - monotonic()))),
    );
  }

  private readonly expire = (): void => {
    this.armedFor = Infinity;
    const now = monotonic();
    const due: object[] = []; // each once: a machine that is due again at once must not starve the sockets
    for (
      let machine = this.schedule.due(now);
      machine !== undefined;
      machine = this.schedule.due(now)
    )
      due.push(machine);
    for (const machine of due) {
      this.driven.get(machine)?.handleTimeout(now);
      this.touched(machine);
    }
    this.arm();
  };
}
