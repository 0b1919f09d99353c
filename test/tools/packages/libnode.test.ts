/** What is changed in Debian's libnode, on a small file of the same shape. The real one runs in `make packages`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { externals, moveExternals, withoutUnwindTables } from '../../../tools/packages/libnode.ts';

const HOME = '/usr/lib/pptp-gateway-node';

test('JavaScript outside the library is looked for in the runtime’s folder', () => {
  const paths = Object.keys(externals);
  const library = Buffer.from(`ELF\0${paths.join('\0')}\0{"path": "${paths[0]}"}`);
  const before = Buffer.from(library);
  moveExternals(library, HOME);
  assert.equal(library.length, before.length);
  const strings = library
    .toString()
    .split('\0')
    .filter((text) => text !== '');
  const moved = Object.values(externals).map((name) => `${HOME}/${name}`);
  assert.deepEqual(strings, ['ELF', ...moved, `{"path": "${paths[0]}"}`]);
  assert.throws(() => moveExternals(library, HOME), /is not there once/);
  assert.throws(
    () => moveExternals(before, '/a/much/longer/folder/than/there/is/room'),
    /is longer than/,
  );
});

const PAGE = 0x1000;
const [PT_LOAD, PT_DYNAMIC, PT_GNU_EH_FRAME] = [1, 2, 0x6474e550];

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
}

/** A 64-bit ELF file whose octets tell where they stand. */
function elf(length: number, segments: readonly Segment[], fileClass = 2): Buffer {
  const file = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) file.writeUInt32LE(at, at);
  file.set([0x7f, 0x45, 0x4c, 0x46, fileClass]);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(segments.length, 56);
  segments.forEach(({ type, offset, size }, i) => {
    const at = 64 + 56 * i;
    file.writeUInt32LE(type, at);
    for (const [field, value] of [
      [8, offset],
      [16, offset],
      [32, size],
      [40, size],
      [48, PAGE],
    ] as const)
      file.writeBigUInt64LE(BigInt(value), at + field);
  });
  return file;
}

const headers = (file: Buffer) =>
  Array.from({ length: file.readUInt16LE(56) }, (_, i) => ({
    type: file.readUInt32LE(64 + 56 * i),
    offset: Number(file.readBigUInt64LE(64 + 56 * i + 8)),
    address: Number(file.readBigUInt64LE(64 + 56 * i + 16)),
    size: Number(file.readBigUInt64LE(64 + 56 * i + 32)),
  }));

test('unwind tables at the end of their segment are cut out, what follows keeps its address', () => {
  const data = 5 * PAGE + 0x68;
  const file = elf(6 * PAGE, [
    { type: PT_LOAD, offset: 0, size: 5 * PAGE - 0x100 },
    { type: PT_LOAD, offset: data, size: 0x200 },
    { type: PT_DYNAMIC, offset: data + 0x40, size: 0x10 },
    { type: PT_GNU_EH_FRAME, offset: PAGE + 0x800, size: 0x40 },
  ]);
  const cut = withoutUnwindTables(Buffer.from(file));
  assert.equal(file.length - cut.length, 3 * PAGE);
  const [text, moved, dynamic, gone] = headers(cut);
  assert.deepEqual(text, { type: PT_LOAD, offset: 0, address: 0, size: PAGE + 0x800 });
  assert.deepEqual(moved, { type: PT_LOAD, offset: data - 3 * PAGE, address: data, size: 0x200 });
  assert.equal(dynamic?.offset, data + 0x40 - 3 * PAGE);
  assert.equal(gone?.type, 0);
  for (let at = 0; at < 0x200 - 4; at += 4)
    assert.equal(cut.readUInt32LE(moved.offset + at), (data + at) & ~3, `octet ${at}`);
  assert.equal(cut.readUInt32LE(PAGE + 0x7fc), PAGE + 0x7fc);
  assert.equal(cut.readUInt32LE(PAGE + 0x800), 0);
});

test('a library without such tables, or of another class, stays as it is', () => {
  const load = { type: PT_LOAD, offset: 0, size: PAGE };
  for (const file of [elf(PAGE, [load]), elf(PAGE, [load], 1)])
    assert.deepEqual(withoutUnwindTables(Buffer.from(file)), file);
});
