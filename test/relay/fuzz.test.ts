/** Whatever both ends of several connections send: nothing is thrown, nothing crosses from one connection to another. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { callIdFields, MESSAGE_TYPE_AT, neededLength } from '../../src/relay/call-id-fields.ts';
import type { Side } from '../../src/relay/relayed-call.ts';
import {
  controlMessageNames,
  encodeControlMessage,
  MAGIC_COOKIE,
  messageLength,
  type ControlMessage,
} from '../../src/wire/control-message.ts';
import { readU16, writeU16, writeU32 } from '../../src/wire/octets.ts';
import { cause } from '../../src/wire/cause.ts';
import { countingIds, Middle } from './middle.ts';

/** A message of any type, some of them longer or of types that do not exist, with ids that collide often. */
const message = fc
  .record({
    type: fc.integer({ min: 0, max: 17 }),
    own: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1000, max: 1020 })),
    peer: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1000, max: 1020 })),
    result: fc.integer({ min: 0, max: 3 }),
    excess: fc.integer({ min: -4, max: 4 }),
  })
  .map(({ type, own, peer, result, excess }) => {
    const length = Math.min(220, Math.max(12, (messageLength(type) ?? 20) + excess));
    const octets = new Uint8Array(length);
    writeU16(octets, 0, length);
    writeU16(octets, 2, 1);
    writeU32(octets, 4, MAGIC_COOKIE);
    writeU16(octets, MESSAGE_TYPE_AT, type);
    const fields = callIdFields(type);
    if (fields !== undefined && length >= neededLength(fields)) {
      if (fields.own !== undefined) writeU16(octets, fields.own, own);
      if (fields.peer !== undefined) writeU16(octets, fields.peer, peer);
      if (fields.result !== undefined) octets[fields.result] = result;
    }
    return octets;
  });

const side = fc.constantFrom<Side>('client', 'server');
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ what: fc.constant('message' as const), side, octets: message }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('rubbish' as const),
      side,
      octets: fc.uint8Array({ maxLength: 40 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('wait' as const), side, time: fc.nat(150_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('opened' as const), side, fails: fc.boolean() }),
  },
);

describe('relayed connections under fire', () => {
  it('keep their calls apart', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(2), step), { maxLength: 120 }),
        fc.boolean(),
        (steps, answers) => {
          const ids = countingIds();
          const middles = [0, 1, 2].map(() => new Middle(ids, 600_000).start());
          if (!answers) for (const middle of middles) middle.answer = undefined;
          for (const [which, one] of steps) {
            const middle = middles[which]!;
            if (one.what === 'wait') middle.wait(one.time);
            else if (one.what === 'opened') {
              for (const call of [...middle.open.keys()])
                middle.machine.handleOpened(
                  call,
                  one.fails ? cause('FIREWALL_FAILED') : undefined,
                  middle.now,
                );
              middle.drain();
            } else middle.octets(one.side, one.octets);
            check(middles);
          }
          for (const middle of middles) {
            middle.machine.end(cause('SHUTDOWN'));
            middle.drain();
            assert.equal(middle.open.size, 0);
            assert.equal(middle.endedBy() === undefined, false);
          }
          for (let callId = 1000; callId < 2000; callId++) assert.ok(!ids.isUsed(callId));
        },
      ),
      { numRuns: 400 },
    );
  });
});

/** No end has received an id that was told to an end of another connection, and every write is one whole message. */
function check(middles: readonly Middle[]): void {
  const told = middles.map(
    ({ open }) =>
      new Set([...open.keys()].flatMap(({ client, server }) => [client.told, server.told])),
  );
  for (const a of told)
    for (const b of told)
      if (a !== b) assert.ok([...a].every((id) => id === undefined || !b.has(id)));
  middles.forEach((middle, i) => {
    for (const end of ['client', 'server'] as const) {
      for (const octets of middle.received[end].splice(0)) {
        assert.equal(readU16(octets, 0), octets.length);
        const fields = callIdFields(readU16(octets, MESSAGE_TYPE_AT));
        for (const at of [fields?.own, fields?.peer]) {
          if (at === undefined) continue;
          const callId = readU16(octets, at);
          // An end's own choice comes back to it, whatever it looks like; it is below 1000 or nobody's (it may be stale).
          if (callId < 1000) continue;
          const others = told.filter((_, other) => other !== i);
          const isOwnChoice = [...middle.open.keys()].some((call) => call[end].callId === callId);
          if (!isOwnChoice && fields?.own !== at) continue;
          if (!isOwnChoice)
            assert.ok(
              others.every((ids) => !ids.has(callId)),
              `id ${callId} is of another connection`,
            );
        }
      }
    }
  });
}

describe('the offsets of call ids', () => {
  it('are those of the messages', () => {
    const CALL_ID = 0xabcd;
    const PEER_CALL_ID = 0x6789;
    for (const name of controlMessageNames) {
      const type = controlMessageNames.indexOf(name) + 1;
      // Every field is given; those that the message does not have are not written.
      const given: Record<string, unknown> = { name, callId: CALL_ID, peerCallId: PEER_CALL_ID };
      const values = new Proxy(given, {
        get: (target, field) =>
          Object.hasOwn(target, field)
            ? target[String(field)]
            : /[nN]ame$|Number$|subaddress|Statistics/.test(String(field)) &&
                field !== 'callSerialNumber'
              ? ''
              : 0,
      });
      const octets = encodeControlMessage(values as unknown as ControlMessage);
      const at = (id: number) => {
        for (let i = 12; i + 1 < octets.length; i++) if (readU16(octets, i) === id) return i;
        return undefined;
      };
      const fields = callIdFields(type);
      assert.equal(at(CALL_ID), fields?.own, name);
      assert.equal(at(PEER_CALL_ID), fields?.peer, name);
    }
  });
});
