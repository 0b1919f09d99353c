/**
 * Every harness with inputs that are the same on each run and on each machine, two harnesses at a time. `make fuzz` tries others, and
 * for longer.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { fuzz } from './fuzz.ts';
import { codecs, harnesses } from './harnesses.ts';
import { nativeHarnesses } from './native.ts';

const SEED = 1;

const slow = harnesses.filter((harness) => harness.slow === true);
const quick = harnesses.filter((harness) => harness.slow !== true);

async function holds(context: TestContext, names: readonly string[], count: number): Promise<void> {
  const { failures } = await fuzz({
    names,
    seed: SEED,
    seconds: Infinity,
    count,
    atOnce: 2,
    compiler: 'gcc',
    say: (line) => context.diagnostic(line),
  });
  assert.deepEqual(failures, []);
}

test('codecs hold whatever comes', (context) =>
  holds(
    context,
    quick.filter((harness) => codecs.includes(harness)).map(({ name }) => name),
    50_000,
  ));

test('machines hold whatever comes', (context) =>
  holds(
    context,
    quick.filter((harness) => !codecs.includes(harness)).map(({ name }) => name),
    20_000,
  ));

test('whole parts of the program hold whatever comes', (context) =>
  holds(
    context,
    slow.map(({ name }) => name),
    2_000,
  ));

test("the addon's C holds whatever comes, under the sanitizers", (context) =>
  holds(context, nativeHarnesses, 50_000));
