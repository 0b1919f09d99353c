/** What ends by itself: idle, too long, expired, dead, lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerOptions, User } from '../../src/session/options.ts';
import { user, World, type LinkHost, type ServerHost, type TcpEnd } from '../support/world.ts';

const noRedial = { holdoff: 3_600_000, holdoffMax: 3_600_000 };
const quiet = { keepalive: undefined };

function pair(
  options: Partial<ServerOptions> = {},
  anna: Partial<User> = {},
): { world: World; server: ServerHost; link: LinkHost } {
  const world = new World();
  const server = world.server(options, world.gateway([user('anna', anna)]));
  const link = world.link({ ...noRedial, ...quiet });
  link.dial();
  world.advance(2_000);
  assert.equal(link.state, 'up');
  return { world, server, link };
}

/** Nothing passes on this TCP connection any more, not even its end. */
function mute(tcp: TcpEnd): void {
  for (const end of [tcp, tcp.peer!]) {
    end.onOctets = () => undefined;
    end.onClosed = () => undefined;
  }
}

test('idle: no packet for the whole time', () => {
  const { world, server, link } = pair({ idleTimeout: 600_000 });
  for (let minute = 0; minute < 30; minute++) {
    world.advance(60_000);
    assert(link.networks.only()[0].sendIp());
  }
  world.advance(590_000);
  assert.equal(server.server.sessions().length, 1);
  world.advance(170_000); // measured in quarters
  assert.deepEqual(server.whats().at(-1), 'session-down anna IDLE_TIMEOUT');
});

test('LCP echoes and control connection echoes are no traffic', () => {
  const world = new World();
  const server = world.server({ idleTimeout: 600_000 });
  const link = world.link({ ...noRedial, keepalive: { failures: 3, interval: 5_000 } });
  link.dial();
  world.advance(610_000);
  assert.deepEqual(server.whats().at(-1), 'session-down anna IDLE_TIMEOUT');
});

test('session time-out', () => {
  const { world, server, link } = pair({ sessionTimeout: 3_600_000 });
  for (let minute = 0; minute < 59; minute++) {
    world.advance(60_000);
    link.networks.only()[0].sendIp();
  }
  assert.equal(server.server.sessions().length, 1);
  world.advance(60_000);
  assert.deepEqual(server.whats().at(-1), 'session-down anna CONNECT_TIME');
});

test('an account that expires ends its session, by the wall clock, also when that is set', () => {
  const world = new World();
  const { epoch } = world;
  const gateway = world.gateway([user('anna', { expires: epoch + 5 * 3_600_000 })]);
  const server = world.server({}, gateway);
  const link = world.link({ ...noRedial, ...quiet });
  link.dial();
  world.advance(4 * 3_600_000);
  assert.equal(server.server.sessions().length, 1);
  world.epoch -= 10 * 3_600_000; // a router without a battery learns the time
  world.advance(2 * 3_600_000);
  assert.equal(server.server.sessions().length, 1);
  world.epoch = epoch;
  world.advance(3_600_000);
  assert(server.whats().includes('session-down anna ACCOUNT_EXPIRED'));
});

test('a dead peer is found by LCP echo, at both ends', () => {
  const world = new World();
  const keepalive = { failures: 3, interval: 10_000 };
  const server = world.server({ keepalive });
  const link = world.link({ ...noRedial, keepalive });
  link.dial();
  world.advance(2_000);
  mute(link.tcp!);
  world.gre.conditions.drop = () => true;
  world.advance(130_000);
  assert.equal(link.causeCode, 'PEER_DEAD');
  assert.deepEqual(server.whats().at(-1), 'session-down anna PEER_DEAD');
});

test('traffic is proof of life: no echo is missed while packets come', () => {
  const world = new World();
  const server = world.server({ keepalive: undefined });
  const link = world.link(noRedial);
  link.dial();
  world.advance(2_000);
  let lose = false;
  world.gre.conditions.drop = () => lose;
  for (let second = 0; second < 600; second += 10) {
    lose = false;
    server.networks.only()[0].sendIp();
    lose = true; // control frames are lost all the time
    world.advance(10_000);
  }
  assert.equal(link.state, 'up');
});

test('TCP breaks: the sessions on it end, the client redials', () => {
  const { world, server, link } = pair();
  link.tcp!.peer!.close();
  world.advance(100);
  assert.equal(link.causeCode, 'HANGUP');
  const [host] = server.callers.values();
  host!.caller.handleClosed(world.clock.now, 'ECONNRESET');
  world.advance(100);
  assert.deepEqual(server.whats().at(-1), 'session-down anna CONTROL_LOST');
  assert.equal(server.paths.calls.size, 0);
  assert.equal(server.server.callers().length, 0);
});

test('the control connection is kept alive, and found dead, by its own echo', () => {
  const { world, server, link } = pair({ keepalive: undefined });
  world.advance(600_000);
  assert.equal(link.state, 'up');
  mute(link.tcp!);
  world.advance(121_000);
  assert.equal(link.causeCode, 'CONTROL_ECHO_TIMEOUT');
  assert.deepEqual(server.whats().at(-1), 'session-down anna CONTROL_ECHO_TIMEOUT');
});

test('a login that is never tried ends after the time for it', () => {
  const world = new World();
  const server = world.server({}, world.gateway([user('anna')], { loginTimeout: 20_000 }));
  const link = world.link(noRedial);
  const isLogin = (frame: Uint8Array): boolean => frame[2] === 0xc2 && frame[3] === 0x23;
  const send = world.gre.send.bind(world.gre);
  world.gre.send = (from, to, callId, frame) => {
    if (from !== link.address || !isLogin(frame)) send(from, to, callId, frame);
  };
  link.dial();
  world.advance(24_000);
  assert.deepEqual(server.whats(), ['caller-refused HANDSHAKE_TIMEOUT']);
  assert.equal(server.paths.calls.size, 0);
});
