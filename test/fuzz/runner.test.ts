import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { kept } from './corpus.ts';
import { harness } from './harness.ts';
import { fromText, smaller, toText } from './plain.ts';
import { Random } from './random.ts';
import { tryOut, type Trial } from './runner.ts';

const trial: Trial = { seed: 7, duration: 20_000, count: 100_000, begin: () => undefined };

/** Fails for a list with a 7 in a record and octets that begin with 1. */
const faulty = harness({
  name: 'runner-test',
  generate: (random) => ({
    list: random.list(30, () => ({ kind: 'number', value: random.below(40) })),
    octets: random.anyOctets(20),
  }),
  run({ list, octets }) {
    if (list.some(({ value }) => value === 7) && octets[0] === 1)
      throw new Error(`found among ${list.length}`);
  },
});

test('a failing input is found, made as small as it can be, kept, and tried first the next time', async (context) => {
  context.after(() =>
    rmSync(new URL('./corpus/runner-test', import.meta.url), { recursive: true, force: true }),
  );
  const { failure, inputs } = await tryOut(faulty, trial);
  assert.match(failure!, /^seed 7, input \d+, kept as .*: Error: found among 1\n/);
  const [file, ...others] = kept('runner-test');
  assert.equal(others.length, 0);
  assert.deepEqual(file!.input, { list: [{ kind: 'number', value: 7 }], octets: Uint8Array.of(1) });
  assert.equal(dirname(file!.path).endsWith('corpus/runner-test'), true);
  assert.match(readFileSync(file!.path, 'utf8'), /"octets": "01"/);
  const again = await tryOut(faulty, trial);
  assert.equal(again.inputs, 1);
  assert.match(again.failure!, /corpus\/runner-test\/.*found among 1/);
  assert.ok(inputs > 1);
});

test('the same seed has the same inputs, another one others', () => {
  const inputs = (seed: number) =>
    Array.from({ length: 20 }, (_, nth) => toText(faulty.generate(new Random(seed, nth))));
  assert.deepEqual(inputs(3), inputs(3));
  assert.notDeepEqual(inputs(3), inputs(4));
  assert.equal(new Set(inputs(3)).size, 20);
});

test('inputs are text and back, and each smaller form is smaller', () => {
  const input = {
    text: 'ä\ud800',
    octets: Uint8Array.of(0, 255),
    list: [1, true, null, -2.5, { kind: 'x', n: 3 }],
  };
  assert.deepEqual(fromText(toText(input)), input);
  let count = 0;
  for (const form of smaller(input)) {
    count++;
    assert.notDeepEqual(form, input);
    assert.ok(!toText(form).includes('"kind": ""'));
  }
  assert.ok(count > 20);
});
