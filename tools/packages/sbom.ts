/**
 * `make sbom`: dist/sbom.cdx.json, what is in the packages: CycloneDX 1.5. The packages have to be built (`make packages`
 * does both). The same packages give the same octets.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileOfIpk, readIpk } from './ipk-file.ts';

/** SPDX expressions of what the packages take from Debian and npm, after each one's copyright file. */
export const licences: Readonly<Record<string, string>> = {
  'gcc-14-base': 'GPL-3.0-or-later WITH GCC-exception-3.1',
  libatomic1: 'GPL-3.0-or-later WITH GCC-exception-3.1',
  libbrotli1: 'MIT',
  libc6: 'LGPL-2.1-or-later',
  libcares2: 'MIT',
  'libgcc-s1': 'GPL-3.0-or-later WITH GCC-exception-3.1',
  libicu76: 'Unicode-3.0',
  'libnghttp2-14': 'MIT',
  'libnode-dev': 'MIT',
  libnode115: 'MIT',
  libssl3t64: 'Apache-2.0',
  'libstdc++6': 'GPL-3.0-or-later WITH GCC-exception-3.1',
  'libuv1-dev': 'MIT',
  libuv1t64: 'MIT',
  libzstd1: 'BSD-3-Clause OR GPL-2.0-only',
  'node-cjs-module-lexer': 'MIT',
  nodejs: 'MIT',
  zlib1g: 'Zlib',
  '@esbuild/linux-x64': 'MIT',
};

interface Component {
  readonly type: 'application' | 'library' | 'file';
  readonly name: string;
  readonly 'bom-ref': string;
  readonly version?: string;
  readonly purl?: string;
  readonly scope?: 'excluded';
  readonly hashes?: readonly { alg: 'SHA-256' | 'SHA-512'; content: string }[];
  readonly licenses?: readonly { expression: string }[];
  readonly properties?: readonly { name: string; value: string }[];
  readonly components?: readonly Component[];
}

export interface Sbom {
  readonly bomFormat: 'CycloneDX';
  readonly specVersion: '1.5';
  readonly version: 1;
  readonly metadata: { readonly timestamp: string; readonly component: Component };
  readonly components: readonly Component[];
}

const root = resolve(import.meta.dirname, '../..');
const sha256 = (octets: Buffer) =>
  ({ alg: 'SHA-256', content: createHash('sha256').update(octets).digest('hex') }) as const;
const debianNames: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  aarch64: 'arm64',
  arm: 'armhf',
};

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  /** SHA-256 */
  readonly hash: string;
}

/** The packages of Debian in a runtime, as its licenses/VERSIONS has them. @throws Error for one whose licence is not known */
export function debianPackages(versions: string): DebianPackage[] {
  return versions
    .split('\n')
    .flatMap((line) => {
      const [, name, version, hash] =
        /^(\S+) (\S+) \(source .*\) SHA-256 ([0-9a-f]{64})$/.exec(line) ?? [];
      return name === undefined || version === undefined || hash === undefined
        ? []
        : [{ name, version, hash }];
    })
    .map((found) => {
      if (licences[found.name] === undefined) throw new Error(`${found.name}: which licence?`);
      return found;
    });
}

function debian(
  cpu: string,
  { name, version, hash }: DebianPackage,
  scope?: 'excluded',
): Component {
  const architecture = debianNames[cpu] ?? cpu;
  return {
    type: 'library',
    name,
    version,
    'bom-ref': `debian/${architecture}/${name}${scope === undefined ? '' : '#build'}`,
    purl: `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}&distro=trixie`,
    ...(scope === undefined ? {} : { scope }),
    hashes: [{ alg: 'SHA-256', content: hash }],
    licenses: [{ expression: licences[name]! }],
  };
}

