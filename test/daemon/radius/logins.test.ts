/** Logins that a real FreeRADIUS decides on, of a real link to a real server. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  FailureDocument,
  SessionDocument,
  StatusDocument,
} from '../../../src/daemon/reports/documents.ts';
import { Lab, type Gateway } from '../../../tools/lab.ts';
import { call } from '../../support/control.ts';
import { FREERADIUS_SECRET, FreeRadius } from '../../support/freeradius.ts';
import { link, password } from '../link-text.ts';

const lab = new Lab('radius');
let router: Gateway;
let branch: Gateway;
let radius: FreeRadius;
let branchSide: string;

const users = `
anna Cleartext-Password := "${password}"
 Framed-IP-Address = 192.168.99.77, Framed-Route = "10.9.0.0/16 0.0.0.0 1", Class = 0x0102, Session-Timeout = 3600
bert Cleartext-Password := "another"
carl Cleartext-Password := "${password}"
 Framed-Pool = "gold"
`;
/** What callers by EAP are asked: MD5 first, which our links answer with a Nak. */
const eapMsChapV2 = {
  modules: 'eap {\n default_eap_type = md5\n md5 {\n }\n mschapv2 {\n }\n}',
  authorize: 'eap {\n ok = return\n}',
  authenticate: 'eap',
};
const hasKeys = (auth: string) => auth.startsWith('mschap') || auth === 'eap';
const server = (mode: string, auth: string) => `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
	list accounts '${mode}'
	list auth '${auth}'
	option mppe '${hasKeys(auth) ? 'required' : 'off'}'
	option ban_after '0'
`;
const radiusText = (secret = FREERADIUS_SECRET, transport = 'udp') =>
  transport === 'udp'
    ? `config radius 'main'\n\toption server '127.0.0.1'\n\toption secret '${secret}'\n`
    : `config radius 'main'\n\toption server '127.0.0.1'\n\toption transport 'tls'\n\toption ca '${radius.folder}/server.pem'\n\toption certificate '${radius.folder}/gateway.pem'\n\toption key '${radius.folder}/gateway.key'\n`;
const dialling = (username: string, auth = 'mschap-v2') =>
  link(
    'one',
    '198.18.1.1',
    username,
    `\tlist auth '${auth}'\n\toption mppe '${hasKeys(auth) ? 'required' : 'off'}'\n\toption auto '0'\n\toption maxfail '1'\n`,
  );

before(async () => {
  const routerSide = lab.namespace('router');
  branchSide = lab.namespace('branch');
  lab.join('outer', [
    [routerSide, '198.18.1.1/30'],
    [branchSide, '198.18.1.2/30'],
  ]);
  radius = await FreeRadius.start({ users, tls: true, ...eapMsChapV2 }, [
    'ip',
    'netns',
    'exec',
    routerSide,
  ]);
  router = await lab.gateway('router', routerSide, {
    network: server('radius', 'mschap-v2'),
    pptp_radius: radiusText(),
  });
  branch = await lab.gateway('branch', branchSide, { network: dialling('anna') });
});

