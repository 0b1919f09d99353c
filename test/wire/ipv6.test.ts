import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'node:test';
import {
  addressInPrefix,
  decodeIpv6,
  encodeIpv6,
  formatIpv6Address,
  formatIpv6Prefix,
  ipv6PrefixContains,
  ipv6PrefixCovers,
  isSameIpv6Prefix,
  linkLocalAddress,
  parseIpv6Address,
  parseIpv6Prefix,
} from '../../src/wire/ipv6.ts';
import { bad, hex, ok } from './sample.ts';

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

test('the text of RFC 5952 §4', () => {
  for (const text of [
    '2001:db8::1',
    '::',
    '::1',
    '1::',
    '2001:db8:0:1:1:1:1:1',
    '2001:0:0:1::1',
    '2001:db8::1:0:0:1',
    '1:2:3:4:5:6:7:0',
    '0:2:3:4:5:6:7:8',
    'fe80::d800:0:0:42',
    'abcd:ef01:2345:6789:abcd:ef01:2345:6789',
  ])
    assert.equal(formatIpv6Address(parseIpv6Address(text)!), text);
  assert.equal(formatIpv6Address(parseIpv6Address('2001:DB8:0:0:0:0:2:1')!), '2001:db8::2:1');
});

test('prefixes: what is behind their length is cleared', () => {
  for (const [text, written] of [
    ['2001:db8::/32', '2001:db8::/32'],
    ['2001:db8:ffff:ffff::1/48', '2001:db8:ffff::/48'],
    ['2001:db8::ffff/121', '2001:db8::ff80/121'],
    ['2001:db8::1', '2001:db8::1'],
    ['2001:db8::1/128', '2001:db8::1'],
    ['2001:db8::1/0', '::/0'],
  ] as const)
    assert.equal(formatIpv6Prefix(parseIpv6Prefix(text)!), written);
  for (const text of ['', '/64', '::/', '::/129', '::/064', '::/-1', '::/64/64', '10.0.0.0/8'])
    assert.equal(parseIpv6Prefix(text), undefined, inspect(text));
});

test('what is in a prefix, and what is the same', () => {
  const net = (text: string) => parseIpv6Prefix(text)!;
  const at = (text: string) => parseIpv6Address(text)!;
  assert.ok(ipv6PrefixContains(net('2001:db8::/61'), at('2001:db8:0:7::1')));
  assert.ok(!ipv6PrefixContains(net('2001:db8::/61'), at('2001:db8:0:8::1')));
  assert.ok(ipv6PrefixCovers(net('2001:db8::/61'), net('2001:db8:0:7::/64')));
  assert.ok(!ipv6PrefixCovers(net('2001:db8::/61'), net('2001:db8::/60')));
  assert.ok(isSameIpv6Prefix(net('::/0'), { address: at('ffff::'), length: 0 }));
  assert.ok(!isSameIpv6Prefix(net('2001:db8::/61'), net('2001:db8::/60')));
  const identifier = hex('0200 0000 0000 0001');
  assert.deepEqual(addressInPrefix(net('2001:db8::/64'), identifier), at('2001:db8::200:0:0:1'));
  assert.deepEqual(linkLocalAddress(identifier), at('fe80::200:0:0:1'));
});

test('the header of RFC 8200 §3', () => {
  const octets = hex("60000000 0003 3a ff fe80 0*13 01 ff02 0*13 01 'abc'");
  const packet = {
    nextHeader: 58,
    hopLimit: 255,
    source: parseIpv6Address('fe80::1')!,
    destination: parseIpv6Address('ff02::1')!,
    payload: hex("'abc'"),
  };
  assert.deepEqual(encodeIpv6(packet), octets);
  assert.deepEqual(ok(decodeIpv6(octets)), packet);
  // Traffic class and flow label say nothing here; what is behind the payload is padding.
  const other = Uint8Array.of(0x6f, 0xff, 0xff, 0xff, ...octets.subarray(4), 1, 2, 3);
  assert.deepEqual(ok(decodeIpv6(other)), packet);
  bad(decodeIpv6(octets.subarray(0, 39)), 'too-short');
  bad(decodeIpv6(octets.subarray(0, 42)), 'too-short');
  bad(decodeIpv6(Uint8Array.of(0x45, ...octets.subarray(1))), 'bad-value');
  assert.throws(() => encodeIpv6({ ...packet, payload: new Uint8Array(0x10000) }), RangeError);
});
