/** Why it ends is said to the other end, and what the other end says is shown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cause } from '../../src/wire/cause.ts';
import { World } from '../support/world.ts';

function linked() {
  const world = new World();
  const server = world.server();
  const link = world.link();
  link.dial();
  world.advance(2_000);
  assert.equal(link.state, 'up');
  return { world, server, link };
}

test('the server ends a session: the link knows why', () => {
  const { world, server, link } = linked();
  server.server.disconnect('anna', cause('REPLACED'), world.clock.now);
  world.advance(1_000);
  assert.deepEqual(link.link.status().cause, {
    code: 'PEER_TERMINATED',
    detail: 'it says: replaced by a new login',
  });
});

test('the link ends it: the server knows why', () => {
  const { world, server, link } = linked();
  link.link.hangup(world.clock.now);
  world.advance(1_000);
  const down = server.events.find(({ what }) => what === 'session-down');
  assert.ok(down?.what === 'session-down');
  assert.deepEqual(down.cause, { code: 'PEER_TERMINATED', detail: 'it says: ended on request' });
});
