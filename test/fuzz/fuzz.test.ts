/**
 * Every harness for a while, two at a time, with inputs that are new on each run; the seed is in the report. Half a minute for
 * each that plays a whole part of the program, and for the addon's C; codecs, which try a hundred thousand inputs in seconds,
 * have eight: so it takes less than four minutes on two cores. `make fuzz` is for longer.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { fuzz } from './fuzz.ts';
import { codecs, harnesses } from './harnesses.ts';
import { nativeHarnesses } from './native.ts';

const played = harnesses.filter((harness) => !codecs.includes(harness));

async function holds(
  context: TestContext,
  names: readonly string[],
  seconds: number,
): Promise<void> {
  const seed = randomInt(2 ** 32);
  const { failures } = await fuzz({
    names,
    seed,
    seconds,
    count: Infinity,
    atOnce: 2,
    compiler: 'gcc',
    say: (line) => context.diagnostic(line),
  });
  assert.deepEqual(failures, []);
}

test('codecs hold whatever comes', (context) =>
  holds(
    context,
    codecs.map(({ name }) => name),
    8,
  ));

test('machines, sessions and the bus hold whatever comes', (context) =>
  holds(
    context,
    played.map(({ name }) => name),
    30,
  ));

test("the addon's C holds whatever comes, under the sanitizers", (context) =>
  holds(context, nativeHarnesses, 30));
