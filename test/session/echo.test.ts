/** Asking the peer of a live session for a sign of life, as `check` does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from '../support/world.ts';

test('the answer to an echo has its round trip, and the session stays as it is', () => {
  const world = new World();
  world.server();
  const link = world.link({ keepalive: undefined });
  link.dial();
  world.advance(3_000);
  const before = link.link.status().session;
  for (const latency of [5, 40]) {
    world.gre.conditions.latency = latency;
    link.link.askEcho(world.clock.now);
    assert.equal(link.link.echoTime, undefined);
    world.advance(1_000);
    assert.equal(link.link.echoTime, 2 * latency);
  }
  assert.deepEqual(link.link.status().session, { ...before, roundTrip: 80 });
  assert.deepEqual(link.networks.log, ['tunnel-up']);
});

test('no answer, and one that comes late for another echo, tell nothing', () => {
  const world = new World();
  world.server();
  const link = world.link({ keepalive: undefined });
  link.dial();
  world.advance(3_000);
  world.gre.conditions.drop = () => true;
  link.link.askEcho(world.clock.now);
  world.advance(5_000);
  assert.equal(link.link.echoTime, undefined);
  world.gre.conditions.drop = () => false;
  world.gre.conditions.latency = 300;
  link.link.askEcho(world.clock.now);
  world.advance(400);
  link.link.askEcho(world.clock.now);
  world.advance(300);
  assert.equal(link.link.echoTime, undefined, 'that was the answer to the one before');
  world.advance(300);
  assert.equal(link.link.echoTime, 600);
  assert.equal(link.state, 'up');
});

test('a link without a session has nobody to ask', () => {
  const world = new World();
  const link = world.link();
  link.link.askEcho(world.clock.now);
  world.advance(100);
  assert.equal(link.link.echoTime, undefined);
});
