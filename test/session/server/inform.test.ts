/** What a caller would be told by DHCPINFORM: as its server and its user have it when it logs in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerOptions, User } from '../../../src/session/options.ts';
import { parsePrefix } from '../../../src/wire/ip.ts';
import { ip, serverOptions, user, World } from '../../support/world.ts';

const OFFICE = parsePrefix('10.20.0.0/16')!;
const LAB = parsePrefix('10.30.0.0/16')!;

function dialled(server: Partial<ServerOptions>, more: Partial<User> = {}) {
  const world = new World();
  const home = world.server(server, world.gateway([user('anna', more)]));
  const link = world.link();
  link.dial();
  world.advance(4_000);
  return { world, home, link };
}

test('the server has it for everybody, a user its own of each', () => {
  const ofServer = { clientRoutes: [OFFICE], domains: ['office.lan'] };
  for (const [more, routes, domains] of [
    [{}, [OFFICE], ['office.lan']],
    [{ clientRoutes: [LAB] }, [LAB], ['office.lan']],
    [{ domains: ['lab.lan', 'example.com'] }, [OFFICE], ['lab.lan', 'example.com']],
  ] as const) {
    const { home } = dialled(ofServer, more);
    assert.deepEqual(home.networks.only()[1].inform, {
      prefixLength: 24,
      dns: serverOptions.dns,
      domains,
      routes,
    });
  }
});

test('a pool in the LAN has no network of its own', () => {
  const localAddress = ip('192.168.99.1');
  const { home } = dialled({ network: { address: localAddress, length: 32 }, proxyArp: true });
  assert.equal(home.networks.only()[1].inform?.prefixLength, 32);
});

test('a session keeps what it came with; the next one has what is in force then', () => {
  const { world, home, link } = dialled({});
  const before = home.networks.only()[1];
  home.server.reconfigure({ ...serverOptions, clientRoutes: [OFFICE] }, world.clock.now);
  world.advance(1_000);
  assert.equal(home.networks.only()[1], before);
  assert.deepEqual(before.inform?.routes, []);
  link.link.hangup(world.clock.now);
  world.advance(5_000);
  link.dial();
  world.advance(5_000);
  assert.deepEqual(home.networks.only()[1].inform?.routes, [OFFICE]);
});

test('the other end, a link, has nothing to tell', () => {
  const { link } = dialled({ clientRoutes: [OFFICE] });
  assert.equal(link.networks.only()[1].inform, undefined);
});
