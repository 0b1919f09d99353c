/**
 * A package for apk from a staged folder: what OpenWrt's build system packs for 25.12 and later, with the same files beside
 * (/lib/apk/packages) and the same scripts around the package's own.
 */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { controlFields } from '../control.ts';
import { decode, encode } from './adb.ts';
import { deflated, readContainer, schemaIds, writeContainer } from './container.ts';
import {
  byOctets,
  dependencies,
  packageSchema,
  type File,
  type Folder,
  type Info,
  type Scripts,
} from './schemas.ts';

const S_IFLNK = 0o120000;
/** A package's name for itself: as many octets of the hash of its data, which has zeros there. */
const UNIQUE_ID = 20;
const PERMISSIONS = 0o7777;

/** A file or folder to be packed; of a file its content, of a link where it leads. */
interface Entry {
  readonly mode: number;
  readonly content?: Buffer;
  readonly target?: string;
}

/**
 * @param staged what is to be installed, and CONTROL as .ipk has it: control, conffiles, postinst-pkg, prerm-pkg, postrm
 * @param time of everything in it, s
 * @returns the octets of the .apk
 */
export function packFolder(staged: string, time: number): Buffer {
  const control = (name: string) => textOf(join(staged, 'CONTROL', name));
  const fields = controlFields(control('control') ?? '');
  const name = fields.get('Package') ?? '';
  const entries = new Map<string, Entry>();
  collect(staged, '', entries);
  entries.delete('CONTROL');
  addLists(entries, name, control('conffiles'));

  const paths = foldersOf(entries, time);
  const contents = paths.flatMap(({ name: folder = '', files = [] }, i) =>
    files.flatMap((file, j) => dataBlock(entries.get(join(folder, file.name!)), i + 1, j + 1)),
  );
  const scripts = scriptsOf(name, control);
  const data = (hashes: Uint8Array) =>
    encode(packageSchema, { info: { ...infoOf(fields, entries), hashes }, paths, scripts });
  const nameless = data(new Uint8Array(UNIQUE_ID));
  const id = createHash('sha256').update(nameless).digest().subarray(0, UNIQUE_ID);
  return deflated(writeContainer(schemaIds.package, { data: data(id), contents }));
}

/** What is in the folder, by paths without a slash in front. CONTROL is one of them, empty. */
function collect(root: string, folder: string, entries: Map<string, Entry>): void {
  for (const name of readdirSync(join(root, folder))) {
    const path = join(folder, name);
    const stats = lstatSync(join(root, path));
    entries.set(path, entryOf(join(root, path), stats));
    if (stats.isDirectory() && path !== 'CONTROL') collect(root, path, entries);
  }
}

function entryOf(path: string, stats: Stats): Entry {
  const { mode } = stats;
  if (stats.isDirectory()) return { mode };
  if (stats.isFile()) return { mode, content: readFileSync(path) };
  if (stats.isSymbolicLink()) return { mode, target: readlinkSync(path) };
  throw new Error(`${path}: neither file, folder nor link`);
}

/** What functions.sh of the router looks up when the package comes or goes. */
function addLists(entries: Map<string, Entry>, name: string, conffiles: string | undefined): void {
  const add = (suffix: string, lines: readonly string[]) =>
    entries.set(`lib/apk/packages/${name}.${suffix}`, {
      mode: 0o644,
      content: Buffer.from(lines.map((line) => `${line}\n`).join('')),
    });
  const files = [...entries].filter(([, entry]) => !isFolder(entry)).map(([path]) => `/${path}`);
  for (const folder of ['lib', 'lib/apk', 'lib/apk/packages'])
    if (!entries.has(folder)) entries.set(folder, { mode: 0o755 });
  add('list', files.sort(byOctets));
  if (conffiles === undefined) return;
  const kept = conffiles.split('\n').filter((path) => path !== '');
  add('conffiles', kept);
  add(
    'conffiles_static',
    kept.flatMap((path) => {
      const content = entries.get(path.slice(1))?.content;
      return content === undefined ? [] : [`${path} ${sha256(content).toString('hex')}`];
    }),
  );
}

function foldersOf(entries: ReadonlyMap<string, Entry>, time: number): Folder[] {
  const files = new Map<string, File[]>([['', []]]);
  for (const [path, entry] of entries) if (isFolder(entry)) files.set(path, []);
  for (const [path, entry] of [...entries].sort(([a], [b]) => byOctets(a, b))) {
    if (isFolder(entry)) continue;
    const slash = path.lastIndexOf('/');
    const within = files.get(path.slice(0, Math.max(0, slash)));
    within!.push({ name: path.slice(slash + 1), ...fileOf(entry, time) });
  }
  return [...files]
    .sort(([a], [b]) => byOctets(a, b))
    .map(([path, list]) => ({
      name: path,
      acl: owned(entries.get(path)?.mode ?? 0o755),
      files: list,
    }));
}

