/** Waiting for something in another process that tells nobody of it. */
import { setTimeout } from 'node:timers/promises';

const PATIENCE = 90_000;

/** What `look` finds, asked again and again until it is neither undefined nor false. @throws Error it took too long */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  patience = PATIENCE,
): Promise<T> {
  const deadline = performance.now() + patience;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline)
      throw new Error(`waited ${patience / 1000} s in vain: ${what}`);
    await setTimeout(50);
  }
}
