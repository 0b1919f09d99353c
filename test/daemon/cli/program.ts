/** The program as its users start it: a process with arguments, output and an exit code. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
const source = ['--import', 'tsx', join(root, 'src/daemon/main.ts')];

export interface Ended {
  /** The exit code, or the signal that ended it. */
  readonly code: number | NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves once the output so far has this; rejects when the program ends without it. */
  says(pattern: RegExp): Promise<void>;
}

/** Starts `pptp-gateway WORDS`; `wrapper` is a command to start it with. Killed when the test ends. */
export function start(
  context: TestContext,
  words: readonly string[],
  wrapper: readonly string[] = [],
): Started {
  return startProgram(context, [...wrapper, process.execPath, ...source, ...words]);
}

export function startProgram(context: TestContext, command: readonly string[]): Started {
  const env = { ...process.env };
  delete env['NODE_TEST_CONTEXT']; // a child is no test file of ours
  const child = spawn(command[0]!, command.slice(1), {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  const heard = () => {
    for (const check of waiting) check();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    heard();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    heard();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => resolve({ code: code ?? signal, stdout, stderr }));
  });
  context.after(async () => {
    child.kill('SIGKILL');
    await ended; // the next test finds its port and devices free
  });
  return {
    process: child,
    ended,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (pattern.test(stdout + stderr)) resolve();
        };
        waiting.add(check);
        check();
        void ended.then(({ code }) =>
          reject(
            new Error(`ended with ${String(code)} without ${String(pattern)}: ${stdout}${stderr}`),
          ),
        );
      }),
  };
}

export function run(
  context: TestContext,
  words: readonly string[],
  wrapper?: readonly string[],
): Promise<Ended> {
  return start(context, words, wrapper).ended;
}

/** A folder with these files; removed when the test ends. */
export function folder(context: TestContext, files: Readonly<Record<string, string>> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'pptp-daemon-test-'));
  context.after(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(dir, name), text, { mode: 0o600 });
  return dir;
}
