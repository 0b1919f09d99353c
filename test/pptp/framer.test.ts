import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Framer } from '../../src/pptp/framer.ts';
import { isMalformed } from '../../src/wire/codec.ts';
import { encodeControlMessage, type ControlMessage } from '../../src/wire/control-message.ts';
import { incomingCallRequest, outgoingCallRequest } from '../../src/pptp/messages.ts';

const shortest: ControlMessage = { name: 'StopControlConnectionRequest', reason: 1 };

/** Messages of 16, 20, 168 and 220 octets. */
const message = fc.oneof(
  fc.constant(shortest),
  fc.record({
    name: fc.constant('EchoReply' as const),
    identifier: fc.nat(0xffffffff),
    resultCode: fc.constant(1),
    errorCode: fc.constant(0),
  }),
  fc.nat(0xffff).map((id) => outgoingCallRequest(id, id)),
  fc.nat(0xffff).map((id) => incomingCallRequest(id, id)),
);

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Cuts `octets` at the given places, in any order, some maybe twice (empty pieces). */
function cut(octets: Uint8Array, places: readonly number[]): Uint8Array[] {
  const edges = [0, ...places.map((p) => p % (octets.length + 1)), octets.length];
  edges.sort((a, b) => a - b);
  return edges.slice(1).map((edge, i) => octets.subarray(edges[i], edge));
}

test('messages come out whole whatever the splits and merges', () => {
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 12 }),
      fc.array(fc.nat(4000), { maxLength: 40 }),
      (messages, places) => {
        const expected = messages.map(encodeControlMessage);
        const framer = new Framer();
        const found = cut(concatenate(expected), places).flatMap((piece) => framer.push(piece));
        assert.deepEqual(found, expected);
      },
    ),
  );
});

test('messages come out whole octet by octet', () => {
  const expected = [outgoingCallRequest(0, 1), shortest, incomingCallRequest(1, 2)].map(
    encodeControlMessage,
  );
  const framer = new Framer();
  const found = [...concatenate(expected)].flatMap((octet) => framer.push(Uint8Array.of(octet)));
  assert.deepEqual(found, expected);
});

test('a message does not change with the buffer that it came in', () => {
  const framer = new Framer();
  const buffer = Buffer.from(encodeControlMessage(shortest));
  const [found] = framer.push(buffer);
  buffer.fill(0xff);
  assert.deepEqual(found, encodeControlMessage(shortest));
});

const faults: [what: string, octets: number[], error: string][] = [
  ['HTTP, by its first two octets', [0x47, 0x45], 'too-long'],
  ['length 11', [0, 11], 'too-short'],
  ['length 0', [0, 0], 'too-short'],
  ['length 221', [0, 221], 'too-long'],
  ['a wrong magic cookie', [0, 16, 0, 1, 0x4d, 0x3c, 0x2b, 0x1a], 'bad-value'],
];
for (const [what, octets, error] of faults)
  test(`malformed: ${what}`, () => {
    const good = encodeControlMessage(shortest);
    for (const split of [true, false]) {
      const framer = new Framer();
      const stream = concatenate([good, Uint8Array.from(octets)]);
      const pieces = split ? [...stream].map((octet) => Uint8Array.of(octet)) : [stream];
      const [first, fault, ...more] = pieces.flatMap((piece) => framer.push(piece));
      assert.deepEqual(first, good);
      assert.ok(isMalformed(fault));
      assert.equal(fault.error, error);
      assert.deepEqual(more, []);
      assert.deepEqual(framer.push(good), [], 'nothing follows a fault');
    }
  });

test('lengths 12 and 220 are the limits', () => {
  const cookie = [0x1a, 0x2b, 0x3c, 0x4d];
  for (const length of [12, 220]) {
    const octets = new Uint8Array(length);
    octets.set([0, length, 0, 1, ...cookie]);
    assert.deepEqual(new Framer().push(octets), [octets]);
    assert.deepEqual(new Framer().push(octets.subarray(0, length - 1)), []);
  }
});

test('any octets: no throw, every message in its bounds, a fault only at the end', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.uint8Array({ maxLength: 300 }), message.map(encodeControlMessage))),
      (pieces) => {
        const framer = new Framer();
        const found = pieces.flatMap((piece) => framer.push(piece));
        for (const [i, one] of found.entries()) {
          if (isMalformed(one)) assert.equal(i, found.length - 1);
          else assert.ok(one.length >= 12 && one.length <= 220);
        }
      },
    ),
  );
});
