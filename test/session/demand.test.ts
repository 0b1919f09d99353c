/** A link that dials with the first packet and hangs up when there are none (`demand`). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../src/crypto/secret.ts';
import { cause } from '../../src/wire/cause.ts';
import type { ClientLinkOptions } from '../../src/session/options.ts';
import { ip, net, otherKeys, World, type LinkHost, type ServerHost } from '../support/world.ts';

const DEMAND = 60_000;

/** A link that waits for its first packet. */
function waiting(
  options: Partial<ClientLinkOptions> = {},
  more: Parameters<World['link']>[1] = {},
): { world: World; server: ServerHost; link: LinkHost } {
  const world = new World();
  const server = world.server();
  world.names.set('vpn', [server.address]);
  const link = world.link({ server: 'vpn', demand: DEMAND, ...options }, more);
  link.release(true);
  world.advance(100);
  return { world, server, link };
}

/** Up, by its first packet. */
function woken(options: Partial<ClientLinkOptions> = {}): ReturnType<typeof waiting> {
  const made = waiting(options);
  made.link.packet();
  made.world.advance(3_000);
  assert.equal(made.link.state, 'up');
  return made;
}

const count = (link: LinkHost, kind: string) => link.asked.filter((what) => what === kind).length;

test('the network stands before a session, with the way to the server and the routes; nothing is dialled', () => {
  const { world, server, link } = waiting({ routes: [net('10.20.0.0/16')], metric: 7 });
  assert.deepEqual([link.state, link.causeCode], ['demand', undefined]);
  assert.deepEqual(link.asked, ['resolve', 'host-route', 'standby']);
  assert.deepEqual(link.standby, {
    name: 'office',
    device: 'pptp-office',
    role: 'link',
    peer: server.address,
    localAddress: ip('10.64.64.64'),
    peerAddress: ip('10.64.64.64'),
    routes: [net('10.20.0.0/16')],
    mtu: 1400,
    defaultRoute: false,
    metric: 7,
    dns: [],
    inform: undefined,
    groups: [],
    ipv6: undefined,
    proxyArp: false,
    ipv6Client: undefined,
    ipv6Routes: [],
  });
  assert.equal(link.gateway.occupied, 0, 'it takes no place');
  world.advance(3_600_000);
  assert.equal(link.state, 'demand');
  assert.equal(server.callers.size, 0);
});

test('links that wait have addresses of their own', () => {
  const world = new World();
  world.server();
  const gateway = world.gateway([]);
  const links = [1, 2, 3].map(() => world.link({ demand: DEMAND }, { gateway }));
  const addresses = () => links.map(({ standby }) => standby?.localAddress);
  for (const link of links) link.release(true);
  world.advance(10);
  const first = ip('10.64.64.64');
  assert.deepEqual(addresses(), [first, first + 1, first + 2]);
  links[1]!.hangup();
  links[0]!.hangup();
  world.advance(10);
  links[0]!.release(true);
  world.advance(10);
  assert.deepEqual(addresses(), [first, undefined, first + 2]);
});

test('the first packet dials, once; after the time without packets the call ends in order, and the next one dials again', () => {
  const { world, server, link } = waiting();
  const { standby } = link;
  link.packet();
  link.packet();
  world.advance(3_000);
  assert.equal(link.state, 'up');
  assert.equal(count(link, 'connect'), 1);
  const [path, network] = link.networks.only();
  assert.equal(network.localAddress, link.link.status().session?.localAddress);

  for (let n = 0; n < 10; n++) {
    world.advance(DEMAND - 5_000);
    if (n % 2 === 0) path.sendIp();
    else server.networks.only()[0].sendIp();
    assert.equal(link.state, 'up', 'packets in either direction keep it');
  }
  world.advance(DEMAND - 1_000);
  assert.equal(link.state, 'up');
  world.advance(DEMAND / 4 + 4_000);
  assert.deepEqual([link.state, link.causeCode], ['demand', 'IDLE_TIMEOUT']);
  assert.deepEqual(link.standby, standby, 'the device stays');
  assert.equal(count(link, 'standby-down'), 0);
  assert.equal(server.callers.size, 0);
  assert.equal(server.whats().at(-1), 'session-down anna PEER_TERMINATED');
  assert.deepEqual(link.whats(), [
    'connecting', 'demand', 'connecting', 'session-up anna', 'up',
    'stopping IDLE_TIMEOUT', 'session-down anna IDLE_TIMEOUT', 'demand IDLE_TIMEOUT',
  ]); // prettier-ignore

  link.packet();
  world.advance(3_000);
  assert.equal(link.state, 'up');
  assert.equal(link.causeCode, undefined);
  assert.equal(count(link, 'resolve'), 1, 'the way is known');
});

