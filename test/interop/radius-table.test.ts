/**
 * What becomes of a login: each method, decided on by the router's own users, by FreeRADIUS and by FreeRADIUS over TLS (RadSec): accepted,
 * refused, never answered, and let in with a new password. Real daemons and kernel, FreeRADIUS 3.2.7 of Debian 13; who types the new
 * password is a stand-in.
 *
 *     callers 198.18.3.2 -------------------------------- 198.18.3.1 server
 *             198.18.1.1 --- 198.18.1.2 typist 198.18.2.2 --- 198.18.2.1
 */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionDocument, StatusDocument } from '../../src/daemon/reports/documents.ts';
import { Lab, type Gateway } from '../../tools/lab.ts';
import { call } from '../support/control.ts';
import { FREERADIUS_SECRET, FreeRadius } from '../support/freeradius.ts';
import { link, password } from '../daemon/link-text.ts';
import { debian13Root } from './debian-packages.ts';
import { printTable } from './table.ts';

const NEW = 'Fresh-Paint-9';
const methods = ['pap', 'chap', 'mschap', 'mschap-v2', 'eap'] as const;
const sources = ['local', 'RADIUS', 'RadSec'] as const;
type Source = (typeof sources)[number];
const hasKeys = (method: string) => method.startsWith('mschap') || method === 'eap';
/** Names of sections and users. */
const nameOf = (method: string) => method.replace('-', '_');
const wrongOf = (method: string) => `${nameOf(method)}_wrong`;

const lab = new Lab('table');
let serverSide: string;
let typistSide: string;
let callersSide: string;
let radius: FreeRadius;
let server: Gateway;
let callers: Gateway;

const network = (source: Source) => `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
	option mppe 'optional'
	option ban_after '0'
	list accounts '${source === 'local' ? 'local' : 'radius'}'
${methods.map((method) => `\tlist auth '${method}'\n`).join('')}`;

function radiusServers(source: Source): string {
  const common = "\toption server '127.0.0.1'\n\toption timeout '1'\n\toption tries '1'\n\toption dead_time '1'\n"; // prettier-ignore
  if (source === 'RADIUS')
    return `config radius 'main'\n${common}\toption secret '${FREERADIUS_SECRET}'\n`;
  const file = (name: string) => `'${radius.folder}/${name}'`;
  return source === 'local'
    ? ''
    : `config radius 'main'\n${common}\toption transport 'tls'\n\toption ca ${file('server.pem')}\n\toption certificate ${file('gateway.pem')}\n\toption key ${file('gateway.key')}\n`;
}

const users = [...methods.map(nameOf), ...methods.map(wrongOf), 'carl'];
const secretOf = (user: string) => (user.endsWith('_wrong') ? 'another' : password);
const localUsers = users
  .map(
    (user) =>
      `config user\n\toption username '${user}'\n\toption password '${secretOf(user)}'\n${user === 'carl' ? "\toption must_change '1'\n" : ''}`,
  )
  .join('\n');

before(async () => {
  [serverSide, typistSide, callersSide] = ['server', 'typist', 'callers'].map((name) =>
    lab.namespace(name),
  ) as [string, string, string];
  lab.join('direct', [
    [serverSide, '198.18.3.1/24'],
    [callersSide, '198.18.3.2/24'],
  ]);
  lab.join('near', [
    [callersSide, '198.18.1.1/24'],
    [typistSide, '198.18.1.2/24'],
  ]);
  lab.join('far', [
    [typistSide, '198.18.2.2/24'],
    [serverSide, '198.18.2.1/24'],
  ]);
  const expired = ', SMB-Account-Ctrl-Text := "[Ue         ]"';
  radius = await FreeRadius.start(
    {
      root: debian13Root(),
      tls: true,
      users: users
        .map(
          (user) =>
            `${user} Cleartext-Password := "${secretOf(user)}"${user === 'carl' ? expired : ''}\n`,
        )
        .join(''),
      modules: 'eap {\n default_eap_type = mschapv2\n mschapv2 {\n }\n}',
      mschap: 'passchange {\n local_cpw = "kept"\n }',
      authorize: 'eap {\n ok = return\n}',
      authenticate: 'eap',
    },
    ['ip', 'netns', 'exec', serverSide],
  );
  server = await lab.gateway('server', serverSide, {
    network: network('local'),
    pptp_users: localUsers,
  });
  const dialling = (user: string, method: string, address: string, secret = password) =>
    link(
      user,
      address,
      user,
      `\tlist auth '${method}'\n\toption mppe '${hasKeys(method) ? 'required' : 'off'}'\n\toption auto '0'\n\toption maxfail '1'\n`,
    ).replace(password, secret);
  callers = await lab.gateway('callers', callersSide, {
    network: [
      ...methods.map((method) => dialling(nameOf(method), method, '198.18.3.1')),
      ...methods.map((method) => dialling(wrongOf(method), method, '198.18.3.1')),
      dialling('carl', 'mschap-v2', '198.18.1.2', NEW),
    ].join('\n'),
  });
});

