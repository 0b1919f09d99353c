/** How many lines of src the tests reach that share a process, folder by folder, held to floors.json. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { transformSync } from 'esbuild';
import floors from './floors.json' with { type: 'json' };

interface Summary {
  readonly lines: { readonly total: number; readonly covered: number };
}

const root = `${import.meta.dirname}/../..`;
const folder = `${root}/node_modules/.cache/coverage`;

/** What Node is told, so that it writes down what was run. */
export const measured: NodeJS.ProcessEnv = { NODE_V8_COVERAGE: `${folder}/raw` };

export function forgetCoverage(): void {
  rmSync(folder, { recursive: true, force: true });
}

/** @returns whether every folder has what its floor asks for */
export function holdFloors(): boolean {
  report('json-summary');
  const files = JSON.parse(readFileSync(`${folder}/coverage-summary.json`, 'utf8')) as Record<
    string,
    Summary
  >;
  const sums = new Map<string, { covered: number; total: number }>();
  for (const [path, { lines }] of Object.entries(files)) {
    const [src, name] = relative(root, path).split('/');
    if (src !== 'src' || (lines.covered === 0 && hasOnlyTypes(path))) continue;
    const sum = sums.get(name!) ?? { covered: 0, total: 0 };
    sums.set(name!, { covered: sum.covered + lines.covered, total: sum.total + lines.total });
  }
  let held = true;
  for (const [name, { covered, total }] of [...sums].sort()) {
    const percent = (100 * covered) / total;
    const floor = (floors as Record<string, number>)[name];
    const short = floor === undefined || percent < floor;
    if (short) held = false;
    process.stdout.write(
      `src/${name}: ${percent.toFixed(1)} % of ${total} lines, floor ${floor ?? 'missing'}${short ? ': TOO LOW' : ''}\n`,
    );
  }
  return held;
}

/** A table of all files on the terminal, and pages with every line. */
export function showCoverage(): void {
  report('text');
  report('html');
  process.stdout.write(`every line: ${relative(process.cwd(), folder)}/index.html\n`);
}

function report(reporter: string): void {
  execFileSync(
    `${root}/node_modules/.bin/c8`,
    [
      ...['report', `--temp-directory=${folder}/raw`, `--reports-dir=${folder}`],
      ...['--all', '--include=src/**/*.ts', `--reporter=${reporter}`],
    ],
    { cwd: root, stdio: 'inherit' },
  );
}

function hasOnlyTypes(path: string): boolean {
  return transformSync(readFileSync(path, 'utf8'), { loader: 'ts' }).code.trim() === '';
}
