import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utcOffset } from '../../src/router/time-zone.ts';

/** As OpenWrt's LuCI has them (zoneinfo), with the zone whose rule they are. */
const rules: readonly (readonly [string, string])[] = [
  ['Europe/Berlin', 'CET-1CEST,M3.5.0,M10.5.0/3'],
  ['Europe/London', 'GMT0BST,M3.5.0/1,M10.5.0'],
  ['Europe/Moscow', 'MSK-3'],
  ['America/New_York', 'EST5EDT,M3.2.0,M11.1.0'],
  ['America/St_Johns', 'NST3:30NDT,M3.2.0,M11.1.0'],
  ['America/Nuuk', '<-02>2<-01>,M3.5.0/-1,M10.5.0/0'],
  ['America/Havana', 'CST5CDT,M3.2.0/0,M11.1.0/1'],
  ['Asia/Kathmandu', '<+0545>-5:45'],
  ['Asia/Shanghai', 'CST-8'],
  ['Asia/Jerusalem', 'IST-2IDT,M3.4.4/26,M10.5.0'],
  ['Australia/Sydney', 'AEST-10AEDT,M10.1.0,M4.1.0/3'],
  ['Australia/Lord_Howe', '<+1030>-10:30<+11>-11,M10.1.0,M4.1.0'],
  ['Pacific/Auckland', 'NZST-12NZDT,M9.5.0,M4.1.0/3'],
  ['Pacific/Chatham', '<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45'],
  ['America/Santiago', '<-04>4<-03>,M9.1.6/24,M4.1.6/24'],
  ['UTC', 'UTC0'],
];

/** As the runtime's zone database has it. */
function known(zone: string): (utc: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  return (utc) => {
    const parts = new Map(format.formatToParts(utc).map(({ type, value }) => [type, +value]));
    const at = (type: Intl.DateTimeFormatPartTypes) => parts.get(type)!;
    return (
      Date.UTC(at('year'), at('month') - 1, at('day'), at('hour'), at('minute')) -
      Math.floor(utc / 60_000) * 60_000
    );
  };
}

test("local time is that of the zone database, over two years and at each change's minute", () => {
  for (const [zone, rule] of rules) {
    const expected = known(zone);
    const start = Date.UTC(2026, 0, 1);
    let before = expected(start);
    for (let utc = start; utc < Date.UTC(2028, 0, 1); utc += 3_600_000) {
      const offset = expected(utc);
      assert.equal(utcOffset(rule, utc), offset, `${zone} ${new Date(utc).toISOString()}`);
      if (offset === before) continue;
      before = offset;
      for (let minute = utc - 3_600_000; minute <= utc; minute += 60_000)
        assert.equal(utcOffset(rule, minute), expected(minute), `${zone} ${minute}`);
    }
  }
});

test('days of the year, and the rule that nobody writes', () => {
  const at = (rule: string, text: string) => utcOffset(rule, Date.parse(text));
  // J60 is 1 March, 59 the sixtieth day: 29 February 2028.
  assert.equal(at('AAA0BBB,J60/0,J300/0', '2028-02-29T23:59Z'), 0);
  assert.equal(at('AAA0BBB,J60/0,J300/0', '2028-03-01T00:00Z'), 3_600_000);
  assert.equal(at('AAA0BBB,J60/0,J300/0', '2027-03-01T00:00Z'), 3_600_000);
  assert.equal(at('AAA0BBB,59/0,J300/0', '2028-02-29T00:00Z'), 3_600_000);
  assert.equal(at('EST5EDT', '2026-07-01T00:00Z'), -4 * 3_600_000);
});

test('what is no rule', () => {
  for (const rule of [
    '',
    'Europe/Berlin',
    'CET',
    'CET-1CEST,M3.5.0',
    'CET-1CEST,M13.5.0,M1.1.0',
    'A-1',
    '<+1',
    'CET-1CEST,M3.5.0/x,M1.1.0',
    'CET-1 ',
  ])
    assert.equal(utcOffset(rule, 0), undefined, rule);
});
