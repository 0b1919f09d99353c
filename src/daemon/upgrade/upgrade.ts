/**
 * `pptp-gateway upgrade`: the daemon becomes the program that is installed now, with the same process id, and goes on with all
 * that is established. A program that does not come up is not taken; one that fails before it has taken over gives back.
 */
import { GIVEN } from '../../native/addon.ts';
import { become, closeDescriptor, memoryFile, openFile } from '../../native/succession.ts';
import { errorText } from '../../platform/errors.ts';
import { children, clock, files, program } from '../../platform/platform.ts';
import type { Daemon } from '../daemon.ts';
import { descriptorsOf, type DaemonState } from '../daemon-state.ts';
import type { Log } from '../reports/log.ts';
import { version } from '../version.ts';
import { encodeDocument, STATE_VERSION } from './document.ts';
import { Inheritance, INHERITED, LAUNCHER, PREVIOUS, TRIAL, type Before } from './inheritance.ts';

/** A router takes seconds to start the program, ms. */
const TRIAL_TIME = 30_000;
/** Whoever asked for it has the answer by then, ms. */
const ANSWER_TIME = 100;

/** What a program says of itself that is only tried. */
export interface Trial {
  readonly version: string;
  readonly state: number;
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
    files.remove(files.join(folder, PREVIOUS)); // this program's own, or that of one before
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
      if (next.state === STATE_VERSION) {
        const before = this.#before(); // not while packets wait
        await this.#daemon.succeeded((state) => this.#handOver(state, before));
      }
      await this.#restart(
        `upgrade from ${version} to ${next.version}: that knows another form of sessions (${next.state}, here ${STATE_VERSION}), so they end`,
      );
    } catch (error) {
      this.#failed(errorText(error));
    }
    this.#isUnderWay = false;
  }

  #failed(why: string): void {
    this.#failure = why;
    this.#log.line('error', `upgrade: not done, everything goes on as it was: ${why}`);
  }

  #handOver(state: DaemonState, before: Before | undefined): never {
    const document = memoryFile('pptp-gateway state', encodeDocument(state, program.architecture));
    try {
      return Inheritance.handOver([...nextCommand(), ...program.words], environment(), {
        state: document,
        descriptors: descriptorsOf(state),
        before,
        failed: undefined,
      });
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

/** Without what this one was told alone. */
function environment(): Record<string, string> {
  const own = [INHERITED, GIVEN];
  return Object.fromEntries(
    Object.entries(program.environments()).filter(([name]) => !own.includes(name)),
  );
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

/** @throws Error it is broken, missing or too slow */
async function tryNext(): Promise<Trial> {
  const [command = '', ...words] = nextCommand();
  const { error, stdout, stderr } = await children.run(command, [...words, 'version'], {
    input: '',
    timeout: TRIAL_TIME,
    killSignal: 'SIGKILL',
    env: { ...environment(), [INHERITED]: TRIAL },
  });
  const said = stderr.trim().split('\n').at(-1) ?? '';
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
