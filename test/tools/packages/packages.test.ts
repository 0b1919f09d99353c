/**
 * What the packages consist of, and how they are packed, without downloading anything. `make packages` builds them for
 * every CPU and tries them (tools/packages/verify.ts).
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { readIpk } from '../../../tools/packages/ipk-file.ts';
import { opkgIndex } from '../../../tools/packages/opkg-index.ts';

const root = resolve(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const work = mkdtempSync(join(tmpdir(), 'pptp-packages-test-'));
after(() => {
  rmSync(work, { recursive: true });
});

const makefile = (name: string) => read(`openwrt/${name}/Makefile`);
const value = (name: string, variable: string) =>
  new RegExp(`^${variable}:=(.*)$`, 'm').exec(makefile(name))?.[1];
const locked = new Map(
  read('tools/packages/npm.lock')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(' '))
    .map(([key = '', name = '', version = '', integrity = '']) => [
      key,
      { name, version, integrity },
    ]),
);
const project = JSON.parse(read('package.json')) as {
  version: string;
  devDependencies: Record<string, string>;
};

test('versions are the same wherever they stand', () => {
  for (const name of ['pptp-gateway', 'luci-proto-pptpgw', 'luci-app-pptp-gateway'])
    assert.equal(value(name, 'PKG_VERSION'), project.version, name);
  for (const key of ['bundler', 'bundler-licence'])
    assert.equal(locked.get(key)?.version, project.devDependencies['esbuild'], key);
  for (const [key, { integrity }] of locked)
    assert.match(integrity, /^sha512-[A-Za-z0-9+/]{86}==$/, key);
  const debian = read('tools/packages/debian.lock').split('\n').slice(1, -1);
  for (const line of debian) assert.match(line, /^(x86_64|aarch64|arm) \S+ \S+ [0-9a-f]{64}$/);
  for (const cpu of ['x86_64', 'aarch64', 'arm'])
    for (const name of ['nodejs', 'libnode115'])
      assert.ok(
        debian.some((line) =>
          line.startsWith(`${cpu} ${name} ${value('pptp-gateway-node', 'PKG_VERSION')}+`),
        ),
        `${name} of ${cpu}`,
      );
});

test('every file of ours is in the list of contents, and nothing else is', () => {
  const files = join(root, 'openwrt/pptp-gateway/files');
  const ours = readdirSync(files, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(files.length));
  const made = ['native.node', 'package.json', 'pptp-gateway.js'].map(
    (name) => `/usr/lib/pptp-gateway/${name}`,
  );
  const listed = read('openwrt/pptp-gateway/contents').match(/(?<=^0\d{3} )\S+/gm);
  assert.deepEqual(listed?.toSorted(), [...ours, ...made, '/etc/init.d/pptp-gateway'].toSorted());
});

test('the configuration is the owner’s: kept at upgrades, readable by root only', () => {
  const [, conffiles] =
    /^define Package\/pptp-gateway\/conffiles\n(.*?)\nendef/ms.exec(makefile('pptp-gateway')) ?? [];
  const secret = read('openwrt/pptp-gateway/contents').match(/(?<=^0600 )\S+/gm);
  assert.deepEqual(conffiles?.split('\n'), secret);
});

/** Builds a folder with the stand-in for OpenWrt's build system. */
function build(folder: string, output: string, architecture = 'all'): void {
  execFileSync(
    'make',
    [
      '--silent',
      '-C',
      folder,
      `TOPDIR=${join(root, 'tools/packages/buildroot')}`,
      'ARCH=x86_64',
      `ARCH_PACKAGES=${architecture}`,
      `BUILD_DIR=${join(work, 'build')}`,
      `PACKAGE_DIR=${output}`,
      'all',
    ],
    { env: { ...process.env, SOURCE_DATE_EPOCH: '1700000000' }, cwd: root },
  );
}

const EXAMPLE = `include $(TOPDIR)/rules.mk
PKG_NAME:=example
PKG_VERSION:=1.2.3
PKG_RELEASE:=4
PKG_LICENSE:=Apache-2.0
include $(INCLUDE_DIR)/package.mk
define Package/example
  SECTION:=net
  TITLE:=Example
  DEPENDS:=@HAS_FPU +kmod-tun +ip
  CONFLICTS:=other
endef
define Package/example/description
Two lines
of it.
endef
define Package/example/conffiles
/etc/config/a
/etc/config/b
endef
define Package/example/postrm
#!/bin/sh
echo gone
endef

define Package/example/postinst
[ -n "$\${IPKG_INSTROOT}" ] || echo hint
endef
define Package/example/install
	$(INSTALL_DIR) $(1)/etc/config $(1)/usr/bin
	$(INSTALL_CONF) a b $(1)/etc/config/
	$(INSTALL_BIN) run $(1)/usr/bin/
endef
$(eval $(call BuildPackage,example))
`;

