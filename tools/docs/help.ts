/**
 * The pages of docs/ that LuCI's pages link to, as HTML for the package: a router may have no way to any other place.
 * Usage: help.ts FOLDER     FOLDER is made
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { htmlOf } from './html.ts';

/** Without .md. What no page of LuCI links to is reached from the others. */
export const helpPages = [
  'bans',
  'causes',
  'clients',
  'glossary',
  'home-vpn',
  'networks',
  'office-link',
  'options',
  'passthrough',
  'provider-login',
  'radius',
  'troubleshooting',
  'usage',
];

/** Pages that are there too, and places in the page itself. */
export function helpTarget(link: string): string | undefined {
  const [, page, anchor = ''] = /^([a-z-]*)(?:\.md)?(#.*)?$/.exec(link) ?? [];
  if (page === '') return anchor;
  return page !== undefined && helpPages.includes(page) ? `${page}.html${anchor}` : undefined;
}

if (process.argv[1] === import.meta.filename) {
  const folder = process.argv[2]!;
  mkdirSync(folder, { recursive: true });
  for (const name of helpPages) {
    const page = readFileSync(resolve(import.meta.dirname, `../../docs/${name}.md`), 'utf8');
    writeFileSync(join(folder, `${name}.html`), htmlOf(page, helpTarget));
  }
}
