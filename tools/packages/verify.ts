/** `make packages`: checks what was built, and tries it in root folders that have no C library but the runtime's own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { helpPages } from '../docs/help.ts';
import { readApk } from './apk/package.ts';
import { readIpk, unpackIpk, type Ipk } from './ipk-file.ts';

const root = resolve(import.meta.dirname, '../..');
const built = join(root, 'dist/packages');
const INSTALLED_LIMIT = 900_000; // octets of pptp-gateway: bundle, addon, scripts

const faults: string[] = [];
let subject = '';
function check(right: boolean, fault: string): void {
  if (!right) faults.push(`${subject}: ${fault}`);
}

/** Below a folder, with a leading slash. */
function treeOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length));
}

/** Mode and path of every file that the package has to have. */
function expectedContents(name: string, cpu: string): string[] {
  if (name.startsWith('luci-i18n-')) {
    const [, page, language] = /^luci-i18n-(.+?)-(zh-cn|[a-z]+)$/.exec(name) ?? [];
    return [
      `0644 /etc/uci-defaults/${name}`,
      `0644 /usr/lib/lua/luci/i18n/${page}.${language}.lmo`,
    ];
  }
  if (name === 'pptp-gateway-system-node') return []; // nothing but a dependency
  const source = join(root, 'openwrt', name);
  if (name.startsWith('luci-'))
    return [
      ...treeOf(join(source, 'htdocs')).map((path) => `0644 /www${path}`),
      ...(name === 'luci-app-pptp-gateway' ? helpPages : []).map(
        (page) => `0644 /www/luci-static/resources/pptp-gateway/help/${page}.html`,
      ),
      ...(readdirSync(source).includes('root') ? treeOf(join(source, 'root')) : []).map(
        (path) => `0644 ${path}`,
      ),
    ];
  return readFileSync(join(source, 'contents'), 'utf8')
    .split('\n')
    .map((line) => line.split(/\s+/))
    .filter(([mode, , only]) => /^0/.test(mode ?? '') && (only === undefined || only === cpu))
    .map(([mode, path]) => `${mode} ${path}`);
}

function octal(mode: string): string {
  const bits = mode.slice(1).replace(/[^-]/g, '1').replaceAll('-', '0');
  return parseInt(bits, 2).toString(8).padStart(4, '0');
}

function checkPackage(file: string, ipk: Ipk, cpu: string): void {
  const { control } = ipk;
  const name = control.get('Package') ?? '';
  const architecture = control.get('Architecture') ?? '';
  check(
    basename(file) === `${name}_${control.get('Version') ?? ''}_${architecture}.ipk`,
    'the file is not named after its control fields',
  );
  check(architecture === basename(dirname(file)), `wrong architecture: ${architecture}`);
  check(/^\d+\.\d+\.\d+-r\d+$/.test(control.get('Version') ?? ''), 'no version');
  check(/^libc\b/.test(control.get('Depends') ?? ''), 'depends on no libc');
  for (const field of ['License', 'Section', 'Description', 'SourceDateEpoch'])
    check((control.get(field) ?? '') !== '', `no ${field}`);
  for (const script of ['postinst', 'prerm'])
    check(
      ipk.controlFiles.get(script)?.includes(`default_${script} $0 $@`) === true,
      `no ${script}`,
    );

  const contents = ipk.files.map(({ mode, path }) => `${octal(mode)} ${path}`).sort();
  const expected = expectedContents(name, cpu).sort();
  for (const entry of contents) check(expected.includes(entry), `has ${entry}`);
  for (const entry of expected) check(contents.includes(entry), `lacks ${entry}`);
  for (const { path, owner } of [...ipk.files, ...ipk.folders])
    check(owner === '0/0', `${path} belongs to ${owner}`);
  for (const { path, mode } of ipk.folders) check(octal(mode) === '0755', `${path} is ${mode}`);

  const conffiles = (ipk.controlFiles.get('conffiles') ?? '').split('\n').filter(Boolean);
  const configs = contents.filter((entry) => entry.includes(' /etc/config/'));
  check(
    conffiles
      .map((path) => `0600 ${path}`)
      .sort()
      .join() === configs.join(),
    `conffiles are ${conffiles.join(' ')}, configuration ${configs.join(', ')}`,
  );
}

