/** Many test files in one process, one after the other; whoever started it is told whose turn it is. */
import { resolve } from 'node:path';
import { test } from 'node:test';

for (const file of process.argv.slice(2)) {
  // Tests of the root run in the order in which they are made.
  test(file, () => void process.send?.(file));
  try {
    await import(resolve(file));
  } catch (error) {
    test(`${file} cannot be loaded`, () => {
      throw error;
    });
  }
}
