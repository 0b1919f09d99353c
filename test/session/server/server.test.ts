/** Who gets in when there is not room for everybody, and who has to go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cause, type Cause } from '../../../src/wire/cause.ts';
import { ip, net, user, World, type LinkHost } from '../../support/world.ts';

function up(world: World, link: LinkHost, time = 4_000): LinkHost {
  link.dial();
  world.advance(time);
  assert.equal(link.state, 'up', link.causeCode);
  return link;
}

const elsewhere = { address: ip('198.51.100.99') };
const noRedial = { holdoff: 3_600_000, holdoffMax: 3_600_000 };

function as(username: string) {
  return { username, secret: user(username).secret, ...noRedial };
}

test('a phone that changed networks gets back in at once, with its fixed address', () => {
  const world = new World();
  const fixed = ip('192.168.99.200');
  const server = world.server({}, world.gateway([user('anna', { address: fixed })]));
  const before = up(world, world.link(noRedial));
  assert.equal(server.server.sessions()[0]?.peerAddress, fixed);
  world.gre.conditions.drop = (from, to) => from === before.address || to === before.address;
  const after = up(world, world.link({}, elsewhere));
  assert.deepEqual(server.whats(), [
    'session-up anna',
    'session-down anna REPLACED',
    'session-up anna',
  ]);
  assert.deepEqual(
    server.server.sessions().map(({ peer, peerAddress }) => [peer, peerAddress]),
    [[after.address, fixed]],
  );
  assert.deepEqual(server.networks.log, ['tunnel-up', 'tunnel-down', 'tunnel-up']);
  assert(server.touches > 0, 'the daemon is told to drain the older caller');
  world.advance(3_000);
  assert.equal(server.server.callers().length, 1);
});

test('an older session is replaced only by a right password', () => {
  const world = new World();
  const server = world.server();
  const link = up(world, world.link());
  const thief = world.link({ ...as('anna'), secret: user('other').secret }, elsewhere);
  thief.dial();
  world.advance(4_000);
  assert.equal(thief.causeCode, 'AUTH_TOPEER_FAILED');
  assert.equal(link.state, 'up');
  assert.equal(server.server.sessions().length, 1);
});

test('on_duplicate deny', () => {
  const world = new World();
  const server = world.server({ onDuplicate: 'deny' });
  const first = up(world, world.link());
  const second = world.link(as('anna'), elsewhere);
  second.dial();
  world.advance(4_000);
  assert.equal(second.causeCode, 'LOGIN_DENIED');
  assert(server.whats().includes('auth-failed anna USER_LIMIT'));
  assert.equal(first.state, 'up');
});

test('a user with room for two: the third one replaces the oldest', () => {
  const world = new World();
  const server = world.server({}, world.gateway([user('anna', { maxSessions: 2 })]));
  const links = ['198.51.100.1', '198.51.100.2', '198.51.100.3'].map((address) =>
    up(world, world.link(noRedial, { address: ip(address) })),
  );
  world.advance(3_000);
  assert.deepEqual(
    links.map(({ state }) => state),
    ['waiting', 'up', 'up'],
  );
  assert.equal(server.server.sessions().length, 2);
});

test('a network behind the caller leads to one session only, whatever max_sessions says', () => {
  const world = new World();
  const routes = [net('10.1.0.0/16')];
  const server = world.server({}, world.gateway([user('anna', { maxSessions: 5, routes })]));
  up(world, world.link(noRedial));
  up(world, world.link({}, elsewhere));
  assert.equal(server.server.sessions().length, 1);
  assert.deepEqual(server.networks.only()[1].routes, routes);
});

test('the sessions of a user on all servers count together', () => {
  const world = new World();
  const gateway = world.gateway();
  const home = world.server({}, gateway);
  const work = world.server({ name: 'work' }, gateway, ip('203.0.113.2'));
  up(world, world.link(noRedial));
  up(world, world.link({ server: '203.0.113.2' }, elsewhere));
  assert.deepEqual(home.whats(), ['session-up anna', 'session-down anna REPLACED']);
  assert.equal(work.server.sessions().length, 1);
});

test('the pool runs empty, and an address that is given back is used again', () => {
  const world = new World();
  const pool = [{ first: ip('192.168.99.10'), last: ip('192.168.99.11') }];
  const users = ['anna', 'bert', 'carl'].map((name) => user(name));
  const server = world.server({ pool }, world.gateway(users));
  const [anna, bert, carl] = users.map(({ username }) => world.link(as(username)));
  up(world, anna!);
  up(world, bert!);
  carl!.dial();
  world.advance(4_000);
  assert(server.whats().includes('auth-failed carl POOL_EMPTY'));
  anna!.hangup();
  world.advance(4_000);
  up(world, carl!);
  assert.equal(carl!.link.status().session?.localAddress, ip('192.168.99.10'));
});

test('fixed addresses of users are kept free for them', () => {
  const world = new World();
  const fixed = ip('192.168.99.10');
  world.server({}, world.gateway([user('anna', { address: fixed }), user('bert')]));
  const bert = up(world, world.link(as('bert')));
  assert.equal(bert.link.status().session?.localAddress, ip('192.168.99.11'));
  const anna = up(world, world.link());
  assert.equal(anna.link.status().session?.localAddress, fixed);
});

test('max_sessions of the server, and of all together', () => {
  for (const [options, limit] of [
    [{ maxSessions: 1 }, 64],
    [{ maxSessions: 16 }, 1],
  ] as const) {
    const world = new World();
    const gateway = world.gateway([user('anna'), user('bert')], { maxSessions: limit });
    const server = world.server(options, gateway);
    up(world, world.link(noRedial));
    const bert = world.link(as('bert'));
    bert.dial();
    world.advance(4_000);
    assert(server.whats().includes('auth-failed bert TOO_MANY_SESSIONS'));
    up(world, world.link({}, elsewhere)); // anna replaces herself: no place more
  }
});

test('allow_from', () => {
  const world = new World();
  const server = world.server({ allowFrom: [net('198.51.100.0/24')] });
  up(world, world.link());
  const refused = server.server.accept(ip('192.0.2.1'), server.address, world.clock.now);
  assert.deepEqual(refused, cause('SOURCE_NOT_ALLOWED'));
});

test('deny_from wins over allow_from', () => {
  const world = new World();
  const server = world.server({
    allowFrom: [net('198.51.100.0/24'), net('192.0.2.7/32')],
    denyFrom: [net('192.0.2.0/24'), net('198.51.100.250/32')],
  });
  up(world, world.link());
  const accept = (from: string) =>
    server.server.accept(ip(from), server.address, world.clock.now) as Cause;
  assert.deepEqual(accept('192.0.2.7'), cause('SOURCE_DENIED'), 'both name it');
  assert.deepEqual(accept('198.51.100.250'), cause('SOURCE_DENIED'));
  assert.deepEqual(accept('203.0.113.1'), cause('SOURCE_NOT_ALLOWED'));
  const banned = { server: 'home', source: ip('192.0.2.8'), username: 'x' };
  server.access.lockout.failed(banned, { after: 1, time: 1_000 }, world.clock.now);
  assert.deepEqual(accept('192.0.2.8'), cause('SOURCE_DENIED'), 'asked first');
});

test('nothing of an address or a session exists before the login', () => {
  const world = new World();
  const server = world.server();
  const link = world.link();
  world.gre.conditions.drop = (from) => from === link.address; // no login ever arrives
  link.dial();
  world.advance(20_000);
  assert.equal(server.paths.calls.size, 1);
  assert.equal(server.gateway.occupied, 0);
  assert.deepEqual(server.server.sessions(), []);
  assert.deepEqual(server.networks.log, []);
  world.advance(100_000);
  assert(server.whats().includes('caller-refused GRE_BLOCKED'));
  assert(server.whats().every((line) => line === 'caller-refused GRE_BLOCKED'));
});

test('disconnect by id and by user', () => {
  const world = new World();
  const server = world.server({}, world.gateway([user('anna'), user('bert')]));
  const anna = up(world, world.link(noRedial));
  const bert = up(world, world.link(as('bert')));
  const [first] = server.server.sessions();
  const { now } = world.clock;
  assert.equal(server.server.disconnect('nobody', cause('USER_REQUEST'), now), 0);
  assert.equal(server.server.disconnect(999, cause('USER_REQUEST'), now), 0);
  assert.equal(server.server.disconnect(first!.id, cause('USER_REQUEST'), now), 1);
  world.advance(2_000);
  assert.equal(anna.state, 'waiting');
  assert.equal(bert.state, 'up');
  assert.equal(server.server.disconnect('bert', cause('USER_REQUEST'), world.clock.now), 1);
  world.advance(8_000);
  assert.equal(server.server.callers().length, 0);
  assert(server.whats().includes('session-down bert USER_REQUEST'));
});

test('shutdown says goodbye within 3 s, to callers in every phase, answering or not', () => {
  const world = new World();
  const server = world.server({}, world.gateway([user('anna'), user('bert')]));
  const anna = up(world, world.link(noRedial));
  const bert = up(world, world.link(as('bert')));
  const silent = server.connect(ip('192.0.2.1'));
  const joining = world.link(as('anna'), elsewhere);
  joining.dial();
  world.advance(40);
  world.gre.conditions.drop = (from, to) => from === bert.address || to === bert.address;
  bert.tcp!.peer!.onOctets = () => undefined;
  server.server.shutdown(cause('SHUTDOWN'), world.clock.now);
  assert.deepEqual(server.server.accept(1, 1, world.clock.now), cause('SHUTDOWN'));
  world.advance(3_000);
  assert.equal(server.server.callers().length, 0);
  assert.equal(server.paths.calls.size, 0);
  assert.equal(server.gateway.occupied, 0);
  assert(!silent.tcp.open);
  assert(server.whats().includes('session-down anna SHUTDOWN'));
  assert(server.whats().includes('session-down bert SHUTDOWN'));
  assert.equal(anna.state, 'waiting');
});

test('a caller whose network cannot be set up ends with that cause', () => {
  const world = new World();
  const server = world.server();
  const link = up(world, world.link(noRedial));
  const [path] = server.networks.only();
  const [caller] = server.server.callers();
  caller!.handleTunnelFailed(path.callId, cause('DEVICE_FAILED'), world.clock.now);
  world.advance(4_000);
  assert(server.whats().includes('session-down anna DEVICE_FAILED'));
  assert.equal(link.state, 'waiting');
});

test('addresses that lead elsewhere end their callers, and nobody gets them', () => {
  const world = new World();
  const fixed = user('bert', { address: ip('192.168.99.66') });
  const server = world.server({}, world.gateway([user('anna'), fixed, user('carl')]));
  const anna = up(world, world.link(noRedial));
  assert.deepEqual(
    server.server.sessions().map(({ peerAddress }) => peerAddress),
    [ip('192.168.99.10')],
  );
  const kept = [{ first: ip('192.168.99.0'), last: ip('192.168.99.15') }];
  server.server.keepOff(
    [...kept, { first: ip('192.168.99.66'), last: ip('192.168.99.66') }],
    world.clock.now,
  );
  world.advance(1_000);
  assert.ok(server.whats().includes('session-down anna NETWORK_CONFLICT'));
  assert.notEqual(anna.state, 'up');
  up(world, world.link(as('carl'), elsewhere));
  assert.deepEqual(
    server.server.sessions().map(({ peerAddress }) => peerAddress),
    [ip('192.168.99.16')],
  );
  world.link(as('bert'), { address: ip('198.51.100.77') }).dial();
  world.advance(4_000);
  assert.ok(server.whats().includes('auth-failed bert ADDRESS_IN_USE'));
  server.server.keepOff([], world.clock.now);
  world.advance(100);
  assert.equal(server.server.sessions().length, 1);
});
