/** What a name's answers mean to a link. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverAddresses, type Resolver } from '../../../src/daemon/tunnels/server-address.ts';
import { formatAddress } from '../../../src/wire/ip.ts';

/** A name server that knows one name. */
const answers = (v4: readonly string[] | Error, v6: readonly string[] | Error = []): Resolver => ({
  lookup: (_name, family) => {
    const answer = family === 4 ? v4 : v6;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  },
  own: () => ['127.0.0.1', '192.168.1.1', 'fe80::1', '198.51.100.7'],
});
const missing = new Error('getaddrinfo ENOTFOUND vpn.example.net');

async function outcome(resolver: Resolver): Promise<string> {
  const found = await serverAddresses('vpn.example.net', resolver);
  if ('code' in found) return [found.code, found.detail].filter(Boolean).join(' ');
  return found.map(formatAddress).join(' ');
}

test('addresses that can be dialled are left, the others pass unseen', async () => {
  assert.equal(await outcome(answers(['203.0.113.9'])), '203.0.113.9');
  assert.equal(await outcome(answers(['0.0.0.0', '198.51.100.7', '203.0.113.9'])), '203.0.113.9');
});

test('a name with IPv6 addresses only is called that', async () => {
  assert.equal(await outcome(answers(missing, ['2001:db8::1'])), 'IPV6_ONLY');
  for (const v6 of [[], missing])
    assert.equal(await outcome(answers(missing, v6)), `RESOLVE_FAILED ${missing.message}`);
});

test('an address that no server can have, and one of the router itself, are told apart', async () => {
  for (const address of ['0.0.0.0', '127.0.0.53', '224.0.0.1', '255.255.255.255'])
    assert.equal(await outcome(answers([address])), `ADDRESS_IMPOSSIBLE ${address}`);
  assert.equal(await outcome(answers(['198.51.100.7'])), 'LOOPBACK 198.51.100.7');
  assert.equal(await outcome(answers(['0.0.0.0', '192.168.1.1'])), 'LOOPBACK 0.0.0.0, 192.168.1.1');
});

test("the system's resolver is asked", async () => {
  assert.equal(
    ((await serverAddresses('localhost')) as { code?: string }).code,
    'ADDRESS_IMPOSSIBLE',
  );
});
