/** Runs programs such as `ip` and `nft` to their end: a few at a time, and again where the system had no room to start one. */
import type { Ran, RunOptions } from '../platform/children.ts';
import { errorCode } from '../platform/errors.ts';
import { children, clock } from '../platform/platform.ts';

/** Each takes eight descriptors while it is started, and three while it runs. */
const AT_ONCE = 4;
/** Shortages end when others give back what they have; ms. What has to be undone is tried again later (leftovers.ts). */
const PATIENCE = 3_000;
const PAUSE = 200;

let running = 0;
const waiting: (() => void)[] = [];

/** Never rejects: `error` tells what went wrong. */
export async function runProgram(
  program: string,
  args: readonly string[],
  input: string,
  options: Omit<RunOptions, 'input'>,
): Promise<Ran> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    for (const until = clock.monotonic() + PATIENCE; ;) {
      const ran = await children.run(program, args, { ...options, input });
      if (!isShortage(ran.error) || clock.monotonic() >= until) return ran;
      await clock.pause(PAUSE);
    }
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}

/** The system has no descriptors, processes or memory now, and may have some later. */
export function isShortage(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'EMFILE' || code === 'ENFILE' || code === 'EAGAIN' || code === 'ENOMEM';
}