after(async () => {
  await lab.close();
  await radius.stop();
});

const sessions = async () =>
  (await call<{ sessions: readonly SessionDocument[] }>(server, 'sessions')).sessions;

const areDown = async () =>
  (await call<StatusDocument>(callers, 'status')).links.every(({ state }) => state === 'down');

/** Dials, all at once, and hangs up. @returns what each came to, in words */
async function outcomes(names: readonly string[]): Promise<string[]> {
  const from = server.process.output.length;
  for (const name of names) await call(callers, 'dial', { interface: name });
  const ends = new Map<string, string>();
  const deadline = performance.now() + 30_000;
  while (ends.size < names.length) {
    await sleep(50);
    assert.ok(
      performance.now() < deadline,
      `${names.join()}: ${[...ends].join()}\n${server.process.output.slice(from)}`,
    );
    const said = server.process.output.slice(from);
    for (const [, name, why] of said.matchAll(/user "(\w+)": login failed (\w+)/g))
      if (why !== 'PASSWORD_EXPIRED') ends.set(name!, why!);
    for (const { username, auth, mppe } of await sessions()) ends.set(username, `${auth} ${mppe}`);
  }
  for (const name of names) await call(callers, 'hangup', { interface: name });
  while ((await sessions()).length > 0 || !(await areDown())) await sleep(50);
  return names.map((name) => ends.get(name)!);
}

async function changed(): Promise<string> {
  const script = resolve(import.meta.dirname, '../daemon/typist.ts');
  const words = ['198.18.1.1', '198.18.2.1', 'carl', password, NEW];
  const typist = lab.start(typistSide, process.execPath, '--import', 'tsx', script, ...words);
  await typist.line(/listening/);
  const [end] = await outcomes(['carl']);
  await typist.stop();
  assert.match(typist.output, /said E=648 R=1/);
  return end!;
}

test('method × who decides × what it comes to', { timeout: 180_000 }, async () => {
  const rows = [['login', 'decided by', 'accepted', 'refused', 'never answered', 'changed']];
  for (const source of sources) {
    server.configure({ network: network(source), pptp_radius: radiusServers(source) });
    const { faults } = await call<{ faults: unknown[] }>(server, 'reload');
    assert.deepEqual(faults, []);
    const accepted = await outcomes(methods.map(nameOf));
    const refused = await outcomes(methods.map(wrongOf));
    const change = await changed();
    let silent: string[] | undefined;
    if (source !== 'local') {
      radius.pause();
      silent = await outcomes(methods.map(nameOf));
      radius.goOn();
    }
    methods.forEach((method, at) => {
      const isChange = method === 'mschap-v2';
      const row = [accepted[at]!, refused[at]!, silent?.[at] ?? '–', isChange ? change : '–'];
      rows.push([method, source, ...row]);
      const shown = `${method} ${hasKeys(method) ? 'mppe-128' : 'none'}`;
      assert.equal(accepted[at], shown, `${method} by ${source}`);
      assert.equal(refused[at], 'PEER_AUTH_FAILED', `${method} by ${source}`);
      if (silent !== undefined)
        assert.equal(silent[at], 'RADIUS_NO_ANSWER', `${method} by ${source}`);
      if (isChange) assert.equal(change, shown);
    });
  }
  printTable('Logins', rows);
});
