/** Accounting itself throws: it is begun anew from its journal, and FreeRADIUS' table is as if nothing had happened. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { SessionDocument } from '../../../src/daemon/reports/documents.ts';
import { Lab, type Gateway } from '../../../tools/lab.ts';
import { call } from '../../support/control.ts';
import { FREERADIUS_SECRET, FreeRadius } from '../../support/freeradius.ts';
import { hasEnded, RadiusDatabase } from '../../support/radius-database.ts';
import { link, password } from '../link-text.ts';
import { Victim } from '../victim.ts';

const lab = new Lab('acct-faults');
let server: Victim;
let branch: Gateway;
let branchSide: string;
let radius: FreeRadius;
let database: RadiusDatabase;

before(async () => {
  const serverSide = lab.namespace('server');
  branchSide = lab.namespace('branch');
  lab.join('outer', [
    [serverSide, '198.18.1.1/30'],
    [branchSide, '198.18.1.2/30'],
  ]);
  const users = `DEFAULT Cleartext-Password := "${password}"\n`;
  radius = await FreeRadius.start({ users, sqlite: true }, ['ip', 'netns', 'exec', serverSide]);
  database = new RadiusDatabase(join(radius.folder, 'radius.db'));
  server = new Victim(lab, 'server', serverSide, {
    network: `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
	list accounts 'radius'
`,
    pptp_radius: `config radius 'main'\n\toption server '127.0.0.1'\n\toption secret '${FREERADIUS_SECRET}'\n`,
  });
  await server.process.line(/is running/);
  branch = await lab.gateway('branch', branchSide, {
    network: ['anna', 'bert'].map((name) => link(name, '198.18.1.1', name)).join(''),
  });
});

after(async () => {
  await lab.close();
  await radius.stop();
});

const sessionOf = async (name: string) =>
  (await server.call<{ sessions: readonly SessionDocument[] }>('sessions')).sessions.find(
    ({ username }) => username === name,
  );
const openRow = (name: string) => database.row((row) => row.username === name && !hasEnded(row));
const dial = (name: string) => call(branch, 'dial', { interface: name });

/** Does this while accounting throws in it, and waits until there is another. */
async function stumbles(method: string, act: () => Promise<unknown>): Promise<void> {
  const from = server.process.output.length;
  server.arm(`Accounting.${method}`);
  await act();
  await server.process.line(/RADIUS accounting: a fault in pptp-gateway itself: .*injected/, from);
  await server.process.line(/RADIUS accounting: begun anew/, from);
}

test('a Start that is thrown at is there, and sessions that go on do', async () => {
  await dial('anna');
  const { acctsessionid: anna } = await openRow('anna');
  await stumbles('handleStart', () => dial('bert'));
  await openRow('bert');
  assert.equal((await openRow('anna')).acctsessionid, anna);
});

test('a Stop that is thrown at says what it would have said', async () => {
  const { acctsessionid: id } = await openRow('bert');
  await lab.run(branchSide, 'ping', '-c', '1', '-I', 'pptp-bert', '192.168.99.1');
  const session = await sessionOf('bert');
  await stumbles('handleStop', () => server.call('disconnect', { id: session!.id }));
  const row = await database.ended(id);
  assert.equal(row.acctterminatecause, 'Admin-Reset');
  assert.ok(row.acctinputoctets >= session!.rx_bytes, JSON.stringify(row));
});

test('what ends between two faults is told of, too, and the rest goes on', async () => {
  const { acctsessionid: anna } = await openRow('anna');
  const { acctsessionid: bert } = await openRow('bert'); // he is back
  const session = await sessionOf('bert');
  await stumbles('handleAnswered', async () => {
    await call(branch, 'hangup', { interface: 'anna' });
    await database.ended(anna);
  });
  await call(branch, 'hangup', { interface: 'bert' });
  await database.ended(bert);
  assert.ok(session !== undefined && (await database.rows()).every(hasEnded));
});