test('LCP echoes are no traffic', () => {
  const { world, link } = woken({ keepalive: { failures: 3, interval: 1_000, always: true } });
  world.advance(DEMAND * 1.25 + 4_000);
  assert.equal(link.causeCode, 'IDLE_TIMEOUT');
});

test('a packet while it says goodbye: it dials again at once', () => {
  const { world, link } = woken();
  while (link.state === 'up') world.advance(10);
  assert.equal(link.state, 'stopping');
  link.packet();
  world.advance(5_000);
  assert.equal(link.state, 'up');
  assert.equal(count(link, 'standby-down'), 0);
});

test('a failed dial: down for the pause, which doubles; then it waits for packets again', () => {
  const { world, server, link } = waiting();
  world.listeners.delete(server.address);
  link.packet();
  world.advance(1_000);
  assert.deepEqual([link.state, link.causeCode], ['waiting', 'CONNECT_REFUSED']);
  assert.equal(link.standby, undefined, 'the routes are not in the way of the next attempt');
  world.advance(5_500);
  assert.equal(link.state, 'demand');
  assert.equal(link.causeCode, 'CONNECT_REFUSED', 'a failure is still worth knowing');
  assert.equal(count(link, 'resolve'), 2, 'the server may have moved');
  link.packet();
  world.advance(1_000);
  assert.equal(link.state, 'waiting');
  assert.ok(link.link.status().retryAt! - world.clock.now > 5_500, 'the second failure in a row');
  world.listeners.set(server.address, server);
  world.advance(10_000);
  assert.equal(link.state, 'demand');
  link.packet();
  world.advance(3_000);
  assert.equal(link.state, 'up');
});

test('a refused login blocks, and nothing stands any more', () => {
  const { world, link } = waiting({
    blockOnAuthFailure: true,
    secret: Secret.fromPassword('wrong'),
  });
  link.packet();
  world.advance(10_000);
  assert.deepEqual([link.state, link.causeCode], ['blocked', 'AUTH_TOPEER_FAILED']);
  assert.equal(link.standby, undefined);
  link.hold();
  link.release(false);
  world.advance(10);
  assert.deepEqual(link.whats().slice(-2), [
    'blocked AUTH_TOPEER_FAILED',
    'blocked AUTH_TOPEER_FAILED',
  ]); // netifd, whose interface was up, is told in its new setup
});

test('a session that is lost: a pause, then it waits for packets', () => {
  const { world, server, link } = woken({ holdoff: 10_000 });
  server.server.disconnect('anna', cause('USER_REQUEST'), world.clock.now);
  world.advance(4_000);
  assert.deepEqual([link.state, link.causeCode], ['waiting', 'PEER_TERMINATED']);
  assert.equal(link.standby, undefined);
  world.advance(10_000);
  assert.equal(link.state, 'demand');
  assert.equal(server.callers.size, 0);
});

test('the network is renegotiated: what comes in between is kept for it', () => {
  const { world, link } = woken();
  const [path] = link.networks.only();
  const before = link.link.status().session?.id;
  path.receive(Uint8Array.of(0xff, 0x03, 0xc0, 0x21, 1, 77, 0, 4)); // LCP Configure-Request
  world.drain();
  assert.equal(link.networks.up.size, 0);
  assert.ok(link.standby !== undefined);
  world.advance(5_000);
  assert.equal(link.state, 'up');
  assert.equal(link.link.status().session?.id, before);
  assert.equal(count(link, 'standby-down'), 0);
});

test('somebody dials: no packet is needed, in whatever state; when it is idle it waits', () => {
  for (const prepare of [
    (world: World) => world.link({ demand: DEMAND }),
    (world: World) => {
      const link = world.link({ demand: DEMAND });
      link.release(true);
      return link;
    },
    (world: World) => {
      const link = world.link({ demand: DEMAND });
      link.release(true);
      world.advance(100);
      return link;
    },
  ]) {
    const world = new World();
    world.server();
    const link = prepare(world);
    link.dial();
    world.advance(3_000);
    assert.equal(link.state, 'up');
    world.advance(DEMAND * 1.25 + 4_000);
    assert.deepEqual([link.state, link.causeCode], ['demand', 'IDLE_TIMEOUT']);
    assert.ok(link.standby !== undefined);
  }
});

