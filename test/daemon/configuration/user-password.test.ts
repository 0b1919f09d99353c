import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Secret } from '../../../src/crypto/secret.ts';
import { storePassword } from '../../../src/daemon/configuration/user-password.ts';
import { readConfiguration } from '../../../src/daemon/configuration/read.ts';
import { lockFile } from '../../../src/native/file-lock.ts';

test('a new password takes the place of the old one, and nothing else in the file changes', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'pptp-users-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'pptp_users');
  const secret = Secret.fromPassword('Fresh-Paint-9');
  const text = (password: string) =>
    `# caf\xe9\nconfig user 'anna'\n\toption username 'anna' # accounts\n${password}\nconfig user 'bert'\n\toption username 'bert'\n\toption password 'pw'\n`;
  writeFileSync(join(dir, 'network'), '');
  writeFileSync(path, text("\toption password 'old'\n\toption must_change '1'\n"), 'latin1');
  chmodSync(path, 0o640);
  await storePassword(dir, 'anna', secret);
  const nthash = Buffer.from(secret.ntHash).toString('hex');
  const expected = `# caf\xe9\nconfig user 'anna'\n\toption username 'anna' # accounts\n\toption nthash '${nthash}'\n\nconfig`;
  assert(readFileSync(path, 'latin1').startsWith(expected));
  assert.equal(statSync(path).mode & 0o777, 0o640);
  assert.deepEqual(readdirSync(dir).sort(), ['network', 'pptp_users']);
  const [anna, bert] = readConfiguration(dir).users;
  assert.deepEqual(anna?.secret.ntHash, secret.ntHash);
  assert.equal(anna.mustChange, false);
  assert.equal(bert?.secret.password, 'pw');
  await assert.rejects(storePassword(dir, 'dora', secret), /no user dora/);
});

const anna = "config user 'anna'\n\toption username 'anna'\n\toption must_change '1'\n";

/** One user who must change, and the file opened as uci opens what it is going to change. */
function opened(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'pptp-users-'));
  const path = join(dir, 'pptp_users');
  writeFileSync(path, anna, { mode: 0o600 });
  const file = openSync(path, 'r+');
  t.after(() => {
    closeSync(file);
    rmSync(dir, { recursive: true });
  });
  return { dir, path, file };
}

test('while uci has the lock a new password waits, and finds what uci has written', async (t) => {
  const { dir, path, file } = opened(t);
  assert.equal(lockFile(file), true);
  const stored = storePassword(dir, 'anna', Secret.fromPassword('Fresh-Paint-9'));
  const other = `${anna}\nconfig user 'bert'\n\toption username 'bert'\n`;
  writeFileSync(join(dir, '.uci'), other);
  renameSync(join(dir, '.uci'), path); // uci commit; the lock goes with its descriptor
  await stored;
  const text = readFileSync(path, 'latin1');
  assert.match(
    text,
    /'anna'\n\toption nthash '[0-9a-f]{32}'\n\nconfig user 'bert'\n\toption username 'bert'\n$/,
  );
});

test('a uci that waits for the lock reads the new password', async (t) => {
  const { dir, path, file } = opened(t);
  await storePassword(dir, 'anna', Secret.fromPassword('Fresh-Paint-9'));
  assert.equal(lockFile(file), true, 'the lock was let go');
  assert.equal(readFileSync(file, 'latin1'), readFileSync(path, 'latin1'));
  assert.match(readFileSync(path, 'latin1'), /nthash/);
});

test('a lock that is never let go: the old password stays', async (t) => {
  const { dir, path, file } = opened(t);
  assert.equal(lockFile(file), true);
  const stored = storePassword(dir, 'anna', Secret.fromPassword('Fresh-Paint-9'));
  await assert.rejects(stored, /pptp_users is locked by another program$/);
  assert.equal(readFileSync(path, 'latin1'), anna);
});
