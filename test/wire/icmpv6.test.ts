import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeNeighborMessage,
  encodeNeighborMessage,
  neighborOptionLength,
  type NeighborMessage,
  type NeighborOption,
} from '../../src/wire/icmpv6.ts';
import { parseIpv6Address, writeIpv6Checksum } from '../../src/wire/ipv6.ts';
import { bad, hex, ok } from './sample.ts';

const ip6 = (text: string) => parseIpv6Address(text)!;
const SOURCE = ip6('fe80::1');
const ALL = ip6('ff02::1');

const advertisement = {
  name: 'router-advertisement',
  hopLimit: 64,
  flags: 0x40,
  lifetime: 1800,
  reachableTime: 0,
  retransmitTimer: 0,
} as const;

/** Octets behind type, code and checksum. */
const samples: readonly (readonly [NeighborMessage, string])[] = [
  [{ name: 'router-solicitation', options: [] }, '85 0000 0*4'],
  [
    {
      name: 'router-solicitation',
      options: [{ name: 'source-link-layer-address', value: hex('020000000001') }],
    },
    '85 0000 0*4 01 01 020000000001',
  ],
  [
    {
      ...advertisement,
      options: [
        {
          name: 'prefix',
          value: {
            length: 64,
            flags: 0x40,
            validLifetime: 5400,
            preferredLifetime: 2700,
            address: ip6('2001:db8:0:5::'),
          },
        },
        { name: 'mtu', value: { mtu: 1400 } },
        {
          name: 'route',
          value: { length: 48, flags: 0, lifetime: 1800, address: ip6('2001:db8::') },
        },
        {
          name: 'name-servers',
          value: { lifetime: 1800, addresses: [ip6('2001:db8::53'), ip6('2001:db8::54')] },
        },
        { name: 'search-list', value: { lifetime: 1800, names: ['eng.apple.com'] } },
      ],
    },
    `86 0000 40 40 0708 0*8
     03 04 40 40 00001518 00000a8c 0*4 20010db800000005 0*8
     05 01 0000 00000578
     18 03 30 00 00000708 20010db8 0*12
     19 05 0000 00000708 20010db8 0*11 53 20010db8 0*11 54
     1f 03 0000 00000708 03 'eng' 05 'apple' 03 'com' 00 0*1`,
  ],
  [{ name: 'neighbor-solicitation', target: SOURCE, options: [] }, '87 0000 0*4 fe80 0*13 01'],
  [
    { name: 'neighbor-advertisement', flags: 0xe0000000, target: SOURCE, options: [] },
    '88 0000 e0000000 fe80 0*13 01',
  ],
  [
    { name: 'redirect', target: SOURCE, destination: ip6('2001:db8::9'), options: [] },
    '89 0000 0*4 fe80 0*13 01 20010db8 0*11 09',
  ],
];

/** ICMPv6 with the right checksum: type, code and checksum, and the rest. */
function packet(octets: Uint8Array) {
  const payload = new Uint8Array(octets);
  const whole = { nextHeader: 58, hopLimit: 255, source: SOURCE, destination: ALL, payload };
  if (payload.length >= 4) writeIpv6Checksum(whole, 2);
  return whole;
}

/** `TYPE 0000 REST` of a sample, where the code has no octet: type, code, checksum, rest. */
const octetsOf = (text: string) => {
  const [type, , ...rest] = hex(text);
  return Uint8Array.of(type!, 0, 0, 0, ...rest.slice(1));
};

test('the octets of RFC 4861 §4, RFC 8106 §5 and RFC 4191 §2.3', () => {
  for (const [message, text] of samples) {
    const encoded = encodeNeighborMessage(message, SOURCE, ALL);
    assert.deepEqual(encoded, packet(octetsOf(text)), message.name);
    assert.deepEqual(ok(decodeNeighborMessage(encoded)), message);
    const head = message.options.reduce((sum, option) => sum + neighborOptionLength(option), 0);
    assert.ok(encoded.payload.length >= head);
  }
});

test('of a route as many octets as there are: RFC 4191 §2.3', () => {
  for (const [text, expected] of [
    ['18 01 00 00 00000708', '::'],
    ['18 02 30 00 00000708 20010db8 00010000', '2001:db8:1::'],
    ['18 03 30 00 00000708 20010db8 00010000 0*8', '2001:db8:1::'],
  ] as const) {
    const octets = Uint8Array.of(...octetsOf('86 0000 40 00 0708 0*8'), ...hex(text));
    const [option] = ok(decodeNeighborMessage(packet(octets))).options;
    assert.ok(option?.name === 'route');
    assert.deepEqual(option.value.address, ip6(expected));
  }
});

test('what makes all of it invalid', () => {
  const good = octetsOf('85 0000 0*4');
  const option = (text: string) => packet(Uint8Array.of(...good, ...hex(text)));
  bad(decodeNeighborMessage(packet(hex('85 00 00'))), 'too-short');
  bad(decodeNeighborMessage(packet(good.subarray(0, 7))), 'too-short');
  bad(decodeNeighborMessage({ ...packet(good), hopLimit: 254 }), 'bad-value');
  bad(decodeNeighborMessage(packet(Uint8Array.of(133, 1, 0, 0, 0, 0, 0, 0))), 'bad-value');
  bad(decodeNeighborMessage(packet(Uint8Array.of(128, 0, 0, 0, 0, 0, 0, 0))), 'unknown-type');
  bad(decodeNeighborMessage({ ...packet(good), source: ip6('fe80::2') }), 'bad-value');
  bad(decodeNeighborMessage(option('01 00 0*6')), 'bad-value');
  bad(decodeNeighborMessage(option('63 00 0*6')), 'bad-value');
  bad(decodeNeighborMessage(option('01')), 'bad-value');
  bad(decodeNeighborMessage(option('01 02 0*6')), 'too-short');
  bad(decodeNeighborMessage(option('03 03 40 40 0*20')), 'too-short');
  bad(decodeNeighborMessage(option('05 02 0*14')), 'too-long');
  bad(decodeNeighborMessage(option('19 01 0000 00000708')), 'too-short');
  bad(decodeNeighborMessage(option('03 04 81 40 0*28')), 'bad-value');
  bad(decodeNeighborMessage(option('18 03 ff 00 0*20')), 'bad-value');
  // What we do not know is passed over.
  assert.deepEqual(ok(decodeNeighborMessage(option('63 01 0*6'))).options, []);
});

test('what does not fit its field is our own misuse', () => {
  const write = (option: NeighborOption) => () =>
    encodeNeighborMessage({ ...advertisement, options: [option] }, SOURCE, ALL);
  assert.throws(write({ name: 'mtu', value: { mtu: -1 } }), RangeError);
  assert.throws(
    write({ name: 'search-list', value: { lifetime: 0, names: ['a..b'] } }),
    RangeError,
  );
  assert.throws(
    write({ name: 'name-servers', value: { lifetime: 0, addresses: [new Uint8Array(4)] } }),
    RangeError,
  );
});
