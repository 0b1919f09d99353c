/**
 * What is changed in Debian's libnode:
 *
 * - Some of Node's own JavaScript is not inside it but in files below /usr/share/nodejs, read at every start. They are to be
 *   found in the runtime's folder instead.
 * - The tables for unwinding the stack (3 MB) are cut out: Node is built without exceptions. Only where they are the end of
 *   their segment in a 64-bit file, as they are on x86-64 and aarch64; ARMv7 has others.
 *
 * Usage: libnode.ts FILE HOME
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

/** Where Debian has them, and what they are called in the runtime's folder. */
export const externals: Readonly<Record<string, string>> = {
  '/usr/share/nodejs/acorn/dist/acorn.js': 'acorn.js',
  '/usr/share/nodejs/acorn-walk/dist/walk.js': 'acorn-walk.js',
  '/usr/share/nodejs/cjs-module-lexer/dist/lexer.js': 'lexer-wasm.js',
  '/usr/share/nodejs/cjs-module-lexer/lexer.js': 'lexer.js',
  '/usr/share/nodejs/minimatch/dist/cjs/index.bundle.js': 'minimatch.js',
  '/usr/share/nodejs/undici/undici-fetch.js': 'undici.js',
};

/** Replaces each path, a string that ends with a NUL, by one that is no longer. @throws Error: one is not there, or is too short */
export function moveExternals(library: Buffer, home: string): void {
  for (const [before, name] of Object.entries(externals)) {
    const old = Buffer.from(`\0${before}\0`);
    const path = Buffer.from(`\0${home}/${name}`);
    const at = library.indexOf(old);
    if (at === -1 || library.includes(old, at + 1)) throw new Error(`${before} is not there once`);
    if (path.length >= old.length) throw new Error(`${home}/${name} is longer than ${before}`);
    library.fill(0, at, at + old.length).set(path, at);
  }
}

// elf.h: Elf64_Ehdr, Elf64_Phdr
const E_PHOFF = 32;
const E_SHOFF = 40;
const E_PHNUM = 56;
const E_SHNUM = 60;
const E_SHSTRNDX = 62;
const PROGRAM_HEADER = 56;
const P_OFFSET = 8;
const P_FILESZ = 32;
const P_MEMSZ = 40;
const P_ALIGN = 48;
const PT_NULL = 0;
const PT_LOAD = 1;
const PT_GNU_EH_FRAME = 0x6474e550;
const ELFCLASS64 = 2;

/** @returns the library without its unwind tables and without section headers; the same where they cannot be cut out */
export function withoutUnwindTables(library: Buffer): Buffer {
  if (library[4] !== ELFCLASS64) return library;
  const field = (header: number, at: number) => Number(library.readBigUInt64LE(header + at));
  const start = field(0, E_PHOFF);
  const headers = Array.from(
    { length: library.readUInt16LE(E_PHNUM) },
    (_, i) => start + i * PROGRAM_HEADER,
  );
  const of = (type: number) => headers.filter((header) => library.readUInt32LE(header) === type);
  const [tables] = of(PT_GNU_EH_FRAME);
  const first = tables === undefined ? 0 : field(tables, P_OFFSET);
  const loads = of(PT_LOAD);
  const segment = loads.find((load) => {
    const offset = field(load, P_OFFSET);
    return offset <= first && first < offset + field(load, P_FILESZ);
  });
  const next = loads.find((load) => field(load, P_OFFSET) > first);
  if (tables === undefined || segment === undefined || next === undefined) return library;

  // What follows in the file moves up by whole pages: where a segment is loaded says where in a page it stands in the file.
  const page = field(next, P_ALIGN);
  const cutFrom = Math.ceil(first / page) * page;
  const cut = Math.floor((field(next, P_OFFSET) - cutFrom) / page) * page;
  if (cut <= 0) return library;
  const set = (header: number, at: number, value: number) =>
    library.writeBigUInt64LE(BigInt(value), header + at);
  const left = first - field(segment, P_OFFSET);
  set(segment, P_FILESZ, left);
  set(segment, P_MEMSZ, left);
  library.writeUInt32LE(PT_NULL, tables);
  for (const header of headers)
    if (field(header, P_OFFSET) >= cutFrom + cut)
      set(header, P_OFFSET, field(header, P_OFFSET) - cut);
  library.fill(0, first, cutFrom);
  set(0, E_SHOFF, 0);
  library.writeUInt16LE(0, E_SHNUM);
  library.writeUInt16LE(0, E_SHSTRNDX);
  return Buffer.concat([library.subarray(0, cutFrom), library.subarray(cutFrom + cut)]);
}

if (basename(process.argv[1] ?? '') === 'libnode.ts') {
  const [, , file = '', home = ''] = process.argv;
  const library = readFileSync(file);
  moveExternals(library, home);
  writeFileSync(file, withoutUnwindTables(library));
}
