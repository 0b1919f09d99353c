import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseResolvers } from '../../src/router/surroundings.ts';
import { formatAddress } from '../../src/wire/ip.ts';

test('the name servers of a resolv.conf are those with an IPv4 address', () => {
  const text = `# Interface wan
nameserver 192.0.2.53
  nameserver\t192.0.2.54
#nameserver 192.0.2.55
nameserver fe80::1%eth0
search lan
nameserver
options ndots:2`;
  assert.deepEqual(parseResolvers(text).map(formatAddress), ['192.0.2.53', '192.0.2.54']);
  assert.deepEqual(parseResolvers(''), []);
});
