/** Which test files need a process of their own: by what they import, themselves or through files that are not of src. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Who starts processes or threads, opens devices or looks at the heap would disturb others, or be disturbed. */
const alone = [
  'node:child_process',
  'node:dgram',
  'node:v8',
  'node:vm',
  'node:worker_threads',
  'playwright-core',
];
const src = resolve(import.meta.dirname, '../../src');
const addon = `${src}/native/addon.ts`;

export function hasOwnProcess(file: string, seen = new Set<string>()): boolean {
  const path = resolve(file);
  if (seen.has(path) || path.startsWith(`${src}/`)) return false;
  seen.add(path);
  return imports(path).some(
    (name) =>
      alone.includes(name) || name === addon || (name.startsWith('/') && hasOwnProcess(name, seen)),
  );
}

/** Packages by name, files by path; not what is imported for its types alone. */
function imports(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  return Array.from(text.matchAll(/^(?:import|export|\})[^;']*?\bfrom '([^']+)';/gm))
    .filter(([statement]) => !statement.startsWith('import type'))
    .map(([, name]) => (name!.startsWith('.') ? resolve(dirname(path), name!) : name!));
}
