import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { duration, octets, shortened, table } from '../../../src/daemon/cli/tables.ts';

test('columns are as wide as their widest cell, no blanks at the end of a line', () => {
  assert.equal(
    table([
      ['ID', 'USER', 'NOTE'],
      ['1', 'anna-maria', ''],
      ['12', 'b', 'long'],
    ]),
    'ID  USER        NOTE\n1   anna-maria\n12  b           long',
  );
  assert.equal(table([]), '');
});

test('a long name is cut, and says so', () => {
  assert.equal(shortened('anna'), 'anna');
  assert.equal(shortened('x'.repeat(40)), 'x'.repeat(40));
  assert.equal(shortened('☃'.repeat(212)), `${'☃'.repeat(39)}…`);
  assert.equal(shortened('🔑'.repeat(41)), `${'🔑'.repeat(39)}…`);
});

test('octets in units people read', () => {
  const cases: Readonly<Record<number, string>> = {
    0: '0 B',
    999: '999 B',
    1000: '1.00 kB',
    1234: '1.23 kB',
    12_345: '12.3 kB',
    123_456: '123 kB',
    999_499: '999 kB',
    999_500: '1.00 MB',
    1_500_000_000: '1.50 GB',
    2_000_000_000_000: '2.00 TB',
    5_000_000_000_000_000: '5000 TB',
  };
  for (const [count, text] of Object.entries(cases)) assert.equal(octets(Number(count)), text);
});

test('octets are never off by more than their last digit', () => {
  const powers = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (count) => {
      const [, number, unit] = /^([\d.]+) (\w+)$/.exec(octets(count))!;
      const power = powers[unit as keyof typeof powers];
      const digits = number!.split('.')[1]?.length ?? 0;
      assert.ok(Math.abs(Number(number) * power - count) <= 0.5001 * power * 10 ** -digits);
      assert.ok(unit === 'TB' || Number(number) < 1000);
    }),
  );
});

test('durations', () => {
  const cases: Readonly<Record<number, string>> = {
    0: '00:00:00',
    7: '00:00:07',
    59.9: '00:00:59',
    3661: '01:01:01',
    86_399: '23:59:59',
    86_400: '1d 00:00:00',
    [3 * 86_400 + 4 * 3600 + 5 * 60 + 6]: '3d 04:05:06',
  };
  for (const [seconds, text] of Object.entries(cases))
    assert.equal(duration(Number(seconds)), text);
});
