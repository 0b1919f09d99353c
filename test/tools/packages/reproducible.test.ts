/** Built twice, in folders of other names, with another umask and other times: the same octets. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

const root = resolve(import.meta.dirname, '../../..');
const work = mkdtempSync(join(tmpdir(), 'pptp-reproducible-'));
after(() => rmSync(work, { recursive: true }));

/** Copies of what is built, in two folders that have nothing in common, and with other times. */
function twice(paths: readonly string[], name: string): [string, string] {
  const folders: [string, string] = [join(work, name, 'a'), join(work, name, 'another/one/deeper')];
  for (const [index, folder] of folders.entries())
    for (const path of paths) {
      cpSync(join(root, path), join(folder, path), { recursive: true });
      for (const file of readdirSync(join(folder, path), { recursive: true, encoding: 'utf8' }))
        utimesSync(join(folder, path, file), 1e9 * (index + 1), 1e9 * (index + 1));
    }
  return folders;
}

test('bundle and addon', () => {
  const built = twice(['src', 'tools'], 'program').map((folder) => {
    cpSync(join(root, 'package.json'), join(folder, 'package.json'));
    const environment = { ...process.env, ESBUILD: join(root, 'node_modules/.bin/esbuild') };
    execFileSync(join(folder, 'tools/bundle.sh'), { cwd: folder, env: environment });
    execFileSync(join(folder, 'src/native/build.sh'), { cwd: folder });
    return ['pptp-gateway.js', 'native.node'].map((file) =>
      readFileSync(join(folder, 'dist', file)),
    );
  });
  assert.deepEqual(built[0], built[1]);
});

for (const name of ['luci-proto-pptpgw', 'luci-app-pptp-gateway'])
  test(`the packages of ${name}, .ipk and .apk`, () => {
    const built = twice([`openwrt/${name}`], name).map((folder, index) => {
      const output = join(folder, 'output');
      mkdirSync(output);
      const umask = process.umask(index === 0 ? 0o022 : 0o077);
      execFileSync(
        'make',
        [
          ...[
            '--silent',
            '-C',
            join(folder, 'openwrt', name),
            `BUILD_DIR=${join(folder, 'build')}`,
          ],
          ...[`TOPDIR=${join(root, 'tools/packages/buildroot')}`, `PACKAGE_DIR=${output}`],
          ...['ARCH=x86_64', 'ARCH_PACKAGES=all', 'SOURCE_DATE_EPOCH=1700000000', 'all'],
        ],
        { cwd: root, env: { ...process.env, SOURCE_DATE_EPOCH: '1700000000' } },
      );
      process.umask(umask);
      return readdirSync(output)
        .sort()
        .map((file) => [file, readFileSync(join(output, file))]);
    });
    assert.ok(built[0]!.length >= 8, 'as .ipk and as .apk, and the catalogues of three languages');
    assert.deepEqual(built[0], built[1]);
  });
