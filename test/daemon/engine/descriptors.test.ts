import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfiguration } from '../../../src/daemon/configuration/configuration.ts';
import { Descriptors } from '../../../src/daemon/engine/descriptors.ts';

const server = `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
`;
const relay = `config relay 'branch'
	option src 'lan'
	option dest 'wan'
`;
const configuration = (network: string, pptp = '') =>
  parseConfiguration({ network, pptp, pptp_users: '' });

test('with descriptors enough the configuration decides', () => {
  const { limits, relays } = configuration(server, relay);
  const shares = new Descriptors(1024, 20).share(configuration(server, relay));
  assert.deepEqual(shares.limits, limits);
  assert.equal(shares.relayed, relays[0]!.maxConnections);
  assert.equal(shares.shortage, undefined);
  assert.equal(shares.connections, 1024 - 20 - 64 - 2 - 2 - 1);
});

test('with few all get their part, and it is said', () => {
  for (const limit of [64, 128, 256])
    for (const [network, pptp] of [
      [server, ''],
      [server, relay],
      ['', relay],
    ] as const) {
      const wanted = configuration(network, pptp);
      const { connections, limits, relayed, shortage } = new Descriptors(limit, 20).share(wanted);
      const { maxSessions, maxHalfOpen } = limits;
      const callers = network === '' ? 0 : maxSessions + maxHalfOpen;
      assert.ok(callers + 2 * relayed + 2 <= connections);
      assert.ok(connections + 20 + 24 <= limit);
      if (network !== '') assert.ok(maxSessions >= 4 && maxHalfOpen >= 2, JSON.stringify(limits));
      if (pptp !== '') assert.ok(relayed >= 3);
      if (limit < 256)
        assert.match(shortage!, new RegExp(`^the system gives ${limit} descriptors`));
    }
});

test('a limit that is far too low still lets somebody in', () => {
  const { limits } = new Descriptors(32, 20).share(configuration(server));
  assert.deepEqual([limits.maxSessions, limits.maxHalfOpen], [4, 2]);
});

test('of this process', () => {
  const { connections } = Descriptors.ofProcess().share(configuration(server));
  assert.ok(connections >= 8);
});
