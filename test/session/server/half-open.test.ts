/** Who has a place before the login, and who loses it to whom. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../src/crypto/secret.ts';
import { ControlConnection } from '../../../src/pptp/control-connection.ts';
import { HalfOpen, Progress, type Place } from '../../../src/session/server/half-open.ts';
import { PROTOCOL_VERSION } from '../../../src/wire/control-codes.ts';
import { encodeControlMessage } from '../../../src/wire/control-message.ts';
import { ip, user, World, type ServerHost, type TcpEnd } from '../../support/world.ts';

/** Places by the names of those that have them. */
class Bench {
  readonly halfOpen = new HalfOpen();
  readonly places = new Map<string, Place>();
  private readonly limits: { maxHalfOpen: number; maxHalfOpenPerSource: number };

  constructor(maxHalfOpen: number, maxHalfOpenPerSource = 8) {
    this.limits = { maxHalfOpen, maxHalfOpenPerSource };
  }

  enter(name: string, source: string, now: number, progress: Progress = Progress.none): void {
    const giveWay = () => this.places.delete(name);
    const place = this.halfOpen.enter(ip(source), this.limits, giveWay, now);
    if (place === undefined) return;
    place.advance(progress, now);
    this.places.set(name, place);
  }

  leave(name: string, isProved: boolean, now: number): void {
    this.places.get(name)!.leave(isProved, now);
    this.places.delete(name);
  }

  get names(): string {
    assert.equal(this.halfOpen.size, this.places.size);
    return [...this.places.keys()].join(' ');
  }
}

test('of one address the one without progress goes, of equals the oldest; all in a call: the newcomer', () => {
  const bench = new Bench(64, 2);
  bench.enter('a', '192.0.2.1', 0);
  bench.enter('b', '192.0.2.1', 1);
  bench.enter('c', '192.0.2.1', 2);
  assert.equal(bench.names, 'b c');
  bench.places.get('b')!.advance(Progress.call, 3);
  bench.enter('d', '192.0.2.1', 4);
  assert.equal(bench.names, 'b d');
  bench.places.get('d')!.advance(Progress.gre, 5);
  bench.enter('e', '192.0.2.1', 6);
  assert.equal(bench.names, 'b d', 'e is refused');
  bench.enter('f', '192.0.2.2', 7);
  assert.equal(bench.names, 'b d f');
});

test('who is stuck goes before a newcomer, however far he has come', () => {
  const bench = new Bench(64, 2);
  bench.enter('stuck', '192.0.2.1', 0, Progress.lcp);
  bench.enter('fresh', '192.0.2.1', 5_000, Progress.call);
  bench.enter('new', '192.0.2.1', 5_001);
  assert.equal(bench.names, 'fresh new');
});

test('one of the greediest address gives way, though it has come further', () => {
  const bench = new Bench(3);
  bench.enter('a1', '192.0.2.1', 0, Progress.lcp);
  bench.enter('b1', '198.51.100.1', 1);
  bench.enter('a2', '192.0.2.1', 2, Progress.gre);
  bench.enter('c1', '203.0.113.1', 3);
  assert.equal(bench.names, 'a1 b1 c1');
  bench.enter('a3', '192.0.2.1', 4);
  assert.equal(bench.names, 'a1 b1 c1', 'his own, who has come to nothing, is the greedier');
});

test('a network counts as a whole', () => {
  const bench = new Bench(4);
  bench.enter('b1', '198.51.100.1', 0);
  for (const last of [1, 2, 3]) bench.enter(`a${last}`, `192.0.2.${last}`, last);
  bench.enter('c1', '203.0.113.1', 4);
  assert.equal(bench.names, 'b1 a2 a3 c1', 'the oldest of 192.0.2.0/24, not the oldest of all');
});

test('what came to nothing counts for a while', () => {
  const bench = new Bench(2);
  for (let n = 0; n < 5; n++) {
    bench.enter('a', '192.0.2.1', n);
    bench.leave('a', false, n);
  }
  bench.enter('b', '198.51.100.1', 10);
  bench.enter('a', '192.0.2.1', 11);
  bench.enter('c', '203.0.113.1', 12);
  assert.equal(bench.names, 'b c');
  const later = 3_600_000;
  bench.leave('b', false, 13);
  bench.enter('a', '192.0.2.1', later);
  bench.enter('d', '198.18.0.1', later + 1);
  assert.equal(bench.names, 'a d', 'all are equal again: the oldest goes');
});

test('where somebody has logged in before, places are kept', () => {
  const bench = new Bench(2);
  bench.enter('a', '192.0.2.1', 0);
  bench.leave('a', true, 1);
  bench.enter('a', '192.0.2.1', 2);
  bench.enter('aa', '192.0.2.1', 3);
  bench.enter('b', '198.51.100.1', 4);
  assert.equal(bench.names, 'a aa');
});

