/**
 * must_change, from the file to the file: the real daemon, kernel and client, and a stand-in for who types the new password.
 *
 *     client 198.18.1.1 ---- 198.18.1.2 typist 198.18.2.2 ---- 198.18.2.1 server
 */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { Secret } from '../../src/crypto/secret.ts';
import type { SessionDocument } from '../../src/daemon/reports/documents.ts';
import { Lab, type Gateway, type Program } from '../../tools/lab.ts';

const OLD = 'secret word';
const NEW = 'Fresh-Paint-9';
const typistScript = resolve(import.meta.dirname, 'typist.ts');

let lab: Lab;
let server: Gateway;
let typist: Program;
let clientSide: string;

beforeEach(async () => {
  lab = new Lab('change');
  clientSide = lab.namespace('client');
  const between = lab.namespace('typist');
  const serverSide = lab.namespace('server');
  lab.join('near', [
    [clientSide, '198.18.1.1/24'],
    [between, '198.18.1.2/24'],
  ]);
  lab.join('far', [
    [between, '198.18.2.2/24'],
    [serverSide, '198.18.2.1/24'],
  ]);
  server = await lab.gateway('server', serverSide, {
    network:
      "config interface 'home'\n\toption proto 'pptpserver'\n\toption network '192.168.99.0/24'\n\toption localip '192.168.99.1'\n",
    pptp_users: `# ours\nconfig user\n\toption username 'anna'\n\toption password '${OLD}'\n\toption must_change '1'\n`,
  });
  const node = [process.execPath, '--import', 'tsx', typistScript] as const;
  typist = lab.start(between, ...node, '198.18.1.1', '198.18.2.1', 'anna', OLD, NEW);
  await typist.line(/listening/);
});

afterEach(() => lab.close());

function dial(): Promise<Gateway> {
  return lab.gateway('client', clientSide, {
    network: `config interface 'link'\n\toption proto 'pptpgw'\n\toption server '198.18.1.2'\n\toption username 'anna'\n\toption password '${NEW}'\n\toption defaultroute '0'\n`,
  }, '--dial'); // prettier-ignore
}

test('the caller gets in with a new password, which stands in the file instead of the old one and is in force at once', async () => {
  const client = await dial();
  await typist.line(/said S=/);
  assert.match(typist.output, /said E=648 R=1 C=[0-9A-F]{32} V=3/);
  await client.process.line(/up/);
  const hash = Buffer.from(Secret.fromPassword(NEW).ntHash).toString('hex');
  assert.equal(
    readFileSync(join(server.configDir, 'pptp_users'), 'latin1'),
    `# ours\nconfig user\n\toption username 'anna'\n\toption nthash '${hash}'\n`,
  );
  const { output } = await lab.run(clientSide, 'ping', '-c', '3', '-i', '0.2', '192.168.99.1');
  assert.match(output, / 0% packet loss/, 'the keys are those of the new password');
  const [session] = await server.json<SessionDocument[]>('sessions');
  assert.equal(session?.username, 'anna');
});

test('where the file cannot be written the caller is told, the owner reads why, and the old password stays', async () => {
  const before = readFileSync(join(server.configDir, 'pptp_users'), 'latin1');
  chmodSync(server.configDir, 0o555); // root without CAP_DAC_OVERRIDE
  await dial();
  await typist.line(/said E=709 R=0/);
  assert.equal(readFileSync(join(server.configDir, 'pptp_users'), 'latin1'), before);
  const { output } = await server.command('failures');
  assert.match(output, /PASSWORD_NOT_STORED/);
  assert.match(output, /EACCES|permission denied/i);
});
