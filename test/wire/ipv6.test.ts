import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'node:test';
import { parseIpv6Address } from '../../src/wire/ipv6.ts';

const read = (text: string) => {
  const octets = parseIpv6Address(text);
  return octets && Buffer.from(octets).toString('hex');
};

test('addresses as RFC 4291 §2.2 writes them', () => {
  for (const [text, hex] of [
    ['2001:db8:0:0:8:800:200c:417a', '20010db80000000000080800200c417a'],
    ['2001:DB8::8:800:200C:417A', '20010db80000000000080800200c417a'],
    ['::1', `${'0'.repeat(31)}1`],
    ['fe80::', `fe80${'0'.repeat(28)}`],
    ['::', '0'.repeat(32)],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
  ] as const)
    assert.equal(read(text), hex, text);
});

test('nothing else is one', () => {
  for (const text of [
    '',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    ':1:2:3:4:5:6:7',
    '12345::',
    'g::',
    '::ffff:1.2.3.4',
    'fe80::1%eth0',
    '2001:db8::/32',
    ' ::1',
  ])
    assert.equal(read(text), undefined, inspect(text));
});