after(async () => {
  await lab.close();
  await radius.stop();
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}
const sessions = async () =>
  (await call<{ sessions: readonly SessionDocument[] }>(router, 'sessions')).sessions;
const failures = async () =>
  (await call<{ failures: readonly FailureDocument[] }>(router, 'failures')).failures;

/** Both ends have these files, and nothing is up. */
async function configure(files: Readonly<Record<string, string>>, dialled: string): Promise<void> {
  await call(branch, 'hangup', { interface: 'one' });
  await until(async () => {
    const { links } = await call<StatusDocument>(branch, 'status');
    return links[0]?.state === 'down' && (await sessions()).length === 0;
  });
  router.configure(files);
  branch.configure({ network: dialled });
  for (const gateway of [router, branch]) {
    const { faults } = await call<{ faults: unknown[] }>(gateway, 'reload');
    assert.deepEqual(faults, []);
  }
}

/** The session that comes of a dial, or why none does. */
async function dial(): Promise<SessionDocument | string> {
  const newest = async () => JSON.stringify((await failures()).at(-1));
  const before = await newest();
  await call(branch, 'dial', { interface: 'one' });
  let session: SessionDocument | undefined;
  await until(async () => {
    [session] = await sessions();
    return session !== undefined || (await newest()) !== before;
  });
  const last = (await failures()).at(-1);
  return session ?? `${last?.cause.code ?? ''} ${last?.cause.detail ?? ''}`;
}

function refused(outcome: SessionDocument | string): string {
  return typeof outcome === 'string' ? outcome : assert.fail('there is a session');
}

for (const [transport, auth] of [
  ['udp', 'mschap-v2'],
  ['udp', 'mschap'],
  ['udp', 'chap'],
  ['udp', 'pap'],
  ['udp', 'eap'],
  ['tls', 'mschap-v2'],
  ['tls', 'eap'],
  ['tls', 'pap'],
] as const)
  test(`${auth} over ${transport}: in, with what the server gives`, async () => {
    await configure(
      { network: server('radius', auth), pptp_radius: radiusText(undefined, transport) },
      dialling('anna', auth),
    );
    const session = await dial();
    assert.ok(typeof session === 'object', JSON.stringify(session));
    assert.equal(session.username, 'anna');
    assert.equal(session.address, '192.168.99.77');
    assert.equal(session.auth, auth);
    assert.equal(session.mppe, hasKeys(auth) ? 'mppe-128' : 'none');
    assert.deepEqual(session.routes, ['10.9.0.0/16']);
    await until(
      async () => (await call<StatusDocument>(branch, 'status')).links[0]?.state === 'up',
    );
    const { output } = await lab.run(branchSide, 'ping', '-c', '1', '-W', '3', '192.168.99.1');
    assert.match(output, / 0% packet loss/);
  });

test('a wrong password, an unknown user, a pool that there is not, a wrong secret: each is said', async () => {
  const network = server('radius', 'mschap-v2');
  await configure({ network, pptp_radius: radiusText() }, dialling('bert'));
  assert.match(
    refused(await dial()),
    /^PEER_AUTH_FAILED RADIUS server main: wrong user name or pass/,
  );
  await configure({ network, pptp_radius: radiusText() }, dialling('nobody'));
  assert.match(
    refused(await dial()),
    /^PEER_AUTH_FAILED RADIUS server main: wrong user name or pass/,
  );
  await configure({ network, pptp_radius: radiusText() }, dialling('carl'));
  assert.match(refused(await dial()), /^POOL_EMPTY there is no pool 'gold'/);
  await configure({ network, pptp_radius: radiusText('typo') }, dialling('anna'));
  assert.match(refused(await dial()), /^RADIUS_WRONG_SECRET/);
});

test('EAP: a wrong password, an unknown user, and who has an account here as well', async () => {
  const pptp_radius = radiusText();
  for (const username of ['bert', 'nobody']) {
    await configure({ network: server('radius', 'eap'), pptp_radius }, dialling(username, 'eap'));
    assert.match(refused(await dial()), /^PEER_AUTH_FAILED RADIUS server main: wrong user name/);
  }
  const pptp_users = `config user 'dora'\n\toption username 'dora'\n\toption password '${password}'\n`;
  const both = server('local', 'eap').replace(
    "\tlist accounts 'local'\n",
    "\tlist accounts 'local'\n\tlist accounts 'radius'\n",
  );
  for (const [username, address] of [
    ['dora', undefined],
    ['anna', '192.168.99.77'],
  ] as const) {
    await configure({ network: both, pptp_radius, pptp_users }, dialling(username, 'eap'));
    const session = await dial();
    assert.ok(typeof session === 'object', JSON.stringify(session));
    assert.equal(session.username, username);
    assert.equal(session.mppe, 'mppe-128');
    if (address !== undefined) assert.equal(session.address, address);
  }
});
