/** Pauses between attempts: doubled with every failure, a little random so that many links do not dial in step. */

/**
 * The pause after `failures` failed attempts in a row (1 or more), ms: holdoff * 2^(failures - 1), at most `holdoffMax`,
 * less up to a quarter at random.
 */
export function backoffPause(
  failures: number,
  options: { readonly holdoff: number; readonly holdoffMax: number },
  random: (length: number) => Uint8Array,
): number {
  const full = Math.min(options.holdoff * 2 ** Math.min(failures - 1, 30), options.holdoffMax);
  const [high = 0, low = 0] = random(2);
  return Math.round(full * (1 - ((high << 8) | low) / 0xffff / 4));
}
