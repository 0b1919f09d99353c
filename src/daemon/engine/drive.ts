/**
 * The one event loop around the sans-IO machines: feed, drain, arm one timer.
 *
 * A machine is told things by feed() alone: after it its outputs are carried out and its deadline is noted. Carrying out an
 * output may feed other machines; they are drained after it, never inside it.
 *
 * What a machine throws, or the carrying out of its outputs, is its own end: it is never asked again, and whoever it belongs
 * to undoes what it had done. The others do not notice.
 */
import type { Timer } from '../../platform/clock.ts';
import { clock } from '../../platform/platform.ts';
import type { Cause } from '../../wire/cause.ts';
import type { Faults } from './faults.ts';
import { Schedule } from './schedule.ts';

export interface Machine<Output> {
  nextTimeout(): number | undefined;
  handleTimeout(now: number): void;
  poll(): Output | undefined;
}

/** Whom a machine belongs to. */
export interface Owner<Output> {
  /** For the log. */
  readonly about: string;
  carryOut(output: Output): void;
  /** The machine has thrown and is not driven any more: undo without it what it had done. */
  failed(why: Cause): void;
}

interface Driven {
  readonly machine: Machine<unknown>;
  readonly owner: Owner<unknown>;
}

/** Milliseconds on a monotonic clock. */
export const { monotonic } = clock;

function drain({ machine, owner }: Driven): void {
  for (let output = machine.poll(); output !== undefined; output = machine.poll())
    owner.carryOut(output);
}

export class Drive {
  readonly #faults: Faults;
  readonly #driven = new Map<object, Driven>();
  readonly #schedule = new Schedule<object>();
  readonly #pending: object[] = [];
  #draining = false;
  #stopped = false;
  #timer: Timer | undefined;
  #armedFor = Infinity;

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  add<Output>(machine: Machine<Output>, owner: Owner<Output>): void {
    this.#driven.set(machine, { machine, owner });
    this.touched(machine);
  }

  remove(machine: object): void {
    this.#driven.delete(machine);
    this.#schedule.set(machine, undefined);
  }

  /** Tells a machine something, and carries out what it says to that. One that failed or was removed is told nothing. */
  feed<M extends object>(machine: M, tell: (machine: M, now: number) => void): void {
    this.guard(machine, () => tell(machine, clock.monotonic()));
    this.touched(machine);
  }

  /** Does something for a machine: a fault in it is the machine's. */
  guard(machine: object, act: () => void): void {
    if (!this.#driven.has(machine)) return;
    try {
      act();
    } catch (error) {
      this.#fail(machine, error);
    }
  }

  /** As guard, for what takes time. What could go wrong by itself has been told to the machine by then. */
  watch(machine: object, promise: Promise<unknown>): void {
    promise.catch((error: unknown) => this.#fail(machine, error));
  }

  touched(machine: object): void {
    this.#pending.push(machine);
    if (this.#draining) return;
    this.#draining = true;
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift())
      this.#attend(next);
    this.#draining = false;
    this.#arm();
  }

  /** Nothing is carried out any more. */
  stop(): void {
    this.#stopped = true; // sockets that close later still touch their machines
    clock.cancel(this.#timer);
    this.#driven.clear();
  }

  #attend(machine: object): void {
    const driven = this.#driven.get(machine);
    if (driven === undefined) return;
    this.guard(machine, () => {
      drain(driven);
      if (this.#driven.has(machine)) this.#schedule.set(machine, driven.machine.nextTimeout());
    });
  }

  #fail(machine: object, error: unknown): void {
    const driven = this.#driven.get(machine);
    if (driven === undefined) return; // it is over already
    this.remove(machine);
    const { owner } = driven;
    const why = this.#faults.note(owner.about, error);
    this.#faults.contain(owner.about, () => owner.failed(why));
  }

  #arm(): void {
    const next = this.#schedule.next() ?? Infinity;
    if (this.#stopped) return;
    // A timer that comes too early is left alone, for deadlines move on with every batch: it arms the next one.
    if (next >= this.#armedFor && next !== Infinity) return;
    clock.cancel(this.#timer);
    this.#armedFor = next;
    if (next === Infinity) return;
    // Timers may be up to a millisecond early by this clock, hence the ceiling.
    this.#timer = clock.after(
      Math.min(2 ** 31 - 1, Math.max(1, Math.ceil(next - clock.monotonic()))),
      this.#expire,
    );
  }

  readonly #expire = (): void => {
    this.#armedFor = Infinity;
    const now = clock.monotonic();
    const due: object[] = []; // each once: a machine that is due again at once must not starve the sockets
    for (
      let machine = this.#schedule.due(now);
      machine !== undefined;
      machine = this.#schedule.due(now)
    )
      due.push(machine);
    for (const machine of due) {
      this.guard(machine, () => this.#driven.get(machine)?.machine.handleTimeout(now));
      this.touched(machine);
    }
    this.#arm();
  };
}
