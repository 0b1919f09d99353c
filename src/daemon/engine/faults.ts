/**
 * Faults of our own code. What one session, link, relay, hook or request throws is the end of that one: told once with its
 * stack, counted, and never the end of the others. Only what leaves the engine itself in doubt (the data path, its sockets,
 * memory) ends the program.
 */
import { clock } from '../../platform/platform.ts';
import { RouterError } from '../../router/router.ts';
import { UbusError } from '../../ubus-js/index.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { ConfigError } from '../configuration/problems.ts';
import { Fatal } from '../exit-codes.ts';
import { Strangers } from './strangers.ts';

/** Frames of a stack that go to the log. */
const FRAMES = 8;
/** Places in the code whose stack was told; the code has not many more. */
const PLACES = 256;

export interface FaultPorts {
  readonly line: (level: 'error' | 'warning', text: string) => void;
  /** Says goodbye to everybody, and ends the program. */
  readonly end: (what: string) => void;
}

export class Faults {
  readonly #ports: FaultPorts;
  readonly #strangers = new Strangers();
  readonly #told = new Set<string>();
  #noted = 0;
  #ending = false;

  constructor(ports: FaultPorts) {
    this.#ports = ports;
  }

  /** `about` has thrown. @returns why it ends */
  note(about: string, error: unknown): Cause {
    if (isExhaustion(error)) this.endAll(about, error);
    this.#noted++;
    const text = describe(error);
    this.#tell(about, text, frames(error));
    return cause('INTERNAL_ERROR', text);
  }

  /** Does something that is nobody else's matter: a fault in it ends it alone. @param otherwise done after a fault */
  contain<T>(about: string, act: () => T, otherwise?: () => void): T | undefined {
    try {
      return act();
    } catch (error) {
      this.note(about, error);
      if (otherwise !== undefined) this.contain(about, otherwise);
      return undefined;
    }
  }

  /** As contain, for what takes time. What the system or the router refuses is a warning. */
  watch(about: string, promise: Promise<unknown>): void {
    promise.catch((error: unknown) => {
      if (isRefusal(error)) this.#ports.line('warning', `${about}: ${error.message}`);
      else this.note(about, error);
    });
  }

  counters(): Readonly<Record<string, number>> {
    return this.#noted === 0 ? {} : { 'internal error': this.#noted };
  }

  /** The engine itself is in doubt. */
  endAll(about: string, error: unknown): void {
    if (this.#ending) return; // whatever else breaks now breaks because of it
    this.#ending = true;
    this.#ports.end(`${about}: ${describe(error)} (${frames(error).join(' < ')})`);
  }

  /** Each place in the code with its stack once, and then so often as others may cause it. */
  #tell(about: string, text: string, [place = '', ...more]: readonly string[]): void {
    const isNews = !this.#told.has(place);
    if (isNews && this.#told.size >= PLACES) return;
    this.#told.add(place);
    const admitted = this.#strangers.admit(place, clock.monotonic());
    if (admitted === undefined) return;
    const omitted = admitted.omitted > 0 ? `; ${admitted.omitted} more like it were not told` : '';
    const where = isNews ? [place, ...more].join(' < ') : place;
    try {
      const line = `${about}: a fault in pptp-gateway itself: ${text} (${where})${omitted}`;
      this.#ports.line('error', line);
    } catch {
      // The log itself is broken: there is nobody to tell.
    }
  }
}

/** An error that somebody meant: the system, the router, the bus or the configuration says no. */
export function isRefusal(error: unknown): error is Error {
  if (error instanceof RouterError || error instanceof UbusError) return true;
  if (error instanceof ConfigError || error instanceof Fatal) return true;
  // The system's errors have a name such as ENOSPC; Node's own begin with ERR_.
  return error instanceof Error && 'code' in error && /^E[A-Z0-9]+$/.test(String(error.code));
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** Places in the code, the innermost first, without folders. */
function frames(error: unknown): string[] {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, FRAMES)
    .map((line) =>
      line
        .trim()
        .replace(/^at /, '')
        .replace(/(?:file:\/\/)?\/\S*\//g, ''),
    );
}

/** V8 has no memory for a buffer: whatever is tried next may fail in the same way. */
function isExhaustion(error: unknown): boolean {
  return error instanceof RangeError && /allocation failed/i.test(error.message);
}
