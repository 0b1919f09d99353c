import { execFile, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Children, Exit, Ran } from '../children.ts';

export const children: Children = {
  run: (program, args, { input, ...options }) =>
    new Promise((resolve) => {
      try {
        const child = execFile(program, args, options, (error, stdout, stderr) =>
          resolve({ error: error ?? undefined, stdout, stderr }),
        );
        // It ended before it read everything: its exit tells why. Without pipes it has not even begun.
        child.stdin?.on('error', () => undefined);
        child.stdin?.end(input);
      } catch (error) {
        resolve({ error: error as Ran['error'], stdout: '', stderr: '' });
      }
    }),

  start(program, args, env, said) {
    const child = spawn(program, args, {
      cwd: '/',
      detached: true,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // Where no descriptors are left there are no pipes: the error follows.
    const outputs = [child.stdout, child.stderr] as (Readable | undefined)[];
    for (const output of outputs) {
      output?.setEncoding('utf8').on('data', said);
      output?.on('error', () => undefined); // its end is seen below
    }
    return {
      ended: new Promise<Exit>((resolve, reject) => {
        child.on('error', reject);
        child.once('close', (code, signal) =>
          resolve({ code: code ?? undefined, signal: signal ?? undefined }),
        );
      }),
      kill() {
        killGroup(child.pid);
        // A descendant that left the group may hold the pipes for ever.
        for (const output of outputs) output?.destroy();
      },
    };
  },
};

function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
