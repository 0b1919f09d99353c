/** Whatever both ends of several relayed connections send: nothing crosses from one connection to another, all is given back. */
import assert from 'node:assert/strict';
import { callIdFields, MESSAGE_TYPE_AT, neededLength } from '../../../src/relay/call-id-fields.ts';
import type { Side } from '../../../src/relay/relayed-call.ts';
import { cause } from '../../../src/wire/cause.ts';
import { readU16, writeU16 } from '../../../src/wire/octets.ts';
import { countingIds, Middle } from '../../relay/middle.ts';
import { harness } from '../harness.ts';
import { controlOctets, nearMessage } from '../messages.ts';
import type { Random } from '../random.ts';

const FIRST_TOLD = 1000;
const IDLE = 600_000;
const CONNECTIONS = 3;

type Step = { readonly which: number; readonly side: Side } & (
  | { readonly kind: 'octets'; readonly octets: Uint8Array }
  | { readonly kind: 'wait'; readonly time: number }
  | { readonly kind: 'opened'; readonly fails: boolean }
);

/** A message of any type, some longer or of types that do not exist, with ids that collide often. */
function message(random: Random): Uint8Array {
  const octets = nearMessage(random);
  const fields = callIdFields(readU16(octets, MESSAGE_TYPE_AT));
  if (fields === undefined || octets.length < neededLength(fields)) return octets;
  const id = () => (random.chance(2) ? random.below(4) : FIRST_TOLD + random.below(20));
  if (fields.own !== undefined) writeU16(octets, fields.own, id());
  if (fields.peer !== undefined) writeU16(octets, fields.peer, id());
  if (fields.result !== undefined) octets[fields.result] = random.below(4);
  return octets;
}

function step(random: Random): Step {
  const place = {
    which: random.below(CONNECTIONS),
    side: random.pick(['client', 'server'] as const),
  };
  switch (random.below(12)) {
    case 0:
      return { ...place, kind: 'wait', time: random.below(150_000) };
    case 1:
      return { ...place, kind: 'opened', fails: random.chance(2) };
    case 2:
      return { ...place, kind: 'octets', octets: controlOctets(random) };
    default:
      return { ...place, kind: 'octets', octets: message(random) };
  }
}

export const relay = harness({
  name: 'relay',
  generate: (random) => ({ answers: random.chance(2), steps: random.list(80, () => step(random)) }),
  run({ answers, steps }) {
    const ids = countingIds();
    const middles = Array.from({ length: CONNECTIONS }, () => new Middle(ids, IDLE).start());
    if (!answers) for (const middle of middles) middle.answer = undefined;
    const chosen = middles.map(() => ({ client: new Set<number>(), server: new Set<number>() }));
    for (const one of steps) {
      const middle = middles[one.which % CONNECTIONS]!;
      if (one.kind === 'wait') middle.wait(one.time);
      else if (one.kind === 'opened') opened(middle, one.fails);
      else {
        for (let at = 12; at + 1 < one.octets.length; at++)
          chosen[one.which % CONNECTIONS]![one.side].add(readU16(one.octets, at));
        middle.octets(one.side, one.octets);
      }
      check(middles, chosen);
    }
    for (const middle of middles) {
      middle.machine.end(cause('SHUTDOWN'));
      middle.drain();
      assert.equal(middle.open.size, 0);
      assert.notEqual(middle.endedBy(), undefined);
    }
    for (let callId = FIRST_TOLD; callId < FIRST_TOLD + 1000; callId++)
      assert.ok(!ids.isUsed(callId));
  },
});

function opened(middle: Middle, fails: boolean): void {
  for (const call of [...middle.open.keys()])
    middle.machine.handleOpened(call, fails ? cause('FIREWALL_FAILED') : undefined, middle.now);
  middle.drain();
}

/** No end has received an id that was told to an end of another connection, and every write is one whole message. */
function check(
  middles: readonly Middle[],
  chosen: readonly Readonly<Record<Side, ReadonlySet<number>>>[],
): void {
  const told = middles.map(
    ({ open }) =>
      new Set([...open.keys()].flatMap(({ client, server }) => [client.told, server.told])),
  );
  for (const a of told)
    for (const b of told)
      if (a !== b) assert.ok([...a].every((id) => id === undefined || !b.has(id)));
  middles.forEach((middle, i) => {
    for (const end of ['client', 'server'] as const)
      for (const octets of middle.received[end].splice(0)) {
        assert.equal(readU16(octets, 0), octets.length);
        const fields = callIdFields(readU16(octets, MESSAGE_TYPE_AT));
        for (const at of [fields?.own, fields?.peer]) {
          if (at === undefined) continue;
          const callId = readU16(octets, at);
          // An end's own choice, or what it took for one, comes back to it; below the first told one it is nobody's.
          if (callId < FIRST_TOLD || chosen[i]![end].has(callId)) continue;
          if (fields?.own === at)
            assert.ok(
              told.every((others, other) => other === i || !others.has(callId)),
              `id ${callId} is of another connection`,
            );
        }
      }
  });
}
