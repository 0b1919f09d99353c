/** No octets make a link throw, and after any garbage it still works or has ended with a cause. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { encodeControlPacket } from '../../src/wire/control-packet.ts';
import { encodePppFrame, PppProtocol } from '../../src/wire/ppp-frame.ts';
import { Pair, type Station } from '../support/link.ts';

const protocols = [...Object.values(PppProtocol), 0x1234, 0x00c1, 0x8023];

const octets = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });

const option = fc
  .tuple(fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 128, max: 134 })), octets(8))
  .map(([type, data]) => Uint8Array.of(type, data.length + 2, ...data));

const packet = fc
  .record({
    code: fc.oneof(fc.integer({ min: 0, max: 16 }), fc.nat(255)),
    identifier: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.nat(255)),
    data: fc.oneof(
      octets(60),
      fc
        .array(option, { maxLength: 4 })
        .map((all) => Uint8Array.from(all.flatMap((one) => [...one]))),
    ),
  })
  .map(encodeControlPacket);

const frame = fc.oneof(
  octets(40),
  fc
    .tuple(fc.constantFrom(...protocols), octets(60))
    .map(([protocol, payload]) => encodePppFrame(protocol, payload)),
  fc
    .tuple(fc.constantFrom(...protocols), packet)
    .map(([protocol, payload]) => encodePppFrame(protocol, payload)),
);

/** Terminate-Request, Code-Reject and Protocol-Reject end a link, and Configure-Requests restart one: rightly. */
function isHarmless(octetsOfFrame: Uint8Array): boolean {
  const [, , high = 0, low = 0, code = 0] = octetsOfFrame;
  const protocol = (high << 8) | low;
  const isControl = (protocol & 0xc000) === 0xc000 || (protocol & 0x8000) !== 0;
  return !isControl || code === 0 || code > 8;
}

function inject(pair: Pair, to: Station, frames: readonly Uint8Array[]): void {
  for (const one of frames) {
    to.link.handleFrame(one, pair.clock.now);
    pair.advance(1);
  }
}

test('garbage at any moment: nothing is thrown, and the link is up again or over in the end', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 400 }),
      fc.array(frame, { maxLength: 25 }),
      fc.boolean(),
      fc.boolean(),
      (moment, frames, toServer, optional) => {
        const mppe = {
          policy: optional ? ('optional' as const) : ('required' as const),
          strengths: [128 as const],
          stateful: true,
        };
        const pair = new Pair({ server: { ipv6: true, mppe }, client: { mppe } }).start();
        pair.advance(moment);
        inject(pair, toServer ? pair.server : pair.client, frames);
        pair.advance(100_000);
        const over = pair.server.cause !== undefined || pair.client.cause !== undefined;
        assert.equal(pair.areUp || over, true);
        for (const { outputs } of [pair.server, pair.client])
          assert.equal(outputs.filter(({ kind }) => kind === 'down').length <= 1, true);
      },
    ),
    { numRuns: 400 },
  );
});

test('garbage that asks for nothing leaves an open link as it was', () => {
  fc.assert(
    fc.property(fc.array(frame.filter(isHarmless), { maxLength: 40 }), (frames) => {
      const pair = new Pair().start().advance(1000);
      // Three looped echoes end a link: our own magic number cannot be guessed.
      inject(pair, pair.server, frames);
      inject(pair, pair.client, frames);
      pair.advance(10_000);
      assert.equal(pair.areUp, true);
      assert.equal(pair.server.all('ip-down').length + pair.client.all('ip-down').length, 0);
    }),
    { numRuns: 200 },
  );
});

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
  inject(pair, pair.client, pair.server.frames);
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
