/**
 * A reload keeps every live session whose own settings did not change: whose keys are the same, as far as all it has is
 * allowed. Which option is in which key is the option table's (test/daemon/reload.test.ts).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../src/crypto/secret.ts';
import type { ServerOptions, User } from '../../src/session/options.ts';
import {
  ip,
  net,
  otherKeys,
  serverOptions,
  user,
  World,
  type ServerHost,
} from '../support/world.ts';

const noRedial = { holdoff: 3_600_000, holdoffMax: 3_600_000 };
const dynamic = { first: ip('192.168.99.10'), last: ip('192.168.99.20') };

/** anna with an address of the pool and bert with a fixed one are logged in. */
function office(): { world: World; server: ServerHost; users: User[] } {
  const world = new World();
  const users = [user('anna'), user('bert', { address: ip('192.168.99.50') })];
  const server = world.server({}, world.gateway(users));
  for (const { username, secret } of users) world.link({ ...noRedial, username, secret }).dial();
  world.advance(3_000);
  assert.equal(server.server.sessions().length, 2);
  return { world, server, users };
}

/** Who is still there after this reload. */
function survivors(
  options: Partial<ServerOptions>,
  change: (users: User[]) => User[] = (users) => users,
): { left: string[]; ended: string[]; server: ServerHost; world: World } {
  const { world, server, users } = office();
  server.access.reconfigure(change(users));
  server.server.reconfigure({ ...serverOptions, ...options }, world.clock.now);
  world.advance(4_000);
  const left = server.server.sessions().map(({ username }) => username);
  const ended = server.whats().filter((line) => line.startsWith('session-down'));
  return { left, ended, server, world };
}

const everybody = ['anna', 'bert'];

test('nothing changed', () => {
  assert.deepEqual(survivors({}).left, everybody);
});

test('what new sessions use, and what is only looked at when somebody comes, ends nobody', () => {
  const { left, server } = survivors({
    keepalive: { failures: 1, interval: 1_000 },
    idleTimeout: 1_000,
    sessionTimeout: 1_000,
    maxSessions: 1,
    maxPerUser: 7,
    onDuplicate: 'deny',
    dns: [],
    nbns: [1],
    ban: { after: 1, time: 1 },
    allowFrom: [net('198.51.100.0/24')],
    denyFrom: [net('192.0.2.0/24')],
    auth: ['mschap-v2', 'pap'],
    pool: [{ first: dynamic.first, last: dynamic.first }],
  });
  assert.deepEqual(left, everybody);
  assert.equal(server.server.options.maxSessions, 1);
});

test('what was negotiated cannot change under a session', () => {
  for (const options of [
    { mtu: 1300, keys: otherKeys },
    { auth: ['mschap'] },
  ] as Partial<ServerOptions>[]) {
    const { left, ended } = survivors(options);
    assert.deepEqual(left, [], JSON.stringify(options));
    assert.deepEqual(
      ended,
      everybody.map((name) => `session-down ${name} CONFIG_CHANGED`),
    );
  }
});

test('a source that is no longer allowed', () => {
  const { left, ended, server } = survivors({ allowFrom: [net('192.0.2.0/24')] });
  assert.deepEqual(left, []);
  assert.equal(ended[0], 'session-down anna SOURCE_NOT_ALLOWED');
  assert.equal(server.server.callers().length, 0);
});

test('a source that is denied now', () => {
  const { left, ended, server } = survivors({ denyFrom: [net('198.51.100.0/24')] });
  assert.deepEqual(left, []);
  assert.equal(ended[0], 'session-down anna SOURCE_DENIED');
  assert.equal(server.server.callers().length, 0);
});

test('a pool that no longer holds the address: only those from the pool go', () => {
  const pool = [{ first: ip('192.168.99.100'), last: ip('192.168.99.101') }];
  const { left, server, world } = survivors({ pool });
  assert.deepEqual(left, ['bert']);
  const anna = world.link({}, { address: ip('198.51.100.9') });
  anna.dial();
  world.advance(3_000);
  assert.equal(server.server.sessions().at(-1)?.peerAddress, ip('192.168.99.100'));
});

test('a kept session keeps its address in the new pool, and gives it back there', () => {
  const pool = [{ first: dynamic.first, last: dynamic.first }];
  const { server, world } = survivors({ pool }, (users) => [...users, user('carl')]);
  const carl = world.link(
    { ...noRedial, username: 'carl', secret: user('carl').secret },
    { address: ip('198.51.100.9') },
  );
  carl.dial();
  world.advance(4_000);
  assert(server.whats().includes('auth-failed carl POOL_EMPTY'));
  server.server.disconnect('anna', { code: 'USER_REQUEST' }, world.clock.now);
  carl.dial();
  world.advance(4_000);
  assert.equal(carl.state, 'up');
});

test('accounts: only the one that changed', () => {
  const cases: [Partial<User>, string][] = [
    [{ enabled: false }, 'ACCOUNT_DISABLED'],
    [{ servers: ['work'] }, 'ACCOUNT_DISABLED'],
    [{ expires: 1 }, 'ACCOUNT_EXPIRED'],
    [{ secret: Secret.fromPassword('new'), keys: otherKeys }, 'CONFIG_CHANGED'],
  ];
  for (const [change, code] of cases) {
    const { left, ended } = survivors({}, ([anna, bert]) => [{ ...anna!, ...change }, bert!]);
    assert.deepEqual(left, ['bert']);
    assert.deepEqual(ended, [`session-down anna ${code}`]);
  }
  assert.deepEqual(survivors({}, ([, bert]) => [bert!]).left, ['bert'], 'anna is gone');
  const harmless = survivors({}, ([anna, bert]) => [
    { ...anna!, section: 'x', secret: user('anna').secret, maxSessions: 4, servers: ['home'] },
    bert!,
  ]);
  assert.deepEqual(harmless.left, everybody);
});

test('a new day of expiry holds for a session that is up', () => {
  const { world, server, users } = office();
  server.access.reconfigure(users.map((one) => ({ ...one, expires: world.wallClock + 60_000 })));
  server.server.reconfigure(serverOptions, world.clock.now);
  world.drain();
  world.advance(50_000);
  assert.equal(server.server.sessions().length, 2);
  world.advance(20_000);
  assert.equal(server.server.sessions().length, 0);
});

test('a password changed while the answer to the old one was held back: refused', () => {
  const world = new World();
  const server = world.server({ ban: { after: 0, time: 1_000 } });
  const bad = world.link({ ...noRedial, secret: Secret.fromPassword('wrong') });
  bad.dial();
  world.advance(4_000);
  const link = world.link(noRedial, { address: ip('198.51.100.9') });
  link.dial();
  world.advance(300);
  assert.equal(server.whats().length, 1, 'not answered yet');
  const secret = Secret.fromPassword('new');
  server.access.reconfigure([user('anna', { secret, keys: otherKeys })]);
  server.server.reconfigure(serverOptions, world.clock.now);
  world.advance(4_000);
  assert.equal(link.causeCode, 'AUTH_TOPEER_FAILED');
});
