/** What a quota leaves: Infinity: everything, 0: nothing, else so many kbit/s in either direction. */
import type { Rates } from './options.ts';

export type Allowance = number;

export function within(allowance: Allowance, rates: Rates): Rates {
  if (allowance === Infinity) return rates;
  const slower = (rate: number) => (rate === 0 ? allowance : Math.min(rate, allowance));
  return { ...rates, up: slower(rates.up), down: slower(rates.down) };
}
