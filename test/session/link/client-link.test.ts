/** How a link dials, tries again, gives up and hangs up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../src/crypto/secret.ts';
import { cause } from '../../../src/wire/cause.ts';
import {
  ip,
  linkOptions,
  otherKeys,
  user,
  World,
  type LinkHost,
  type ServerHost,
} from '../../support/world.ts';

const wrong = { secret: Secret.fromPassword('wrong') };

/** Moments of the outputs of this kind while `time` passes, seconds from now. */
function moments(world: World, link: LinkHost, kind: string, time: number): number[] {
  const start = world.clock.now;
  const found: number[] = [];
  let seen = link.asked.length;
  while (world.clock.now - start < time) {
    world.advance(100);
    for (; seen < link.asked.length; seen++) {
      if (link.asked[seen] === kind) found.push((world.clock.now - start) / 1000);
    }
  }
  return found;
}

test('the order of a dial: name, route, TCP; then the network', () => {
  const world = new World();
  world.server();
  world.names.set('vpn.example.com', [ip('203.0.113.1')]);
  const link = world.link({ server: 'vpn.example.com' });
  link.dial();
  world.advance(3_000);
  assert.deepEqual(link.asked, ['resolve', 'host-route', 'connect', 'tunnel-up']);
  link.dial();
  world.advance(1_000);
  assert.equal(link.asked.length, 4, 'a dial while it is up does nothing');
});

test('the address we ask for is asked for, and the one the server insists on is taken', () => {
  const world = new World();
  world.server({}, world.gateway([user('anna', { address: ip('192.168.99.77') })]));
  const link = world.link();
  link.wanted = ip('192.168.99.77');
  link.dial();
  world.advance(3_000);
  assert.equal(link.link.status().session?.localAddress, ip('192.168.99.77'));
  link.hangup();
  world.advance(3_000);
  link.wanted = ip('10.9.9.9');
  link.dial();
  world.advance(3_000);
  assert.equal(link.link.status().session?.localAddress, ip('192.168.99.77'));
});

test('an address needs no name server; no host route where none is wanted', () => {
  const world = new World();
  world.server();
  const link = world.link({ hostRoute: false });
  link.dial();
  world.advance(3_000);
  assert.deepEqual(link.asked, ['connect', 'tunnel-up']);
});

test('every address of the name is tried, then there is a pause', () => {
  const world = new World();
  world.server();
  const [dead, refusing, good] = ['203.0.113.7', '203.0.113.8', '203.0.113.1'].map(ip);
  world.unreachable.add(dead!);
  world.names.set('vpn', [dead!, refusing!, dead!, good!]);
  const link = world.link({ server: 'vpn' });
  link.dial();
  world.advance(25_000);
  assert.equal(link.state, 'up');
  assert.equal(link.link.status().session?.peer, good);

  world.names.set('nothing', [dead!, refusing!]);
  const lost = world.link({ server: 'nothing' });
  lost.dial();
  world.advance(21_000);
  assert.equal(lost.state, 'waiting');
  assert.equal(lost.causeCode, 'CONNECT_REFUSED', 'that of the last one');
  assert.deepEqual(lost.asked, [
    'resolve', 'host-route', 'connect', 'disconnect', 'host-route', 'connect',
  ]); // prettier-ignore
});

test('a wrong password is not tried at the other addresses of the name', () => {
  const world = new World();
  const server = world.server();
  world.names.set('vpn', [server.address, ip('203.0.113.9')]);
  const link = world.link({ server: 'vpn', holdoff: 60_000, ...wrong });
  link.dial();
  world.advance(5_000);
  assert.equal(link.asked.filter((what) => what === 'connect').length, 1);
});

test('pauses double, and start small again after a stable connection', () => {
  const world = new World();
  const link = world.link();
  link.dial();
  const dials = moments(world, link, 'connect', 1_200_000);
  const pauses = dials.slice(1).map((at, n) => at - dials[n]!);
  for (const [n, full] of [5, 10, 20, 40, 80, 160, 300, 300].entries()) {
    const pause = pauses[n]!;
    assert(pause >= full * 0.75 - 0.2 && pause <= full + 0.2, `pause ${n + 1}: ${pause}`);
  }
  world.server();
  world.advance(400_000);
  assert.equal(link.state, 'up');
  world.advance(60_000);
  link.tcp!.peer!.close();
  world.advance(6_000);
  assert.equal(link.state, 'up', 'back after 5 s');
  link.tcp!.peer!.close();
  world.advance(6_500);
  assert.equal(link.state, 'waiting', 'it was up only briefly: 10 s now');
  world.advance(5_000);
  assert.equal(link.state, 'up');
});

