/** NetworkManager's own reader (nmcli --offline, of Debian) takes the files as they are meant, hostile names too. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { ClientSetup } from '../../../src/daemon/client-setup/client-setup.ts';
import { networkManagerFile } from '../../../src/daemon/client-setup/network-manager.ts';
import { parsePrefix } from '../../../src/wire/ip.ts';
import { ip } from '../../support/world.ts';

const setup: ClientSetup = {
  name: 'PPTP home',
  server: 'home',
  address: 'vpn.example.com',
  username: 'anna',
  routes: [parsePrefix('10.20.0.0/16')!, parsePrefix('192.168.1.0/24')!],
  domains: ['office.lan', 'example.com'],
  dns: [ip('192.168.99.1')],
  strong: true,
  remarks: [],
};

/** What NetworkManager makes of it, as it would write it itself; something has to be changed. */
function read(file: string): string {
  const { status, stdout, stderr } = spawnSync(
    'nmcli',
    ['--offline', 'connection', 'modify', 'connection.autoconnect-priority', '7'],
    { input: file, encoding: 'utf8', timeout: 60_000 },
  );
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
  return stdout;
}

const valueOf = (file: string, key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(file)?.[1];

test('nmcli takes it, and keeps all that it says', () => {
  const found = read(networkManagerFile(setup));
  for (const line of networkManagerFile(setup)
    .split('\n')
    .filter((each) => each.includes('=') && !each.startsWith('#')))
    assert.ok(found.includes(`${line}\n`), `${line} in\n${found}`);
});

test('names with everything that means something in a key file come back as they were', () => {
  for (const username of [
    'CORP\\anna',
    ' leading and trailing ',
    '#no comment',
    '[vpn]',
    'a;b=c',
    'it\'s "quoted" $HOME `id`',
    'Müller 漢 🙂',
    '\\s\\n\\\\',
  ]) {
    const name = `PPTP ${username}`;
    const once = read(networkManagerFile({ ...setup, username, name }));
    const written = valueOf(networkManagerFile({ ...setup, username, name }), 'user')!;
    const user = valueOf(once, 'user');
    assert.ok(user !== undefined, once);
    assert.equal(decoded(user), username, `${written} became ${user}`);
    assert.equal(decoded(valueOf(once, 'id')!), name);
    assert.equal(valueOf(once, 'gateway'), 'vpn.example.com');
    assert.equal(once.match(/^\[/gm)!.length, 5, once); // connection, vpn, ipv4, ipv6, proxy
  }
});

/** GLib's escapes. */
const decoded = (value: string) =>
  value.replace(/\\(.)/g, (_, letter: string) =>
    letter === 's'
      ? ' '
      : letter === 'n'
        ? '\n'
        : letter === 't'
          ? '\t'
          : letter === 'r'
            ? '\r'
            : letter,
  );
