import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

test('the program starts without what few ask of Node, and without its loader of ES modules', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'pptp-modules-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const bundle = join(dir, 'program.cjs');
  const tell = join(dir, 'tell.cjs');
  execFileSync('sh', ['tools/bundle.sh', bundle]);
  writeFileSync(
    tell,
    'process.on("exit", () => console.log(JSON.stringify(process.moduleLoadList)))',
  );
  const output = execFileSync(process.execPath, ['--require', tell, bundle, 'version'], {
    encoding: 'utf8',
  });
  const [version, list] = output.trim().split('\n');
  assert.match(version!, /^pptp-gateway \d/);
  const loaded = JSON.parse(list!) as string[];
  assert.ok(loaded.includes('NativeModule net'));
  for (const name of ['crypto', 'tls', 'readline', 'internal/modules/esm/loader'])
    assert.ok(!loaded.includes(`NativeModule ${name}`), name);
});
