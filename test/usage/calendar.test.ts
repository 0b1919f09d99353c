import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DAY,
  dayIn,
  dayOf,
  formatDay,
  formatMonth,
  monthOf,
  nextDay,
  parseDay,
  parseMonth,
  type Zone,
} from '../../src/usage/calendar.ts';
import { parseZone } from '../../src/usage/posix-zone.ts';

const utc: Zone = () => 0;
const berlin = parseZone('CET-1CEST,M3.5.0,M10.5.0/3')!;
const at = (text: string) => Date.parse(`${text}Z`);

test('a day is that of the clock on the wall', () => {
  assert.equal(formatDay(dayOf(at('2026-11-30T23:30:00'), utc)), '2026-11-30');
  assert.equal(formatDay(dayOf(at('2026-11-30T23:30:00'), berlin)), '2026-12-01');
  assert.equal(formatMonth(monthOf(dayOf(at('2026-12-31T23:30:00'), berlin))), '2027-01');
});

test('the next day begins at midnight on the wall, also where the clocks change', () => {
  for (const [wall, next] of [
    ['2026-11-30T12:00:00', '2026-11-30T23:00:00'],
    ['2026-03-28T22:59:59', '2026-03-28T23:00:00'],
    ['2026-03-28T23:00:00', '2026-03-29T22:00:00'],
    ['2026-10-25T00:30:00', '2026-10-25T23:00:00'],
  ] as const)
    assert.equal(nextDay(at(wall), berlin), at(next), wall);
});

test('a date that the month does not have is its last', () => {
  const day = (month: string, date: number) => formatDay(dayIn(parseMonth(month)!, date));
  assert.equal(day('2026-02', 31), '2026-02-28');
  assert.equal(day('2028-02', 30), '2028-02-29');
  assert.equal(day('2026-12', 31), '2026-12-31');
  assert.equal(day('2026-12', 1), '2026-12-01');
});

test('days and months are read as they are written, and nothing else is', () => {
  for (const day of ['1970-01-01', '2026-11-30', '2028-02-29'])
    assert.equal(formatDay(parseDay(day)!), day);
  for (const text of ['', '2026-02-29', '2026-13-01', '2026-1-1', '2026-11-30 ', 'today'])
    assert.equal(parseDay(text), undefined, text);
  assert.equal(formatMonth(parseMonth('2026-11')!), '2026-11');
  for (const text of ['', '2026', '2026-00', '2026-13', '2026-11-30'])
    assert.equal(parseMonth(text), undefined, text);
});

/** Against what the runtime itself knows of these places. */
test('time zones as OpenWrt writes them', () => {
  for (const [text, place] of [
    ['CET-1CEST,M3.5.0,M10.5.0/3', 'Europe/Berlin'],
    ['GMT0BST,M3.5.0/1,M10.5.0', 'Europe/London'],
    ['EST5EDT,M3.2.0,M11.1.0', 'America/New_York'],
    ['<-04>4<-03>,M9.1.6/24,M4.1.6/24', 'America/Santiago'],
    ['AEST-10AEDT,M10.1.0,M4.1.0/3', 'Australia/Sydney'],
    ['<+1030>-10:30<+11>-11,M10.1.0,M4.1.0', 'Australia/Lord_Howe'],
    ['IST-5:30', 'Asia/Kolkata'],
    ['<-03>3', 'America/Sao_Paulo'],
    ['UTC', undefined],
  ] as const) {
    const zone = parseZone(text);
    if (place === undefined) {
      assert.equal(zone, undefined, text);
      continue;
    }
    const format = new Intl.DateTimeFormat('sv-SE', {
      timeZone: place,
      dateStyle: 'short',
      timeStyle: 'medium',
    });
    for (let wall = at('2026-01-01T00:15:00'); wall < at('2027-01-01T00:00:00'); wall += DAY / 4) {
      const shown = new Date(wall + zone!(wall)).toISOString().slice(0, 19).replace('T', ' ');
      assert.equal(shown, format.format(wall), `${text} ${new Date(wall).toISOString()}`);
    }
  }
});

test('the moment when the clocks change', () => {
  const hours = (zone: Zone, wall: string) => zone(at(wall)) / 3_600_000;
  assert.equal(hours(berlin, '2026-03-29T00:59:59'), 1);
  assert.equal(hours(berlin, '2026-03-29T01:00:00'), 2);
  assert.equal(hours(berlin, '2026-10-25T00:59:59'), 2);
  assert.equal(hours(berlin, '2026-10-25T01:00:00'), 1);
});

test('what is no time zone', () => {
  for (const text of ['', 'Europe/Berlin', 'CET-1CEST', 'CET-1CEST,J60,J300', 'X1', 'CET-', '\0'])
    assert.equal(parseZone(text), undefined, text);
});
