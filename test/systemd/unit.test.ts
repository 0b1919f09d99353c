/** The unit for systemd: what it starts exists, and it gives the rights that procd gives. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseArguments } from '../../src/daemon/cli/arguments.ts';
import { ExitCode } from '../../src/daemon/exit-codes.ts';
import { root } from '../daemon/cli/program.ts';

const unit = readFileSync(join(root, 'systemd/pptp-gateway.service'), 'utf8');
const values = (key: string) =>
  [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value ?? '');

test('its command line is one of the program’s', () => {
  const [command = ''] = values('ExecStart');
  const [program, ...words] = command.split(' ');
  assert.equal(program, '@PREFIX@/bin/pptp-gateway');
  const { command: name, configDir, dial } = parseArguments(words);
  assert.deepEqual([name, configDir, dial], ['run', '/etc/pptp-gateway', true]);
  const [reload = ''] = values('ExecReload');
  assert.deepEqual(reload.split(' '), [program, 'reload']);
});

test('it has the capabilities that the service has on OpenWrt, and no more', () => {
  const file = 'openwrt/pptp-gateway/files/etc/capabilities/pptp-gateway.json';
  const { bounding } = JSON.parse(readFileSync(join(root, file), 'utf8')) as { bounding: string[] };
  assert.deepEqual(values('CapabilityBoundingSet'), [bounding.join(' ')]);
  assert.deepEqual(values('NoNewPrivileges'), ['yes']);
  assert.deepEqual(values('ProtectSystem'), ['strict']);
  assert.deepEqual(values('DeviceAllow'), ['/dev/net/tun rw']);
});

test('its folder is that of the program’s own bus, and the goodbyes have their time', () => {
  const [folder] = values('RuntimeDirectory');
  assert.equal(parseArguments(['status']).socket, `/var/run/${folder}/ubus.sock`);
  assert.deepEqual(values('StateDirectory'), [folder]);
  assert.ok(Number(values('TimeoutStopSec')[0]) > 5);
});

test('it is started again only after what may mend by itself', () => {
  const final = [ExitCode.Usage, ExitCode.NoTun, ExitCode.NotRoot, ExitCode.Configuration, 127];
  assert.deepEqual(values('RestartPreventExitStatus'), [final.join(' ')]);
});