test('a person does not wait for the pause', () => {
  const world = new World();
  const link = world.link({ holdoff: 300_000 });
  link.dial();
  world.advance(1_000);
  assert.equal(link.state, 'waiting');
  const { retryAt } = link.link.status();
  assert(retryAt !== undefined && retryAt > world.clock.now + 200_000);
  world.server();
  link.dial();
  world.advance(2_000);
  assert.equal(link.state, 'up');
});

test('hangup in every phase: down within 3 s, nothing left', () => {
  for (let phase = 0; phase < 400; phase += 7) {
    const world = new World();
    const server = world.server();
    world.names.set('vpn', [server.address]);
    const link = world.link({ server: 'vpn' });
    link.dial();
    world.advance(phase);
    if (phase % 2 === 0) world.gre.conditions.drop = () => true;
    if (phase % 3 === 0 && link.tcp?.peer !== undefined) link.tcp.onOctets = () => undefined;
    link.hangup();
    world.advance(3_000);
    assert.equal(link.state, 'down', `${phase}`);
    assert.equal(link.paths.calls.size, 0);
    assert.equal(link.networks.up.size, 0);
    assert.equal(link.gateway.occupied, 0);
    assert(link.tcp === undefined);
    const asked = link.asked.length;
    world.advance(120_000);
    assert.equal(link.asked.length, asked, 'it stays down');
    assert.equal(server.server.callers().length, 0);
  }
});

test('dial while it hangs up: up again', () => {
  const world = new World();
  world.server();
  const link = world.link();
  link.dial();
  world.advance(2_000);
  link.hangup();
  link.dial();
  world.advance(4_000);
  assert.equal(link.state, 'up');
});

test('a refused login blocks where that is wanted, until the credentials change or somebody dials', () => {
  const world = new World();
  const server = world.server({ ban: { after: 0, time: 1_000 } });
  const link = world.link({ blockOnAuthFailure: true, ...wrong });
  link.dial();
  world.advance(60_000);
  assert.equal(link.state, 'blocked');
  assert.equal(link.causeCode, 'AUTH_TOPEER_FAILED');
  assert.equal(link.nextTimeout(), undefined);
  link.dial();
  world.advance(10_000);
  assert.equal(link.state, 'blocked');
  assert.equal(server.whats().length, 2);
  link.link.reconfigure(
    { ...link.link.options, secret: user('anna').secret, keys: otherKeys },
    world.clock.now,
  );
  world.advance(5_000);
  assert.equal(link.state, 'up');
});

test('without blocking, a refused login is tried again', () => {
  const world = new World();
  const server = world.server({ ban: { after: 0, time: 1_000 } });
  const link = world.link(wrong);
  link.dial();
  world.advance(60_000);
  assert(server.whats().length >= 3);
});

test('maxfail', () => {
  const world = new World();
  const link = world.link({ maxFail: 3 });
  link.dial();
  world.advance(600_000);
  assert.equal(link.state, 'blocked');
  assert.equal(link.asked.filter((what) => what === 'connect').length, 3);
  link.link.reconfigure({ ...link.link.options, maxFail: 0 }, world.clock.now);
  world.advance(1_000);
  assert.equal(link.state, 'waiting', 'allowed to try again');
});

test('GRE does not pass: both ends say so', () => {
  const world = new World();
  const server = world.server();
  world.gre.conditions.drop = () => true;
  const link = world.link();
  link.dial();
  world.advance(60_000);
  assert.equal(link.causeCode, 'GRE_BLOCKED');
  assert.equal(server.whats()[0], 'caller-refused GRE_BLOCKED');
});

test('GRE comes, but no answer to LCP: that is something else', () => {
  const world = new World();
  world.server();
  const link = world.link({ holdoff: 3_600_000, holdoffMax: 3_600_000 });
  world.gre.conditions.drop = (from) => from === link.address;
  link.dial();
  world.advance(60_000);
  assert.match(link.causeCode ?? '', /^(LCP_TIMEOUT|HANGUP|PEER_TERMINATED)$/);
});

