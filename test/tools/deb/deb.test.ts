/** The .deb packages and `make install`, with a stand-in for the runtime: nothing is downloaded. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { verifyDeb } from '../../../tools/deb/verify.ts';

const root = resolve(import.meta.dirname, '../../..');
const work = mkdtempSync(join(tmpdir(), 'pptp-deb-test-'));
after(() => {
  rmSync(work, { recursive: true });
});

/** A copy of the sources with a runtime of one octet more than an ELF header that says x86-64. */
function copy(name: string): string {
  const folder = join(work, name);
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  const wanted =
    /^(src|systemd|fail2ban|examples|tools\/(deb|packages|command-line)|openwrt\/pptp-gateway|[^/]+$)/;
  for (const file of listed.split('\n').filter((path) => wanted.test(path))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(root, file), join(folder, file));
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'dist'));
  for (const file of ['pptp-gateway.js', 'package.json', 'native.node'])
    cpSync(join(root, 'dist', file), join(folder, 'dist', file));
  const makefile = readFileSync(join(root, 'openwrt/pptp-gateway-node/Makefile'), 'utf8');
  const version = /^PKG_VERSION:=(.*)$/m.exec(makefile)![1]!;
  const runtime = join(folder, 'runtime');
  mkdirSync(join(runtime, 'bin'), { recursive: true });
  const elf = Buffer.alloc(64);
  elf.write('\x7fELF', 'latin1');
  elf.writeUInt16LE(62, 18);
  writeFileSync(join(runtime, 'bin/node'), elf);
  const archives = join(folder, 'dist/source-feed/pptp-gateway-node');
  mkdirSync(archives, { recursive: true });
  execFileSync('tar', ['-czf', join(archives, `pptp-gateway-node-${version}-x86_64.tar.gz`), '-C', folder, 'runtime']); // prettier-ignore
  return folder;
}

const env = { ...process.env, SOURCE_DATE_EPOCH: '1700000000' };

test('the same sources give the same octets, in whatever folder and under whatever umask', () => {
  const folders = [copy('first'), copy('second/deeper')];
  const umask = process.umask(0o022);
  try {
    folders.forEach((folder, i) => {
      if (i === 1) process.umask(0o077);
      execFileSync(join(folder, 'tools/deb/build.sh'), ['amd64'], { env, cwd: folder });
    });
  } finally {
    process.umask(umask);
  }
  const [first, second] = folders.map((folder) => join(folder, 'dist/deb')) as [string, string];
  const files = readdirSync(first);
  assert.equal(files.length, 2);
  assert.deepEqual(readdirSync(second), files);
  for (const file of files) {
    assert.deepEqual(readFileSync(join(first, file)), readFileSync(join(second, file)), file);
    verifyDeb(join(first, file));
  }
});

test('make install keeps what stands in /etc, and make uninstall leaves only that', () => {
  const destination = join(work, 'root');
  const install = (what: string) =>
    execFileSync(join(root, 'tools/deb/install.sh'), [what], {
      env: { ...env, DESTDIR: destination, PREFIX: '/opt/pptp' },
      encoding: 'utf8',
    });
  install('install');
  const own = join(destination, 'etc/pptp-gateway/network');
  writeFileSync(own, 'mine');
  install('install');
  assert.equal(readFileSync(own, 'utf8'), 'mine');
  const unit = join(destination, 'opt/pptp/lib/systemd/system/pptp-gateway.service');
  assert.match(readFileSync(unit, 'utf8'), /^ExecStart=\/opt\/pptp\/bin\/pptp-gateway run /m);
  assert.match(install('uninstall'), /etc\/pptp-gateway stays/);
  const left = readdirSync(destination, { recursive: true, withFileTypes: true });
  assert.deepEqual(
    left.filter((entry) => entry.isFile()).map(({ name }) => name).sort(), // prettier-ignore
    ['network', 'pptp', 'pptp_radius', 'pptp_users'],
  );
});

test('the launcher takes no Node.js that is too old, and says so', () => {
  const folder = join(work, 'bin');
  mkdirSync(folder);
  const launcher = join(root, 'tools/deb/launcher');
  const start = (more: Readonly<Record<string, string>> = {}) => {
    const { status, stderr } = spawnSync('/bin/sh', [launcher], {
      env: { PATH: folder, ...more },
      encoding: 'utf8',
    });
    return [status, stderr];
  };
  const advice =
    'install Node.js 20 or newer (Debian 13: nodejs), or the package pptp-gateway-node';
  assert.deepEqual(start(), [127, `pptp-gateway: there is no Node.js: ${advice}\n`]);
  const node = join(folder, 'node');
  writeFileSync(node, '#!/bin/sh\necho v18.20.4\n');
  chmodSync(node, 0o755);
  const old = `pptp-gateway: ${node} is Node.js v18.20.4, which is too old: ${advice}\n`;
  assert.deepEqual(start(), [127, old]);
  assert.deepEqual(start({ JOURNAL_STREAM: '1:2' }), [127, `<3>${old}`]);
});

test('the launcher hands over what systemd says, and nothing else of the environment', () => {
  const folder = join(work, 'handed');
  mkdirSync(folder);
  const node = join(folder, 'node');
  writeFileSync(node, '#!/bin/sh\n[ "$1" = --version ] && echo v20.19.2 || env\n');
  chmodSync(node, 0o755);
  const said = {
    JOURNAL_STREAM: '1:2',
    NOTIFY_SOCKET: '/run/notify',
    STATE_DIRECTORY: '/var/lib/pptp-gateway',
  };
  const { stdout } = spawnSync('/bin/sh', [join(root, 'tools/deb/launcher')], {
    env: { PATH: `${folder}:/usr/bin:/bin`, ...said, NODE_OPTIONS: '--require /tmp/x' },
    encoding: 'utf8',
  });
  const lines = stdout.split('\n');
  for (const [name, value] of Object.entries(said))
    assert.ok(lines.includes(`${name}=${value}`), name);
  assert.doesNotMatch(stdout, /NODE_OPTIONS/);
});
