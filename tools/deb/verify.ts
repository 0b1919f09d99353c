/** What `make deb` built, read as dpkg reads it: files with mode and owner, fields, scripts, and the CPU of the addon. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** e_machine of an ELF file. */
const machines: Readonly<Record<string, number>> = { amd64: 62, arm64: 183, armhf: 40 };

/** Mode and path of all that pptp-gateway consists of, folders left out. */
const contents = [
  '0600 /etc/pptp-gateway/network',
  '0600 /etc/pptp-gateway/pptp',
  '0600 /etc/pptp-gateway/pptp_radius',
  '0600 /etc/pptp-gateway/pptp_users',
  '0644 /etc/fail2ban/filter.d/pptp-gateway.conf',
  '0644 /usr/lib/pptp-gateway/native.node',
  '0644 /usr/lib/pptp-gateway/package.json',
  '0644 /usr/lib/pptp-gateway/pptp-gateway.js',
  '0644 /usr/lib/systemd/system/pptp-gateway.service',
  '0644 /usr/share/bash-completion/completions/pptp-gateway',
  '0644 /usr/share/doc/pptp-gateway/changelog.gz',
  '0644 /usr/share/doc/pptp-gateway/copyright',
  '0644 /usr/share/doc/pptp-gateway/examples/network',
  '0644 /usr/share/doc/pptp-gateway/examples/pptp',
  '0644 /usr/share/doc/pptp-gateway/examples/pptp_radius',
  '0644 /usr/share/doc/pptp-gateway/examples/pptp_users',
  '0644 /usr/share/man/man8/pptp-gateway.8.gz',
  '0644 /usr/share/zsh/vendor-completions/_pptp-gateway',
  '0755 /usr/bin/pptp-gateway',
  '0755 /usr/share/doc/pptp-gateway/examples/hooks/mqtt',
  '0755 /usr/share/doc/pptp-gateway/examples/hooks/webhook',
];

const { author } = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8'),
) as { author: string };

const dpkg = (...words: string[]) => execFileSync('dpkg-deb', words, { encoding: 'utf8' });
const fileOf = (deb: string, path: string) =>
  execFileSync('sh', ['-c', 'dpkg-deb --fsys-tarfile "$0" | tar -xO ".$1"', deb, path], {
    maxBuffer: 1 << 28,
  });

interface Entry {
  readonly mode: string;
  readonly owner: string;
  readonly path: string;
}

/** In the order of the archive. */
function entriesOf(deb: string): readonly Entry[] {
  const lines = dpkg('--contents', deb).trimEnd().split('\n');
  return lines.map((line) => {
    const [, mode = '', owner = '', path = ''] =
      /^(\S+) (\S+) +\d+ \S+ \S+ \.(\S*)/.exec(line) ?? [];
    return { mode, owner, path };
  });
}

/** rwxr-xr-x → 0755 */
function octal(mode: string): string {
  const bits = mode.slice(1).replaceAll(/[^-]/g, '1').replaceAll('-', '0');
  return `0${parseInt(bits, 2).toString(8).padStart(3, '0')}`;
}

/** @throws AssertionError */
export function verifyDeb(deb: string): void {
  const field = (name: string) => dpkg('--field', deb, name).trim();
  const [name, architecture] = [field('Package'), field('Architecture')];
  assert.equal(deb.split('/').at(-1), `${name}_${field('Version')}_${architecture}.deb`);
  assert.equal(field('Maintainer'), author);
  const entries = entriesOf(deb);
  const paths = entries.map(({ path }) => path);
  assert.deepEqual(paths, [...paths].sort(), 'sorted');
  for (const { mode, owner, path } of entries) {
    assert.equal(owner, 'root/root', path);
    if (mode.startsWith('d')) assert.equal(octal(mode), '0755', path);
  }
  const files = entries.filter(({ mode }) => mode.startsWith('-'));
  const machine = (path: string) => fileOf(deb, path).readUInt16LE(18);
  if (name === 'pptp-gateway') {
    assert.deepEqual(files.map(({ mode, path }) => `${octal(mode)} ${path}`).sort(), contents);
    assert.equal(machine('/usr/lib/pptp-gateway/native.node'), machines[architecture]);
    assert.equal(field('Depends'), 'nodejs (>= 20) | pptp-gateway-node, iproute2, nftables');
    const conffiles = contents.map((line) => line.slice(5)).filter((path) => /^\/etc\//.test(path));
    assert.deepEqual(dpkg('--info', deb, 'conffiles').trimEnd().split('\n'), conffiles);
    for (const script of ['postinst', 'prerm', 'postrm'])
      assert.match(dpkg('--info', deb, script), /^#!\/bin\/sh\n[^]*^set -e$/m, script);
    for (const path of ['/usr/bin/pptp-gateway', '/usr/lib/systemd/system/pptp-gateway.service'])
      assert.doesNotMatch(fileOf(deb, path).toString(), /@PREFIX@|usr\/local/, path);
  } else {
    assert.equal(name, 'pptp-gateway-node');
    assert.equal(machine('/usr/lib/pptp-gateway-node/bin/node'), machines[architecture]);
    for (const path of paths)
      assert.match(
        path,
        /^\/(usr\/((lib|share|share\/doc)\/((doc\/)?pptp-gateway-node(\/.*)?)?)?)?$/,
      );
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === import.meta.filename) {
  const folder = resolve(import.meta.dirname, '../../dist/deb');
  for (const file of readdirSync(folder).sort()) {
    verifyDeb(join(folder, file));
    process.stdout.write(
      `${file}: ${statSync(join(folder, file)).size} octets, as they should be\n`,
    );
  }
}
