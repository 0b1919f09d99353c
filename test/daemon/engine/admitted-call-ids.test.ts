import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { AdmittedCallIds } from '../../../src/daemon/engine/admitted-call-ids.ts';
import { CallIds } from '../../../src/pptp/call-ids.ts';

/** The filter as the kernel would have it, and how often it was made. */
class Filter {
  ids = new Set<number>();
  made = 0;
  readonly admit = (callIds: Uint16Array): void => {
    this.ids = new Set(callIds);
    assert.equal(this.ids.size, callIds.length, 'no id twice');
    this.made++;
  };
}

test('an id is let through before anybody hears of it, and while its call lasts', () => {
  const turn = fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, fc.nat());
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 400 }), (turns) => {
      const filter = new Filter();
      const callIds = new AdmittedCallIds(new CallIds(randomBytes), filter.admit);
      const live: number[] = [];
      for (const choice of turns) {
        if (choice === -1 || live.length === 0) {
          const callId = callIds.take()!;
          assert.ok(!live.includes(callId));
          live.push(callId);
        } else {
          callIds.release(live.splice(choice % live.length, 1)[0]!);
        }
        assert.ok(live.every((callId) => filter.ids.has(callId)));
        // A quarter more waits for calls, a quarter more has ended; or 16 each.
        assert.ok(filter.ids.size <= live.length + 2 * Math.max(17, live.length));
      }
    }),
  );
});

test('many calls make few filters, and leave none of their ids behind for long', () => {
  const filter = new Filter();
  const callIds = new AdmittedCallIds(new CallIds(randomBytes), filter.admit);
  assert.ok(filter.ids.size > 0 && filter.ids.size <= 16, 'from the start strangers are kept out');
  const live = Array.from({ length: 1000 }, () => callIds.take()!);
  assert.equal(new Set(live).size, 1000);
  assert.ok(filter.made < 30, `${filter.made} filters for 1000 calls`);
  for (const callId of live) callIds.release(callId);
  assert.ok(live.filter((callId) => filter.ids.has(callId)).length <= 16);
  const before = filter.made;
  for (let turn = 0; turn < 1600; turn++) callIds.release(callIds.take()!);
  assert.ok(filter.made - before <= 210, `${filter.made - before} filters for 1600 short calls`);
});

test('an id is released once', () => {
  const filter = new Filter();
  const callIds = new AdmittedCallIds(new CallIds(randomBytes), filter.admit);
  const callId = callIds.take()!;
  const before = filter.made;
  for (let turn = 0; turn < 100; turn++) callIds.release(callId);
  assert.equal(filter.made, before);
});

test('there is an end to it, and ids that are given back can be had again', () => {
  const callIds = new AdmittedCallIds(new CallIds(randomBytes), () => undefined);
  const live = Array.from({ length: 32768 }, () => callIds.take());
  assert.ok(!live.includes(undefined));
  assert.equal(callIds.take(), undefined);
  for (const callId of live) callIds.release(callId!);
  assert.notEqual(callIds.take(), undefined);
});

test('calls of ours, relayed ones and those that wait have different ids, never 0; freed ones rest', () => {
  let next = 0;
  const ids = new CallIds(() => {
    const callId = next++ % 256;
    return Uint8Array.of(0, callId);
  });
  const filter = new Filter();
  const callIds = new AdmittedCallIds(ids, filter.admit);
  assert.ok(!filter.ids.has(0));
  const relayed = Array.from({ length: 40 }, () => ids.take()!);
  const own = Array.from({ length: 40 }, () => callIds.take()!);
  assert.equal(new Set([...relayed, ...own, ...filter.ids]).size, 40 + filter.ids.size);
  for (const callId of own) callIds.release(callId);
  const again = Array.from({ length: 40 }, () => callIds.take()!);
  assert.ok(again.every((callId) => !own.includes(callId)));
});
