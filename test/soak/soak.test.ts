/** A short soak: some of each trouble; `make soak` is for longer. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { soak } from './soak.ts';
import { troubles } from './troubles.ts';

const SECONDS = 12;

test('kills, floods, flaps, jumps of the clock, full disks and few descriptors take nothing from a good session', async (context) => {
  const faults = await soak({
    seconds: SECONDS,
    seed: randomInt(2 ** 32),
    troubles: Object.keys(troubles),
    kills: true,
    logins: true,
    killCount: Infinity,
    flood: { seconds: 2, rate: 20_000 },
    stop: new AbortController().signal,
    say: (line) => context.diagnostic(line),
  });
  assert.deepEqual(faults, []);
});
