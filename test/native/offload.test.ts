import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

test('splitting and joining under the sanitizers: what goes in comes out', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'pptp-gateway-'));
  try {
    const program = join(folder, 'offload-fuzz');
    const sources = [
      './offload-fuzz.c',
      '../../src/native/split.c',
      '../../src/native/coalesce.c',
    ].map(source);
    const include = source('../../src/native');
    const sanitize = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
    execFileSync(
      process.env['HOSTCC'] ?? 'gcc',
      ['-std=gnu11', '-O1', '-g', ...sanitize, '-I', include, ...sources, '-o', program],
      { stdio: 'pipe' },
    );
    const seed = String(randomInt(2 ** 31));
    context.diagnostic(`seed ${seed}`);
    const report = execFileSync(program, [seed, '3000'], { encoding: 'utf8', stdio: 'pipe' });
    assert.match(report, /^joined \d+ of \d+\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
