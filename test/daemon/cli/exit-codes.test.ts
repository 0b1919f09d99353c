/** What goes wrong before anything runs: one clear line (or one for each fault) and a distinct exit code. */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { folder, root, run, startProgram } from './program.ts';

describe('exit codes', { concurrency: 2 }, () => {
  test('0: help and version', async (context) => {
    const help = await run(context, ['--help']);
    assert.deepEqual([help.code, help.stderr], [0, '']);
    assert.match(help.stdout, /^usage: pptp-gateway COMMAND/);
    const version = await run(context, ['version']);
    assert.deepEqual([version.code, version.stderr], [0, '']);
    assert.match(version.stdout, /^pptp-gateway \S+\n$/);
  });

  test('64: usage, and where to look', async (context) => {
    const { code, stdout, stderr } = await run(context, ['bogus']);
    assert.deepEqual([code, stdout], [64, '']);
    assert.match(stderr, /^pptp-gateway: unknown command 'bogus'\npptp-gateway help/);
  });

  test('69: the daemon is not running', async (context) => {
    const socket = join(folder(context), 'ubus.sock');
    assert.deepEqual(await run(context, ['status', '--socket', socket]), {
      code: 69,
      stdout: '',
      stderr: `pptp-gateway: the daemon is not running (nobody serves ${socket}): start its service, or see in the log why it ended\n`,
    });
  });

  test('71: there is no /dev/net/tun', async (context) => {
    const hidden = ['unshare', '--mount', 'sh', '-c'];
    const script = 'mount -t tmpfs none /dev/net && exec "$0" "$@"';
    const result = await run(context, ['run'], [...hidden, script]);
    assert.equal(result.code, 71);
    assert.match(result.stderr, /^pptp-gateway: \/dev\/net\/tun is missing: .*\n$/);
  });

  test('77: not root', async (context) => {
    // A copy that everybody can read: the clone may lie in root's home.
    const dir = folder(context);
    copyFileSync(join(root, 'dist/pptp-gateway.js'), join(dir, 'pptp-gateway.cjs'));
    chmodSync(dir, 0o755);
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const program = [process.execPath, join(dir, 'pptp-gateway.cjs'), 'run'];
    const { code, stdout, stderr } = await startProgram(context, [...nobody, ...program]).ended;
    assert.deepEqual([code, stdout], [77, '']);
    assert.match(stderr, /^pptp-gateway: run needs root.*\n$/);
  });

  test('78: there is no configuration', async (context) => {
    const dir = join(folder(context), 'missing');
    assert.deepEqual(await run(context, ['run', '--config-dir', dir]), {
      code: 78,
      stdout: '',
      stderr: `pptp-gateway: there is no file ${dir}/network: see --config-dir\n`,
    });
  });

  test('78: a configuration that cannot be read', async (context) => {
    const dir = folder(context, { network: '' });
    const { code, stderr } = await run(context, ['run', '--config-dir', join(dir, 'network')]);
    assert.equal(code, 78);
    assert.match(stderr, /^pptp-gateway: ENOTDIR: .*\n$/);
  });

  test('78: a wrong configuration, all faults in one go and no secret', async (context) => {
    const dir = folder(context, {
      network: "config interface 'home'\noption proto 'pptpserver'\noption mtu '1'\n",
      pptp: "config pptp 'globals'\noption log_level 'loud'\n",
      pptp_users: "config user 'anna'\noption password 'geheim\n",
    });
    const { code, stdout, stderr } = await run(context, ['run', '--config-dir', dir]);
    assert.deepEqual([code, stdout], [78, '']);
    assert.deepEqual(stderr.split('\n'), [
      `pptp-gateway: error: ${dir}/network:3, interface 'home', option 'mtu', value '1': expected a whole number from 576 to 1500 (octets)`,
      `pptp-gateway: error: ${dir}/network:1, interface 'home', option 'localip': is required: expected an IPv4 address`,
      `pptp-gateway: error: ${dir}/pptp_users:2: a quote (') is not closed`,
      `pptp-gateway: error: ${dir}/pptp_users:1, user 'anna', option 'username': is required: expected a user name of 1 to 128 octets without control characters`,
      `pptp-gateway: error: ${dir}/pptp:2, pptp 'globals', option 'log_level', value 'loud': expected error | warning | info | debug`,
      '',
    ]);
  });
});
