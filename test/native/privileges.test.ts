import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const built = fileURLToPath(new URL('../../dist/native.node', import.meta.url));
const scenario = fileURLToPath(new URL('./privileges-scenario.ts', import.meta.url));

test('after dropPrivileges only the network is left to us, in every thread and child', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'pptp-gateway-'));
  try {
    const foreign = join(dir, 'foreign');
    const own = join(dir, 'own');
    writeFileSync(foreign, 'secret of another user', { mode: 0o600 });
    writeFileSync(own, 'our own', { mode: 0o600 });
    chownSync(foreign, 12_345, 12_345);
    const program = ['--net', process.execPath, '--import', 'tsx', scenario, foreign, own];
    const { stdout } = await promisify(execFile)('unshare', program, { timeout: 60_000 });
    assert.deepEqual(JSON.parse(stdout), {
      before: ['readable', 'readable', 'readable'],
      threads: ['0000000000000000 0000000000003000 0000000000003000 0000000000003000 1'],
      after: ['EACCES', 'EACCES', 'EACCES'],
      own: 'our own',
      tun: 'dropped0',
      address: true,
      child: '0000000000000000 0000000000003000 0000000000003000 0000000000003000 1',
      childReadsForeign: false,
      twice: true,
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('without the capabilities the addon says EPERM, and which call it was', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'pptp-gateway-'));
  try {
    // A copy: another user may not be able to read the folder of this project.
    const addon = join(dir, 'native.node');
    copyFileSync(built, addon);
    chmodSync(dir, 0o755);
    const script = `
      const addon = require(${JSON.stringify(addon)});
      addon.initialize((errno, syscall) => new Error(syscall + ' ' + errno));
      for (const call of [addon.reduceCapabilities, addon.openGre, () => addon.openTun('x', true)])
        try { call(); console.log('allowed'); } catch (error) { console.log(error.message); }`;
    const user = ['--reuid', '12345', '--regid', '12345', '--clear-groups'];
    const program = [...user, '--inh-caps', '-all', process.execPath, '-e', script];
    const { stdout } = await promisify(execFile)('setpriv', program);
    const [reduce, gre, tun] = stdout.split('\n');
    assert.equal(reduce, 'PR_CAPBSET_DROP 1');
    assert.equal(gre, 'socket 1');
    assert.match(tun!, /^(open 13|TUNSETIFF 1)$/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