test('the peer hangs up by itself: GRE was blocked, in both directions or from here to it', () => {
  for (const [direction, code] of [
    ['both', 'GRE_BLOCKED'],
    ['out', 'LCP_TIMEOUT'],
  ] as const) {
    const world = new World();
    const server = world.server();
    const link = world.link({ holdoff: 3_600_000, holdoffMax: 3_600_000 });
    world.gre.conditions.drop = (from) => direction === 'both' || from === link.address;
    link.dial();
    world.advance(8_000);
    for (const { tcp } of server.callers.values()) tcp.close();
    world.advance(4_000);
    assert.deepEqual([link.state, link.causeCode], ['waiting', code]);
  }
});

test('only acknowledgments come: GRE is not blocked, PPP is silent', () => {
  const world = new World();
  const server = world.server();
  const link = world.link({ holdoff: 3_600_000, holdoffMax: 3_600_000 });
  world.gre.conditions.drop = () => true;
  link.dial();
  world.advance(6_000);
  for (const paths of [server.paths, link.paths])
    for (const path of paths.calls.values()) path.receiveAcknowledgment();
  world.advance(54_000);
  assert.deepEqual(
    link.link.status().cause,
    cause('LCP_TIMEOUT', 'it acknowledges our GRE packets, but sends no PPP'),
  );
  assert.equal(server.whats()[0], 'caller-refused LCP_TIMEOUT');
});

test('acknowledgments alone do not keep a link alive: they may come from another program than PPP', () => {
  const world = new World();
  const server = world.server();
  const link = world.link({ keepalive: { failures: 3, interval: 1_000 } });
  link.dial();
  world.advance(3_000);
  assert.equal(link.state, 'up');
  world.gre.conditions.drop = () => true;
  for (let second = 0; second < 8; second++) {
    for (const paths of [server.paths, link.paths])
      for (const path of paths.calls.values()) path.receiveAcknowledgment();
    world.advance(1_000);
  }
  assert.equal(link.causeCode, 'PEER_DEAD');
});

test('every failure on the way to TCP has its cause', () => {
  const cases: [string, (world: World, link: LinkHost) => void, Partial<typeof linkOptions>][] = [
    ['RESOLVE_FAILED', () => undefined, { server: 'unknown' }],
    ['RESOLVE_FAILED', (world) => world.names.set('none', []), { server: 'none' }],
    ['CONNECT_REFUSED', () => undefined, {}],
    ['CONNECT_TIMEOUT', (world) => world.unreachable.add(ip('203.0.113.1')), {}],
    ['NO_ROUTE', (_, link) => (link.hostRouteFailure = cause('NO_ROUTE')), {}],
  ];
  for (const [code, prepare, options] of cases) {
    const world = new World();
    const link = world.link({ holdoff: 3_600_000, holdoffMax: 3_600_000, ...options });
    prepare(world, link);
    link.dial();
    world.advance(30_000);
    assert.equal(link.state, 'waiting');
    assert.equal(link.causeCode, code);
  }
});

test('a daemon that never answers does not hold the link up for ever', () => {
  for (const silent of ['handleResolved', 'handleHostRoute', 'handleTunnelUp'] as const) {
    const world = new World();
    world.server();
    world.names.set('vpn', [ip('203.0.113.1')]);
    const link = world.link({ server: 'vpn', holdoff: 3_600_000, holdoffMax: 3_600_000 });
    link.link[silent] = () => undefined;
    link.dial();
    world.advance(40_000);
    assert.equal(link.state, 'waiting', silent);
  }
});

test('the device cannot be made', () => {
  const world = new World();
  world.server();
  const link = world.link({ holdoff: 3_600_000, holdoffMax: 3_600_000 });
  link.tunnelFailure = cause('DEVICE_FAILED', 'EBUSY');
  link.dial();
  world.advance(5_000);
  assert.equal(link.state, 'waiting');
  assert.equal(link.causeCode, 'DEVICE_FAILED');
  assert.deepEqual(link.networks.log, ['tunnel-up', 'tunnel-down']);
  assert(!link.whats().some((line) => line.startsWith('session-')));
});

