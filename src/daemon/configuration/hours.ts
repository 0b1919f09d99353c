/** Parts of the week as owners write them: `Mon-Fri 08:00-18:00`, `Fri,Sat 22:00-06:00`, `08:00-12:00 13:00-17:00`. */
import type { Hours, Period } from '../../session/options.ts';

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const EVERY_DAY = 0b111_1111;
const DAY = '(sun|mon|tue|wed|thu|fri|sat)';
const DAY_WORD = new RegExp(`^${DAY}(?:-${DAY})?$`);
const TIME_WORD = /^(\d\d?):(\d\d)-(\d\d?):(\d\d)$/;
/** More than anybody writes. */
const LONGEST = 200;
const END_OF_DAY = 24 * 60;

/** Days count for the times after them, until there are others. */
export function parseHours(text: string): Hours | undefined {
  const periods: Period[] = [];
  let days = 0;
  let isAfterTime = false;
  for (const word of text.toLowerCase().split(/[\s,;]+/)) {
    if (word === '') continue;
    const named = daysOf(word);
    if (named !== undefined) {
      days = isAfterTime ? named : days | named;
      isAfterTime = false;
      continue;
    }
    const period = timesOf(word, days === 0 ? EVERY_DAY : days);
    if (period === undefined) return undefined;
    periods.push(period);
    isAfterTime = true;
  }
  return isAfterTime && text.length <= LONGEST ? { periods, text: text.trim() } : undefined;
}

function daysOf(word: string): number | undefined {
  const [, first, last = first] = DAY_WORD.exec(word) ?? [];
  if (first === undefined) return undefined;
  let days = 0;
  const end = DAYS.indexOf(last!);
  for (let day = DAYS.indexOf(first); ; day = (day + 1) % 7) {
    days |= 1 << day;
    if (day === end) return days;
  }
}

function timesOf(word: string, days: number): Period | undefined {
  const [, fromHour, fromMinute, toHour, toMinute] = (TIME_WORD.exec(word) ?? []).map(Number);
  if (fromHour === undefined || fromMinute! > 59 || toMinute! > 59) return undefined;
  const from = fromHour * 60 + fromMinute!;
  const to = toHour! * 60 + toMinute!;
  // From an hour to the same is nothing or a whole day: 00:00-24:00 says which.
  return from < END_OF_DAY && to <= END_OF_DAY && from !== to ? { days, from, to } : undefined;
}