function fileOf({ mode, content, target = '' }: Entry, mtime: number): File {
  if (content !== undefined)
    return { acl: owned(mode), size: content.length, mtime, hash: sha256(content) };
  const kind = Buffer.alloc(2);
  kind.writeUInt16LE(S_IFLNK);
  const text = Buffer.from(target);
  return {
    acl: owned(mode),
    size: text.length,
    mtime,
    target: Buffer.concat([kind, text]),
  };
}

function owned(mode: number) {
  return { mode: mode & PERMISSIONS, user: 'root', group: 'root' };
}

/** Which folder and file it is the content of, counted from 1, then the content; none of what is empty. */
function dataBlock(entry: Entry | undefined, folder: number, file: number): Buffer[] {
  if (entry?.content === undefined || entry.content.length === 0) return [];
  const head = Buffer.alloc(8);
  head.writeUInt32LE(folder);
  head.writeUInt32LE(file, 4);
  return [Buffer.concat([head, entry.content])];
}

function infoOf(fields: ReadonlyMap<string, string>, entries: ReadonlyMap<string, Entry>): Info {
  const name = fields.get('Package') ?? '';
  const arch = fields.get('Architecture');
  const several = (field: string) =>
    (fields.get(field) ?? '')
      .split(',')
      .map((each) => each.replaceAll(/[\s()]/g, ''))
      .filter((each) => each !== '');
  const size = [...entries.values()].reduce((sum, { content }) => sum + (content?.length ?? 0), 0);
  return {
    name,
    version: fields.get('Version'),
    // On one line: the router's database of what is installed has a line for each field.
    description: fields.get('Description')?.replaceAll(/\s+/g, ' '),
    arch: arch === 'all' ? 'noarch' : arch,
    license: fields.get('License'),
    origin: fields.get('Source'),
    maintainer: fields.get('Maintainer'),
    url: fields.get('URL'),
    installedSize: size,
    depends: dependencies([
      ...several('Depends'),
      ...several('Conflicts').map((each) => `!${each}`),
    ]),
    // Every package provides this name; it is free of variants.
    provides: dependencies([
      `${name}-any`,
      ...several('Provides').map((each) => `${each}=${fields.get('Version')}`),
    ]),
  };
}

const FUNCTIONS = `[ -s "\${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0
. "\${IPKG_INSTROOT}/lib/functions.sh"
`;

/** OpenWrt's own work (users, services, uci-defaults), then the package's. */
function scriptsOf(name: string, control: (file: string) => string | undefined): Scripts {
  const own = (file: string) => (control(file) ?? '').replace(/^\s*#!.*\n/, '');
  const names = `export root="\${IPKG_INSTROOT}"\nexport pkgname="${name}"\n`;
  const install = `[ "\${IPKG_NO_SCRIPT}" = 1 ] && exit 0
${FUNCTIONS}${names}add_group_and_user
default_postinst
${own('postinst-pkg')}`;
  return {
    postInstall: `#!/bin/sh\n${install}`,
    postUpgrade: `#!/bin/sh\nexport PKG_UPGRADE=1\n${install}`,
    preDeinstall: `#!/bin/sh\n${FUNCTIONS}${names}default_prerm\n${own('prerm-pkg')}`,
    postDeinstall: control('postrm')?.trimStart(),
  };
}

/** What is in a package, with each file's content. */
export interface Apk {
  readonly info: Info;
  readonly paths: readonly Folder[];
  readonly scripts: Scripts;
  /** By path, with a slash in front. Links have none. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
  /** The hash that an index has of it. */
  readonly hash: Uint8Array;
}

/** @throws Error: it is no package, or contents do not fit their hashes */
export function readApk(octets: Uint8Array): Apk {
  const { schema, data, contents: blocks } = readContainer(octets);
  if (schema !== schemaIds.package) throw new Error('no package');
  const { info = {}, paths = [], scripts = {} } = decode(packageSchema, data);
  const contents = new Map<string, Uint8Array>();
  for (const { name: folder = '', files = [] } of paths)
    for (const { name = '', size = 0, target } of files)
      if (size === 0 && target === undefined)
        contents.set(join('/', folder, name), Buffer.alloc(0));
  for (const block of blocks) {
    const view = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
    const folder = paths[view.readUInt32LE(0) - 1];
    const file = folder?.files?.[view.readUInt32LE(4) - 1];
    const content = view.subarray(8);
    if (file?.hash === undefined || !sha256(content).equals(file.hash))
      throw new Error(`the content of ${folder?.name}/${file?.name} does not fit its hash`);
    contents.set(join('/', folder?.name ?? '', file.name ?? ''), content);
  }
  return { info, paths, scripts, contents, hash: sha256(data) };
}

function isFolder({ content, target }: Entry): boolean {
  return content === undefined && target === undefined;
}

function sha256(octets: Uint8Array): Buffer {
  return createHash('sha256').update(octets).digest();
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
