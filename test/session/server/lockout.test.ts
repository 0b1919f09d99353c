import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionEvent } from '../../../src/session/ports.ts';
import { Lockout, type BanRule } from '../../../src/session/server/lockout.ts';

const ban = { after: 3, time: 600_000 };

const bench = (events: SessionEvent[] = []) => new Lockout((event) => events.push(event));
const failed = (lockout: Lockout, source: number, username: string, rule: BanRule, now: number) =>
  lockout.failed({ server: 'home', source, username }, rule, now);

test('a source is banned after so many failures, for so long', () => {
  const lockout = bench();
  failed(lockout, 1, 'a', ban, 0);
  failed(lockout, 1, 'b', ban, 1_000);
  assert(!lockout.isBanned(1, 1_000));
  failed(lockout, 1, 'c', ban, 2_000);
  assert(lockout.isBanned(1, 2_000));
  assert(!lockout.isBanned(2, 2_000), 'nobody else');
  assert(lockout.isBanned(1, 601_999));
  assert(!lockout.isBanned(1, 602_000));
  failed(lockout, 1, 'c', ban, 602_001);
  assert(!lockout.isBanned(1, 602_001), 'counted anew');
});

test('failures long ago do not count', () => {
  const lockout = bench();
  failed(lockout, 1, 'a', ban, 0);
  failed(lockout, 1, 'a', ban, 1);
  failed(lockout, 1, 'a', ban, 600_000);
  assert(!lockout.isBanned(1, 600_000));
});

test('a success forgives mistyping, not guessing', () => {
  const lockout = bench();
  failed(lockout, 1, 'anna', ban, 0);
  failed(lockout, 1, 'anna', ban, 0);
  lockout.succeeded(1, 'anna');
  failed(lockout, 1, 'anna', ban, 0);
  failed(lockout, 1, 'anna', ban, 0);
  assert(!lockout.isBanned(1, 0));
  lockout.succeeded(1, 'anna');

  failed(lockout, 1, 'bert', ban, 0);
  failed(lockout, 1, 'carl', ban, 0);
  lockout.succeeded(1, 'anna');
  failed(lockout, 1, 'dora', ban, 0);
  assert(lockout.isBanned(1, 0));
});

test('after 0: never', () => {
  const lockout = bench();
  for (let n = 0; n < 1000; n++) failed(lockout, 1, 'a', { after: 0, time: 1 }, 0);
  assert(!lockout.isBanned(1, 0));
});

test('a user name alone is answered more slowly, up to 4 s, for 10 minutes', () => {
  const lockout = bench();
  const delays = Array.from({ length: 7 }, (_, source) => {
    const delay = lockout.delay('anna', 0);
    failed(lockout, source, 'anna', ban, 0);
    return delay;
  });
  assert.deepEqual(delays, [0, 500, 1_000, 2_000, 4_000, 4_000, 4_000]);
  assert.equal(lockout.delay('bert', 0), 0);
  assert.equal(lockout.delay('anna', 599_999), 4_000);
  assert.equal(lockout.delay('anna', 600_000), 0);
  failed(lockout, 1, 'anna', ban, 600_000);
  assert.equal(lockout.delay('anna', 600_000), 500, 'counted anew');
});

test('a source that tries thousands of names is banned all the same, and the oldest entries give way', () => {
  const lockout = bench();
  const never = { after: 1_000_000, time: 600_000 };
  for (let n = 0; n < 5_000; n++) failed(lockout, 1, `user${n}`, never, 0);
  assert.equal(lockout.delay('user0', 0), 0, 'forgotten');
  assert.equal(lockout.delay('user4999', 0), 500);
  const many = bench();
  for (let n = 0; n < 200; n++) failed(many, 1, `user${n}`, { after: 200, time: 1_000 }, 0);
  assert(many.isBanned(1, 0));
});

