/** A pool inside the LAN: an address is asked for by ARP before its first use. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LanAddresses } from '../../../src/session/server/lan-addresses.ts';
import { formatAddress } from '../../../src/wire/ip.ts';
import { ip, Lan, user, World, type LinkHost, type ServerHost } from '../../support/world.ts';

const lanOptions = {
  localAddress: ip('192.168.1.1'),
  network: { address: ip('192.168.1.1'), length: 32 },
  pool: [{ first: ip('192.168.1.200'), last: ip('192.168.1.202') }],
  proxyArp: true,
};
const holder = '02:00:00:00:00:07 on br-lan';
const noRedial = { holdoff: 3_600_000, holdoffMax: 3_600_000 };

function call(world: World, username = 'anna', address = ip('198.51.100.2')): LinkHost {
  const link = world.link({ username, secret: user(username).secret, ...noRedial }, { address });
  link.dial();
  return link;
}

const addresses = (server: ServerHost) =>
  server.server.sessions().map(({ peerAddress }) => formatAddress(peerAddress));
const troubles = (server: ServerHost) =>
  server.whats().filter((what) => what.startsWith('server-trouble'));
const taken = (address: string, what: string) =>
  `server-trouble ADDRESS_TAKEN ${address}: ${holder}; ${what}`;

test('nobody answers: the caller gets the address, a little later, and at once the next time', () => {
  const world = new World();
  const server = world.server(lanOptions);
  const first = call(world);
  world.advance(900);
  assert.notEqual(first.state, 'up');
  assert.deepEqual(server.lan.asked.map(formatAddress), [
    '192.168.1.200',
    '192.168.1.201',
    '192.168.1.202',
  ]);
  world.advance(1_500);
  assert.equal(first.state, 'up');
  assert.deepEqual(addresses(server), ['192.168.1.200']);
  first.hangup();
  const second = call(world, 'anna', ip('198.51.100.3'));
  world.advance(900);
  assert.equal(second.state, 'up');
  assert.deepEqual(addresses(server), ['192.168.1.200']);
  assert.equal(server.lan.asked.length, 3);
});

test('an address that a device of the LAN has is skipped, and told once', () => {
  const world = new World();
  const server = world.server(lanOptions, world.gateway([user('anna'), user('bert')]));
  server.lan.devices.set(ip('192.168.1.200'), holder);
  call(world);
  world.advance(4_000);
  assert.deepEqual(addresses(server), ['192.168.1.201']);
  call(world, 'bert', ip('198.51.100.3'));
  world.advance(4_000);
  assert.deepEqual(addresses(server), ['192.168.1.201', '192.168.1.202']);
  assert.deepEqual(troubles(server), [taken('192.168.1.200', 'no caller gets it')]);
});

test('all are taken: the caller is refused, and gets in when a device has gone', () => {
  const world = new World();
  const server = world.server(lanOptions);
  for (const last of [200, 201, 202]) server.lan.devices.set(ip(`192.168.1.${last}`), holder);
  call(world);
  world.advance(4_000);
  assert.deepEqual(addresses(server), []);
  assert.ok(server.whats().includes('auth-failed anna POOL_EMPTY'));
  server.lan.devices.clear();
  world.advance(600_000); // answers have grown old
  call(world, 'anna', ip('198.51.100.3'));
  world.advance(4_000);
  assert.deepEqual(addresses(server), ['192.168.1.200']);
});

test('a fixed address is asked for too; it is that or nothing', () => {
  const world = new World();
  const anna = user('anna', { address: ip('192.168.1.9') });
  const server = world.server(lanOptions, world.gateway([anna]));
  server.lan.devices.set(ip('192.168.1.9'), holder);
  call(world);
  world.advance(4_000);
  assert.ok(server.whats().includes('auth-failed anna ADDRESS_TAKEN'));
  assert.deepEqual(troubles(server), [taken('192.168.1.9', 'no caller gets it')]);
});

test('a phone that changed networks gets its address back at once', () => {
  const world = new World();
  const server = world.server(lanOptions);
  call(world);
  world.advance(700_000);
  server.lan.asked.length = 0;
  call(world, 'anna', ip('198.51.100.3'));
  world.advance(900);
  assert.deepEqual(addresses(server), ['192.168.1.200']);
  assert.deepEqual(server.lan.asked, []);
});

test('a device that takes the address of a caller later is told once, and takes no session away', () => {
  const world = new World();
  const server = world.server(lanOptions);
  const link = call(world);
  world.advance(4_000);
  server.server.watch(world.clock.now);
  assert.deepEqual(troubles(server), []);
  server.lan.devices.set(ip('192.168.1.200'), holder);
  server.server.watch(world.clock.now);
  server.server.watch(world.clock.now);
  assert.deepEqual(troubles(server), [taken('192.168.1.200', 'a caller has it, too')]);
  assert.equal(link.state, 'up');
});

test('addresses in use are asked for every minute, eight at a time, the one that waits longest first', () => {
  const lan = new Lan();
  const found = new LanAddresses(lan);
  const all = Array.from({ length: 20 }, (_, i) => i + 1);
  const asked = (now: number) => {
    lan.asked.length = 0;
    assert.deepEqual(found.watch(all, now), []);
    return [...lan.asked];
  };
  assert.deepEqual(asked(0), all.slice(0, 8));
  assert.deepEqual(asked(5_000), all.slice(8, 16));
  assert.deepEqual(asked(10_000), all.slice(16));
  assert.deepEqual(asked(15_000), []);
  assert.deepEqual(asked(66_000), all.slice(0, 8));
  lan.devices.set(3, holder);
  assert.deepEqual(found.watch(all, 67_000), [{ address: 3, holder }]);
});

test('a network of its own asks nobody', () => {
  const world = new World();
  const server = world.server();
  call(world);
  world.advance(900);
  assert.equal(addresses(server).length, 1);
  assert.deepEqual(server.lan.asked, []);
});

test('many callers at once: each asks for some addresses, and no more than 16 at a time', () => {
  const world = new World();
  const users = Array.from({ length: 20 }, (_, i) => user(`user${i}`));
  const pool = [{ first: ip('192.168.1.100'), last: ip('192.168.1.199') }];
  const server = world.server(
    { ...lanOptions, pool, maxSessions: 64 },
    world.gateway(users, {
      maxHalfOpen: 64,
    }),
  );
  users.forEach(({ username }, i) => call(world, username, ip(`198.51.100.${i + 10}`)));
  world.advance(1_000);
  assert.ok(server.lan.asked.length <= 16, String(server.lan.asked.length));
  world.advance(14_000);
  assert.equal(new Set(addresses(server)).size, 20);
});

test('what is being asked for is bounded, and what was answered grows old', () => {
  const lan = new Lan();
  const found = new LanAddresses(lan);
  for (let i = 0; i < 40; i++) found.look(i, 0);
  assert.equal(lan.asked.length, 16);
  assert.deepEqual(found.look(20, 100), { wait: 1_100 });
  assert.equal(found.look(3, 1_200), 'free');
  assert.equal(found.look(3, 599_999), 'free');
  assert.deepEqual(found.look(3, 600_000), { wait: 1_200 });
  lan.devices.set(3, holder);
  assert.deepEqual(found.look(3, 600_300), { holder });
});
