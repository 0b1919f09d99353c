/**
 * A password that has expired at the RADIUS server: FreeRADIUS 3.2.7 of Debian 13 (3.2.1 of Debian 12 ends in its own change)
 * takes the new one from a caller. Who types it is a stand-in.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { Secret } from '../../src/crypto/secret.ts';
import { Lab, type Gateway, type Program } from '../../tools/lab.ts';
import { FREERADIUS_SECRET, FreeRadius } from '../support/freeradius.ts';
import { debian13Root } from './debian-packages.ts';

const OLD = 'secret word';
const NEW = 'Fresh-Paint-9';
const typistScript = resolve(import.meta.dirname, '../daemon/typist.ts');

const lab = new Lab('radius-change');
let radius: FreeRadius | undefined;
let server: Gateway;
let between: string;
let clientSide: string;

before(async () => {
  clientSide = lab.namespace('client');
  between = lab.namespace('typist');
  const serverSide = lab.namespace('server');
  lab.join('near', [
    [clientSide, '198.18.1.1/24'],
    [between, '198.18.1.2/24'],
  ]);
  lab.join('far', [
    [between, '198.18.2.2/24'],
    [serverSide, '198.18.2.1/24'],
  ]);
  const expired = 'SMB-Account-Ctrl-Text := "[Ue         ]"';
  radius = await FreeRadius.start(
    {
      root: debian13Root(),
      users: ['anna', 'bert']
        .map((name) => `${name} Cleartext-Password := "${OLD}", ${expired}\n`)
        .join(''),
      modules: 'exec {\n wait = yes\n shell_escape = yes\n timeout = 10\n}',
      mschap: `passchange {
   local_cpw = "%{exec:%{config:confdir}/keep %{mschap:User-Name} %{MS-CHAP-New-NT-Password}}"
  }`,
    },
    ['ip', 'netns', 'exec', serverSide],
  );
  // It says something where it has done it: of bert nothing can be changed.
  writeFileSync(
    join(radius.folder, 'keep'),
    '#!/bin/sh\n[ "$1" = anna ] || exit 1\necho "$1 $2" >"${0%/*}/kept"\necho kept\n',
    { mode: 0o755 },
  );
  server = await lab.gateway('server', serverSide, {
    network:
      "config interface 'home'\n\toption proto 'pptpserver'\n\toption network '192.168.99.0/24'\n\toption localip '192.168.99.1'\n\tlist accounts 'radius'\n",
    pptp_users: '',
    pptp_radius: `config radius 'office'\n\toption server '127.0.0.1'\n\toption secret '${FREERADIUS_SECRET}'\n`,
  });
});

after(async () => {
  await radius?.stop();
  await lab.close();
});

/** Calls, with somebody who types the new password when asked. */
async function call(user: string): Promise<{ client: Gateway; typist: Program }> {
  const node = [process.execPath, '--import', 'tsx', typistScript] as const;
  const typist = lab.start(between, ...node, '198.18.1.1', '198.18.2.1', user, OLD, NEW);
  await typist.line(/listening/);
  const client = await lab.gateway(user, clientSide, {
    network: `config interface 'link'\n\toption proto 'pptpgw'\n\toption server '198.18.1.2'\n\toption username '${user}'\n\toption password '${NEW}'\n\toption defaultroute '0'\n`,
  }, '--dial'); // prettier-ignore
  return { client, typist };
}

test('the RADIUS server keeps the new password, and the caller is in', async () => {
  const { client, typist } = await call('anna');
  await typist.line(/said S=/);
  assert.match(typist.output, /said E=648 R=1 C=[0-9A-F]{32} V=3/);
  await client.process.line(/link link: up/);
  const hash = Buffer.from(Secret.fromPassword(NEW).ntHash).toString('hex');
  assert.equal(readFileSync(join(radius!.folder, 'kept'), 'latin1'), `anna 0x${hash}\n`);
  const { output } = await lab.run(clientSide, 'ping', '-c', '3', '-i', '0.2', '192.168.99.1');
  assert.match(output, / 0% packet loss/, 'the keys are those of the new password');
  await client.process.stop();
  await typist.stop();
});

test('it does not: the caller is not in, and both read why', async () => {
  const { client, typist } = await call('bert');
  await typist.line(/said E=709/);
  await client.process.line(/AUTH_TOPEER_FAILED/);
  const { output } = await server.command('failures');
  assert.match(output, /bert +PASSWORD_NOT_STORED/);
  await client.process.stop();
  await typist.stop();
});
