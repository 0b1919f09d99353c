/** The unit for systemd: what it starts exists, and it gives the rights that procd gives. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseArguments } from '../../src/daemon/cli/arguments.ts';
import { root } from '../daemon/cli/program.ts';

const unit = readFileSync(join(root, 'systemd/pptp-gateway.service'), 'utf8');
const values = (key: string) =>
  [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value ?? '');

test('its command line is one of the program’s', () => {
  const [command = ''] = values('ExecStart');
  const [node, ...words] = command.split(' ');
  assert.equal(node, '/usr/bin/node');
  const program = words.findIndex((word) => !word.startsWith('--'));
  assert.match(words[program] ?? '', /\/pptp-gateway\.js$/);
  const { command: name, configDir, dial } = parseArguments(words.slice(program + 1));
  assert.deepEqual([name, configDir, dial], ['run', '/etc/pptp-gateway', true]);
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
  assert.ok(Number(values('TimeoutStopSec')[0]) > 5);
});