test('the server says no to the call, or hangs up at once', () => {
  const world = new World();
  const server = world.server();
  server.paths.open = () => undefined;
  const link = world.link({ holdoff: 3_600_000, holdoffMax: 3_600_000 });
  link.dial();
  world.advance(5_000);
  assert.equal(link.causeCode, 'CALL_REFUSED');
});

test('a server that accepts TCP and says nothing', () => {
  const world = new World();
  const server = world.server();
  server.accept = () => cause('SHUTDOWN');
  const link = world.link({ holdoff: 3_600_000, holdoffMax: 3_600_000 });
  link.dial();
  world.advance(20_000);
  assert.equal(link.causeCode, 'CONTROL_TIMEOUT');
});

test('links count among max_sessions of all together', () => {
  const world = new World();
  world.server();
  const gateway = world.gateway([], { maxSessions: 1 });
  const first = world.link({}, { gateway });
  const second = world.link({ holdoff: 1_000, holdoffMax: 1_000 }, { gateway });
  first.dial();
  second.dial();
  world.advance(3_000);
  assert.equal(first.state, 'up');
  assert.equal(second.causeCode, 'TOO_MANY_SESSIONS');
  first.hangup();
  world.advance(5_000);
  assert.equal(second.state, 'up');
});

test('close: down and done', () => {
  const world = new World();
  world.server();
  for (const time of [0, 20, 2_000]) {
    const link = world.link();
    if (time > 0) link.dial();
    world.advance(time);
    link.link.close(cause('SHUTDOWN'), world.clock.now);
    link.dial();
    world.advance(3_000);
    assert(link.done);
    assert.equal(link.state, 'down');
  }
});

test('answers to questions that were overtaken are ignored', () => {
  const world = new World();
  world.server();
  const link = world.link({ server: 'old' });
  link.dial();
  link.link.reconfigure({ ...link.link.options, server: 'new', keys: otherKeys }, world.clock.now);
  link.link.handleResolved('old', [ip('203.0.113.66')], world.clock.now);
  world.names.set('new', [ip('203.0.113.1')]);
  world.advance(3_000);
  assert.equal(link.state, 'up');
  assert.equal(link.link.status().session?.peer, ip('203.0.113.1'));
});

test('a reload redials when the settings changed, and leaves the link alone otherwise', () => {
  const world = new World();
  world.server();
  const link = world.link();
  link.dial();
  world.advance(2_000);
  const { now } = world.clock;
  link.link.reconfigure({ ...linkOptions, holdoff: 1, maxFail: 7, blockOnAuthFailure: true }, now);
  link.link.reconfigure({ ...linkOptions, secret: user('anna').secret }, now);
  world.advance(3_000);
  assert.deepEqual(link.networks.log, ['tunnel-up']);
  link.link.reconfigure({ ...linkOptions, metric: 9, keys: otherKeys }, world.clock.now);
  world.advance(4_000);
  assert.equal(link.state, 'up');
  assert.equal(link.networks.only()[1].metric, 9);
  assert(link.whats().includes('session-down anna CONFIG_CHANGED'));

  link.hangup();
  world.advance(3_000);
  link.link.reconfigure({ ...linkOptions, metric: 10 }, world.clock.now);
  world.advance(30_000);
  assert.equal(link.state, 'down', 'what is down stays down');
});

test('check: every step in order, no network, goodbye, done', () => {
  const world = new World();
  const server = world.server();
  world.names.set('vpn', [server.address]);
  const link = world.link({ server: 'vpn' }, { probe: true });
  link.dial();
  world.advance(5_000);
  assert(link.done);
  assert.deepEqual(link.whats(), [
    'connecting', 'step name', 'step tcp', 'step control', 'step call', 'step gre', 'step lcp',
    'step login', 'step encryption', 'step addresses', 'stopping', 'down',
  ]); // prettier-ignore
  assert.deepEqual(link.networks.log, []);
  assert(!link.asked.includes('host-route'));
  assert.equal(server.server.sessions().length, 0);
});

