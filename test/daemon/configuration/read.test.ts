import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSecrets, readConfiguration } from '../../../src/daemon/configuration/read.ts';
import { Fatal } from '../../../src/daemon/exit-codes.ts';
import { files, told } from './parsed.ts';

function folder(t: { after(done: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), 'configuration-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

test('a folder without network is named', (t) => {
  const dir = folder(t);
  assert.throws(
    () => readConfiguration(dir),
    (error) => error instanceof Fatal && error.message.includes(join(dir, 'network')),
  );
});

test('a file with passwords that others can read is a warning, one without is not', (t) => {
  const dir = folder(t);
  const network = join(dir, 'network');
  const users = join(dir, 'pptp_users');
  const warnings = () => openSecrets(dir, readConfiguration(dir)).map(told);
  writeFileSync(network, files('server').network!, { mode: 0o644 });
  writeFileSync(users, files('user').pptp_users!, { mode: 0o600 });
  writeFileSync(join(dir, 'pptp'), '', { mode: 0o644 });
  assert.deepEqual(warnings(), []);
  chmodSync(users, 0o640);
  writeFileSync(network, files('link').network!);
  assert.deepEqual(warnings(), [
    `warning: ${network}: there are passwords in it, and others can read it (mode 644): chmod 600 ${network}`,
    `warning: ${users}: there are passwords in it, and others can read it (mode 640): chmod 600 ${users}`,
  ]);
  chmodSync(users, 0o600);
  chmodSync(network, 0o600);
  assert.deepEqual(warnings(), []);
});
