/** What a quota leaves: of callers and of links, in every phase. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MsChapError } from '../../src/wire/ms-chap.ts';
import { otherKeys, user, World } from '../support/world.ts';

test('a caller: slower, ended, refused with a reason, let in again', () => {
  const world = new World();
  const server = world.server(
    { rates: { up: 0, down: 300, burst: 50 } },
    world.gateway([user('anna', { rates: { up: 1000 } })]),
  );
  const link = world.link();
  link.dial();
  world.advance(3_000);
  const allow = (allowance: number) => {
    world.allowances.set('anna', allowance);
    server.server.review('bert', world.clock.now);
    server.server.review('anna', world.clock.now);
    world.drain();
  };
  const shown = () => server.server.sessions().map(({ rates: { up, down } }) => [up, down]);
  for (const [allowance, rates] of [
    [512, [512, 300]],
    [100, [100, 100]],
    [Infinity, [1000, 300]],
  ] as const) {
    allow(allowance);
    assert.deepEqual(shown(), [rates]);
  }
  allow(0);
  world.advance(1_000);
  assert.deepEqual(server.whats().at(-1), 'session-down anna QUOTA_USED_UP');
  world.advance(60_000);
  assert.deepEqual(server.whats().at(-1), 'auth-failed anna QUOTA_USED_UP');
  assert.match(link.link.status().cause?.detail ?? '', /649.*quota is used up/s);
  assert.equal(MsChapError.NoDialinPermission, 649);
  allow(256);
  world.advance(300_000);
  assert.deepEqual(shown(), [[256, 256]]);
});

test('a link that has nothing left is blocked, whatever it is doing, until there is something', () => {
  for (const phase of [0, 1, 3, 8, 20, 60, 200, 3_000, 20_000]) {
    const world = new World();
    const server = world.server();
    world.names.set('vpn', [server.address, server.address + 1]);
    const link = world.link({ server: 'vpn' });
    link.dial();
    world.advance(phase);
    link.link.allow(0, world.clock.now);
    world.advance(60_000);
    assert.deepEqual([link.state, link.causeCode], ['blocked', 'QUOTA_USED_UP'], `${phase} ms`);
    assert.equal(server.callers.size, 0);
    assert.equal(link.nextTimeout(), undefined);
    const asked = link.asked.length;
    link.dial();
    link.link.reconfigure({ ...link.link.options, keys: otherKeys }, world.clock.now);
    world.advance(60_000);
    assert.deepEqual([link.state, link.asked.length], ['blocked', asked], 'also for who dials');
    link.link.allow(100, world.clock.now);
    world.advance(5_000);
    assert.equal(link.state, 'up');
    const { up, down } = link.link.status().session!.rates;
    assert.deepEqual([up, down], [100, 100]);
    link.link.allow(Infinity, world.clock.now);
    assert.equal(link.link.status().session!.rates.up, 0);
  }
});

test('a link that is down stays down, and one that hangs up, too', () => {
  const world = new World();
  world.server();
  const link = world.link();
  link.link.allow(0, world.clock.now);
  link.link.allow(Infinity, world.clock.now);
  world.advance(10_000);
  assert.equal(link.state, 'down');
  link.dial();
  world.advance(3_000);
  link.hangup();
  link.link.allow(0, world.clock.now);
  world.advance(10_000);
  link.link.allow(Infinity, world.clock.now);
  world.advance(10_000);
  assert.equal(link.state, 'down');
});

test('one that waits for a packet does not dial, and waits again afterwards', () => {
  const world = new World();
  world.server();
  const link = world.link({ demand: 600_000 });
  link.release(true);
  world.advance(1_000);
  assert.equal(link.state, 'demand');
  link.link.allow(0, world.clock.now);
  world.advance(1_000);
  assert.equal(link.state, 'blocked');
  assert.equal(link.standby, undefined);
  link.link.allow(Infinity, world.clock.now);
  world.advance(1_000);
  assert.equal(link.state, 'demand');
  link.packet();
  world.advance(3_000);
  assert.equal(link.state, 'up');
});

test('with a supervisor: blocked, held, and not dialled before the release', () => {
  const world = new World();
  world.server();
  const link = world.link({}, { held: true });
  link.release(true);
  world.advance(3_000);
  link.link.allow(0, world.clock.now);
  world.advance(3_000);
  link.hold();
  link.release(true); // somebody dials
  world.advance(3_000);
  assert.deepEqual([link.state, link.causeCode], ['blocked', 'QUOTA_USED_UP']);
  link.hold();
  link.link.allow(Infinity, world.clock.now);
  world.advance(60_000);
  assert.equal(link.state, 'down');
  link.release(true);
  world.advance(3_000);
  assert.equal(link.state, 'up');
});

test('the one in the place of a link that has failed has no more than that', () => {
  const world = new World();
  world.server();
  const link = world.link();
  link.dial();
  world.advance(3_000);
  link.link.allow(64, world.clock.now);
  link.link.abandon();
  const next = link.link.successor({ code: 'INTERNAL_ERROR' }, world.clock.now)!;
  next.allow(0, world.clock.now);
  next.handleTimeout(world.clock.now + 400_000);
  assert.equal(next.status().state, 'blocked');
});
