/** What packages and indexes of apk consist of (apk-tools, doc/apk-v3.5): the slots of their records, in order. */
import { list, record, type Value } from './adb.ts';

/** `match` is a sum of Match; absent: equal. A dependency on any version has a name only. */
const dependency = record({ name: 'text', version: 'text', match: 'integer' });

const info = record({
  name: 'text',
  version: 'text',
  hashes: 'octets',
  description: 'text',
  arch: 'text',
  license: 'text',
  origin: 'text',
  maintainer: 'text',
  url: 'text',
  repoCommit: 'octets',
  buildTime: 'integer',
  installedSize: 'integer',
  fileSize: 'integer',
  providerPriority: 'integer',
  depends: list(dependency),
  provides: list(dependency),
  replaces: list(dependency),
  installIf: list(dependency),
  recommends: list(dependency),
  layer: 'integer',
  tags: list('text'),
});

const acl = record({ mode: 'integer', user: 'text', group: 'text', xattrs: list('octets') });

const file = record({
  name: 'text',
  acl,
  size: 'integer',
  mtime: 'integer',
  hash: 'octets',
  /** Of links: their kind (u16, S_IFMT) and where they lead. */
  target: 'octets',
});

/** `name` has no slash in front; the root has none at all. */
const folder = record({ name: 'text', acl, files: list(file) });

const scripts = record({
  trigger: 'text',
  preInstall: 'text',
  postInstall: 'text',
  preDeinstall: 'text',
  postDeinstall: 'text',
  preUpgrade: 'text',
  postUpgrade: 'text',
});

export const packageSchema = record({
  info,
  paths: list(folder),
  scripts,
  triggers: list('text'),
  replacesPriority: 'integer',
});

export const indexSchema = record({
  description: 'text',
  packages: list(info),
  pkgnameSpec: 'text',
});

export type Dependency = Value<typeof dependency>;
export type Info = Value<typeof info>;
export type Folder = Value<typeof folder>;
export type File = Value<typeof file>;
export type Scripts = Value<typeof scripts>;

const Match = { '=': 1, '<': 2, '>': 4, '~': 8, '!': 16 } as const;

/** "name", "name>=1.0-r1", "!name". @throws Error */
export function parseDependency(text: string): Dependency {
  const [, conflict, name, operator = '', version] =
    /^(!?)([^<>=~!\s]+)(?:([<>=~]+)(\S+))?$/.exec(text) ?? [];
  if (name === undefined) throw new Error(`no dependency: ${text}`);
  if (conflict === '!') return { name, match: Match['!'] | Match['<'] | Match['='] | Match['>'] };
  if (version === undefined) return { name };
  const match = Array.from(operator).reduce(
    (sum, sign) => sum | Match[sign as keyof typeof Match],
    0,
  );
  return { name, version, ...(match === Match['='] ? {} : { match }) };
}

/** apk wants lists sorted by name, and no member twice. @param texts as parseDependency has them */
export function dependencies(texts: readonly string[]): readonly Dependency[] {
  return [...new Set(texts)].map(parseDependency).sort((a, b) => byOctets(a.name!, b.name!));
}

/** The order of names in lists. */
export function byOctets(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
