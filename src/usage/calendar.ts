/** Days and months of the calendar as whole numbers: days since 1970-01-01, months since January of the year 0. */

export const DAY = 86_400_000; // ms

/** How far the router's clock on the wall is ahead of UTC at a moment (ms since 1970), ms. */
export type Zone = (wall: number) => number;

export function dayOf(wall: number, zone: Zone): number {
  return Math.floor((wall + zone(wall)) / DAY);
}

/** When the day after that of `wall` begins, ms since 1970. */
export function nextDay(wall: number, zone: Zone): number {
  const midnight = (dayOf(wall, zone) + 1) * DAY;
  return midnight - zone(midnight - zone(wall));
}

export function monthOf(day: number): number {
  const date = new Date(day * DAY);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/** @param date from 1; one that the month does not have is its last */
export function dayIn(month: number, date: number): number {
  const year = Math.floor(month / 12);
  const last = new Date(Date.UTC(year, (month % 12) + 1, 0)).getUTCDate();
  return Date.UTC(year, month % 12, Math.min(date, last)) / DAY;
}

/** 2026-11-30 */
export function formatDay(day: number): string {
  return new Date(day * DAY).toISOString().slice(0, 10);
}

/** undefined: it is none. */
export function parseDay(text: string): number | undefined {
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) / DAY : NaN;
  return Number.isInteger(day) && formatDay(day) === text ? day : undefined;
}

/** 2026-11 */
export function formatMonth(month: number): string {
  return formatDay(dayIn(month, 1)).slice(0, 7);
}

/** undefined: it is none. */
export function parseMonth(text: string): number | undefined {
  const day = parseDay(`${text}-01`);
  return day === undefined ? undefined : monthOf(day);
}
