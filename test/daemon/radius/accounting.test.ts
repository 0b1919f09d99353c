/** Accounting and CoA of a real server, with a real FreeRADIUS and its SQL table. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionDocument } from '../../../src/daemon/reports/documents.ts';
import { Lab, type Gateway } from '../../../tools/lab.ts';
import { call } from '../../support/control.ts';
import { FREERADIUS_SECRET, FreeRadius } from '../../support/freeradius.ts';
import { hasEnded, RadiusDatabase } from '../../support/radius-database.ts';
import { link, password } from '../link-text.ts';

const lab = new Lab('accounting');
let routerSide: string;
let branchSide: string;
let router: Gateway;
let radius: FreeRadius;
let database: RadiusDatabase;

const files = {
  network: `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
	list accounts 'radius'
	option mppe 'required'
`,
  pptp_radius: `config nas
	option identifier 'gateway'

config radius 'main'
	option server '127.0.0.1'
	option secret '${FREERADIUS_SECRET}'
	option timeout '1'
	option tries '2'
	option dead_time '1'
	option coa '1'
`,
};
const startRouter = () => lab.gateway('router', routerSide, files);

before(async () => {
  routerSide = lab.namespace('router');
  branchSide = lab.namespace('branch');
  lab.join('outer', [
    [routerSide, '198.18.1.1/30'],
    [branchSide, '198.18.1.2/30'],
  ]);
  const users = `anna Cleartext-Password := "${password}"\n`;
  radius = await FreeRadius.start({ users, sqlite: true }, ['ip', 'netns', 'exec', routerSide]);
  database = new RadiusDatabase(join(radius.folder, 'radius.db'));
  router = await startRouter();
  await lab.gateway(
    'branch',
    branchSide,
    { network: link('one', '198.18.1.1', 'anna').replace('3 1', '3 10') },
    '--dial',
  );
});

after(async () => {
  await lab.close();
  await radius.stop();
});

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(50);
  }
}

const sessions = async () =>
  (await call<{ sessions: readonly SessionDocument[] }>(router, 'sessions')).sessions;

/** A session that has none of these ids, and its row. */
async function next(
  but: readonly string[] = [],
): Promise<{ session: SessionDocument; id: string }> {
  const open = await database.open(but);
  const [session] = await sessions();
  assert.equal(session?.address, open.framedipaddress);
  return { session, id: open.acctsessionid };
}

function radclient(kind: string, attributes: string): Promise<{ output: string }> {
  const proof = `Event-Timestamp = ${Math.floor(Date.now() / 1000)}, Message-Authenticator = 0x00`;
  const words = `echo '${attributes}, ${proof}' | radclient -x -r 1 127.0.0.1:3799 ${kind} ${FREERADIUS_SECRET}`;
  return lab.run(routerSide, 'sh', '-c', words);
}

const seen: string[] = [];

test('octets in the table are those of the session, and a Disconnect ends it', async () => {
  const { id } = await next();
  seen.push(id);
  await lab.run(branchSide, 'ping', '-c', '5', '-i', '0.2', '-s', '1200', '192.168.99.1');
  let counted = '';
  const session = await until(async () => {
    const [now] = await sessions();
    const text = JSON.stringify([now?.rx_bytes, now?.tx_bytes]);
    if (text === counted) return now;
    counted = text;
    await sleep(300);
    return undefined;
  });
  assert.ok(session.rx_bytes > 6000);
  assert.match(
    (await radclient('disconnect', `User-Name = "anna"`)).output,
    /Received Disconnect-ACK/,
  );
  const ended = await database.ended(id);
  assert.equal(ended.acctinputoctets, session.rx_bytes);
  assert.equal(ended.acctoutputoctets, session.tx_bytes);
  assert.equal(ended.username, 'anna');
  assert.equal(ended.callingstationid, '198.18.1.2');
  assert.equal(ended.nasipaddress, '198.18.1.1');
  assert.equal(ended.acctterminatecause, 'Admin-Reset');
  assert.ok(Math.abs(ended.acctstoptime! - ended.acctstarttime - ended.acctsessiontime) <= 1);
});

test('CoA changes what a session may', async () => {
  const { id } = await next(seen);
  seen.push(id);
  const { output } = await radclient('coa', `Acct-Session-Id = "${id}", Session-Timeout = 2`);
  assert.match(output, /Received CoA-ACK/);
  assert.equal((await database.ended(id)).acctterminatecause, 'Session-Timeout');
  const gone = await radclient('coa', `Acct-Session-Id = "${id}", Session-Timeout = 2`);
  assert.match(gone.output, /Received CoA-NAK[^]*Error-Cause = Session-Context-Not-Found/);
});

test('a session that goes on over an upgrade is one row, with all its octets', async () => {
  const { id, session: before } = await next(seen);
  seen.push(id);
  const rows = (await database.rows()).length;
  for (let n = 0; n < 2; n++) {
    await lab.run(branchSide, 'ping', '-c', '5', '-i', '0.2', '-s', '1200', '192.168.99.1');
    const { code, output } = await router.command('upgrade');
    assert.equal(code, 0, output);
  }
  const [now] = await sessions();
  assert.equal(now?.id, before.id);
  assert.ok(now.rx_bytes >= before.rx_bytes + 12_000);
  assert.equal((await database.rows()).length, rows);
  const { output } = await radclient('disconnect', `Acct-Session-Id = "${id}"`);
  assert.match(output, /Received Disconnect-ACK/);
  const ended = await database.ended(id);
  assert.ok(ended.acctinputoctets >= now.rx_bytes);
  assert.equal(ended.acctterminatecause, 'Admin-Reset');
  assert.ok(Math.abs(ended.acctstoptime! - ended.acctstarttime - ended.acctsessiontime) <= 1);
});

test('a Stop comes while FreeRADIUS is away, and is there when it is back', async () => {
  const { id } = await next(seen);
  seen.push(id);
  await radius.kill();
  await radclient('disconnect', `Acct-Session-Id = "${id}"`);
  await radius.restart();
  assert.equal((await database.ended(id)).acctterminatecause, 'Admin-Reset');
});

test('a daemon that is killed leaves the end of its sessions to the next one', async (context) => {
  const { id } = await next(seen);
  seen.push(id);
  await radius.kill();
  router.process.signal('SIGKILL');
  await router.process.ended;
  router = await startRouter();
  await radius.restart();
  assert.equal((await database.ended(id)).acctterminatecause, 'NAS-Reboot');
  const { id: last } = await next(seen);
  await router.process.stop();
  assert.equal((await database.ended(last)).acctterminatecause, 'Admin-Reboot');
  assert.ok((await database.rows()).every(hasEnded), JSON.stringify(await database.rows()));
  const head = 'user  seconds  received  sent  why';
  context.diagnostic(`radacct after kill -9 of FreeRADIUS, and of the daemon with it: ${head}`);
  for (const row of await database.rows()) {
    const { username, acctsessiontime, acctinputoctets, acctoutputoctets } = row;
    context.diagnostic(
      [username, acctsessiontime, acctinputoctets, acctoutputoctets, row.acctterminatecause].join(
        '  ',
      ),
    );
  }
});