test('hangup, hold and close in every phase: the device is gone, and nothing dials', () => {
  for (const end of ['hangup', 'hold', 'close'] as const) {
    for (const phase of [0, 1, 2, 3, 50, 120, 400, 3_000, DEMAND * 1.25 + 520]) {
      const { world, server, link } = waiting();
      if (phase > 2) link.packet();
      world.advance(phase);
      if (end === 'close') link.link.close(cause('SHUTDOWN'), world.clock.now);
      else link[end]();
      world.drain();
      assert.deepEqual([link.networks.up.size, link.standby], [0, undefined], `${end} ${phase}`);
      world.advance(4_000);
      assert.equal(link.state, 'down');
      assert.equal(link.done, end === 'close');
      assert.equal(link.gateway.occupied, 0);
      assert.equal(server.callers.size, 0);
      link.link.handlePacket(world.clock.now);
      world.advance(10_000);
      assert.equal(link.state, 'down');
      if (end !== 'hold') continue;
      link.release(false);
      world.advance(3_000);
      assert.equal(link.state, 'demand', 'it waits for packets, not dials');
      assert.equal(link.causeCode, undefined, 'that it was held is over');
    }
  }
});

test('the network without a session is not to be had', () => {
  const world = new World();
  world.server();
  const link = world.link({ demand: DEMAND, holdoff: 60_000 });
  link.tunnelFailure = cause('DEVICE_FAILED', 'EBUSY');
  link.release(true);
  world.advance(1_000);
  assert.deepEqual([link.state, link.causeCode], ['waiting', 'DEVICE_FAILED']);
  assert.equal(link.standby, undefined);

  const silent = world.link({ demand: DEMAND, holdoff: 60_000 });
  silent.link.handleStandby = () => undefined;
  silent.release(true);
  world.advance(40_000);
  assert.deepEqual([silent.state, silent.causeCode], ['waiting', 'DEVICE_FAILED']);
});

test('new settings: those of what stands are changed in place; without demand it dials, and its device goes with the session', () => {
  const { world, server, link } = waiting();
  link.link.reconfigure({ ...link.link.options, metric: 9, keys: otherKeys }, world.clock.now);
  world.advance(100);
  assert.deepEqual([link.state, link.standby?.metric], ['demand', 9]);
  assert.equal(link.causeCode, undefined);
  assert.equal(count(link, 'standby-down'), 0);
  link.link.reconfigure(
    { ...link.link.options, demand: 0, keys: { ...otherKeys, session: 'third' } },
    world.clock.now,
  );
  world.advance(3_000);
  assert.equal(link.state, 'up');
  world.advance(DEMAND * 3);
  assert.equal(link.state, 'up');
  server.server.disconnect('anna', cause('USER_REQUEST'), world.clock.now);
  world.advance(4_000);
  assert.equal(link.standby, undefined);
});

test('a place among max_sessions is taken while it dials or is up', () => {
  const world = new World();
  world.server();
  const gateway = world.gateway([], { maxSessions: 1 });
  const [first, second] = [1, 2].map(() =>
    world.link({ demand: DEMAND, holdoff: 1_000, holdoffMax: 1_000 }, { gateway }),
  ) as [LinkHost, LinkHost];
  for (const link of [first, second]) link.release(true);
  world.advance(100);
  assert.deepEqual([first.state, second.state], ['demand', 'demand']);
  first.packet();
  world.advance(3_000);
  second.packet();
  world.advance(100);
  assert.deepEqual([second.state, second.causeCode], ['waiting', 'TOO_MANY_SESSIONS']);
});

test('a link whose settings change while it is up waits for a packet again, and its place is free', () => {
  const { world, link } = woken();
  assert.equal(link.gateway.occupied, 1);
  link.link.reconfigure({ ...link.link.options, metric: 9, keys: otherKeys }, world.clock.now);
  world.advance(4_000);
  assert.equal(link.state, 'demand');
  assert.equal(link.gateway.occupied, 0);
  link.packet();
  world.advance(3_000);
  assert.equal(link.state, 'up');
  assert.equal(link.gateway.occupied, 1);
});

test('check of a link that waits dials beside it and stands nothing', () => {
  const world = new World();
  world.server();
  const probe = world.link({ demand: DEMAND }, { probe: true });
  probe.dial();
  world.advance(5_000);
  assert.ok(probe.done);
  assert.deepEqual([count(probe, 'standby'), count(probe, 'tunnel-up')], [0, 0]);
  assert.ok(probe.whats().includes('step addresses'));
});
