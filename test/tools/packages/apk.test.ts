/** Packages and indexes for apk. The recorded octets are the real program's: those read here it made, those written here it took. */
import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import { decode, encode, list, record } from '../../../tools/packages/apk/adb.ts';
import { isSignedBy, readContainer } from '../../../tools/packages/apk/container.ts';
import { indexOf, readIndex } from '../../../tools/packages/apk/index.ts';
import { packFolder, readApk } from '../../../tools/packages/apk/package.ts';
import { dependencies, packageSchema } from '../../../tools/packages/apk/schemas.ts';

const work = mkdtempSync(join(tmpdir(), 'pptp-apk-test-'));
after(() => {
  rmSync(work, { recursive: true });
});

/** apk mkpkg of apk-tools 3.0.6: a/f with "hi\n", a link a/l to it. */
const PACKAGE = `
41444264737471d22b48ce4e9fc3c800063d8c0c0f182b580c758b0cd8f2f2138b92335872329392
19988072620c0c0d4c9905cc667a860c2c40be0a90af0ec4ac0c0c02acf92519a9450c60711ba018
c82c71a03888afc3c0f04006885d8098a5283fbf8401a2ee2d2383400a502d083343ac67c801aa61
4c5398f12acf5f315f7fcbb6f9ff675bb9b4e85864e42c6bfdfc35f6484facfd4681ea2760fd4b90
f4b301f91d407a0d503fd02c0110ee02f21973981916a441ecfb8fa49e1dc8bf02a4ef80ec83aa07
d97f0da427918101e49e3d40b937203703d91c8c0c0d20b7f100c34744ee9feee1989909455f1496
acc9957c747cbe005f1203c4000ea07e2e20d6608484013f342cb001989d2010027137430d909660
84b01d80740310c3cc01c501289a3232b91800`;
/** apk mkndx of it. */
const INDEX = `
41444264737471d2cbcc4ba9f8c100012f18181e3056b018ea161988c8fdd33d1c3333a1e88bc292
35b9928f8ecf17e04b62cbcb4f2c4ace60ca2c6036d33364606001ead1666068d003625606060196
9ccca464a0181310bb80c4f24b32528b20ea42807c901de2207540da0468970f10c700b182f2cb78
d3b0993a5739320e6f70bac1953b41691dc7954451f593db0f3f5b5f3cef2f50bd00107300cde002
e21aa8592a501a1b60066ad166046b63c801da0172d30220cd0c957f004400`;
const octetsOf = (hex: string) => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');

test('a package of the real apk is read', () => {
  const { info, paths, contents } = readApk(octetsOf(PACKAGE));
  assert.deepEqual(
    { ...info, hashes: undefined },
    {
      name: 'x',
      version: '1-r0',
      hashes: undefined,
      arch: 'noarch',
      installedSize: 3,
      depends: [
        { name: 'ip', version: '6.1', match: 5 },
        { name: 'libc' },
        { name: 'other', match: 23 },
      ],
    },
  );
  assert.deepEqual(dependencies(['!other', 'libc', 'ip>=6.1', 'libc']), info.depends);
  assert.deepEqual(
    paths.map(({ name = '', files = [] }) => [name, files.map((file) => file.name)]),
    [
      ['', []],
      ['a', ['f', 'l']],
    ],
  );
  assert.deepEqual([...contents], [['/a/f', Buffer.from('hi\n')]]);
  assert.deepEqual(paths[1]?.files?.[1]?.target, Buffer.from('00a066', 'hex'));
});

test('an index has what the real apk takes from the package', () => {
  const [ours] = readIndex(indexOf([octetsOf(PACKAGE)], undefined)).packages ?? [];
  const [theirs] = readIndex(octetsOf(INDEX)).packages ?? [];
  assert.deepEqual(ours, theirs);
});

test('what is decoded is encoded to what decodes alike', () => {
  const { data } = readContainer(octetsOf(PACKAGE));
  const value = decode(packageSchema, data);
  assert.deepEqual(decode(packageSchema, encode(packageSchema, value)), value);
});

test('numbers and blobs of all widths', () => {
  const schema = record({ numbers: list('integer'), texts: list('text'), octets: 'octets' });
  const value = {
    numbers: [1, 2 ** 28 - 1, 2 ** 28, 2 ** 32 - 1, 2 ** 32, 2 ** 45],
    texts: ['a', 'b'.repeat(255), 'c'.repeat(256), 'd'.repeat(65_536)],
    octets: Buffer.alloc(0),
  };
  const encoded = encode(schema, value);
  assert.deepEqual(decode(schema, encoded), { numbers: value.numbers, texts: value.texts });
  for (let length = 0; length < 64; length++)
    assert.throws(() => decode(schema, encoded.subarray(0, length)), 'cut short');
});

