/**
 * RADIUS servers that misbehave: what comes is counted and named, whoever logs in is told, and neither a session that is up nor another
 * login is disturbed. The server is a stand-in (FreeRADIUS does none of this).
 */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FailureDocument, SessionDocument } from '../../../src/daemon/reports/documents.ts';
import { RadiusCode } from '../../../src/wire/radius.ts';
import { Lab, type Gateway, type Program } from '../../../tools/lab.ts';
import { call } from '../../support/control.ts';
import { link } from '../link-text.ts';
import { HOSTILE_SECRET } from './hostile-secret.ts';

const lab = new Lab('hostile-radius');
let routerSide: string;
let branchSide: string;
let router: Gateway;
let branch: Gateway;
let server: Program;
/** Of the session that nothing happens to. */
let good: number;

const strangers = [
  ...['truncated', 'oversize', 'pastend', 'forged', 'unsalted', 'strange'],
  ...['late', 'challenge', 'flood', 'other', 'another'],
];
const dialling = (name: string) => {
  const auth = name === 'challenge' ? 'pap' : 'mschap-v2';
  const once = name === 'good' ? '' : "\toption maxfail '1'\n";
  return link(
    name,
    '198.18.1.1',
    name,
    `\tlist auth '${auth}'\n\toption mppe 'off'\n\toption auto '0'\n${once}`,
  );
};

const program = (name: string, ...words: readonly string[]) =>
  lab.start(
    routerSide,
    process.execPath,
    ...['--import', 'tsx', resolve(import.meta.dirname, name), ...words],
  );

before(async () => {
  routerSide = lab.namespace('router');
  branchSide = lab.namespace('branch');
  lab.join('outer', [
    [routerSide, '198.18.1.1/30'],
    [branchSide, '198.18.1.2/30'],
  ]);
  server = program('hostile-server.ts');
  await server.line(/ready/);
  router = await lab.gateway('router', routerSide, {
    network: `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
	option mppe 'off'
	list auth 'mschap-v2'
	list auth 'pap'
	list accounts 'radius'
	option ban_after '0'
`,
    pptp_radius: `config radius 'main'
	option server '127.0.0.1'
	option secret '${HOSTILE_SECRET}'
	option timeout '1'
	option tries '2'
	option dead_time '1'
	list role 'auth'
	option coa '1'
`,
  });
  branch = await lab.gateway('branch', branchSide, {
    network: ['good', ...strangers].map(dialling).join('\n'),
  });
  good = (await dial('good'))!.id;
});

after(() => lab.close());

const sessions = async () =>
  (await call<{ sessions: readonly SessionDocument[] }>(router, 'sessions')).sessions;
const counted = async () =>
  (await call<{ counted: Readonly<Record<string, number>> }>(router, 'counters')).counted;
const failures = async () =>
  (await call<{ failures: readonly FailureDocument[] }>(router, 'failures')).failures;

/** The session that comes of a dial; undefined: none does. */
async function dial(name: string): Promise<SessionDocument | undefined> {
  const newest = async () => JSON.stringify((await failures()).at(-1));
  const before = await newest();
  await call(branch, 'dial', { interface: name });
  for (;;) {
    const session = (await sessions()).find(({ username }) => username === name);
    if (session !== undefined || (await newest()) !== before) return session;
    await sleep(20);
  }
}

async function goodGoesOn(): Promise<void> {
  const session = (await sessions()).find(({ username }) => username === 'good');
  assert.equal(session?.id, good);
  assert.equal(session.lost, 0);
  const { output } = await lab.run(
    branchSide,
    ...(['ping', '-c', '3', '-i', '0.2', '-W', '10', '-I', 'pptp-good', '192.168.99.1'] as const),
  );
  assert.match(output, / 0% packet loss/);
}

/** What came of a login, and what was counted meanwhile of what came. */
async function outcome(name: string): Promise<{ why: string; counts: Record<string, number> }> {
  const before = await counted();
  const session = await dial(name);
  const last = (await failures()).at(-1);
  const why =
    session === undefined ? `${last?.cause.code ?? ''} ${last?.cause.detail ?? ''}` : 'up';
  const counts: Record<string, number> = {};
  for (const [what, count] of Object.entries(await counted())) {
    const kind = /^radius main: (.*)$/.exec(what)?.[1];
    const more = count - (before[what] ?? 0);
    if (kind !== undefined && more > 0) counts[kind] = more;
  }
  await call(branch, 'hangup', { interface: name });
  return { why, counts };
}

