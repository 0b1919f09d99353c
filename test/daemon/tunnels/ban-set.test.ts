import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BanSet } from '../../../src/daemon/tunnels/ban-set.ts';
import { Lockout } from '../../../src/session/server/lockout.ts';
import { parseAddress } from '../../../src/wire/ip.ts';

const hour = 3_600_000;

/** What is in sets, and for how long; all that can be done to it. */
function scene() {
  const inSets = new Map<string, number>();
  const banSet = new BanSet({
    hold: (set, address, time) => {
      const key = `${set}: ${address}`;
      assert.ok(!inSets.has(key), 'once');
      inSets.set(key, time!);
      return { settled: Promise.resolve(), release: () => assert.ok(inSets.delete(key)) };
    },
  });
  const clock = { now: 0 };
  const lockout = new Lockout((event) => banSet.note(event, clock.now));
  return {
    inSets,
    lockout,
    clock,
    ban: (address: string, time = hour) =>
      lockout.failed(
        { server: 'home', source: parseAddress(address)!, username: 'eve' },
        { after: 1, time },
        clock.now,
      ),
    configure: (set: string | undefined) =>
      banSet.configure(set, lockout.bans(clock.now), clock.now),
    shown: () => [...inSets].map(([key, time]) => `${key} ${time}`),
  };
}

test('who is locked out is in the set as long as that, and no longer', () => {
  const { ban, configure, shown, lockout, clock } = scene();
  ban('198.51.100.1');
  assert.deepEqual(shown(), [], 'none is named');
  clock.now = 1_000;
  configure('inet fw4 banned');
  assert.deepEqual(shown(), ['inet fw4 banned: 198.51.100.1 3599000'], 'also who was before');
  ban('198.51.100.2', 5_000);
  lockout.lift(parseAddress('198.51.100.1')!, 1_000);
  assert.deepEqual(shown(), ['inet fw4 banned: 198.51.100.2 5000']);
  clock.now = 6_000;
  lockout.watch(6_000);
  assert.deepEqual(shown(), []);
});

test('another set, or none, takes or gives all', () => {
  const { ban, configure, shown, lockout } = scene();
  configure('inet fw4 banned');
  ban('198.51.100.1');
  configure('inet fw4 banned');
  configure('inet filter banned');
  assert.deepEqual(shown(), ['inet filter banned: 198.51.100.1 3600000']);
  configure(undefined);
  assert.deepEqual(shown(), []);
  lockout.liftAll(0);
});

test('what is displaced leaves the set, which stays as small as the table of bans', () => {
  const { inSets, lockout, configure, clock } = scene();
  configure('inet fw4 banned');
  for (let source = 1; source <= 5_000; source++)
    lockout.failed(
      { server: 'home', source, username: 'eve' },
      { after: 1, time: hour },
      clock.now,
    );
  assert.equal(inSets.size, 4_096);
  lockout.liftAll(0);
  assert.equal(inSets.size, 0);
});
