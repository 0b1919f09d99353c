/**
 * Local time by the rule that OpenWrt has in /etc/config/system (`CET-1CEST,M3.5.0,M10.5.0/3`; POSIX.1-2017, XBD §8.3, with
 * the hours that RFC 9636 §3.3.1 allows). The runtime does not know such rules, and there is no zone database on a router.
 */

interface Change {
  /** ms since 1970 of the moment in this year, by the clock that it changes. */
  at(year: number): number;
}

interface Zone {
  /** ms that are added to UTC. */
  readonly standard: number;
  readonly summer:
    { readonly offset: number; readonly begins: Change; readonly ends: Change } | undefined;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NAME = '(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)';
const TIME = '([+-]?\\d{1,3}(?::\\d\\d){0,2})';
const ZONE = new RegExp(`^${NAME}${TIME}(?:${NAME}${TIME}?(?:,([^,]+),([^,]+))?)?$`);
const SUMMER = new RegExp(`^${NAME}${TIME}${NAME}`);
/** POSIX leaves it open; everybody has had that of the United States. */
const USUAL = ['M3.2.0', 'M11.1.0'] as const;

/** What is added to UTC at a moment, ms; undefined: the rule is not understood. */
export function utcOffset(rule: string, utc: number): number | undefined {
  const zone = parseZone(rule);
  if (zone === undefined) return undefined;
  const { standard, summer } = zone;
  if (summer === undefined) return standard;
  const year = new Date(utc + standard).getUTCFullYear();
  const begins = summer.begins.at(year) - standard;
  const ends = summer.ends.at(year) - summer.offset;
  const isSummer = begins < ends ? begins <= utc && utc < ends : !(ends <= utc && utc < begins); // the southern half
  return isSummer ? summer.offset : standard;
}

function parseZone(rule: string): Zone | undefined {
  const [, west, summerWest, begin = USUAL[0], end = USUAL[1]] = ZONE.exec(rule) ?? [];
  if (west === undefined) return undefined;
  const standard = 0 - timeOf(west);
  if (!SUMMER.test(rule)) return { standard, summer: undefined };
  const begins = parseChange(begin);
  const ends = parseChange(end);
  if (begins === undefined || ends === undefined) return undefined;
  const offset = summerWest === undefined ? standard + HOUR : 0 - timeOf(summerWest);
  return { standard, summer: { offset, begins, ends } };
}

/** `M10.5.0/3`, `J60`, `59/-1:30` */
function parseChange(text: string): Change | undefined {
  const [date, time = '2', ...more] = text.split('/');
  if (more.length > 0 || !new RegExp(`^${TIME}$`).test(time)) return undefined;
  const after = timeOf(time);
  const [, month, week, weekday] = (/^M(\d\d?)\.([1-5])\.([0-6])$/.exec(date!) ?? []).map(Number);
  if (month !== undefined && month >= 1 && month <= 12)
    return { at: (year) => nthWeekday(year, month - 1, week!, weekday!) + after };
  const [, julian, day] = /^(J?)(\d{1,3})$/.exec(date!) ?? [];
  if (day === undefined) return undefined;
  // J60 is 1 March in every year, 59 the sixtieth day, which may be 29 February.
  const at =
    julian === 'J'
      ? (year: number) => Date.UTC(year, 0, Number(day)) + (isLeap(year) && +day > 59 ? DAY : 0)
      : (year: number) => Date.UTC(year, 0, 1 + Number(day));
  return { at: (year) => at(year) + after };
}

/** @param week 5: the last */
function nthWeekday(year: number, month: number, week: number, weekday: number): number {
  const first = new Date(Date.UTC(year, month, 1));
  const day = 1 + ((weekday - first.getUTCDay() + 7) % 7) + 7 * (week - 1);
  const length = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return Date.UTC(year, month, day > length ? day - 7 : day);
}

function isLeap(year: number): boolean {
  return new Date(Date.UTC(year, 1, 29)).getUTCMonth() === 1;
}

/** `-1:30` in ms. */
function timeOf(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.replace(/^[+-]/, '').split(':').map(Number);
  const size = hours * HOUR + minutes * 60_000 + seconds * 1_000;
  return text.startsWith('-') ? -size : size;
}
