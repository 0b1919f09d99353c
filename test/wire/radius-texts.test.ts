import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress, parsePrefix } from '../../src/wire/ip.ts';
import { parseIpv6Address } from '../../src/wire/ipv6.ts';
import {
  parseFramedIpv6Route,
  parseFramedRoute,
  parseMikrotikRateLimit,
} from '../../src/wire/radius-texts.ts';
import { bad } from './sample.ts';

test('a Framed-Route: network, gateway, metrics (RFC 2865 §5.22)', () => {
  const route = (destination: string, gateway?: string, metric?: number) => ({
    destination: parsePrefix(destination),
    gateway: gateway === undefined ? undefined : parseAddress(gateway),
    metric,
  });
  const routes = {
    '192.168.1.0/24 192.168.1.1 1': route('192.168.1.0/24', '192.168.1.1', 1),
    '192.168.1.0/24 192.168.1.1 1 2 -1 3 400': route('192.168.1.0/24', '192.168.1.1', 1),
    ' 10.20.0.0/16  0.0.0.0 ': route('10.20.0.0/16'),
    '10.20.0.5/16 0.0.0.0 9': route('10.20.0.0/16', undefined, 9),
    '0.0.0.0/0': route('0.0.0.0/0'),
    '10.0.0.0 0.0.0.0 1': route('10.0.0.0/8', undefined, 1),
    '172.16.0.0': route('172.16.0.0/16'),
    '192.168.7.0': route('192.168.7.0/24'),
  };
  for (const [text, expected] of Object.entries(routes))
    assert.deepEqual(parseFramedRoute(text), expected, text);
  for (const text of [
    '',
    'x',
    '10.0.0.0/33 0.0.0.0 1',
    '10.0.0.0/ 0.0.0.0 1',
    '10.0.0.0/8/8',
    '10.0.0.0/8 gateway',
    '10.0.0.0/8 10.0.0.1 one',
    '10.0.0.0 255.0.0.0 10.0.0.1',
    '2001:db8::/32',
    '\u0000\u{1f600}'.repeat(100),
  ])
    bad(parseFramedRoute(text), 'bad-value');
});

test('a Framed-IPv6-Route likewise (RFC 3162 §2.5)', () => {
  const address = (text: string) => parseIpv6Address(text)!;
  assert.deepEqual(parseFramedIpv6Route('2000:0:0:106::/64 2000::106:a00:20ff:fe99:a998 1'), {
    destination: { address: address('2000:0:0:106::'), length: 64 },
    gateway: address('2000::106:a00:20ff:fe99:a998'),
    metric: 1,
  });
  assert.deepEqual(parseFramedIpv6Route('2001:db8::/32 ::'), {
    destination: { address: address('2001:db8::'), length: 32 },
    gateway: undefined,
    metric: undefined,
  });
  for (const text of ['', '10.0.0.0/8', '2001:db8::/129', '2001:db8::/32 10.0.0.1', '::/0 :: x'])
    bad(parseFramedIpv6Route(text), 'bad-value');
});

test("Mikrotik's rates: what the router receives, then what it sends; k, M and G", () => {
  const rates = {
    '2M/10M': { up: 2e6, down: 10e6 },
    '512k': { up: 512e3, down: 512e3 },
    '64000/1G': { up: 64000, down: 1e9 },
    '0/5M': { up: undefined, down: 5e6 },
    '1M/4M 2M/8M 1M/4M 10/10': { up: 1e6, down: 4e6 },
    '1M/4M 2M/8M 1M/4M 10/10 8 256k/256k': { up: 1e6, down: 4e6 },
  };
  for (const [text, expected] of Object.entries(rates))
    assert.deepEqual(parseMikrotikRateLimit(text), expected, text);
  for (const text of ['', 'fast', '1m/1m', '1M/', '/1M', '1M/1M/1M', '-1', '1M 2x', '9'.repeat(20)])
    bad(parseMikrotikRateLimit(text), 'bad-value');
});