/** The same package for apk: the same files, and what functions.sh of the router looks up. */
function checkApk(file: string, ipk: Ipk): void {
  const { info, paths, scripts, contents } = readApk(readFileSync(file));
  const name = info.name ?? '';
  check(
    basename(file) === `${name}-${info.version}.apk`,
    'the file is not named after the package',
  );
  check(name === ipk.control.get('Package'), `is the package ${name}`);
  check(info.version === ipk.control.get('Version'), `is of version ${info.version}`);
  const architecture = ipk.control.get('Architecture');
  check(info.arch === (architecture === 'all' ? 'noarch' : architecture), `is for ${info.arch}`);
  const files = paths.flatMap(({ name: folder = '', files: within = [] }) =>
    within.map((entry) => ({ path: join('/', folder, entry.name ?? ''), entry })),
  );
  const contentsOf = ({ path, mode }: { path: string; mode: number }) =>
    `${mode.toString(8).padStart(4, '0')} ${path}`;
  const ours = files.map(({ path, entry }) => contentsOf({ path, mode: entry.acl?.mode ?? 0 }));
  const lists = ours.filter((entry) => entry.includes(' /lib/apk/packages/'));
  const rest = ours.filter((entry) => !lists.includes(entry));
  const expected = ipk.files.map(({ mode, path }) => `${octal(mode)} ${path}`);
  check(rest.sort().join() === expected.sort().join(), 'has other files than the .ipk');
  for (const { path, entry } of files)
    check(entry.acl?.user === 'root' && entry.acl.group === 'root', `${path} is not root's`);
  const list = Buffer.from(contents.get(`/lib/apk/packages/${name}.list`) ?? []).toString();
  const listed = ipk.files.map(({ path }) => `${path}\n`).sort();
  check(list === listed.join(''), 'does not list its files');
  const conffiles = contents.get(`/lib/apk/packages/${name}.conffiles`);
  check(
    Buffer.from(conffiles ?? []).toString() === (ipk.controlFiles.get('conffiles') ?? ''),
    'has other conffiles than the .ipk',
  );
  check(scripts.postInstall?.includes('\ndefault_postinst\n') === true, 'no post-install');
  check(scripts.postUpgrade?.includes('\nexport PKG_UPGRADE=1\n') === true, 'no post-upgrade');
  check(scripts.preDeinstall?.includes('\ndefault_prerm\n') === true, 'no pre-deinstall');
}

/** It needs no library, and of the process that loads it nothing but Node-API and libuv; glibc's malloc_trim, if it is there. */
function checkAddon(folder: string): void {
  const dynamic = execFileSync(
    'readelf',
    ['-dW', '--dyn-syms', join(folder, 'usr/lib/pptp-gateway/native.node')],
    {
      encoding: 'utf8',
    },
  );
  check(!dynamic.includes('(NEEDED)'), 'the addon needs a library');
  // What is weak may be absent.
  for (const [, binding, symbol] of dynamic.matchAll(/ (\S+) +DEFAULT +UND (\S+)/g))
    check(binding === 'WEAK' || /^(napi|uv)_/.test(symbol ?? ''), `the addon needs ${symbol}`);
}

const size = (octets: number) =>
  octets < 1_000_000 ? `${Math.ceil(octets / 1000)} kB` : `${(octets / 1_000_000).toFixed(1)} MB`;

/** Debian's, static. Not installed: it would take the place of another busybox. */
function fetchBusybox(): string {
  const cache = join(root, 'node_modules/.cache/packages/busybox');
  mkdirSync(cache, { recursive: true });
  if (!readdirSync(cache).includes('bin')) {
    execFileSync('apt-get', ['download', '-qq', 'busybox-static'], { cwd: cache });
    const [deb] = readdirSync(cache).filter((name) => name.endsWith('.deb'));
    execFileSync('dpkg-deb', ['-x', join(cache, deb!), cache]);
  }
  return join(cache, 'bin/busybox');
}

const busybox = fetchBusybox();
const cpus: Readonly<Record<string, string>> = { x86: 'x86_64', aarch64: 'aarch64', arm: 'arm' };
for (const architecture of readdirSync(built).sort()) {
  const folder = join(built, architecture);
  const cpu = cpus[/^[a-z0-9]+/.exec(architecture)?.[0] ?? ''] ?? '';
  const router = mkdtempSync(join(tmpdir(), 'pptp-packages-'));
  try {
    const files = readdirSync(folder).sort();
    for (const file of files
      .filter((name) => name.endsWith('.ipk'))
      .map((name) => join(folder, name))) {
      subject = basename(file);
      const ipk = readIpk(file);
      const apk = `${ipk.control.get('Package')}-${ipk.control.get('Version')}.apk`;
      checkPackage(file, ipk, cpu);
      unpackIpk(file, router);
      const [packed, packedForApk] = [file, join(folder, apk)].map((path) => statSync(path).size);
      const installed = ipk.files.reduce((sum, entry) => sum + entry.size, 0);
      process.stdout.write(
        `${subject}: ${size(packed!)}, as .apk ${size(packedForApk!)}, installed ${size(installed)}\n`,
      );
      if (ipk.control.get('Package') === 'pptp-gateway')
        check(installed <= INSTALLED_LIMIT, `takes more than ${INSTALLED_LIMIT} octets`);
      subject = apk;
      checkApk(join(folder, apk), ipk);
    }
    if (architecture === 'all') continue;
    subject = architecture;
    checkAddon(router);
    // Networks and mounts of its own: a DNS server, a root folder, a daemon on TCP 1723.
    const { status } = spawnSync(
      'unshare',
      [
        '--net',
        '--mount',
        process.execPath,
        '--import',
        'tsx',
        join(import.meta.dirname, 'try-on.ts'),
        router,
        cpu,
        busybox,
      ],
      { stdio: 'inherit', cwd: root },
    );
    check(status === 0, 'does not work in a root folder');
  } finally {
    rmSync(router, { recursive: true });
  }
}
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
