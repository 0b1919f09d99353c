import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeDhcpv6,
  dhcpv6Option,
  dhcpv6StatusOption,
  encodeDhcpv6,
  type Dhcpv6Message,
} from '../../src/wire/dhcpv6.ts';
import { parseIpv6Address } from '../../src/wire/ipv6.ts';
import { bad, hex, ok } from './sample.ts';

const ip6 = (text: string) => parseIpv6Address(text)!;
const none = new Uint8Array();

const samples: readonly (readonly [Dhcpv6Message, string])[] = [
  [
    {
      name: 'solicit',
      transaction: 0x10_08_74,
      options: [
        { name: 'client-identifier', value: hex('0001 0001 1c39cf88 080027fe8f95') },
        { name: 'option-request', value: [23, 24] },
        { name: 'elapsed-time', value: 0 },
        { name: 'rapid-commit', value: {} },
        {
          name: 'prefixes',
          value: {
            iaid: 0x27fe8f95,
            t1: 3600,
            t2: 5400,
            options: [
              {
                name: 'prefix',
                value: {
                  preferredLifetime: 0,
                  validLifetime: 0,
                  length: 60,
                  address: ip6('::'),
                  options: none,
                },
              },
            ],
          },
        },
      ],
    },
    `01 100874 0001 000e 0001 0001 1c39cf88 080027fe8f95 0006 0004 0017 0018 0008 0002 0000 000e 0000
     0019 0029 27fe8f95 00000e10 00001518 001a 0019 00000000 00000000 3c 0*16`,
  ],
  [
    {
      name: 'reply',
      transaction: 1,
      options: [
        { name: 'server-identifier', value: hex('0004 0*16') },
        dhcpv6StatusOption(0),
        {
          name: 'addresses',
          value: {
            iaid: 1,
            t1: 0,
            t2: 0,
            options: [
              {
                name: 'address',
                value: {
                  address: ip6('2001:db8::9'),
                  preferredLifetime: 2700,
                  validLifetime: 5400,
                  options: none,
                },
              },
              dhcpv6StatusOption(2),
            ],
          },
        },
        { name: 'name-servers', value: [ip6('2001:db8::53')] },
        { name: 'search-list', value: ['example.net', 'b.example'] },
        { name: 'refresh-time', value: 600 },
      ],
    },
    `07 000001 0002 0012 0004 0*16 000d 0002 0000
     0003 002e 00000001 0*8 0005 0018 20010db8 0*11 09 00000a8c 00001518 000d 0002 0002
     0017 0010 20010db8 0*11 53 0018 0018 07 'example' 03 'net' 00 01 'b' 07 'example' 00
     0020 0004 00000258`,
  ],
];

test('the octets of RFC 8415 §8, §21', () => {
  for (const [message, text] of samples) {
    assert.deepEqual(encodeDhcpv6(message), hex(text));
    assert.deepEqual(ok(decodeDhcpv6(hex(text))), message);
  }
});

test('all types of messages between client and server', () => {
  const names = Array.from({ length: 11 }, (_, n) => {
    const { name, transaction } = ok(decodeDhcpv6(Uint8Array.of(n + 1, 0xff, 0xff, 0xff)));
    assert.equal(transaction, 0xffffff);
    assert.equal(encodeDhcpv6({ name, transaction, options: [] })[0], n + 1);
    return name;
  });
  assert.equal(new Set(names).size, 11);
  for (const type of [0, 12, 13, 14, 255])
    bad(decodeDhcpv6(Uint8Array.of(type, 0, 0, 1)), 'unknown-type');
});

test('options that are not right, and those that nobody needs', () => {
  const read = (text: string) => decodeDhcpv6(hex(`01 000001 ${text}`));
  bad(decodeDhcpv6(hex('01 0000')), 'too-short');
  for (const text of [
    '00',
    '0001 00',
    '0001 0002 00',
    // Fields that are too short.
    '0008 0001 00',
    '000d 0001 00',
    '0003 0004 00000001',
    '0017 000f 0*15',
    // In an association.
    '0019 000d 0*12 00',
    '0019 0010 0*12 001a 0001',
    '0019 0014 0*12 001a 0004 0*4',
    '0003 0014 0*12 0005 0004 0*4',
  ])
    bad(read(text), 'too-short');
  bad(read('0008 0003 0*3'), 'too-long');
  bad(read('000e 0001 00'), 'too-long');
  bad(read('0019 0029 0*12 001a 0019 0*8 81 0*16'), 'bad-value');
  const { options } = ok(read('0010 0004 0*4 0019 0012 0*12 00ff 0002 0000'));
  assert.deepEqual(options, [{ name: 'prefixes', value: { iaid: 0, t1: 0, t2: 0, options: [] } }]);
});

test('the value of an option', () => {
  const [[message]] = samples as unknown as [[Dhcpv6Message]];
  assert.equal(dhcpv6Option(message, 'elapsed-time'), 0);
  assert.deepEqual(dhcpv6Option(message, 'rapid-commit'), {});
  assert.equal(dhcpv6Option(message, 'server-identifier'), undefined);
});
