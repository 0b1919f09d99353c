/**
 * How a program learns that it takes the place of another one: a line in its environment names the descriptors that it has, the
 * state document among them, and what the one before needs to come back.
 */
import { GIVEN } from '../../native/addon.ts';
import {
  become,
  claimDescriptor,
  ENDED,
  Guard,
  GUARD,
  guardDocument,
  setGuard,
} from '../../native/succession.ts';
import { files, program } from '../../platform/platform.ts';
import { dismiss, drop } from '../engine/goodbye.ts';

export const INHERITED = 'PPTP_GATEWAY_INHERITED';
/** The command that starts the program as its packages do, with the runtime and its flags; undefined: as this one was started. */
export const LAUNCHER = 'PPTP_GATEWAY_LAUNCHER';
/** The script of the program before while the next one takes over, in the daemon's folder. */
export const PREVIOUS = 'previous.cjs';
/** Another program asks whether this one would come up. */
export const TRIAL = 'trial';

/** From its start a program has so long until it has taken over, s. */
const UP_TIME = 30;
/** What a C library loads before a program. */
const PRELOAD = 'LD_PRELOAD';
/** What a program in the place of another one is told, and nobody else. */
export const told: readonly string[] = [INHERITED, GIVEN, GUARD, ENDED, PRELOAD];

/** What the program before needs to come back. */
export interface Before {
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly version: string;
  /** Descriptors of its runtime and its addon. */
  readonly descriptors: readonly [runtime: number, addon: number];
  /** That of its guard. */
  readonly guard: number;
}

interface Line {
  readonly state: number;
  /** Besides the state. */
  readonly descriptors: readonly number[];
  /** undefined: it cannot. */
  readonly before: Before | undefined;
  /** The program in between did not come up, and this is the one of before; why, unless the guard knows. */
  readonly failed: string | undefined;
  /** Signals wait until it is set at ease. */
  readonly guard: number | undefined;
}

export class Inheritance {
  /** Why the program in between did not come up: this is the one of before. */
  readonly failed: string | undefined;
  readonly #line: Line;
  #isSettled = false;

  private constructor(line: Line) {
    this.#line = line;
    this.failed = line.failed && (endOf(program.environment(ENDED)) ?? line.failed);
    const { state, descriptors, before, guard } = line;
    const given = [state, ...descriptors, ...(before?.descriptors ?? []), guard];
    for (const descriptor of given) if (descriptor !== undefined) claim(descriptor);
  }

  /** undefined: the program was started by itself. */
  static take(): Inheritance | undefined {
    const line = program.environment(INHERITED);
    if (line === undefined || line === TRIAL) return undefined;
    return (Inheritance.#taken ??= new Inheritance(JSON.parse(line) as Line));
  }

  static #taken: Inheritance | undefined;

  /** @throws IoError it cannot be: everything is as it was */
  static handOver(
    words: readonly string[],
    environment: Readonly<Record<string, string>>,
    state: number,
    descriptors: readonly number[],
    before: Before | undefined,
  ): never {
    const line: Line = { state, descriptors, before, failed: undefined, guard: before?.guard };
    if (before === undefined)
      return become(words, { ...environment, [INHERITED]: JSON.stringify(line) }, [
        state,
        ...descriptors,
      ]);
    const back = wayBack(line, before, 'it did not come up');
    const { guard } = before;
    const file = files.open(`/proc/self/fd/${guard}`);
    file.write(guardDocument(Guard.watchNext, before.words, back.environment, back.descriptors));
    file.close();
    return become(
      words,
      guarded(before, { ...environment, [INHERITED]: JSON.stringify(line) }),
      back.descriptors,
      UP_TIME,
    );
  }

  /** The state document. @throws Error it cannot be read */
  read(): Uint8Array {
    return files.octets(`/proc/self/fd/${this.#line.state}`);
  }

  /** The program before comes back, with the same state. @returns it cannot */
  rollBack(why: string): void {
    const { before } = this.#line;
    if (before === undefined || this.#isSettled) return;
    try {
      const { environment, descriptors } = wayBack(this.#line, before, why);
      setGuard(before.guard, Guard.holdNext);
      become(before.words, environment, descriptors, 0);
    } catch {
      // Its runtime is gone, or there is no memory: an ordinary end.
    }
  }

  /** Nobody goes on with the sessions: their peers hear of it at once. */
  sayGoodbye(): void {
    for (const descriptor of this.#line.descriptors) dismiss(descriptor);
    this.settle();
  }

  /** All that was inherited is in use; what is left is not needed any more. */
  settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    const { state, before, guard } = this.#line;
    if (guard !== undefined) setGuard(guard, Guard.holding);
    for (const descriptor of [state, ...(before?.descriptors ?? [])]) drop(descriptor);
  }

  /** Signals are handled from here on, those that have waited first. */
  handlesSignals(): void {
    const { guard } = this.#line;
    if (guard === undefined) return;
    setGuard(guard, Guard.atEase);
    drop(guard);
  }
}

/** One that is missing is missed by whom it concerns. */
function claim(descriptor: number): void {
  try {
    claimDescriptor(descriptor);
  } catch {
    // it is closed
  }
}

/** How the program before is started again; it does not go back any further. */
function wayBack(line: Line, before: Before, why: string) {
  const back: Line = { ...line, before: undefined, failed: why };
  return {
    environment: guarded(before, { ...before.environment, [INHERITED]: JSON.stringify(back) }),
    descriptors: [line.state, ...line.descriptors, ...before.descriptors, before.guard],
  };
}

function guarded(
  { guard, descriptors: [, addon] }: Before,
  environment: Readonly<Record<string, string>>,
): Record<string, string> {
  return { [GUARD]: String(guard), ...environment, [PRELOAD]: `/proc/self/fd/${addon}` };
}

const SIGALRM = 14;

/** @param ended as the guard tells it: a signal, or 0 */
function endOf(ended: string | undefined): string | undefined {
  const signal = Number(ended);
  if (ended === undefined) return undefined;
  if (signal === SIGALRM) return `it did not come up within ${UP_TIME} s`;
  return signal === 0 ? 'it ended' : `signal ${signal} ended it`;
}
