/** Runs programs such as `ip` and `nft` to their end: a few at a time, and again where the system had no room to start one. */
import { execFile, type ExecFileException } from 'node:child_process';

/** Each takes eight descriptors while it is started, and three while it runs. */
const AT_ONCE = 4;
/** Shortages end when others give back what they have; ms. What has to be undone is tried again later (leftovers.ts). */
const PATIENCE = 3_000;
const PAUSE = 200;

export interface ProgramOptions {
  /** ms until it is killed, and how. */
  readonly timeout: number;
  readonly killSignal?: NodeJS.Signals;
  readonly maxBuffer?: number;
  readonly env: Readonly<Record<string, string>>;
}

export interface Ran {
  /** undefined: exit code 0. */
  readonly error: ExecFileException | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

let running = 0;
const waiting: (() => void)[] = [];

/** Never rejects: `error` tells what went wrong. */
export async function runProgram(
  program: string,
  args: readonly string[],
  input: string,
  options: ProgramOptions,
): Promise<Ran> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    for (const until = performance.now() + PATIENCE; ;) {
      const ran = await attempt(program, args, input, options);
      if (!isShortage(ran.error) || performance.now() >= until) return ran;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}

/** The system has no descriptors, processes or memory now, and may have some later. */
export function isShortage(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return code === 'EMFILE' || code === 'ENFILE' || code === 'EAGAIN' || code === 'ENOMEM';
}

function attempt(
  program: string,
  args: readonly string[],
  input: string,
  options: ProgramOptions,
): Promise<Ran> {
  return new Promise((resolve) => {
    try {
      const child = execFile(program, args, options, (error, stdout, stderr) =>
        resolve({ error: error ?? undefined, stdout, stderr }),
      );
      // It ended before it read everything: its exit tells why. Without pipes it has not even begun.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input);
    } catch (error) {
      resolve({ error: error as ExecFileException, stdout: '', stderr: '' });
    }
  });
}
