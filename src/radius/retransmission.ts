/** When a request is sent again: RFC 5080 §2.2.1. Times in ms. */
import type { Random } from './sealing.ts';

/** MRT */
const LONGEST = 16_000;

/** The first interval, around `timeout`, or the one after `previous`: each about twice as long, never at one moment for all. */
export function nextInterval(
  timeout: number,
  previous: number | undefined,
  random: Random,
): number {
  // RAND is between -0.1 and +0.1.
  const jitter = (random(1)[0]! / 255 - 0.5) / 5;
  if (previous === undefined) return timeout * (1 + jitter);
  const next = previous * (2 + jitter);
  return next > LONGEST ? LONGEST * (1 + jitter) : next;
}
