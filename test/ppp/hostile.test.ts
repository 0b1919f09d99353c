/** Damaged conversations, and links that are over. Whatever else may come: the harness ppp-link. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Pair } from '../support/link.ts';

test('every cut and every changed octet of a real conversation is taken without a throw', () => {
  const recorded = new Pair({ server: { ipv6: true }, client: { ipv6: true } })
    .start()
    .advance(1000);
  const frames = recorded.client.frames;
  for (const [at, whole] of frames.entries())
    for (let cut = 0; cut < whole.length; cut++) {
      const pair = new Pair({ server: { ipv6: true } }).start().advance(at * 15);
      pair.server.link.handleFrame(whole.subarray(0, cut), pair.clock.now);
      const changed = whole.slice();
      changed[cut] = changed[cut]! ^ 0xff;
      pair.server.link.handleFrame(changed, pair.clock.now);
      pair.advance(200);
    }
});

test('a link that is over takes anything and says nothing', () => {
  const pair = new Pair().start().advance(1000);
  pair.client.link.handleLowerDown({ code: 'HANGUP' }, pair.clock.now);
  pair.advance(1);
  const count = pair.client.outputs.length;
  for (const frame of pair.server.frames) {
    pair.client.link.handleFrame(frame, pair.clock.now);
    pair.advance(1);
  }
  const { link } = pair.client;
  link.handleLowerUp(pair.clock.now);
  link.handleLowerDown({ code: 'HANGUP' }, pair.clock.now);
  link.close({ code: 'SHUTDOWN' }, pair.clock.now);
  link.handleDesynchronized(pair.clock.now);
  link.refuse({ code: 'SHUTDOWN' }, pair.clock.now);
  link.handleTimeout(pair.clock.now + 1e6);
  assert.equal(link.poll(), undefined);
  assert.equal(pair.client.outputs.length, count);
  assert.equal(link.nextTimeout(), undefined);
});
