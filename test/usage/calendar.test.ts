import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
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
import { berlin } from './berlin.ts';

const utc: Zone = () => 0;
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