test('check: without GRE it is over in twelve seconds, with some it has the time that it needs', () => {
  const blocked = new World();
  blocked.server();
  blocked.gre.conditions.drop = () => true;
  const link = blocked.link({}, { probe: true });
  link.dial();
  blocked.advance(9_000);
  assert.equal(link.causeCode, undefined);
  blocked.advance(3_000);
  assert.equal(link.causeCode, 'GRE_BLOCKED');

  // A peer that is slow: nothing of it arrives in the first eight seconds.
  const slow = new World();
  slow.server();
  const from = slow.clock.now;
  slow.gre.conditions.drop = () => slow.clock.now - from < 8_000;
  const patient = slow.link({}, { probe: true });
  patient.dial();
  slow.advance(15_000);
  assert.ok(patient.whats().includes('step addresses'), patient.whats().join());
});

test('check: where it stops, and why', () => {
  const cases: [string, string, (world: World) => Partial<typeof linkOptions>][] = [
    ['none', 'RESOLVE_FAILED', () => ({ server: 'unknown' })],
    ['name', 'CONNECT_REFUSED', () => ({ server: '203.0.113.250' })],
    ['call', 'GRE_BLOCKED', (world) => ((world.gre.conditions.drop = () => true), {})],
    ['lcp', 'AUTH_TOPEER_FAILED', () => wrong],
    ['login', 'MPPE_REQUIRED', () => ({ mppe: { policy: 'required', strengths: [40], stateful: false } })], // prettier-ignore
  ];
  for (const [reached, code, prepare] of cases) {
    const world = new World();
    world.server();
    const link = world.link(prepare(world), { probe: true });
    link.dial();
    world.advance(60_000);
    assert(link.done, code);
    const steps = link.whats().filter((line) => line.startsWith('step'));
    assert.equal(steps.at(-1) ?? 'step none', `step ${reached}`);
    assert.equal(link.whats().at(-1), `down ${code}`);
  }
});

test('both ends dial each other at the same moment (RFC 2637 §3.1.3): one gives way, then both are up', () => {
  const world = new World();
  const [low, high] = [ip('203.0.113.1'), ip('203.0.113.2')];
  const lowGateway = world.gateway();
  const highGateway = world.gateway();
  world.server({}, lowGateway, low);
  world.server({}, highGateway, high);
  const fromLow = world.link({ server: '203.0.113.2' }, { address: low, gateway: lowGateway });
  const fromHigh = world.link({ server: '203.0.113.1' }, { address: high, gateway: highGateway });
  fromLow.dial();
  fromHigh.dial();
  world.advance(1_000);
  assert.equal(fromHigh.state, 'up', 'the higher address wins');
  assert.equal(fromLow.causeCode, 'CONTROL_COLLISION');
  world.advance(6_000);
  assert.equal(fromLow.state, 'up');
  assert.equal(fromHigh.state, 'up');
});

test('held: nothing is dialled before the release, in every phase the connection ends, and then it goes on', () => {
  for (const phase of [0, 1, 3, 8, 20, 60, 200, 3_000]) {
    const world = new World();
    const server = world.server();
    world.names.set('vpn', [server.address]);
    const link = world.link({ server: 'vpn' }, { held: true });
    link.dial();
    world.advance(10_000);
    assert.deepEqual([link.state, link.asked], ['down', []]);

    link.release(true);
    world.advance(phase);
    link.hold();
    world.drain();
    assert.equal(link.networks.up.size, 0, 'the network is down at once');
    world.advance(60_000);
    assert.equal(link.state, 'down');
    assert.ok(link.asked.filter((what) => what === 'resolve').length <= 1);
    assert.equal(server.callers.size, 0);

    link.release(false);
    world.advance(3_000);
    assert.equal(link.state, 'up', `held after ${phase} ms`);
    assert.equal(link.link.status().cause, undefined);
  }
});

test('held while it pauses: the pause is waited out, and failures are counted on; a fresh release skips it', () => {
  const world = new World();
  const link = world.link({ holdoff: 10_000 });
  link.dial();
  world.advance(100);
  assert.deepEqual([link.state, link.causeCode], ['waiting', 'CONNECT_REFUSED']);
  link.hold();
  world.drain();
  assert.deepEqual([link.state, link.causeCode], ['down', 'CONNECT_REFUSED']);
  assert.equal(link.link.status().retryAt, undefined);
  world.advance(2_000);
  link.release(false);
  world.advance(5_000);
  assert.deepEqual([link.state, link.asked.length], ['waiting', 2], 'a pause of at least 7.5 s');
  world.advance(3_500);
  assert.equal(link.asked.length, 4);
  assert.equal(link.state, 'waiting');
  assert.ok(link.link.status().retryAt! - world.clock.now > 12_000, 'the second failure in a row');
  link.hold();
  link.release(true);
  world.advance(100);
  assert.equal(link.asked.length, 6);
});

