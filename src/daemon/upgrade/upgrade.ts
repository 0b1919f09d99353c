/**
 * `pptp-gateway upgrade`: the daemon becomes the program that is installed now, with the same process id, and goes on with all
 * that is established. A program that does not come up is not taken; one that fails before it has taken over gives back.
 */
import { GIVEN } from '../../native/addon.ts';
import {
  become,
  closeDescriptor,
  holdSignals,
  memoryFile,
  openFile,
} from '../../native/succession.ts';
import { errorText } from '../../platform/errors.ts';
import { children, clock, files, program } from '../../platform/platform.ts';
import type { Daemon } from '../daemon.ts';
import { descriptorsOf, type DaemonState } from '../daemon-state.ts';
import type { Log } from '../reports/log.ts';
import { version } from '../version.ts';
import { encodeDocument, STATE_VERSION } from './document.ts';
import {
  Inheritance,
  INHERITED,
  LAUNCHER,
  PREVIOUS,
  told,
  TRIAL,
  type Before,
} from './inheritance.ts';

/** A router takes seconds to start the program, ms. */
const TRIAL_TIME = 30_000;
/** Whoever asked for it has the answer by then, ms. */
const ANSWER_TIME = 100;

/** What a program says of itself that is only tried. */
export interface Trial {
  readonly version: string;
  readonly state: number;
  /** Its runtime, with what that is told, and its script; and its environment. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export class Upgrade {
  readonly #daemon: Daemon;
  readonly #log: Log;
  /** Folder of ours in memory. */
  readonly #folder: string;
  readonly #restart: (why: string) => Promise<void>;
  /** This program as it is now, whatever is installed later; undefined: it could not be opened. */
  readonly #own:
    { readonly runtime: number; readonly script: number; readonly addon: number } | undefined;
  #isUnderWay = false;
  #isForbidden = false;
  /** Why the last one was not to be. */
  #failure: string | undefined;

  /** @param restart the ordinary way, with goodbyes, where there is no other */
  constructor(
    daemon: Daemon,
    log: Log,
    folder: string,
    restart: (why: string) => Promise<void>,
    failure?: string,
  ) {
    this.#failure = failure;
    this.#daemon = daemon;
    this.#log = log;
    this.#folder = folder;
    this.#restart = restart;
    this.#own = ownFiles();
    // This program's own, or that of one before, which 1.0.0 gave another name.
    for (const name of [PREVIOUS, 'previous.mjs']) files.remove(files.join(folder, name));
  }

  /** Why the last one failed. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /**
   * Tries the program that is installed now. It takes over a moment after that.
   * @returns what it is
   * @throws Error why it is not taken: everything is as it was
   */
  async begin(): Promise<Trial> {
    if (this.#isUnderWay) throw new Error('an upgrade is under way already');
    this.#isUnderWay = true;
    this.#failure = undefined;
    try {
      const next = await tryNext();
      this.#log.line('info', `upgrade from ${version} to ${next.version}: it would come up`);
      clock.after(ANSWER_TIME, () => void this.#finish(next));
      return next;
    } catch (error) {
      this.#isUnderWay = false;
      this.#failed(errorText(error));
      throw error;
    }
  }

  async #finish(next: Trial): Promise<void> {
    try {
      if (next.state === STATE_VERSION) await this.#succeed(next);
      await this.#restart(
        `upgrade from ${version} to ${next.version}: that knows another form of sessions (${next.state}, here ${STATE_VERSION}), so they end`,
      );
    } catch (error) {
      this.#failed(errorText(error));
    }
    this.#isUnderWay = this.#isForbidden;
  }

  /** Whoever stops the daemon meanwhile is heard: here before it, or by the next program. */
  async #succeed(next: Trial): Promise<never> {
    let before: Before | undefined;
    holdSignals(true);
    try {
      await clock.pause(1); // what has come already is handled
      if (this.#isForbidden) throw new Error('the daemon is to end');
      before = this.#before(); // not while packets wait
      return await this.#daemon.succeeded((state) => this.#handOver(state, next, before));
    } finally {
      holdSignals(false);
      if (before !== undefined) closeDescriptor(before.guard);
    }
  }

