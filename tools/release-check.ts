/**
 * `make release-check`: is this folder ready to be tagged? The sources: a clean tree, one version wherever it stands, a changelog of
 * it, pages that are current, licences. With --packages also what make packages built: of this commit and version, the whole
 * list, the sizes in the documentation. Each fault is a line; ends with 1 where there is one.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { generated } from './docs/main.ts';
import { between } from './docs/markdown.ts';
import { sizesAreCurrent } from './docs/sizes.ts';
import { readIpk } from './packages/ipk-file.ts';

const root = resolve(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const git = (...words: string[]) =>
  execFileSync('git', words, { cwd: root, encoding: 'utf8' }).trim();
const { author, license, version } = JSON.parse(read('package.json')) as Readonly<
  Record<'author' | 'license' | 'version', string>
>;

/** Packages whose version is the program's; pptp-gateway-node has that of Node. */
const ours = ['pptp-gateway', 'luci-proto-pptpgw', 'luci-app-pptp-gateway'];

/** What the sources lack. */
export function sourceFaults(): string[] {
  const faults: string[] = [];
  const check = (right: boolean, fault: string) => {
    if (!right) faults.push(fault);
  };
  check(/^\d+\.\d+\.\d+$/.test(version), `package.json: ${version} is no version of a release`);
  const lock = JSON.parse(read('package-lock.json')) as {
    version: string;
    packages: Record<string, { version?: string }>;
  };
  for (const found of [lock.version, lock.packages['']?.version])
    check(found === version, `package-lock.json has version ${found}`);
  for (const name of ours) {
    const [, found] = /^PKG_VERSION:=(.*)$/m.exec(read(`openwrt/${name}/Makefile`)) ?? [];
    check(found === version, `openwrt/${name}/Makefile has version ${found}`);
  }
  const pages =
    'openwrt/luci-app-pptp-gateway/htdocs/luci-static/resources/pptp-gateway/notices.js';
  const [, shown] = /^const VERSION = '(.*)';$/m.exec(read(pages)) ?? [];
  check(shown === version, `${pages} has version ${shown}`);
  const [, unreleased = '', newest, date = ''] =
    /^## \[Unreleased\]\n(.*?)^## \[(.*?)\] - (.*?)$/ms.exec(read('CHANGELOG.md')) ?? [];
  check(newest === version, `CHANGELOG.md: the newest version is ${newest}`);
  check(unreleased.trim() === '', 'CHANGELOG.md: there are changes that no version has');
  check(/^\d{4}-\d\d-\d\d$/.test(date), `CHANGELOG.md: ${date} is no date`);
  for (const { page, marker, text } of generated)
    check(between(read(page), marker) === text(), `${page} is not current: run make docs`);
  return [...faults, ...licenceFaults()];
}

/** The licence stands where the tools of packages and feeds look for it. */
export function licenceFaults(): string[] {
  const faults: string[] = [];
  for (const name of readdirSync(join(root, 'openwrt'))) {
    const makefile = read(`openwrt/${name}/Makefile`);
    if (!makefile.startsWith('# SPDX-License-Identifier: Apache-2.0\n'))
      faults.push(`openwrt/${name}/Makefile has no line SPDX-License-Identifier`);
    if (!/^PKG_LICENSE:=\S/m.test(makefile))
      faults.push(`openwrt/${name}/Makefile has no PKG_LICENSE`);
    if (!makefile.includes(`\nPKG_MAINTAINER:=${author}\n`))
      faults.push(`openwrt/${name}/Makefile has no PKG_MAINTAINER ${author}`);
  }
  const reuse = read('REUSE.toml');
  if (!reuse.includes(`SPDX-License-Identifier = "${license}"`))
    faults.push(`REUSE.toml does not say ${license}`);
  if (read(`LICENSES/${license}.txt`) !== read('LICENSE'))
    faults.push(`LICENSES/${license}.txt is not LICENSE`);
  return faults;
}

function treeFaults(): string[] {
  const changed = git('status', '--porcelain');
  const tagged = git('tag', '--list', `v${version}`);
  const there = tagged !== '' && git('rev-list', '-1', tagged) !== git('rev-parse', 'HEAD');
  return [
    ...(changed === '' ? [] : [`the tree is not clean:\n${changed}`]),
    ...(there ? [`v${version} is another commit already`] : []),
  ];
}

function packageFaults(): string[] {
  const built = join(root, 'dist/packages');
  const epoch = git('log', '-1', '--format=%ct');
  const faults: string[] = [];
  const folders = readdirSync(built).sort();
  const kinds = folders.map((name) => name.replace(/^(aarch64|arm)_.*/, '$1'));
  if (kinds.join(' ') !== 'aarch64 all arm x86_64') faults.push(`packages for ${kinds.join(', ')}`);
  for (const folder of folders)
    for (const file of readdirSync(join(built, folder)).filter((name) => name.endsWith('.ipk'))) {
      const { control } = readIpk(join(built, folder, file));
      const node = control.get('Package') === 'pptp-gateway-node';
      if (control.get('SourceDateEpoch') !== epoch) faults.push(`${file} is not of this commit`);
      if (!node && control.get('Version')?.startsWith(`${version}-`) !== true)
        faults.push(`${file} has version ${control.get('Version')}`);
    }
  if (!existsSync(join(root, 'dist/sbom.cdx.json'))) faults.push('there is no dist/sbom.cdx.json');
  if (!sizesAreCurrent())
    faults.push('docs/sizing.md: the sizes are others: node --import tsx tools/docs/sizes.ts');
  return faults;
}

if (process.argv[1] === import.meta.filename) {
  const built = process.argv.includes('--packages');
  const faults = [...treeFaults(), ...sourceFaults(), ...(built ? packageFaults() : [])];
  for (const fault of faults) process.stderr.write(`release-check: ${fault}\n`);
  process.exitCode = faults.length === 0 ? 0 : 1;
  if (faults.length === 0 && built) process.stdout.write(`ready: git tag --sign v${version}\n`);
}