test('an .ipk as opkg wants it, and an .apk, with the same octets whoever builds them and when', () => {
  const folder = join(work, 'example');
  mkdirSync(folder);
  writeFileSync(join(folder, 'Makefile'), EXAMPLE);
  for (const file of ['a', 'b', 'run']) writeFileSync(join(folder, file), `${file}\n`);
  build(folder, join(work, 'first'), 'x86_64');
  execFileSync('touch', [
    '--date=2001-01-01',
    ...['a', 'b', 'run'].map((file) => join(folder, file)),
  ]);
  const umask = process.umask(0o077);
  build(folder, join(work, 'second'), 'x86_64');
  process.umask(umask);

  const file = 'example_1.2.3-r4_x86_64.ipk';
  for (const made of [file, 'example-1.2.3-r4.apk'])
    assert.deepEqual(
      readFileSync(join(work, 'first', made)),
      readFileSync(join(work, 'second', made)),
    );
  const octets = readFileSync(join(work, 'first', file));
  assert.match(
    opkgIndex([join(work, 'first', file)]),
    new RegExp(
      `^Package: example\n.*\nFilename: ${file}\nSize: ${octets.length}\nSHA256sum: ${createHash('sha256').update(octets).digest('hex')}\nDescription: Two lines\n of it\\.\n\n$`,
      's',
    ),
  );
  const { control, controlFiles, files, folders } = readIpk(join(work, 'first', file));
  assert.equal(control.get('Version'), '1.2.3-r4');
  assert.equal(control.get('Depends'), 'libc, kmod-tun, ip');
  assert.equal(control.get('Conflicts'), 'other');
  assert.match(controlFiles.get('control') ?? '', /^Description: Two lines\n of it\.$/m);
  assert.equal(controlFiles.get('conffiles'), '/etc/config/a\n/etc/config/b\n');
  assert.match(controlFiles.get('postinst') ?? '', /^default_postinst \$0 \$@$/m);
  assert.equal(controlFiles.get('postinst-pkg'), '[ -n "${IPKG_INSTROOT}" ] || echo hint\n');
  assert.equal(controlFiles.get('postrm'), '#!/bin/sh\necho gone\n');
  assert.deepEqual(
    files.map(({ path, mode, owner }) => `${mode} ${owner} ${path}`),
    ['-rw------- 0/0 /etc/config/a', '-rw------- 0/0 /etc/config/b', '-rwxr-xr-x 0/0 /usr/bin/run'],
  );
  for (const { mode, owner } of folders) assert.equal(`${mode} ${owner}`, 'drwxr-xr-x 0/0');
});

test('sources that are not those of the Makefile are refused', () => {
  const folder = join(work, 'changed');
  mkdirSync(folder);
  const source = `PKG_SOURCE:=a.tar.gz\nPKG_HASH:=${'0'.repeat(64)}\ninclude $(INCLUDE_DIR)/package.mk`;
  writeFileSync(
    join(folder, 'Makefile'),
    EXAMPLE.replace('include $(INCLUDE_DIR)/package.mk', source),
  );
  writeFileSync(join(folder, 'a.tar.gz'), '');
  assert.throws(() => build(folder, join(work, 'none')), /checksum did NOT match/);
});

test('pages are copied, catalogues become packages of their own', () => {
  const folder = join(work, 'luci-app-example');
  for (const part of ['htdocs/luci-static', 'root/usr/share/rpcd', 'po/de', 'po/templates'])
    mkdirSync(join(folder, part), { recursive: true });
  writeFileSync(join(folder, 'htdocs/luci-static/a.js'), '');
  writeFileSync(join(folder, 'root/usr/share/rpcd/acl.json'), '');
  writeFileSync(join(folder, 'po/de/example.po'), 'msgid "User"\nmsgstr "Benutzer"\n');
  const text = makefile('luci-app-pptp-gateway').replace(
    /^LUCI_DEPENDS.*$/m,
    'LUCI_DEPENDS:=+luci-base',
  );
  writeFileSync(join(folder, 'Makefile'), text);
  const output = join(work, 'luci');
  build(folder, output);
  const [app, language] = readdirSync(output)
    .filter((name) => name.endsWith('.ipk'))
    .sort()
    .map((name) => readIpk(join(output, name)));
  assert.equal(app?.control.get('Depends'), 'libc, luci-base');
  assert.deepEqual(
    app.files.map(({ path }) => path),
    ['/usr/share/rpcd/acl.json', '/www/luci-static/a.js'],
  );
  assert.equal(language?.control.get('Package'), 'luci-i18n-example-de');
  assert.deepEqual(
    language.files.map(({ path }) => path),
    ['/etc/uci-defaults/luci-i18n-example-de', '/usr/lib/lua/luci/i18n/example.de.lmo'],
  );
});
