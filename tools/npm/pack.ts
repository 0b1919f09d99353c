/**
 * `make npm-packages`: packs src/ubus-js, src/tun-tap and src/raw-socket as packages for npm, with types and README. Those
 * with the addon carry its C sources, and build it when they are installed: gcc and Node's headers are what they need.
 *
 *     node --import tsx tools/npm/pack.ts [FOLDER]     default: dist/npm
 */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

interface NpmPackage {
  /** Of src/, and the package's name */
  readonly folder: string;
  readonly description: string;
  readonly keywords: readonly string[];
  readonly native: boolean;
}

export const npmPackages: readonly NpmPackage[] = [
  {
    folder: 'ubus-js',
    description: 'OpenWrt’s ubus: client, bus and codec',
    keywords: ['openwrt', 'ubus', 'ubusd'],
    native: false,
  },
  {
    folder: 'tun-tap',
    description: 'Linux TUN devices, in batches, with segmentation offload',
    keywords: ['tun', 'vpn', 'linux'],
    native: true,
  },
  {
    folder: 'raw-socket',
    description: 'GRE on a raw IPv4 socket of Linux, in batches',
    keywords: ['gre', 'raw-socket', 'pptp', 'linux'],
    native: true,
  },
];

const root = resolve(import.meta.dirname, '../..');
const bin = (name: string) => join(root, 'node_modules/.bin', name);
const { version, author, license, engines } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
) as { version: string; author: string; license: string; engines: object };

/** Packs all of them; the archives' paths by folder. */
export function packAll(output: string): ReadonlyMap<string, string> {
  const work = mkdtempSync(join(tmpdir(), 'pptp-npm-'));
  try {
    mkdirSync(output, { recursive: true });
    return new Map(
      npmPackages.map((described) => [described.folder, pack(described, work, output)]),
    );
  } finally {
    rmSync(work, { recursive: true });
  }
}

function pack(
  { folder, description, keywords, native }: NpmPackage,
  work: string,
  output: string,
): string {
  const tree = join(work, folder);
  const entry = join(root, 'src', folder, 'index.ts');
  mkdirSync(tree);
  execFileSync(bin('esbuild'), [
    entry,
    '--bundle',
    '--platform=node',
    '--target=node20',
    '--format=esm',
    '--log-level=warning',
    `--outfile=${join(tree, 'index.js')}`,
  ]);
  declarations(entry, join(tree, 'types'));
  copyFileSync(join(root, 'src', folder, 'README.md'), join(tree, 'README.md'));
  copyFileSync(join(root, 'LICENSE'), join(tree, 'LICENSE'));
  if (native) copySources(join(tree, 'native'));
  writeFileSync(
    join(tree, 'package.json'),
    `${JSON.stringify(
      {
        name: `@pptp-gateway/${folder}`,
        version,
        description,
        keywords,
        author,
        license,
        type: 'module',
        engines,
        ...(native
          ? { os: ['linux'], scripts: { install: 'sh native/build.sh native.node' } }
          : {}),
        exports: { '.': { types: `./types/${folder}/index.d.ts`, default: './index.js' } },
      },
      undefined,
      2,
    )}\n`,
  );
  // npm gives every file the same time, so that the same sources are the same octets.
  const file = execFileSync(
    'npm',
    ['pack', '--silent', '--ignore-scripts', '--pack-destination', output],
    {
      cwd: tree,
      encoding: 'utf8',
    },
  );
  return join(output, file.trim());
}

/** Types of the entry and of all that it imports. */
function declarations(entry: string, output: string): void {
  execFileSync(bin('tsc'), [
    ...['--ignoreConfig', '--declaration', '--emitDeclarationOnly', '--stripInternal'],
    ...['--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--strict'],
    ...['--allowImportingTsExtensions', '--exactOptionalPropertyTypes', '--skipLibCheck'],
    ...['--rootDir', join(root, 'src'), '--outDir', output, entry],
  ]);
  for (const file of readdirSync(output, { recursive: true, encoding: 'utf8' }))
    if (file.endsWith('.d.ts')) {
      const text = readFileSync(join(output, file), 'utf8');
      writeFileSync(join(output, file), text.replaceAll(/(from ')(\..*?)\.ts(')/g, '$1$2.js$3'));
    }
}

function copySources(output: string): void {
  mkdirSync(output);
  for (const file of readdirSync(join(root, 'src/native')))
    if (/\.([ch]|sh|md)$/.test(file))
      copyFileSync(join(root, 'src/native', file), join(output, file));
}

if (process.argv[1] === import.meta.filename)
  for (const archive of packAll(resolve(process.argv[2] ?? join(root, 'dist/npm'))).values())
    process.stdout.write(`${archive}\n`);
