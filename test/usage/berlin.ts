/** A zone whose clocks change. */
import { utcOffset } from '../../src/router/time-zone.ts';
import type { Zone } from '../../src/usage/calendar.ts';

export const berlin: Zone = (wall) => utcOffset('CET-1CEST,M3.5.0,M10.5.0/3', wall)!;
