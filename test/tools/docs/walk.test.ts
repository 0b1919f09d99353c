/** The commands of the documentation, run as they stand; what they print is what stands below them, but for its numbers. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { isRun, walk, walkedPages, type Step } from '../../../tools/docs/walk.ts';
import { blocks } from '../../../tools/docs/markdown.ts';
import { readFileSync } from 'node:fs';

/** Numbers, times and the width of columns differ from run to run, and what is counted at all. */
const alike = (text: string) =>
  text
    .replaceAll(/^counted\..*\n?/gm, '')
    .trim()
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/\d+(\.\d+)*/g, 'N')
    .replaceAll(/N [kM]?B\b/g, 'N B')
    .replaceAll(/[ \t]+/g, ' ');

describe('the commands of the documentation', () => {
  let steps: readonly Step[] = [];
  before(async () => {
    steps = await walk();
  });

  test('every one is run', () => {
    for (const page of walkedPages) {
      const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8');
      const run = steps.filter((step) => step.page === page).map(({ block }) => block.line);
      const wanted = blocks(text).filter(isRun);
      assert.ok(wanted.length > 0, `${page} has nothing to run`);
      assert.deepEqual(
        run,
        wanted.map(({ line }) => line),
      );
    }
  });

  test('every one works, and prints what stands below it', () => {
    for (const { page, block, code, output, shown } of steps) {
      const place = `${page}:${block.line}: ${block.text}\n${output}`;
      assert.equal(code, 0, place);
      const isSilent = output.trim() === '';
      assert.ok(isSilent || shown !== undefined, `${place}\nits output does not stand below it`);
      assert.equal(alike(output), alike(shown?.text ?? ''), place);
    }
  });
});
