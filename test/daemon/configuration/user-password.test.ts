import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Secret } from '../../../src/crypto/secret.ts';
import { storePassword } from '../../../src/daemon/configuration/user-password.ts';
import { readConfiguration } from '../../../src/daemon/configuration/read.ts';

test('a new password takes the place of the old one, and nothing else in the file changes', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'pptp-users-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'pptp_users');
  const secret = Secret.fromPassword('Fresh-Paint-9');
  const text = (password: string) =>
    `# caf\xe9\nconfig user 'anna'\n\toption username 'anna' # accounts\n${password}\nconfig user 'bert'\n\toption username 'bert'\n\toption password 'pw'\n`;
  writeFileSync(join(dir, 'network'), '');
  writeFileSync(path, text("\toption password 'old'\n\toption must_change '1'\n"), 'latin1');
  chmodSync(path, 0o640);
  storePassword(dir, 'anna', secret);
  const nthash = Buffer.from(secret.ntHash).toString('hex');
  const expected = `# caf\xe9\nconfig user 'anna'\n\toption username 'anna' # accounts\n\toption nthash '${nthash}'\n\nconfig`;
  assert(readFileSync(path, 'latin1').startsWith(expected));
  assert.equal(statSync(path).mode & 0o777, 0o640);
  assert.deepEqual(readdirSync(dir).sort(), ['network', 'pptp_users']);
  const [anna, bert] = readConfiguration(dir).users;
  assert.deepEqual(anna?.secret.ntHash, secret.ntHash);
  assert.equal(anna.mustChange, false);
  assert.equal(bert?.secret.password, 'pw');
  assert.throws(() => storePassword(dir, 'dora', secret), /no user dora/);
});