const CONTROL = `Package: x
Version: 1-r0
Depends: libc
License: MIT
Architecture: all
Description: Two
 lines
`;

/** A staged folder with these files (mode, content). */
function staged(files: Readonly<Record<string, readonly [number, string]>>): string {
  const folder = mkdtempSync(join(work, 'staged-'));
  for (const [path, [mode, content]] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
    chmodSync(join(folder, path), mode);
  }
  return folder;
}

const example = () =>
  staged({
    'CONTROL/control': [0o644, CONTROL],
    'CONTROL/conffiles': [0o644, '/etc/config/x\n'],
    'etc/config/x': [0o600, 'hi\n'],
  });

test('the octets of a package are those that the real apk verified, listed and installed', () => {
  const octets = packFolder(example(), 3);
  const container = inflateRawSync(octets.subarray(4));
  assert.equal(
    createHash('sha256').update(container).digest('hex'),
    '2fc75692202ab36040b8c59178bd426147f1d09180069b5260e72730e93ee7ca',
  );
  assert.deepEqual(packFolder(example(), 3), octets, 'built again');
});

test('a package has what OpenWrt puts beside the files, and its scripts around the package’s own', () => {
  const folder = example();
  writeFileSync(join(folder, 'CONTROL/postinst-pkg'), '#!/bin/sh\necho hint\n');
  writeFileSync(join(folder, 'CONTROL/postrm'), '\n#!/bin/sh\necho gone\n');
  const { info, contents, scripts } = readApk(packFolder(folder, 3));
  assert.equal(info.arch, 'noarch');
  // The router's database of installed packages has a line for each field: two lines make it unreadable.
  assert.equal(info.description, 'Two lines');
  const text = (path: string) => Buffer.from(contents.get(path) ?? []).toString();
  assert.equal(text('/lib/apk/packages/x.list'), '/etc/config/x\n');
  assert.equal(text('/lib/apk/packages/x.conffiles'), '/etc/config/x\n');
  const hash = createHash('sha256').update('hi\n').digest('hex');
  assert.equal(text('/lib/apk/packages/x.conffiles_static'), `/etc/config/x ${hash}\n`);
  assert.match(scripts.postInstall ?? '', /^#!\/bin\/sh\n.*default_postinst\necho hint\n$/s);
  assert.match(scripts.postUpgrade ?? '', /^#!\/bin\/sh\nexport PKG_UPGRADE=1\n.*echo hint\n$/s);
  assert.match(scripts.preDeinstall ?? '', /default_prerm\n$/);
  assert.equal(scripts.postDeinstall, '#!/bin/sh\necho gone\n');
  assert.doesNotMatch([...contents.keys()].join(), /CONTROL/);
});

test('links and empty files are packed', () => {
  const folder = staged({ 'CONTROL/control': [0o644, CONTROL], 'bin/empty': [0o755, ''] });
  symlinkSync('empty', join(folder, 'bin/link'));
  const { paths, contents } = readApk(packFolder(folder, 3));
  const files = paths.find(({ name }) => name === 'bin')?.files ?? [];
  assert.deepEqual(
    files.map(({ name, size, target }) => [
      name,
      size ?? 0,
      Buffer.from(target ?? []).toString('hex'),
    ]),
    [
      ['empty', 0, ''],
      ['link', 5, '00a0656d707479'],
    ],
  );
  assert.equal(contents.get('/bin/empty')?.length, 0);
  assert.equal(contents.has('/bin/link'), false);
});

test('a signed index holds for its key alone, and a changed octet breaks it', () => {
  const make = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const key = make();
  const index = readContainer(indexOf([packFolder(example(), 3)], key));
  assert.equal(isSignedBy(index, createPublicKey(key)), true);
  assert.equal(isSignedBy(index, createPublicKey(make())), false);
  for (let i = 0; i < index.data.length; i++) {
    const data = Buffer.from(index.data);
    data[i]! ^= 1;
    assert.equal(isSignedBy({ ...index, data }, createPublicKey(key)), false);
  }
});

test('content that is not what its hash says is refused', () => {
  const octets = packFolder(example(), 3);
  const container = Buffer.from(inflateRawSync(octets.subarray(4)));
  container[container.indexOf('hi\n', container.length - 200)]! ^= 1;
  assert.throws(() => readApk(container), /does not fit its hash/);
});
