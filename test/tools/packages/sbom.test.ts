/** What is said to be in the packages is in them, with hash and licence. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { createHash } from 'node:crypto';
import { debianPackages, licences, sbom } from '../../../tools/packages/sbom.ts';

const root = resolve(import.meta.dirname, '../../..');
const work = mkdtempSync(join(tmpdir(), 'pptp-sbom-'));
after(() => rmSync(work, { recursive: true }));
const lock = readFileSync(join(root, 'tools/packages/debian.lock'), 'utf8')
  .split('\n')
  .filter((line) => /^\w/.test(line))
  .map((line) => line.split(' ') as [string, string, string, string]);

/** A package with these files, as ipk.sh makes it, and a file in the place of its .apk. */
function pack(architecture: string, name: string, files: Readonly<Record<string, string>>): void {
  const staged = join(work, 'staged', name);
  mkdirSync(join(staged, 'CONTROL'), { recursive: true });
  writeFileSync(
    join(staged, 'CONTROL/control'),
    `Package: ${name}\nVersion: 1.2.3-r1\nArchitecture: ${architecture}\nInstalled-Size: 0\n`,
  );
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(staged, path)), { recursive: true });
    writeFileSync(join(staged, path), text);
  }
  const ipk = join(work, 'built', architecture, `${name}_1.2.3-r1_${architecture}.ipk`);
  execFileSync(join(root, 'tools/packages/ipk.sh'), [staged, ipk], {
    env: { ...process.env, SOURCE_DATE_EPOCH: '1700000000' },
  });
  writeFileSync(join(dirname(ipk), `${name}-1.2.3-r1.apk`), '');
}

test('program, addon, and every package of Debian in the runtime', () => {
  const debian = lock.filter(([cpu]) => cpu === 'x86_64');
  const versions = debian.map(
    ([, name, version, hash]) => `${name} ${version} (source ${name} ${version}) SHA-256 ${hash}\n`,
  );
  const program = '/usr/lib/pptp-gateway';
  pack('x86_64', 'pptp-gateway', {
    [`${program}/pptp-gateway.js`]: 'js',
    [`${program}/native.node`]: 'c',
  });
  pack('x86_64', 'pptp-gateway-node', {
    '/usr/lib/pptp-gateway-node/licenses/VERSIONS': `These packages:\n${versions.join('')}`,
  });
  const made = sbom(join(work, 'built'), 1_700_000_000);
  assert.deepEqual(
    [made.bomFormat, made.specVersion, made.metadata.timestamp],
    ['CycloneDX', '1.5', '2023-11-14T22:13:20.000Z'],
  );
  const [node, gateway, ...rest] = made.components; // by the names of their files
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  assert.deepEqual(
    gateway?.components?.map(({ name, hashes }) => [name, hashes?.[0]?.content]),
    [
      [`${program}/pptp-gateway.js`, hash('js')],
      [`${program}/native.node`, hash('c')],
    ],
  );
  assert.deepEqual(
    node?.components?.map(({ name, version, hashes }) => [name, version, hashes?.[0]?.content]),
    debian.map(([, name, version, sha256]) => [name, version, sha256]),
  );
  assert.ok(rest.length >= 3 && rest.every(({ scope }) => scope === 'excluded'));

  const all = [made.metadata.component, ...made.components].flatMap((each) => [
    each,
    ...(each.components ?? []),
  ]);
  const references = all.map((each) => each['bom-ref']);
  assert.equal(new Set(references).size, references.length, 'every bom-ref is another one');
  assert.deepEqual(sbom(join(work, 'built'), 1_700_000_000), made);
});

test('every package that is taken has a licence; one without is refused', () => {
  for (const [, name] of lock) assert.ok(licences[name] !== undefined, name);
  const line = `surprise 1.0 (source surprise 1.0) SHA-256 ${'0'.repeat(64)}`;
  assert.throws(() => debianPackages(line), /surprise: which licence\?/);
});

test('their texts go into the runtime', () => {
  const script = readFileSync(join(root, 'tools/packages/runtime.sh'), 'utf8');
  const [, named = ''] = /^for package in (.*); do\n\tcp -L .*copyright/m.exec(script) ?? [];
  // Of the same source, whose copyright file is that of the other
  const sameAs: Readonly<Record<string, string | undefined>> = {
    libnode115: 'nodejs',
    libatomic1: 'gcc-14-base',
    'libgcc-s1': 'gcc-14-base',
    'libstdc++6': 'gcc-14-base',
  };
  for (const [, name] of lock)
    if (!name.endsWith('-dev')) assert.ok(named.split(' ').includes(sameAs[name] ?? name), name);
});
