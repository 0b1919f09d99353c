/**
 * `make docs`: writes what the pages have from the sources: options, causes, commands. With --check it says which pages are not
 * current, and ends with 1.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { causesReference } from './causes-reference.ts';
import { commandsReference } from './commands-reference.ts';
import { between, withBetween } from './markdown.ts';
import { optionsReference } from './options-reference.ts';

interface Generated {
  readonly page: string;
  readonly marker: string;
  readonly text: () => string;
}

export const generated: readonly Generated[] = [
  { page: 'docs/options.md', marker: 'options', text: optionsReference },
  { page: 'docs/causes.md', marker: 'causes', text: causesReference },
  { page: 'docs/command-line.md', marker: 'commands', text: commandsReference },
];

const root = resolve(import.meta.dirname, '../..');

if (process.argv[1] === import.meta.filename)
  for (const { page, marker, text } of generated) {
    const path = resolve(root, page);
    const current = readFileSync(path, 'utf8');
    if (between(current, marker) === text()) continue;
    if (process.argv.includes('--check')) {
      process.stderr.write(`${page} is not current: run make docs\n`);
      process.exitCode = 1;
    } else writeFileSync(path, withBetween(current, marker, text()));
  }