test('held after a change of its settings: nobody waits, and nothing says so', () => {
  const world = new World();
  world.server();
  const link = world.link({}, { held: true });
  link.release(true);
  world.advance(3_000);
  link.link.reconfigure({ ...link.link.options, metric: 9, keys: otherKeys }, world.clock.now);
  link.hold();
  world.advance(4_000);
  assert.deepEqual([link.state, link.causeCode], ['down', 'CONFIG_CHANGED']);
  link.release(false);
  assert.equal(link.state, 'connecting');
  world.advance(3_000);
  assert.equal(link.state, 'up');
  assert.ok(!link.whats().some((what) => what.includes('waiting')), link.whats().join('\n'));
});

test('held while it says goodbye after a loss: the failure counts, and the pause begins there', () => {
  const world = new World();
  const server = world.server();
  const link = world.link({ holdoff: 10_000 });
  link.dial();
  world.advance(3_000);
  server.server.disconnect('anna', cause('USER_REQUEST'), world.clock.now);
  world.advance(20);
  link.hold();
  world.advance(4_000);
  assert.equal(link.state, 'down');
  const dialled = link.asked.filter((what) => what === 'connect').length;
  link.release(false);
  world.advance(1_000);
  assert.equal(link.state, 'waiting');
  world.advance(10_000);
  assert.equal(link.state, 'up');
  assert.equal(link.asked.filter((what) => what === 'connect').length, dialled + 1);
});

test('held because its network is down: the cause is that of the loss, in the event and while it waits', () => {
  const losses: readonly [string, (world: World, server: ServerHost) => void][] = [
    [
      'PEER_TERMINATED',
      ({ clock }, { server }) => server.disconnect('anna', cause('USER_REQUEST'), clock.now),
    ],
    ['PEER_DEAD', ({ gre }) => (gre.conditions.drop = () => true)],
  ];
  for (const [code, lose] of losses) {
    const world = new World();
    const server = world.server();
    const link = world.link({ holdoff: 60_000, keepalive: { failures: 2, interval: 1_000 } });
    link.dial();
    world.advance(3_000);
    assert.equal(link.state, 'up');
    lose(world, server);
    for (let waited = 0; link.networks.up.size > 0; waited++) {
      assert(waited < 10_000);
      world.advance(1);
    }
    link.hold(); // netifd answers the loss with a teardown
    world.advance(5_000);
    assert.deepEqual([link.state, link.causeCode], ['down', code]);
    assert.deepEqual(
      link.whats().filter((what) => what.startsWith('session-down')),
      [`session-down anna ${code}`],
    );
    link.release(false);
    world.advance(10);
    assert.deepEqual([link.state, link.causeCode], ['waiting', code]);
  }
});

test('held and blocked: only a fresh release dials; new credentials only free it', () => {
  const world = new World();
  world.server();
  const link = world.link({ blockOnAuthFailure: true, ...wrong });
  link.dial();
  world.advance(5_000);
  assert.equal(link.state, 'blocked');
  link.hold();
  link.release(false);
  world.advance(60_000);
  assert.deepEqual([link.state, link.causeCode], ['blocked', 'AUTH_TOPEER_FAILED']);
  link.hold();
  const { secret } = linkOptions;
  link.link.reconfigure({ ...link.link.options, secret, keys: otherKeys }, world.clock.now);
  world.advance(60_000);
  assert.equal(link.state, 'down', 'it waits for the release');
  link.release(true);
  world.advance(3_000);
  assert.equal(link.state, 'up');
});

test('hangup and close of a link that is held', () => {
  const world = new World();
  const link = world.link({}, { held: true });
  link.hangup();
  world.advance(10);
  assert.equal(link.state, 'down');
  link.link.close(cause('SHUTDOWN'), world.clock.now);
  world.advance(10);
  assert.ok(link.done);
});
