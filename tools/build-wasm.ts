/** Compiles MPPE's AssemblyScript and puts it, as base64, where the bundler and Node find it. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const compiler = fileURLToPath(
  new URL('../node_modules/assemblyscript/bin/asc.js', import.meta.url),
);
const folder = new URL('../src/data-path/mppe/wasm/', import.meta.url);
const options =
  '-O3 --noAssert --converge --runtime stub --importMemory --noExportMemory --zeroFilledMemory --initialMemory 1 --maximumMemory 65536';

/** @throws Error if it does not compile; the compiler's messages go to stderr */
export function compileWasm(): Uint8Array {
  const cwd = mkdtempSync(join(tmpdir(), 'build-wasm-'));
  try {
    // The compiler takes only .ts, which every other tool would take for TypeScript.
    copyFileSync(new URL('mppe.as', folder), join(cwd, 'mppe.ts'));
    const files = ['mppe.ts', '-o', 'mppe.wasm'];
    execFileSync(process.execPath, [compiler, ...files, ...options.split(' ')], { cwd });
    return readFileSync(join(cwd, 'mppe.wasm'));
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const base64 = Buffer.from(compileWasm()).toString('base64');
  writeFileSync(
    new URL('binary.ts', folder),
    `/** mppe.as, compiled by tools/build-wasm.ts: not to be edited. */\nexport const MPPE_WASM =\n  '${base64}';\n`,
  );
}