for (const [name, why, counter, least] of [
  ['truncated', /^RADIUS_NO_ANSWER/, 'malformed', 2],
  ['oversize', /^RADIUS_NO_ANSWER/, 'malformed', 2],
  ['pastend', /^RADIUS_NO_ANSWER/, 'malformed', 2],
  ['forged', /^RADIUS_WRONG_SECRET/, 'bad-authenticator', 2],
  ['challenge', /^RADIUS_UNUSABLE/, 'answered', 1],
  ['flood', /^up/, 'bad-authenticator', 100],
] as const)
  test(`an answer that is ${name}: ${counter}`, { timeout: 60_000 }, async () => {
    const found = await outcome(name);
    assert.match(found.why, why);
    assert.ok((found.counts[counter] ?? 0) >= least, JSON.stringify(found.counts));
    assert.equal((await outcome('other')).why, 'up');
    await goodGoesOn();
  });

test('keys that are none are said, and the login is as without', { timeout: 60_000 }, async () => {
  const from = router.process.output.length;
  assert.equal((await outcome('unsalted')).why, 'up');
  await router.process.line(/login of unsalted: not understood: .*MS-MPPE-Send-Key.*/, from);
  await goodGoesOn();
});

test('attributes of vendors that we do not know are skipped', { timeout: 60_000 }, async () => {
  const from = router.process.output.length;
  assert.equal((await outcome('strange')).why, 'up');
  assert.doesNotMatch(router.process.output.slice(from), /not understood/);
});

test('an answer after the time-out is late, and nobody’s', { timeout: 60_000 }, async () => {
  const { why, counts } = await outcome('late');
  assert.match(why, /^RADIUS_NO_ANSWER/);
  assert.equal(counts['late'], undefined);
  const before = (await counted())['radius main: late'] ?? 0;
  assert.equal((await outcome('other')).why, 'up');
  while (((await counted())['radius main: late'] ?? 0) === before) await sleep(50);
  assert.ok((await sessions()).every(({ username }) => username !== 'late'));
  await goodGoesOn();
});

test(
  'CoA that is replayed, old, or about nobody changes nothing',
  { timeout: 60_000 },
  async () => {
    const from = router.process.output.length;
    const ask = async (...words: readonly string[]) =>
      JSON.parse((await program('hostile-coa.ts', ...words).ended).output) as number[];
    const { CoaAck, CoaNak } = RadiusCode;
    assert.deepEqual(await ask('replay', 'good'), [CoaAck, CoaAck, CoaAck]);
    assert.deepEqual(await ask('old', 'good'), [CoaNak]);
    const said = router.process.output.slice(from);
    assert.equal(said.match(/of good: change/g)?.length, 1, said);
    assert.match(said, /old request: do the clocks differ, or is it a replay/);
    const counts = await counted();
    assert.equal(counts['radius coa: again'], 2);
    assert.equal(counts['radius coa: not current'], 1);
    assert.equal(counts['radius coa: refused'], 1);
    await goodGoesOn();
  },
);

test('10,000 Disconnect-Requests a second', { timeout: 60_000 }, async (context) => {
  const from = router.process.output.length;
  const flood = program('hostile-coa.ts', 'flood', '4');
  const during = 'radius coa: too many';
  while (((await counted())[during] ?? 0) === 0) await sleep(20);
  assert.equal((await outcome('another')).why, 'up');
  await goodGoesOn();
  const sent = Number((await flood.ended).output);
  const counts = await counted();
  context.diagnostic(
    `${sent} in 4 s: ${counts[during]!} too many, refused ${counts['radius coa: refused']!}`,
  );
  assert.ok(counts[during]! > 1000);
  const said = router.process.output.slice(from).match(/more than 200 requests a second/g);
  assert.equal(said?.length, 1);
  assert.equal((await dial('other'))?.username, 'other');
  const { output } = await program('hostile-coa.ts', 'end', 'other').ended;
  assert.deepEqual(JSON.parse(output), [RadiusCode.DisconnectAck]);
  await goodGoesOn();
});
