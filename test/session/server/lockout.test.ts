import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lockout } from '../../../src/session/server/lockout.ts';

const ban = { after: 3, time: 600_000 };

test('a source is banned after so many failures, for so long', () => {
  const lockout = new Lockout();
  lockout.failed(1, 'a', ban, 0);
  lockout.failed(1, 'b', ban, 1_000);
  assert(!lockout.isBanned(1, 1_000));
  lockout.failed(1, 'c', ban, 2_000);
  assert(lockout.isBanned(1, 2_000));
  assert(!lockout.isBanned(2, 2_000), 'nobody else');
  assert(lockout.isBanned(1, 601_999));
  assert(!lockout.isBanned(1, 602_000));
  lockout.failed(1, 'c', ban, 602_001);
  assert(!lockout.isBanned(1, 602_001), 'counted anew');
});

test('failures long ago do not count', () => {
  const lockout = new Lockout();
  lockout.failed(1, 'a', ban, 0);
  lockout.failed(1, 'a', ban, 1);
  lockout.failed(1, 'a', ban, 600_000);
  assert(!lockout.isBanned(1, 600_000));
});

test('a success forgives mistyping, not guessing', () => {
  const lockout = new Lockout();
  lockout.failed(1, 'anna', ban, 0);
  lockout.failed(1, 'anna', ban, 0);
  lockout.succeeded(1, 'anna');
  lockout.failed(1, 'anna', ban, 0);
  lockout.failed(1, 'anna', ban, 0);
  assert(!lockout.isBanned(1, 0));
  lockout.succeeded(1, 'anna');

  lockout.failed(1, 'bert', ban, 0);
  lockout.failed(1, 'carl', ban, 0);
  lockout.succeeded(1, 'anna');
  lockout.failed(1, 'dora', ban, 0);
  assert(lockout.isBanned(1, 0));
});

test('after 0: never', () => {
  const lockout = new Lockout();
  for (let n = 0; n < 1000; n++) lockout.failed(1, 'a', { after: 0, time: 1 }, 0);
  assert(!lockout.isBanned(1, 0));
});

test('a user name alone is answered more slowly, up to 4 s, for 10 minutes', () => {
  const lockout = new Lockout();
  const delays = Array.from({ length: 7 }, (_, source) => {
    const delay = lockout.delay('anna', 0);
    lockout.failed(source, 'anna', ban, 0);
    return delay;
  });
  assert.deepEqual(delays, [0, 500, 1_000, 2_000, 4_000, 4_000, 4_000]);
  assert.equal(lockout.delay('bert', 0), 0);
  assert.equal(lockout.delay('anna', 599_999), 4_000);
  assert.equal(lockout.delay('anna', 600_000), 0);
  lockout.failed(1, 'anna', ban, 600_000);
  assert.equal(lockout.delay('anna', 600_000), 500, 'counted anew');
});

test('a source that tries thousands of names is banned all the same, and the oldest entries give way', () => {
  const lockout = new Lockout();
  const never = { after: 1_000_000, time: 600_000 };
  for (let n = 0; n < 5_000; n++) lockout.failed(1, `user${n}`, never, 0);
  assert.equal(lockout.delay('user0', 0), 0, 'forgotten');
  assert.equal(lockout.delay('user4999', 0), 500);
  const many = new Lockout();
  for (let n = 0; n < 200; n++) many.failed(1, `user${n}`, { after: 200, time: 1_000 }, 0);
  assert(many.isBanned(1, 0));
});
