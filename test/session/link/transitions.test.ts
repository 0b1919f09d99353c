/** Which state of a link comes next, without the machine around it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Redial } from '../../../src/session/link/redial.ts';
import {
  begin,
  connect,
  fail,
  missAnswer,
  tryNext,
  wake,
  type Memory,
} from '../../../src/session/link/transitions.ts';
import { cause } from '../../../src/wire/cause.ts';
import { linkOptions } from '../../support/world.ts';

const place = () => undefined;
const refused = cause('CONNECT_REFUSED');

function memory(more: Partial<Memory> = {}): Memory {
  return {
    options: linkOptions,
    probe: false,
    held: false,
    wanted: false,
    cause: undefined,
    redial: new Redial(),
    allowance: Infinity,
    random: () => Uint8Array.of(0, 0),
    takePlace: () => place,
    ...more,
  };
}

const onDemand = { options: { ...linkOptions, demand: 60_000 } };

test('an attempt begins with a place, its own or that of the one before; without one it has failed', () => {
  assert.deepEqual(begin(memory(), undefined, 0), { name: 'resolving', place, by: 30_000 });
  const before = () => undefined;
  assert.equal((begin(memory(), before, 0) as { place?: unknown }).place, before);
  const next = begin(memory({ takePlace: () => undefined }), undefined, 0);
  assert(next.name === 'waiting');
  assert.deepEqual([next.until, next.cause?.code], [5_000, 'TOO_MANY_SESSIONS']);
});

test('on demand it takes none before somebody wants the session; then it does', () => {
  const patient = begin(memory(onDemand), place, 0);
  assert.deepEqual(patient, { name: 'resolving', place: undefined, by: 30_000 });
  assert.deepEqual(wake(memory(), patient, 5), { ...patient, place });
  const { name } = begin(
    memory({ ...onDemand, wanted: true, takePlace: () => undefined }),
    undefined,
    0,
  );
  assert.equal(name, 'waiting', 'wanted, but there is no place');
  const standby = connect(undefined, { address: 1, rest: [2] }, 0);
  assert.equal(standby.name, 'standby');
  const dialled = wake(memory(), standby, 0);
  assert.deepEqual(dialled, { name: 'connecting', place, address: 1, rest: [2], by: 20_000 });
});

test('nothing is waited for: it stays where it is', () => {
  for (const state of [
    { name: 'down', cause: undefined },
    { name: 'resolving', place, by: 1 },
    { name: 'connecting', place, address: 1, rest: [], by: 1 },
  ] as const)
    assert.equal(wake(memory(), state, 0), state);
});

test('held, it does not begin, and says why it is down as before', () => {
  assert.deepEqual(begin(memory({ held: true, cause: refused }), place, 7), {
    name: 'held',
    until: 7,
    cause: refused,
  });
});

test('address after address, each with a route of its own; after the last it has failed', () => {
  const first = tryNext(memory(), place, [1, 2], refused, 0);
  assert.deepEqual(first, { name: 'host-route', place, address: 1, rest: [2], by: 30_000 });
  const second = missAnswer(memory(), first as Parameters<typeof missAnswer>[1], 30_000);
  assert.deepEqual(second, { name: 'host-route', place, address: 2, rest: [], by: 60_000 });
  const third = missAnswer(memory(), second as Parameters<typeof missAnswer>[1], 60_000);
  assert(third.name === 'waiting');
  assert.equal(third.cause?.code, 'NO_ROUTE');
  const straight = tryNext(memory({ probe: true }), place, [1], refused, 0);
  assert.equal(straight.name, 'connecting', 'a probe leaves the routes as they are');
});

test('a failure: a pause, no pause that is seen while it is held, given up, or the end of a probe', () => {
  assert.deepEqual(fail(memory(), refused, 10), { name: 'waiting', until: 5_010, cause: refused });
  const held = fail(memory({ held: true }), refused, 10);
  assert.deepEqual(held, { name: 'held', until: 5_010, cause: refused });
  const options = { ...linkOptions, maxFail: 1 };
  assert.deepEqual(fail(memory({ options }), refused, 10), { name: 'blocked', cause: refused });
  assert.deepEqual(fail(memory({ probe: true }), refused, 10), { name: 'done', cause: refused });
});
