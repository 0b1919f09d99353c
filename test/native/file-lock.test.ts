import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadAddon } from '../../src/native/addon.ts';
import { lockFile } from '../../src/native/file-lock.ts';

test('one descriptor has the lock of a file, until it is closed', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'pptp-lock-'));
  t.after(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'file'), '');
  const [one, other] = [openSync(join(dir, 'file'), 'r+'), openSync(join(dir, 'file'), 'r+')];
  assert.equal(lockFile(one), true);
  assert.equal(lockFile(one), true, 'it is ours already');
  assert.equal(lockFile(other), false);
  closeSync(one);
  assert.equal(lockFile(other), true);
  closeSync(other);
});

test('a descriptor that is closed, and what is none', () => {
  assert.throws(() => lockFile(1_000_000), { name: 'IoError', code: 'EBADF', syscall: 'flock' });
  for (const wrong of [undefined, 'text', 1.5, -1, {}])
    assert.throws(() => loadAddon().lockFile(wrong as number), /must be a number|RangeError/);
});