test('what is known of a ban, and what becomes of it', () => {
  const events: SessionEvent[] = [];
  const lockout = bench(events);
  failed(lockout, 1, 'anna', ban, 0);
  failed(lockout, 1, 'bert', ban, 1_000);
  assert.deepEqual(lockout.bans(1_000), []);
  failed(lockout, 1, 'carl', ban, 2_000);
  const first = { address: 1, server: 'home', since: 2_000, until: 602_000, tries: 3, username: 'carl' }; // prettier-ignore
  assert.deepEqual(lockout.bans(2_000), [first]);
  lockout.watch(601_999);
  assert.deepEqual(events, [{ what: 'banned', ban: first }]);
  assert.deepEqual(lockout.bans(602_000), [], 'before anybody looks after it, too');
  lockout.watch(602_000);
  assert.deepEqual(events.at(-1), { what: 'unbanned', ban: first, why: 'expired' });
  lockout.watch(602_001);
  assert.equal(events.length, 2, 'once');
});

test('one that has expired unseen is told of before its successor', () => {
  const events: SessionEvent[] = [];
  const lockout = bench(events);
  for (const now of [0, 700_000]) for (let n = 0; n < 3; n++) failed(lockout, 1, 'a', ban, now);
  assert.deepEqual(
    events.map((event) => [event.what, 'why' in event ? event.why : undefined]),
    [
      ['banned', undefined],
      ['unbanned', 'expired'],
      ['banned', undefined],
    ],
  );
});

test('a ban that is lifted: the source tries as often as anybody, and the name is answered at once', () => {
  const events: SessionEvent[] = [];
  const lockout = bench(events);
  for (let n = 0; n < 3; n++) failed(lockout, 1, 'anna', ban, 0);
  for (let n = 0; n < 3; n++) failed(lockout, 2, 'bert', ban, 0);
  assert.equal(lockout.lift(3, 0), false);
  assert.equal(lockout.lift(1, 0), true);
  assert.equal(lockout.lift(1, 0), false, 'once');
  assert(!lockout.isBanned(1, 0));
  assert(lockout.isBanned(2, 0), 'the other one still is');
  assert.equal(lockout.delay('anna', 0), 0);
  assert.notEqual(lockout.delay('bert', 0), 0);
  for (let n = 0; n < 2; n++) failed(lockout, 1, 'anna', ban, 1);
  assert(!lockout.isBanned(1, 1));
  assert.equal(
    lockout.lift(1, 1),
    false,
    'it is not banned, but what counts against it is forgotten',
  );
  for (let n = 0; n < 2; n++) failed(lockout, 1, 'anna', ban, 1);
  assert(!lockout.isBanned(1, 1));
  assert.equal(lockout.liftAll(1), 1);
  assert(!lockout.isBanned(2, 1));
  assert.equal(lockout.delay('bert', 1), 0);
  assert.equal(lockout.liftAll(1), 0);
  assert.deepEqual(
    events.flatMap((event) => (event.what === 'unbanned' ? [[event.ban.address, event.why]] : [])),
    [
      [1, 'lifted'],
      [2, 'lifted'],
    ],
  );
});

test('bans are bounded: the oldest makes room, and is told of', () => {
  const events: SessionEvent[] = [];
  const lockout = bench(events);
  const at = { after: 1, time: 600_000 };
  for (let source = 0; source < 4_098; source++) failed(lockout, source, 'a', at, source);
  assert.equal(lockout.bans(4_097).length, 4_096);
  assert(!lockout.isBanned(1, 4_097));
  assert.deepEqual(
    events.flatMap((event) => (event.what === 'unbanned' ? [[event.ban.address, event.why]] : [])),
    [
      [0, 'displaced'],
      [1, 'displaced'],
    ],
  );
});

test('what fails while a source is banned neither prolongs the ban nor counts afterwards', () => {
  const events: SessionEvent[] = [];
  const lockout = bench(events);
  for (let n = 0; n < 8; n++) failed(lockout, 1, 'anna', ban, n);
  assert.equal(lockout.bans(8)[0]?.until, 600_002);
  assert.equal(events.length, 1);
  lockout.lift(1, 8);
  for (let n = 0; n < 2; n++) failed(lockout, 1, 'anna', ban, 9);
  assert(!lockout.isBanned(1, 9));
});
