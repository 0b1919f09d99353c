/** A server chooses the addresses; what cannot be is refused, on both ends of the tunnel. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ip, user, World } from '../support/world.ts';

/** A link to a server that gives `given` and says to be `own` itself. */
function dial(given: string, own: string, dns: readonly string[] = []) {
  const world = new World();
  world.server(
    { localAddress: ip(own), dns: dns.map(ip) },
    world.gateway([user('anna', { address: ip(given) })]),
  );
  const link = world.link();
  link.dial();
  world.advance(4_000);
  return link;
}

const impossible = {
  '127.0.0.1': 'is a loopback address',
  '0.1.2.3': 'means "this network"',
  '224.0.0.1': 'is a multicast address',
  '240.0.0.1': 'is a reserved address',
  '255.255.255.255': 'is the broadcast address',
};

for (const [address, why] of Object.entries(impossible))
  test(`${address} is no address for a tunnel, neither ours nor the server's`, () => {
    for (const link of [dial(address, '192.168.99.1'), dial('192.168.99.10', address)]) {
      assert.equal(link.networks.log.length, 0, 'no network came up');
      assert.deepEqual(link.link.status().cause, {
        code: 'ADDRESS_REFUSED',
        detail: `${address} ${why}`,
      });
      assert.equal(link.link.status().state, 'waiting');
    }
  });

test("the server's own outside address is not ours", () => {
  const link = dial('203.0.113.1', '192.168.99.1');
  assert.equal(link.networks.log.length, 0);
  assert.deepEqual(link.link.status().cause, {
    code: 'ADDRESS_REFUSED',
    detail: '203.0.113.1 is its own address outside the tunnel',
  });
});

test('name servers that no host can be are left out', () => {
  const link = dial('192.168.99.10', '192.168.99.1', ['127.0.0.1', '192.0.2.53']);
  assert.deepEqual(link.networks.only()[1].dns, [ip('192.0.2.53')]);
});
