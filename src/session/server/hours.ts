/** Whether it is one of the times at which a user may be logged in. */
import type { Hours } from '../options.ts';

const MINUTE = 60_000;
const DAY = 1_440; // minutes
/** 1 January 1970 was a Thursday; bit 0 is Sunday. */
const THURSDAY = 4;

/** @param local ms since 1970 by the clock on the wall */
export function isWithin({ periods }: Hours, local: number): boolean {
  const minutes = Math.floor(local / MINUTE);
  const today = dayBit(Math.floor(minutes / DAY));
  const yesterday = dayBit(Math.floor(minutes / DAY) - 1);
  const minute = minutes - Math.floor(minutes / DAY) * DAY;
  return periods.some(({ days, from, to }) => {
    if (to > from) return (days & today) !== 0 && from <= minute && minute < to;
    return ((days & today) !== 0 && from <= minute) || ((days & yesterday) !== 0 && minute < to);
  });
}

/** ms until the clock on the wall shows another minute, and it is worth while to look again. */
export function toNextMinute(local: number): number {
  return MINUTE - (local - Math.floor(local / MINUTE) * MINUTE);
}

/** @param day since 1970 */
function dayBit(day: number): number {
  return 1 << ((((day + THURSDAY) % 7) + 7) % 7);
}
