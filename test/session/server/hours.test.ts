import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHours } from '../../../src/daemon/configuration/hours.ts';
import { isWithin, toNextMinute } from '../../../src/session/server/hours.ts';

/** Of a clock on the wall. 2 November 2026 is a Monday. */
const at = (text: string) => Date.parse(`${text}Z`);
const within = (hours: string, time: string) => isWithin(parseHours(hours)!, at(time));

test('days and times, the end not in it', () => {
  const office = 'Mon-Fri 08:00-18:00';
  assert.equal(within(office, '2026-11-02T07:59:59.999'), false);
  assert.equal(within(office, '2026-11-02T08:00'), true);
  assert.equal(within(office, '2026-11-06T17:59:59.999'), true);
  assert.equal(within(office, '2026-11-06T18:00'), false);
  assert.equal(within(office, '2026-11-07T12:00'), false);
  assert.equal(within('Fri-Mon 00:00-24:00', '2026-11-01T23:59'), true);
  assert.equal(within('Fri-Mon 00:00-24:00', '2026-11-03T00:00'), false);
  assert.equal(within('12:00-13:00', '2026-11-08T12:30'), true);
});

test('over midnight it belongs to the day on which it begins', () => {
  const night = 'Fri,Sat 22:00-06:00';
  assert.equal(within(night, '2026-11-06T21:59'), false);
  assert.equal(within(night, '2026-11-06T22:00'), true);
  assert.equal(within(night, '2026-11-07T05:59'), true);
  assert.equal(within(night, '2026-11-07T06:00'), false);
  assert.equal(within(night, '2026-11-08T05:59'), true);
  assert.equal(within(night, '2026-11-08T22:00'), false);
  assert.equal(within('Sat 22:00-06:00', '2026-11-01T03:00'), true, 'from Saturday to Sunday');
  assert.equal(within('Mon 00:00-24:00', '2026-11-03T00:00'), false);
});

test('several are one after the other', () => {
  const both = 'Mon 08:00-12:00 13:00-17:00; Sun 10:00-11:00';
  for (const [time, expected] of [
    ['2026-11-02T11:59', true],
    ['2026-11-02T12:30', false],
    ['2026-11-02T13:00', true],
    ['2026-11-08T10:59', true],
    ['2026-11-08T13:30', false],
  ] as const)
    assert.equal(within(both, time), expected, time);
});

test('a clock that is wrong by decades is no fault', () => {
  assert.equal(within('Thu 00:00-24:00', '1970-01-01T00:00'), true);
  assert.equal(within('Wed 23:00-24:00', '1969-12-31T23:30'), true);
  assert.equal(toNextMinute(-1), 1);
  assert.equal(toNextMinute(0), 60_000);
  assert.equal(toNextMinute(59_999), 1);
});
