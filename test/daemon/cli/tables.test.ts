import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { duration, octets, shortened, table, width } from '../../../src/daemon/cli/tables.ts';

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

test('a text is as wide as a terminal shows it', () => {
  const cases: Readonly<Record<string, number>> = {
    '': 0,
    'anna-maria': 10,
    é: 1,
    'e\u0301': 1,
    Ünü: 3,
    Анна: 4,
    王小明: 6,
    ｱﾝﾅ: 3,
    Ａ１: 4,
    あんな: 6,
    안나: 4,
    '\u1112\u1161\u11ab': 2, // 한 in its parts
    ก็: 1,
    שלום: 4,
    '🔑': 2,
    '👍🏽': 2,
    '👩‍👩‍👧': 2,
    '☎': 1,
    '☎️': 2,
    '🇩🇪': 2,
    'a\u200bb': 2,
    '…': 1,
    '\u001b[31mfailed\u001b[0m': 6,
    '\u001b[1m王\u001b[0m': 2,
  };
  for (const [text, columns] of Object.entries(cases)) assert.equal(width(text), columns, text);
  const rows = table([
    ['王小明', 'x'],
    ['e\u0301va', 'x'],
    ['👍🏽', 'x'],
    ['anna', 'x'],
  ]).split('\n');
  assert.deepEqual(
    rows.map((row) => width(row.slice(0, row.indexOf('x')))),
    [8, 8, 8, 8],
  );
});

test('a long name is cut, and says so', () => {
  assert.equal(shortened('anna'), 'anna');
  assert.equal(shortened('x'.repeat(40)), 'x'.repeat(40));
  assert.equal(shortened('☃'.repeat(212)), `${'☃'.repeat(39)}…`);
  assert.equal(shortened('🔑'.repeat(20)), '🔑'.repeat(20));
  assert.equal(shortened('🔑'.repeat(21)), `${'🔑'.repeat(19)}…`);
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
