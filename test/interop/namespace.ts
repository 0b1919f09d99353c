/**
 * A network namespace of the tests' own: guests' taps and the program under test live in it.
 *
 * A small shell script (caretaker.sh) makes and removes it. It waits for the end of its input, so that namespace, processes
 * and files go away however this process ends: after remove(), by SIGINT, by a crash or by SIGKILL.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { assertEquipped } from './debian-packages.ts';
import { defaultCeiling, LineLog, within } from './line-log.ts';

/** How a command ended: its exit status (128 + number for a signal, as shells have it) and all it wrote. */
export interface Result {
  readonly code: number;
  readonly output: string;
}

export type Signal = 'TERM' | 'KILL' | 'INT' | 'HUP';

/** A command at work, on this machine or in a guest. */
export interface Running {
  /** Both its outputs, standard and error. */
  readonly log: LineLog;
  /** Never rejects. */
  readonly ended: Promise<Result>;
  /** Signals the command, with KILL its process group, too; does nothing once the command has ended. */
  kill(signal?: Signal): Promise<void>;
}

/** Waits for the end of a command; one that exceeds `ceiling` milliseconds is killed and an error. */
export async function finish(running: Running, what: string, ceiling: number): Promise<Result> {
  try {
    return await within(ceiling, running.ended, () => `still running: ${what}`);
  } catch (error) {
    await running.kill('KILL');
    throw error;
  }
}

let made = 0;

export class Namespace {
  readonly name: string;
  /** A folder for files of this run; removed with the namespace. */
  readonly folder: string;
  readonly #caretaker: ChildProcess;
  readonly #log: LineLog;

  private constructor(name: string, folder: string, caretaker: ChildProcess, log: LineLog) {
    this.name = name;
    this.folder = folder;
    this.#caretaker = caretaker;
    this.#log = log;
  }

  /** Needs root and the programs of debian-packages.ts. The namespace forwards IPv4 and its loopback device is up. */
  static async create(): Promise<Namespace> {
    assertEquipped();
    made += 1;
    const name = `pptp-interop-${process.pid}-${made}`;
    const script = fileURLToPath(new URL('caretaker.sh', import.meta.url));
    // In a session of its own: Ctrl-C must not reach it.
    const caretaker = spawn('sh', [script, name], { detached: true });
    const log = new LineLog('caretaker.sh');
    void collect(caretaker, log);
    const [folder] = await log.waitFor(/^\/.*/);
    return new Namespace(name, folder, caretaker, log);
  }

  /** Starts a program inside the namespace. */
  start(command: string, args: readonly string[], environment?: Record<string, string>): Running {
    const child = spawn('ip', ['netns', 'exec', this.name, command, ...args], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    const log = new LineLog(command);
    const ended = collect(child, log);
    return {
      log,
      ended,
      kill: (signal = 'TERM') => {
        if (signal === 'KILL' && child.pid !== undefined && child.exitCode === null)
          process.kill(-child.pid, 'SIGKILL');
        else child.kill(`SIG${signal}`);
        return Promise.resolve();
      },
    };
  }

  /** Runs a program inside the namespace to its end. */
  exec(command: string, args: readonly string[], ceiling = defaultCeiling): Promise<Result> {
    return finish(this.start(command, args), `${command} ${args.join(' ')}`, ceiling);
  }

  /** `ip ARGUMENTS` on the namespace; an error when it fails. */
  ip(...args: readonly string[]): Promise<string> {
    return this.#must('ip', ...args);
  }

  /** `tc ARGUMENTS`, likewise. */
  tc(...args: readonly string[]): Promise<string> {
    return this.#must('tc', ...args);
  }

  /** Runs a script of nft, likewise. */
  nft(script: string): Promise<string> {
    return this.#must('nft', script);
  }

  async #must(command: string, ...args: readonly string[]): Promise<string> {
    const { code, output } = await this.exec(command, args);
    if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${output}`);
    return output;
  }

  /** Ends every process in the namespace and removes it. */
  async remove(): Promise<void> {
    const from = this.#log.lines.length;
    const ended = new Promise<number | null>((resolve) => {
      this.#caretaker.once('exit', resolve);
    });
    if (this.#caretaker.exitCode !== null) throw new Error(`caretaker.sh ended: ${this.#log.text}`);
    this.#caretaker.stdin?.end();
    const code = await within(defaultCeiling, ended, () => `namespace ${this.name} not removed`);
    const errors = this.#log.lines.slice(from).join('\n');
    if (code !== 0 || errors !== '') throw new Error(`namespace ${this.name}: ${errors}`);
  }
}

/** Sends a child's outputs to a log; how it ended, once both outputs are closed. */
export function collect(child: ChildProcess, log: LineLog): Promise<Result> {
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (piece: string) => {
      log.write(piece);
    });
  }
  return new Promise((resolve) => {
    const end = (code: number): void => {
      log.close();
      resolve({ code, output: log.text });
    };
    child.once('error', (error) => {
      log.push(error.message);
      end(127);
    });
    child.once('close', (code, signal) => {
      end(code ?? (signal === 'SIGKILL' ? 137 : 143));
    });
  });
}
