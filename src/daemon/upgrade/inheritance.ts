/**
 * How a program learns that it takes the place of another one: a line in its environment names the descriptors that it has, the
 * state document among them, and what the one before needs to come back.
 */
import { become, claimDescriptor, closeDescriptor } from '../../native/succession.ts';
import { files, program, sockets } from '../../platform/platform.ts';
import { sayGoodbye } from '../engine/goodbye.ts';

export const INHERITED = 'PPTP_GATEWAY_INHERITED';
/** The command that starts the program as its packages do, with the runtime and its flags; undefined: as this one was started. */
export const LAUNCHER = 'PPTP_GATEWAY_LAUNCHER';
/** The script of the program before while the next one takes over, in the daemon's folder. */
export const PREVIOUS = 'previous.cjs';
/** Another program asks whether this one would come up. */
export const TRIAL = 'trial';

/** What the program before needs to come back. */
export interface Before {
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly version: string;
  /** Descriptors of its runtime, its addon. */
  readonly descriptors: readonly number[];
}

interface Line {
  readonly state: number;
  /** Besides the state. */
  readonly descriptors: readonly number[];
  /** undefined: it cannot. */
  readonly before: Before | undefined;
  /** Why the program in between did not come up; undefined: there was none. */
  readonly failed: string | undefined;
}

export class Inheritance {
  /** Why the program in between did not come up: this is the one of before. */
  readonly failed: string | undefined;
  readonly #line: Line;
  #isSettled = false;

  private constructor(line: Line) {
    this.#line = line;
    this.failed = line.failed;
    for (const descriptor of [line.state, ...line.descriptors, ...(line.before?.descriptors ?? [])])
      claimDescriptor(descriptor);
  }

  /** undefined: the program was started by itself. */
  static take(): Inheritance | undefined {
    const line = program.environment(INHERITED);
    if (line === undefined || line === TRIAL) return undefined;
    return (Inheritance.#taken ??= new Inheritance(JSON.parse(line) as Line));
  }

  static #taken: Inheritance | undefined;

  static handOver(
    words: readonly string[],
    environment: Readonly<Record<string, string>>,
    line: Line,
    own: readonly number[] = [],
  ): never {
    const before = line.before?.descriptors ?? [];
    const descriptors = [line.state, ...line.descriptors, ...before, ...own];
    return become(words, { ...environment, [INHERITED]: JSON.stringify(line) }, descriptors);
  }

  /** The state document. @throws Error it cannot be read */
  read(): Uint8Array {
    return files.octets(`/proc/self/fd/${this.#line.state}`);
  }

  /** The program before comes back, with the same state. @returns it cannot */
  rollBack(why: string): void {
    const { before } = this.#line;
    if (before === undefined || this.failed !== undefined || this.#isSettled) return;
    try {
      const line = { ...this.#line, before: undefined, failed: why };
      Inheritance.handOver(before.words, before.environment, line, before.descriptors);
    } catch {
      // Its runtime is gone, or there is no memory: an ordinary end.
    }
  }

  /** Nobody goes on with the sessions: their peers hear of it at once. */
  sayGoodbye(): void {
    for (const descriptor of this.#line.descriptors) {
      try {
        const socket = sockets.adopt(descriptor);
        if (socket.endpoints === undefined) socket.destroy();
        else sayGoodbye(socket);
      } catch {
        this.#close(descriptor); // no socket, or not any more
      }
    }
    this.settle();
  }

  /** All that was inherited is in use; what is left is not needed any more. */
  settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    const { state, before } = this.#line;
    for (const descriptor of [state, ...(before?.descriptors ?? [])]) this.#close(descriptor);
  }

  #close(descriptor: number): void {
    try {
      closeDescriptor(descriptor);
    } catch {
      // it was closed already
    }
  }
}