const start = encodeControlMessage({
  name: 'StartControlConnectionRequest',
  protocolVersion: PROTOCOL_VERSION,
  framingCapabilities: 3,
  bearerCapabilities: 3,
  maximumChannels: 0,
  firmwareRevision: 0,
  hostName: '',
  vendorName: '',
});
const callRequest = encodeControlMessage({
  name: 'OutgoingCallRequest',
  callId: 7,
  callSerialNumber: 1,
  minimumBps: 300,
  maximumBps: 100_000_000,
  bearerType: 3,
  framingType: 3,
  packetReceiveWindowSize: 3,
  packetProcessingDelay: 0,
  phoneNumberLength: 0,
  phoneNumber: '',
  subaddress: '',
});

/** Opens 8 connections from each address, sends, and opens another one soon for each that is ended. */
function attack(server: ServerHost, addresses: readonly string[], messages: Uint8Array[]): void {
  const { world } = server;
  const open = (address: number): void => {
    const tcp: TcpEnd = server.connect(address).tcp;
    if (tcp.peer?.open === true) for (const message of messages) tcp.write(message);
    tcp.onClosed = () => world.clock.after(1_000, () => open(address));
  };
  for (const address of addresses) for (let n = 0; n < 8; n++) open(ip(address));
}

const eight = Array.from({ length: 8 }, (_, n) => `192.0.${n}.1`);
const spread = Array.from({ length: 64 }, (_, n) => `192.0.${n}.1`);
const network = Array.from({ length: 64 }, (_, n) => `192.0.2.${n + 1}`);
const goods = Array.from({ length: 12 }, (_, n) => `good${n}`);

function scene(): { world: World; server: ServerHost } {
  const world = new World();
  const users = goods.map((name) => user(name));
  const gateway = world.gateway(users, { maxHalfOpen: 64, maxHalfOpenPerSource: 8 });
  const pool = [{ first: ip('192.168.99.10'), last: ip('192.168.99.40') }];
  return { world, server: world.server({ ban: { after: 0, time: 1 }, pool }, gateway) };
}

/** Each from an address of its own, which nobody has seen before. */
function goodsGetIn(world: World, server: ServerHost): void {
  const links = goods.map((username, n) => {
    world.advance(1_000);
    const link = world.link(
      { username, secret: user(username).secret, maxFail: 1 },
      { address: ip(`198.51.${n}.9`) },
    );
    link.dial();
    world.advance(1_000);
    return link;
  });
  assert.deepEqual(
    links.map(({ state, causeCode }) => causeCode ?? state),
    links.map(() => 'up'),
  );
  assert.equal(server.server.sessions().length, 12);
}

for (const [what, addresses, messages] of [
  ['8 addresses that only begin', eight, [start]],
  ['64 addresses that only begin', spread, [start]],
  ['one network that only begins', network, [start]],
  ['64 addresses that are silent', spread, []],
  ['64 addresses whose calls never answer', spread, [start, callRequest]],
  ['one network whose calls never answer', network, [start, callRequest]],
] as const)
  test(`12 of 12 good logins get in beside ${what}, 8 connections each`, () => {
    const { world, server } = scene();
    attack(server, addresses, [...messages]);
    world.advance(3_000);
    assert.equal(server.access.halfOpen.size, 64);
    goodsGetIn(world, server);
    assert(server.server.callers().length <= 12 + 64);
    assert(server.paths.calls.size <= 12 + 64);
  });

test('12 of 12 good logins get in beside 64 that guess slowly', () => {
  const { world, server } = scene();
  const secret = Secret.fromPassword('wrong');
  for (const address of [...eight, ...spread.slice(8)])
    world
      .link({ username: 'root', secret, holdoff: 10, holdoffMax: 10 }, { address: ip(address) })
      .dial();
  world.advance(3_000);
  assert.equal(server.access.halfOpen.size, 64);
  goodsGetIn(world, server);
});

test('a newcomer from an address that is under attack from within gets in', () => {
  const { world, server } = scene();
  const links = ['good0', 'good1'].map((username) => {
    attack(server, ['192.0.2.1'], [start]);
    world.advance(1_000);
    const { secret } = user(username);
    const link = world.link({ username, secret }, { address: ip('192.0.2.1') });
    link.dial();
    world.advance(1_000);
    return link;
  });
  assert.deepEqual(
    links.map(({ state }) => state),
    ['up', 'up'],
  );
});

test('half-open callers go away by themselves, and one that is logged in is not half-open', () => {
  const { world, server } = scene();
  for (const address of eight) server.connect(ip(address));
  assert.equal(server.access.halfOpen.size, 8);
  world.advance(61_000);
  assert.equal(server.access.halfOpen.size, 0);
  assert.equal(server.server.callers().length, 0);
  const link = world.link({ username: 'good0', secret: user('good0').secret });
  link.dial();
  world.advance(2_000);
  assert.equal(link.state, 'up');
  assert.equal(server.access.halfOpen.size, 0);
});

test('a caller that cannot be made gives its place back', (t) => {
  const { world, server } = scene();
  const broken = t.mock.method(ControlConnection.prototype, 'handleOpen', () => {
    throw new TypeError('broken');
  });
  for (let n = 0; n < 100; n++)
    assert.throws(() => server.server.accept(ip('192.0.2.1'), ip('203.0.113.1'), world.clock.now), {
      message: 'broken',
    });
  assert.equal(server.access.halfOpen.size, 0);
  broken.mock.restore();
  assert.equal(server.connect(ip('192.0.2.1')).tcp.peer?.open, true);
});
