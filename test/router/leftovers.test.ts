import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Leftovers } from '../../src/router/leftovers.ts';

/** Things to undo: what has been tried, and which of them still fail. */
function bench(context: TestContext) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const warnings: string[] = [];
  const tried: string[] = [];
  const broken = new Set<string>();
  const leftovers = new Leftovers((text) => warnings.push(text));
  return {
    warnings,
    tried,
    broken,
    leftovers,
    add: (name: string) => {
      broken.add(name);
      leftovers.add(name, new Error('no room'), () => {
        tried.push(name);
        return broken.has(name) ? Promise.reject(new Error('no room')) : Promise.resolve();
      });
    },
    wait: async (ms: number) => {
      context.mock.timers.tick(ms);
      for (let n = 0; n < 2_000; n++) await Promise.resolve();
    },
  };
}

test('tried again, later and later, until it is done', async (t) => {
  const { warnings, tried, broken, add, wait } = bench(t);
  add('a');
  add('b');
  assert.deepEqual(warnings, ['a: no room; it is tried again', 'b: no room; it is tried again']);
  await wait(1_999);
  assert.deepEqual(tried, []);
  await wait(1);
  assert.deepEqual(tried.splice(0), ['a', 'b']);
  broken.delete('a');
  await wait(3_999);
  assert.deepEqual(tried, []);
  await wait(1);
  assert.deepEqual(tried.splice(0), ['a', 'b'], 'a is done');
  broken.delete('b');
  await wait(8_000);
  assert.deepEqual(tried.splice(0), ['b']);
  await wait(3_600_000);
  assert.deepEqual(tried, []);
});

test('the same is one; of too many the oldest is given up', async (t) => {
  const { warnings, tried, add, wait } = bench(t);
  for (let n = 0; n < 257; n++) add(`route ${n}`);
  add('route 256');
  assert.equal(warnings.filter((text) => text.includes('given up')).join(), 'route 0: given up, too much waits to be undone'); // prettier-ignore
  await wait(2_000);
  assert.equal(tried.length, 256);
  assert.equal(tried.at(-1), 'route 256');
});

test('once more at the end, and not again', async (t) => {
  const { tried, leftovers, add, wait } = bench(t);
  add('a');
  await leftovers.close();
  await wait(3_600_000);
  assert.deepEqual(tried, ['a']);
});
