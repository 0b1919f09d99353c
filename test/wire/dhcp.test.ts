import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isMalformed } from '../../src/wire/codec.ts';
import {
  decodeDhcp,
  dhcpOptionLength,
  encodeDhcp,
  type DhcpMessage,
  type DhcpOption,
} from '../../src/wire/dhcp.ts';
import { parseAddress, prefixOf } from '../../src/wire/ip.ts';
import { octets } from '../crypto/hex.ts';

const ip = (text: string) => parseAddress(text)!;

const message = (options: readonly DhcpOption[]): DhcpMessage => ({
  operation: 1,
  hardwareType: 1,
  hardwareLength: 6,
  hops: 0,
  transaction: 0x3903f326,
  seconds: 0,
  flags: 0,
  clientAddress: ip('192.168.99.10'),
  yourAddress: 0,
  nextServer: 0,
  relayAgent: 0,
  hardwareAddress: octets('005345000000' + '00'.repeat(10)),
  options,
});

const optionsOf = (found: Uint8Array): string =>
  Buffer.from(found.subarray(240))
    .toString('hex')
    .replace(/(00)+$/, '');

test('the octets of the RFCs', () => {
  // RFC 3442: the examples of its table, each with the router 10.0.0.1.
  const route = (address: string, length: number) => ({
    ...prefixOf(ip(address), length),
    router: ip('10.0.0.1'),
  });
  const routes = [
    ['0.0.0.0', 0, '00'],
    ['10.0.0.0', 8, '080a'],
    ['10.0.0.0', 24, '180a0000'],
    ['10.17.0.0', 16, '100a11'],
    ['10.27.129.0', 24, '180a1b81'],
    ['10.229.0.128', 25, '190a e500 80'],
    ['10.198.122.47', 32, '200a c67a 2f'],
  ] as const;
  for (const [address, length, descriptor] of routes) {
    const value = [route(address, length)];
    const hex = `${descriptor.replaceAll(' ', '')}0a000001`;
    for (const [name, code] of [
      ['classless-routes', '79'],
      ['microsoft-classless-routes', 'f9'],
    ] as const) {
      const encoded = encodeDhcp(message([{ name, value }]));
      const size = (hex.length / 2).toString(16).padStart(2, '0');
      assert.equal(optionsOf(encoded), `${code}${size}${hex}ff`);
      assert.deepEqual(decodeDhcp(encoded), message([{ name, value }]));
    }
  }
  // RFC 3397 §2, without its compression.
  const search = encodeDhcp(
    message([{ name: 'domain-search', value: ['eng.apple.com', 'marketing.apple.com'] }]),
  );
  assert.equal(
    optionsOf(search),
    '7724' +
      Buffer.from('\x03eng\x05apple\x03com\0\x09marketing\x05apple\x03com\0', 'latin1').toString(
        'hex',
      ) +
      'ff',
  );
});

/** deepEqual looks at prototypes. */
const plain = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });
const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
const domain = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
const address = fc.nat(0xffffffff);
const ways = fc.array(
  plain({ address, length: fc.nat(32), router: address }).map(({ router, ...prefix }) => ({
    ...prefixOf(prefix.address, prefix.length),
    router,
  })),
  { minLength: 1, maxLength: 60 },
);
const option: fc.Arbitrary<DhcpOption> = fc.oneof(
  plain({ name: fc.constant('subnet-mask' as const), value: address }),
  plain({
    name: fc.constant('domain-name-servers' as const),
    value: fc.array(address, { minLength: 1, maxLength: 3 }),
  }),
  plain({ name: fc.constant('domain-name' as const), value: domain }),
  plain({ name: fc.constant('message-type' as const), value: fc.nat(255) }),
  plain({ name: fc.constant('server-identifier' as const), value: address }),
  plain({
    name: fc.constant('parameter-request-list' as const),
    value: fc.uint8Array({ maxLength: 40 }),
  }),
  plain({ name: fc.constant('maximum-message-size' as const), value: fc.nat(0xffff) }),
  plain({
    name: fc.constant('client-identifier' as const),
    value: fc.uint8Array({ maxLength: 300 }),
  }),
  plain({
    name: fc.constant('domain-search' as const),
    value: fc.array(domain, { minLength: 1, maxLength: 5 }),
  }),
  plain({ name: fc.constant('classless-routes' as const), value: ways }),
  plain({ name: fc.constant('microsoft-classless-routes' as const), value: ways }),
);

test('what is written is read again, longer options than 255 octets too (RFC 3396)', () => {
  const once = fc.uniqueArray(option, { selector: ({ name }) => name });
  fc.assert(
    fc.property(once, (options) => {
      const encoded = encodeDhcp(message(options));
      assert.ok(encoded.length >= 300);
      assert.deepEqual(decodeDhcp(encoded), message(options));
      const sum = options.reduce((total, each) => total + dhcpOptionLength(each), 0);
      assert.ok(encoded.length === 300 || encoded.length === 240 + sum + 1);
    }),
  );
});

test('whatever comes, the answer is a message or Malformed; cut off anywhere, too', () => {
  const whole = encodeDhcp(
    message([
      { name: 'message-type', value: 8 },
      { name: 'classless-routes', value: [{ address: 0, length: 0, router: 1 }] },
    ]),
  );
  for (let length = 0; length <= whole.length; length++) decodeDhcp(whole.subarray(0, length));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (tail) => {
      decodeDhcp(tail);
      decodeDhcp(Uint8Array.of(...whole.subarray(0, 240), ...tail));
    }),
  );
});

test('what is no DHCP, an option that runs over the end and one of a wrong length are malformed', () => {
  const good = encodeDhcp(message([{ name: 'message-type', value: 8 }]));
  const with_ = (at: number, ...values: number[]) => {
    const copy = good.slice();
    copy.set(values, at);
    return copy;
  };
  assert.ok(!isMalformed(decodeDhcp(good)));
  for (const bad of [
    new Uint8Array(),
    good.subarray(0, 239),
    with_(236, 1),
    with_(240, 53, 2, 8, 8),
    with_(240, 55, 255),
    good.subarray(0, 241),
    good.subarray(0, 242),
  ])
    assert.ok(isMalformed(decodeDhcp(bad)), Buffer.from(bad).toString('hex').slice(-40));
});
