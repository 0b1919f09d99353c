/** Inputs that are kept: those that once made a harness fail, and a few by hand. A folder for each harness. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plain } from './harness.ts';
import { fromText, toText } from './plain.ts';

const root = fileURLToPath(new URL('./corpus/', import.meta.url));

export function kept(name: string): readonly { readonly path: string; readonly input: Plain }[] {
  const folder = join(root, name);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const path = join(folder, file);
      return { path, input: fromText(readFileSync(path, 'utf8')) };
    });
}

/** @returns where it is */
export function keep(name: string, input: Plain): string {
  const text = toText(input);
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${createHash('sha256').update(text).digest('hex').slice(0, 12)}.json`);
  writeFileSync(path, text);
  return path;
}
