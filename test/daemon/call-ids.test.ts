import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { CallIds } from '../../src/daemon/call-ids.ts';

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
      const callIds = new CallIds(randomBytes, filter.admit);
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
  const callIds = new CallIds(randomBytes, filter.admit);
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
  const callIds = new CallIds(randomBytes, filter.admit);
  const callId = callIds.take()!;
  const before = filter.made;
  for (let turn = 0; turn < 100; turn++) callIds.release(callId);
  assert.equal(filter.made, before);
});

test('there is an end to it', () => {
  const callIds = new CallIds(randomBytes, () => undefined);
  for (let n = 0; n < 32768; n++) assert.notEqual(callIds.take(), undefined);
  assert.equal(callIds.take(), undefined);
});
