/** A process without a free descriptor: this one, for a while. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync } from 'node:fs';
import type { TestContext } from 'node:test';

/** Takes all that there are, of a limit that is low meanwhile. @returns gives them back */
export function takeDescriptors(context: TestContext): () => void {
  const limit = (soft: string) =>
    execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${soft}:`]);
  const before = /\d+/.exec(
    execFileSync('prlimit', ['--pid', String(process.pid), '--nofile', '-o', 'SOFT'], {
      encoding: 'utf8',
    }),
  )![0];
  limit(String(readdirSync('/proc/self/fd').length + 20));
  const held: number[] = [];
  try {
    for (;;) held.push(openSync('/dev/null', 'r'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error;
  }
  const giveBack = () => {
    for (const fd of held.splice(0)) closeSync(fd);
  };
  context.after(() => {
    giveBack();
    limit(before);
  });
  return giveBack;
}