  /** The daemon ends: nobody goes on with anything. */
  forbid(): void {
    this.#isForbidden = true;
    this.#isUnderWay = true;
  }

  #failed(why: string): void {
    this.#failure = why;
    this.#log.line('error', `upgrade: not done, everything goes on as it was: ${why}`);
  }

  #handOver(state: DaemonState, next: Trial, before: Before | undefined): never {
    const document = memoryFile('pptp-gateway state', encodeDocument(state, program.architecture));
    try {
      // Not by the launcher, which would not come back from a fault of its own.
      return Inheritance.handOver(
        [...next.command, ...program.words],
        withoutTold(next.environment),
        document,
        descriptorsOf(state),
        before,
      );
    } catch (error) {
      closeDescriptor(document);
      throw error;
    }
  }

  /** How this program is started again, from what is kept of it. */
  #before(): Before | undefined {
    if (this.#own === undefined) return undefined;
    const { runtime, script, addon } = this.#own;
    const [, ...rest] = program.command;
    const copy = files.join(this.#folder, PREVIOUS);
    try {
      files.replace(copy, files.text(pathOf(script)), { mode: 0o600 });
    } catch (error) {
      this.#log.line('warning', `upgrade: there is no way back: ${errorText(error)}`);
      return undefined;
    }
    return {
      words: [pathOf(runtime), ...rest.slice(0, -1), copy, ...program.words],
      environment: { ...environment(), [GIVEN]: pathOf(addon) },
      version,
      descriptors: [runtime, addon],
      guard: memoryFile('pptp-gateway guard', new Uint8Array()),
    };
  }
}

function ownFiles() {
  const opened: number[] = [];
  const open = (path: string): number => {
    const descriptor = openFile(path);
    opened.push(descriptor);
    return descriptor;
  };
  const script = program.command.at(-1)!;
  const given = program.environment(GIVEN);
  try {
    return {
      runtime: open('/proc/self/exe'),
      script: open(script),
      addon: open(given ?? files.join(files.folderOf(script), 'native.node')),
    };
  } catch {
    for (const descriptor of opened) closeDescriptor(descriptor);
    return undefined; // run from source: only the bundle can be kept
  }
}

function pathOf(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`;
}

function environment(): Record<string, string> {
  return withoutTold(program.environments());
}

/** Without what a program in the place of another one is told. */
function withoutTold(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !told.includes(name)));
}

/** The program that is installed now, in the place of this one, with nothing of it. @throws IoError */
export function restart(): never {
  return become([...nextCommand(), ...program.words], environment(), []);
}

/** As packages start it; else as this one was started. */
function nextCommand(): readonly string[] {
  const launcher = program.environment(LAUNCHER);
  return launcher?.startsWith('/') === true ? [launcher] : program.command;
}

/** Where the runtime ends with a trace, and last with its own version: the error, not that. */
function lastWords(stderr: string): string {
  const lines = stderr.trim().split('\n');
  return lines.findLast((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1)!;
}

/** @throws Error it is broken, missing or too slow */
async function tryNext(): Promise<Trial> {
  const [command = '', ...words] = nextCommand();
  const { error, stdout, stderr } = await children.run(command, [...words, 'version'], {
    input: '',
    timeout: TRIAL_TIME,
    killSignal: 'SIGKILL',
    env: { ...environment(), [INHERITED]: TRIAL },
  });
  const said = lastWords(stderr);
  if (error?.killed === true)
    throw new Error(`the new program did not come up within ${TRIAL_TIME / 1000} s`);
  if (error !== undefined)
    throw new Error(`the new program does not come up: ${said === '' ? error.message : said}`);
  try {
    return JSON.parse(stdout) as Trial;
  } catch {
    throw new Error('the new program does not know how to take over from a running one');
  }
}
