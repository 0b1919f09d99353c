/**
 * The time zone as OpenWrt has it, in /etc/TZ (POSIX.1 §8.3): `CET-1CEST,M3.5.0,M10.5.0/3`. Node reads names such as Europe/Berlin
 * alone, and there are none on a router.
 */
import { DAY, type Zone } from './calendar.ts';

const NAME = '(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]+>)';
const TIME = '([+-]?\\d{1,3})(?::(\\d\\d))?(?::(\\d\\d))?';
const RULE = `,M(\\d{1,2})\\.([1-5])\\.([0-6])(?:/${TIME})?`;
const ZONE = new RegExp(`^${NAME}${TIME}(?:${NAME}(?:${TIME})?${RULE}${RULE})?$`);

/** Day `weekday` (0: Sunday) of the `week`th week of a month, 5: the last one. */
interface Rule {
  readonly month: number;
  readonly week: number;
  readonly weekday: number;
  /** ms after midnight. */
  readonly time: number;
}

/** undefined: it is not understood. */
export function parseZone(text: string): Zone | undefined {
  const found = ZONE.exec(text);
  if (found === null) return undefined;
  const standard = -time(found, 1)!; // west of Greenwich is positive there
  if (found[7] === undefined) return () => standard;
  const summer = -(time(found, 4) ?? -(standard + 3_600_000));
  const [begin, end] = [rule(found, 7), rule(found, 13)];
  return (wall) => {
    const year = new Date(wall + standard).getUTCFullYear();
    const from = moment(year, begin) - standard;
    const to = moment(year, end) - summer;
    const isSummer = from < to ? wall >= from && wall < to : wall >= from || wall < to;
    return isSummer ? summer : standard;
  };
}

function time(found: RegExpExecArray, at: number): number | undefined {
  const [hours, minutes = '0', seconds = '0'] = found.slice(at, at + 3) as (string | undefined)[];
  if (hours === undefined) return undefined;
  const size = Math.abs(Number(hours)) * 3600 + Number(minutes) * 60 + Number(seconds);
  return (hours.startsWith('-') ? -size : size) * 1000;
}

function rule(found: RegExpExecArray, at: number): Rule {
  const [month, week, weekday] = found.slice(at, at + 3).map(Number) as [number, number, number];
  return { month, week, weekday, time: time(found, at + 3) ?? 7_200_000 };
}

/** On the clock on the wall, as if it were UTC. */
function moment(year: number, { month, week, weekday, time }: Rule): number {
  const first = Date.UTC(year, month - 1, 1);
  const days = (weekday - new Date(first).getUTCDay() + 7) % 7;
  const day = first + (days + 7 * (week - 1)) * DAY;
  return (new Date(day).getUTCMonth() === month - 1 ? day : day - 7 * DAY) + time;
}