/** A package, with what is in it that was not written here, or is built. */
function packaged(folder: string, file: string): Component {
  const ipk = join(folder, file);
  const { control } = readIpk(ipk);
  const [name = '', version = ''] = ['Package', 'Version'].map((field) => control.get(field));
  const architecture = basename(folder);
  const cpu = /^(x86_64|aarch64|arm)/.exec(architecture)?.[0] ?? '';
  const apk = `${name}-${version}.apk`;
  const files = ['pptp-gateway.js', 'native.node'].map((each) => `/usr/lib/pptp-gateway/${each}`);
  const within: Component[] =
    name === 'pptp-gateway'
      ? files.map((path) => ({
          type: 'file',
          name: path,
          'bom-ref': `${architecture}/${name}${path}`,
          hashes: [sha256(fileOfIpk(ipk, path))],
          licenses: [{ expression: 'Apache-2.0' }],
        }))
      : name === 'pptp-gateway-node'
        ? debianPackages(
            fileOfIpk(ipk, '/usr/lib/pptp-gateway-node/licenses/VERSIONS').toString(),
          ).map((each) => debian(cpu, each))
        : [];
  return {
    type: 'application',
    name,
    version,
    'bom-ref': `${architecture}/${name}`,
    ...(name === 'pptp-gateway-node' ? {} : { licenses: [{ expression: 'Apache-2.0' }] }),
    properties: [
      { name: 'architecture', value: architecture },
      ...[file, apk].map((each) => ({
        name: `sha256:${each}`,
        value: sha256(readFileSync(join(folder, each))).content,
      })),
    ],
    ...(within.length === 0 ? {} : { components: within }),
  };
}

/** What builds them and leaves nothing of itself: the bundler, and the headers that the addon is compiled with. */
function builtWith(): Component[] {
  const lines = (path: string) => readFileSync(join(root, path), 'utf8').split('\n');
  const [, bundler = '', version = '', integrity = ''] =
    lines('tools/packages/npm.lock')
      .find((line) => line.startsWith('bundler '))
      ?.split(' ') ?? [];
  const headers = lines('tools/packages/debian.lock')
    .map((line) => line.split(' '))
    .filter(([cpu, name]) => cpu === 'x86_64' && /-dev$/.test(name ?? ''));
  return [
    {
      type: 'application',
      name: bundler,
      version,
      'bom-ref': `npm/${bundler}#build`,
      purl: `pkg:npm/${bundler.replace('@', '%40')}@${version}`,
      scope: 'excluded',
      hashes: [
        {
          alg: 'SHA-512',
          content: Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex'),
        },
      ],
      licenses: [{ expression: licences[bundler]! }],
    },
    ...headers.map(([cpu = '', name = '', headerVersion = '', hash = '']) =>
      debian(cpu, { name, version: headerVersion, hash }, 'excluded'),
    ),
  ];
}

/** @param built the folder of `make packages` */
export function sbom(built: string, epoch: number): Sbom {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  const folders = readdirSync(built, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(built, name))
    .sort();
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      timestamp: new Date(epoch * 1000).toISOString(),
      component: {
        type: 'application',
        name: 'pptp-gateway',
        version,
        'bom-ref': 'pptp-gateway',
        licenses: [{ expression: 'Apache-2.0' }],
      },
    },
    components: [
      ...folders.flatMap((folder) =>
        readdirSync(folder)
          .filter((file) => file.endsWith('.ipk'))
          .sort()
          .map((file) => packaged(folder, file)),
      ),
      ...builtWith(),
    ],
  };
}

if (process.argv[1] === import.meta.filename) {
  const built = join(root, 'dist/packages');
  const epoch = Number(process.env['SOURCE_DATE_EPOCH']);
  if (!Number.isInteger(epoch)) throw new Error('SOURCE_DATE_EPOCH: expected seconds');
  const file = join(root, 'dist/sbom.cdx.json');
  writeFileSync(file, `${JSON.stringify(sbom(built, epoch), undefined, 2)}\n`);
  process.stdout.write(`${file}\n`);
}
