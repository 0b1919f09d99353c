import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, newAccount, type Account } from '../../src/usage/book.ts';
import { parseDay } from '../../src/usage/calendar.ts';
import { accountLine, parseUsage, usageText } from '../../src/usage/usage-text.ts';

const day = parseDay('2026-11-30')!;

function account(name: string): Account {
  const found = newAccount('user', name);
  enter(found, day - 40, { rx: 7, tx: 1 });
  enter(found, day, { rx: 2 ** 45, tx: 2 });
  enter(found, undefined, { rx: 1, tx: 1 });
  found.told = parseDay('2026-11-15');
  return found;
}

const text = (accounts: readonly Account[]) =>
  usageText({ serial: 7, seen: 1_796_031_940_000 }, accounts.map(accountLine));

const hostile = ['__proto__', 'a\nend 1', '"', '\\', '\0', '', ' ', 'ü\u2028', '\ud800', '[]'];

test('what is written is read again, whatever the names are', () => {
  const accounts = [...hostile, 'anna'].map(account);
  const link = { ...account('anna'), kind: 'link' as const };
  assert.deepEqual(parseUsage(text([...accounts, link])), {
    serial: 7,
    seen: 1_796_031_940_000,
    accounts: [...accounts, link],
  });
  assert.deepEqual(parseUsage(text([]))?.accounts, []);
});

test('a file that is half written, or damaged anywhere, is not believed', () => {
  const whole = text(['anna', 'bert'].map(account));
  for (let length = 0; length < whole.length; length++)
    assert.equal(parseUsage(whole.slice(0, length)), undefined, `${length} characters`);
  for (let at = 0; at < whole.length; at++) {
    const other = whole[at] === '1' ? '2' : '1';
    assert.equal(parseUsage(whole.slice(0, at) + other + whole.slice(at + 1)), undefined, `${at}`);
  }
  const [head = '', one = '', two = '', end = ''] = whole.split('\n');
  for (const lines of [
    [head, one, end],
    [head, end],
    [one, two, end],
    [head, one, two, end, one],
  ])
    assert.equal(parseUsage(`${lines.join('\n')}\n`), undefined);
});

test('lines of another kind are not believed, though their checksums are right', () => {
  const [head = '', , end = ''] = text([account('anna')]).split('\n');
  const broken: unknown[] = [
    { ...account('anna'), kind: 'relay' },
    { ...account('anna'), total: { rx: -1, tx: 0 } },
    { ...account('anna'), total: { rx: 0.5, tx: 0 } },
    { ...account('anna'), undated: { rx: '1', tx: 0 } },
    { ...account('anna'), name: 7 },
    { ...account('x'.repeat(2_000)) },
  ];
  for (const each of broken)
    assert.equal(parseUsage(`${head}\n${accountLine(each as Account)}${end}\n`), undefined);
});
