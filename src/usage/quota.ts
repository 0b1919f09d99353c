/** What a quota leaves of a period: from its day of the month to the day before that of the next. */
import type { Quota } from '../session/options.ts';
import { dayIn, monthOf } from './calendar.ts';
import { type Account } from './book.ts';

/** First and last day. */
export interface Period {
  readonly first: number;
  readonly last: number;
}

export function periodOf({ day: date }: Quota, today: number): Period {
  const month = monthOf(today);
  const first = dayIn(month, date) <= today ? month : month - 1;
  return { first: dayIn(first, date), last: dayIn(first + 1, date) - 1 };
}

/** Octets both ways; what has no date yet counts, too. */
export function usedOf({ days, undated }: Account, { first, last }: Period): number {
  let used = undated.rx + undated.tx;
  for (const [day, { rx, tx }] of days) if (day >= first && day <= last) used += rx + tx;
  return used;
}
