/** Links log in to a server: through every octet of both protocols. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../src/crypto/secret.ts';
import { SERVER_INTERFACE_IDENTIFIER, type SessionEvent } from '../../../src/session/ports.ts';
import type { User } from '../../../src/session/options.ts';
import type { Cause } from '../../../src/wire/cause.ts';
import type { TwinPath } from '../../support/call-paths.ts';
import {
  ip,
  net,
  seeded,
  user,
  World,
  type LinkHost,
  type ServerHost,
} from '../../support/world.ts';

const wrong = Secret.fromPassword('wrong');

test('a link comes up, both ends know it, IP passes encrypted', () => {
  const world = new World();
  const server = world.server();
  const link = world.link({ routes: [net('10.20.0.0/16')], metric: 7 });
  link.dial();
  world.advance(2_000);

  assert.equal(link.state, 'up');
  assert.deepEqual(server.whats(), ['session-up anna']);
  assert.deepEqual(link.whats(), ['connecting', 'session-up anna', 'up']);
  const [session] = server.server.sessions();
  assert(session !== undefined);
  const own = link.link.status().session;
  assert(own !== undefined);
  assert.equal(session.peerAddress, ip('192.168.99.10'));
  assert.equal(session.localAddress, ip('192.168.99.1'));
  assert.equal(own.localAddress, session.peerAddress);
  assert.equal(own.peerAddress, session.localAddress);
  assert.equal(session.mppe, 'mppe-128');
  assert.equal(own.mppe, 'mppe-128');
  assert.equal(session.auth, 'mschap-v2');
  assert.equal(own.auth, 'mschap-v2');
  assert.equal(session.peer, link.address);
  assert.equal(session.callId, own.peerCallId);
  assert.equal(session.peerCallId, own.callId);
  const [path, network] = link.networks.only();
  assert.deepEqual(network.dns, [ip('192.168.99.1')]);
  assert.deepEqual(network.routes, [net('10.20.0.0/16')]);
  assert.equal(network.role, 'link');
  assert.equal(network.metric, 7);
  assert.equal(network.mtu, 1396, 'MPPE takes four octets of the MRU');
  assert.equal(server.networks.only()[1].role, 'caller');
  assert(path.sendIp());
  assert(server.networks.only()[0].sendIp());
  assert.equal(server.server.sessions()[0]?.counters.rxPackets, 1);
});

test('the end is told in order, with the last counters, and everything is given back', () => {
  const world = new World();
  const server = world.server();
  const link = world.link();
  link.dial();
  world.advance(2_000);
  for (let n = 0; n < 5; n++) link.networks.only()[0].sendIp();
  link.hangup();
  world.advance(1_000);

  assert.equal(link.state, 'down');
  assert.deepEqual(server.networks.log, ['tunnel-up', 'tunnel-down']);
  assert.deepEqual(link.networks.log, ['tunnel-up', 'tunnel-down']);
  assert.deepEqual(server.whats(), ['session-up anna', 'session-down anna PEER_TERMINATED']);
  assert.deepEqual(link.whats().slice(-3), [
    'session-down anna USER_REQUEST',
    'stopping USER_REQUEST',
    'down USER_REQUEST',
  ].sort(bySeen(link))); // prettier-ignore
  assert.equal(endOf(server.events)?.session.counters.rxPackets, 5);
  assert.equal(endOf(server.events)?.session.mppe, 'mppe-128');
  assert.equal(endOf(link.events)?.session.counters.txPackets, 5);
  assert.deepEqual(server.server.callers(), []);
  assert.deepEqual(server.server.sessions(), []);
  assert.equal(server.paths.calls.size, 0);
  assert.equal(link.paths.calls.size, 0);
  assert.equal(server.gateway.occupied, 0);
  assert.equal(link.gateway.occupied, 0);
});

function bySeen(link: LinkHost): (a: string, b: string) => number {
  const seen = link.whats();
  return (a, b) => seen.indexOf(a) - seen.indexOf(b);
}

function endOf(
  events: readonly SessionEvent[],
): Extract<SessionEvent, { what: 'session-down' }> | undefined {
  return events.find((event) => event.what === 'session-down');
}

/** What a peer sees of a refused login: moment and octets of every write and frame of the server. */
function refusal(
  serverOptions: Parameters<World['server']>[0],
  users: Parameters<World['gateway']>[0],
  link: Parameters<World['link']>[0],
  isBanned = false,
  other?: User,
): { seen: string[]; server: ServerHost; cause: Cause | undefined } {
  const world = new World();
  const server = world.server(serverOptions, world.gateway(users));
  if (other !== undefined) {
    const { username, secret } = other;
    world.link({ username, secret }, { address: ip('198.51.100.99') }).dial();
    world.advance(2_000);
  }
  const seen: string[] = [];
  const start = world.clock.now;
  const send = world.gre.send.bind(world.gre);
  world.gre.send = (from, to, callId, frame) => {
    if (from === server.address) seen.push(`${world.clock.now - start} gre ${hex(frame)}`);
    send(from, to, callId, frame);
  };
  const caller = world.link(link);
  caller.dial();
  world.advance(20);
  if (isBanned)
    server.access.lockout.failed(
      { server: 'home', source: caller.address, username: 'x' },
      { after: 1, time: 60_000 },
      world.clock.now,
    );
  world.advance(3_980);
  for (const octets of caller.tcp?.peer?.written ?? []) seen.push(`tcp ${hex(octets)}`);
  assert.equal(server.server.sessions().length, other === undefined ? 0 : 1);
  return { seen, server, cause: caller.link.status().cause };
}

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');

test('without the right password the peer sees the same at the same time, whatever speaks against it; the log has the cause', () => {
  const anna = user('anna');
  const guess = { secret: wrong };
  const cases: [string, ReturnType<typeof refusal>][] = [
    ['PEER_AUTH_FAILED', refusal({}, [anna], guess)],
    ['PEER_AUTH_FAILED', refusal({}, [user('bert')], guess)],
    ['PEER_AUTH_FAILED', refusal({}, [{ ...anna, enabled: false }], guess)],
    ['PEER_AUTH_FAILED', refusal({}, [{ ...anna, servers: ['work'] }], guess)],
    ['PEER_AUTH_FAILED', refusal({}, [{ ...anna, expires: 1 }], guess)],
    ['PEER_AUTH_FAILED', refusal({ pool: [] }, [anna], guess)],
    ['PEER_AUTH_FAILED', refusal({ maxSessions: 0 }, [anna], guess)],
    // A guesser must not learn in this way that he has found it.
    ['SOURCE_BANNED', refusal({}, [anna], { secret: anna.secret }, true)],
  ];
  const [, first] = cases[0]!;
  assert(first.seen.some((line) => line.includes(hex(Buffer.from('E=691 R=0')))));
  for (const [code, { seen, server }] of cases) {
    assert.deepEqual(server.whats(), [`auth-failed anna ${code}`]);
    assert.deepEqual(seen, first.seen, code);
  }
});

test('with the right password the peer is told why it is not let in', () => {
  const anna = user('anna');
  const fixed = { ...anna, address: ip('192.168.99.77') };
  const namesake = { ...user('bert'), address: fixed.address };
  const password = { secret: anna.secret };
  const cases: [string, ReturnType<typeof refusal>, string][] = [
    [
      'ACCOUNT_DISABLED',
      refusal({}, [{ ...anna, enabled: false }], password),
      'error 647, account disabled: The account is disabled, or not for this server',
    ],
    [
      'ACCOUNT_DISABLED',
      refusal({}, [{ ...anna, servers: ['work'] }], password),
      'error 647, account disabled: The account is disabled, or not for this server',
    ],
    [
      'ACCOUNT_EXPIRED',
      refusal({}, [{ ...anna, expires: 1 }], password),
      'error 647, account disabled: The account has expired',
    ],
    [
      'ROUTE_LOOP',
      refusal({}, [{ ...anna, routes: [net('198.51.100.0/24')] }], password),
      "error 649, no permission to dial in: The user's own network holds the address that the call comes from",
    ],
    [
      'POOL_EMPTY',
      refusal({ pool: [] }, [anna], password),
      'error 649, no permission to dial in: The server has no free address left',
    ],
    [
      'TOO_MANY_SESSIONS',
      refusal({ maxSessions: 0 }, [anna], password),
      'error 649, no permission to dial in: The server is full',
    ],
    [
      'USER_LIMIT',
      refusal({ maxPerUser: 0, onDuplicate: 'deny' }, [anna], password),
      'error 649, no permission to dial in: The user has as many sessions as allowed already',
    ],
    [
      'ADDRESS_IN_USE',
      refusal({}, [fixed, namesake], password, false, namesake),
      "error 649, no permission to dial in: The user's address is in use",
    ],
  ];
  for (const [code, { server, cause }, words] of cases) {
    assert.equal(server.whats().at(-1), `auth-failed anna ${code}`);
    assert.deepEqual(cause, { code: 'LOGIN_DENIED', detail: words });
  }
});

test('the domain in front of the name does not matter', () => {
  const world = new World();
  const server = world.server();
  const link = world.link({ username: 'CORP\\anna' });
  link.dial();
  world.advance(2_000);
  assert.equal(link.state, 'up');
  assert.equal(server.server.sessions()[0]?.username, 'anna');
});

test('a user under attack is answered more slowly, with right and wrong passwords alike', () => {
  const world = new World();
  const server = world.server({ ban: { after: 0, time: 1_000 } });
  const attempt = (secret: Secret | undefined, address: string): number => {
    const link = world.link(secret === undefined ? {} : { secret }, { address: ip(address) });
    const started = world.clock.now;
    let answered = 0;
    link.dial();
    while (answered === 0 && world.clock.now - started < 10_000) {
      world.advance(10);
      const { length } = server.whats();
      if (length > before) answered = world.clock.now - started;
      if (length > before) before = length;
    }
    link.hangup();
    world.advance(5_000);
    before = server.whats().length;
    return answered;
  };
  let before = 0;
  const [a, b, c] = [1, 2, 3].map((n) => attempt(wrong, `198.51.100.${n}`));
  const right = attempt(undefined, '198.51.100.9');
  assert(a! < 200);
  assert(Math.abs(b! - a! - 500) <= 20);
  assert(Math.abs(c! - a! - 1_000) <= 20);
  assert(right - a! >= 2_000 && right - a! <= 2_100, 'later, but let in');
  assert(server.whats().includes('session-up anna'));
});

test('a source that guesses is locked out, others are not, and the ban ends', () => {
  const world = new World();
  const server = world.server({ ban: { after: 3, time: 600_000 } });
  const guesser = world.link({ secret: wrong, holdoff: 1_000, holdoffMax: 1_000 });
  guesser.dial();
  world.advance(60_000);
  const banned = server.whats().filter((line) => line === 'caller-refused SOURCE_BANNED');
  assert.equal(server.whats().filter((line) => line.startsWith('auth-failed')).length, 3);
  assert(banned.length > 10);
  guesser.hangup();

  const other = world.link({}, { address: ip('198.51.100.77') });
  other.dial();
  world.advance(10_000);
  assert.equal(other.state, 'up', 'the same user, from elsewhere');

  world.advance(600_000);
  const again = world.link({}, { address: guesser.address });
  again.dial();
  world.advance(10_000);
  assert.equal(again.state, 'up');
});

test('mistyping now and then does not add up to a ban', () => {
  const world = new World();
  const server = world.server({ ban: { after: 2, time: 3_600_000 } });
  for (let round = 0; round < 3; round++) {
    for (const secret of [wrong, user('anna').secret]) {
      const link = world.link({ secret, holdoff: 3_600_000, holdoffMax: 3_600_000 });
      link.dial();
      world.advance(8_000);
      link.hangup();
      world.advance(3_000);
    }
  }
  assert.equal(server.whats().filter((line) => line === 'session-up anna').length, 3);
});

for (const right of [true, false]) {
  test(`LCP starts anew while the answer is held back, password ${right ? 'right' : 'wrong'}`, () => {
    const world = new World();
    const server = world.server({ ban: { after: 0, time: 1_000 } });
    const first = world.link({ secret: wrong }, { address: ip('198.51.100.1') });
    first.dial();
    world.advance(3_500);
    first.hangup();
    const secret = right ? user('anna').secret : wrong;
    const link = world.link({ secret, holdoff: 3_600_000, holdoffMax: 3_600_000 });
    link.dial();
    world.advance(300);
    const before = server.whats().length;
    const [path] = [...server.paths.calls.values()].filter(({ peer }) => peer === link.address);
    restartLcp(path!);
    world.advance(180);
    restartLcp(path!);
    world.advance(10_000);
    const expected = right ? 'session-up anna' : 'auth-failed anna PEER_AUTH_FAILED';
    assert.deepEqual(server.whats().slice(before), [expected]);
    assert.equal(link.state, right ? 'up' : 'waiting');
  });
}

test('LCP starts anew in a session: the same user logs in again, and goes on', () => {
  const world = new World();
  const server = world.server();
  const link = world.link();
  link.dial();
  world.advance(3_000);
  restartLcp(server.networks.only()[0]);
  world.advance(5_000);
  assert.deepEqual(server.whats(), ['session-up anna']);
  assert.deepEqual(server.networks.log, ['tunnel-up', 'tunnel-down', 'tunnel-up']);
  assert(server.networks.only()[0].sendIp());
  assert(link.networks.only()[0].sendIp());
  world.advance(100_000);
  assert.equal(link.state, 'up');
});

test('a ban of the address they share does not end a session that is up and renegotiates', () => {
  const world = new World();
  const server = world.server({ ban: { after: 3, time: 600_000 } });
  const link = world.link();
  link.dial();
  world.advance(3_000);
  const guesser = world.link({ username: 'bert', secret: wrong, holdoff: 100, holdoffMax: 100 });
  guesser.dial();
  world.advance(30_000);
  guesser.hangup();
  world.advance(3_000);
  assert(server.access.lockout.isBanned(link.address, world.clock.now));
  restartLcp(server.networks.only()[0]);
  world.advance(100_000);
  assert.equal(link.state, 'up');
  assert(link.networks.only()[0].sendIp());
  assert(!server.whats().some((line) => line.startsWith('session-down')));
});

/** A Configure-Request without options, as from the peer. */
function restartLcp(path: TwinPath): void {
  path.receive(Uint8Array.from([0xff, 3, 0xc0, 0x21, 1, 99, 0, 4]));
}

test('who hangs up before the slow answer is reported all the same', () => {
  const world = new World();
  const server = world.server({ ban: { after: 0, time: 1_000 } });
  const attempts = ['198.51.100.1', '198.51.100.2'].map((address) => {
    const link = world.link({ secret: wrong }, { address: ip(address) });
    link.dial();
    world.advance(300);
    link.tcp?.close();
    return link;
  });
  world.advance(3_000);
  assert.equal(attempts.length, 2);
  const failed = server.whats().filter((line) => line === 'auth-failed anna PEER_AUTH_FAILED');
  assert.equal(failed.length, 2);
});

test('one address holds many callers: parallel guesses of one source all count', () => {
  const world = new World();
  const server = world.server({ ban: { after: 3, time: 600_000 } });
  const links = ['a', 'b', 'c', 'd'].map((name) => world.link({ username: name, secret: wrong }));
  for (const link of links) link.dial();
  world.advance(4_000);
  const failures = server.whats().filter((line) => line.startsWith('auth-failed'));
  const causes = failures.map((line) => line.split(' ').at(-1));
  assert.deepEqual(causes.sort(), [
    'PEER_AUTH_FAILED', 'PEER_AUTH_FAILED', 'PEER_AUTH_FAILED', 'SOURCE_BANNED',
  ]); // prettier-ignore
});

for (const [mppe, strengths, expected] of [
  ['required', [128], 'mppe-128'],
  ['optional', [128, 40], 'mppe-128'],
  ['optional', [40], 'mppe-40'],
  ['required', [56], 'mppe-56'],
  ['off', [], 'none'],
] as const) {
  test(`encryption ${mppe} ${strengths.join(' ')}: ${expected} at both ends`, () => {
    const world = new World();
    const options = { mppe: { policy: mppe, strengths: [...strengths], stateful: false } };
    const server = world.server(options);
    const link = world.link(options);
    link.dial();
    world.advance(12_000);
    assert.equal(link.state, 'up');
    assert.equal(server.server.sessions()[0]?.mppe, expected);
    assert.equal(link.link.status().session?.mppe, expected);
    assert(link.networks.only()[0].sendIp());
    assert(server.networks.only()[0].sendIp());
    assert.equal(link.networks.only()[0].encryptionRequired, expected !== 'none');
  });
}

test('encryption required meets a peer without it: neither end lets IP pass', () => {
  const off = { policy: 'off', strengths: [128], stateful: false } as const;
  for (const [ours, theirs] of [
    [{ mppe: off }, {}],
    [{}, { mppe: off }],
  ]) {
    const world = new World();
    const server = world.server(ours);
    const link = world.link(theirs);
    link.dial();
    world.advance(15_000);
    assert.equal(link.networks.log.length, 0);
    assert.equal(server.networks.log.length, 0);
    const causes = [link.causeCode, ...server.whats()].join(' ');
    assert.match(causes, /MPPE_REQUIRED/);
  }
});

for (const method of ['mschap', 'chap', 'pap'] as const) {
  test(`login by ${method}`, () => {
    const world = new World();
    const plain = { policy: 'off', strengths: [], stateful: false } as const;
    const server = world.server({ auth: [method], mppe: plain });
    const link = world.link({ auth: [method], mppe: plain });
    link.dial();
    world.advance(5_000);
    assert.equal(link.state, 'up');
    assert.equal(server.server.sessions()[0]?.auth, method);
    const bad = world.link({ auth: [method], mppe: plain, secret: wrong }, { address: 77 });
    bad.dial();
    world.advance(5_000);
    assert.equal(bad.causeCode, 'AUTH_TOPEER_FAILED');
  });
}

test('no common login method', () => {
  const world = new World();
  world.server();
  const link = world.link({
    auth: ['pap'],
    mppe: { policy: 'off', strengths: [], stateful: false },
  });
  link.dial();
  world.advance(5_000);
  assert.equal(link.causeCode, 'AUTH_METHOD_REFUSED');
});

test('IPv6 identifiers reach the network at once', () => {
  const world = new World();
  const server = world.server({ ipv6: true });
  const link = world.link({ ipv6: true });
  link.dial();
  world.advance(3_000);
  const [, ours] = server.networks.only();
  const [, theirs] = link.networks.only();
  assert.deepEqual(ours.ipv6?.peer, theirs.ipv6?.local);
  assert.deepEqual(ours.ipv6?.local, theirs.ipv6?.peer);
  assert.deepEqual(
    theirs.ipv6?.peer,
    SERVER_INTERFACE_IDENTIFIER,
    'the address that the device has',
  );
  assert.deepEqual(link.networks.log, ['tunnel-up']);
});

test('IPv6 that is agreed a moment after IPv4 is still in the first network', () => {
  const world = new World();
  world.server({ ipv6: true });
  const link = world.link({ ipv6: true });
  const send = world.gre.send.bind(world.gre);
  world.gre.send = (from, to, callId, frame) => {
    const isIpv6cp = frame[2] === 0x80 && frame[3] === 0x57;
    world.clock.after(isIpv6cp ? 300 : 0, () => send(from, to, callId, frame));
  };
  link.dial();
  world.advance(3_000);
  assert.equal(link.state, 'up');
  assert(link.networks.only()[1].ipv6 !== undefined);
  assert.deepEqual(link.networks.log, ['tunnel-up']);
});

test('IPv6 that comes late replaces the network', () => {
  const world = new World();
  const server = world.server({ ipv6: true });
  const link = world.link({ ipv6: true });
  const send = world.gre.send.bind(world.gre);
  world.gre.send = (from, to, callId, frame) => {
    const isIpv6cp = frame[2] === 0x80 && frame[3] === 0x57;
    world.clock.after(isIpv6cp ? 1_500 : 0, () => send(from, to, callId, frame));
  };
  link.dial();
  world.advance(20_000);
  assert.equal(link.state, 'up');
  assert(link.networks.only()[1].ipv6 !== undefined);
  assert.deepEqual(link.networks.log, ['tunnel-up', 'tunnel-down', 'tunnel-up']);
  assert.equal(link.whats().filter((line) => line.startsWith('session-')).length, 1);
  assert.equal(server.whats().length, 1);
});

test('IPv6 that the peer ends leaves an IPv4 network, in the same session', () => {
  const world = new World();
  const server = world.server({ ipv6: true });
  const link = world.link({ ipv6: true });
  link.dial();
  world.advance(3_000);
  const [path] = server.networks.only();
  const terminateRequest = Uint8Array.of(0xff, 0x03, 0x80, 0x57, 5, 9, 0, 4);
  world.gre.send(link.address, server.address, path.callId, terminateRequest);
  world.advance(1_000);
  assert.equal(server.networks.only()[1].ipv6, undefined);
  assert.deepEqual(server.networks.log, ['tunnel-up', 'tunnel-down', 'tunnel-up']);
  assert.deepEqual(server.whats(), ['session-up anna']);
  assert(server.networks.only()[0].sendIp());
});

test('IPv6 wanted here only: the network does not wait for it for long', () => {
  const world = new World();
  world.server();
  const link = world.link({ ipv6: true });
  link.dial();
  world.advance(3_000);
  assert.equal(link.state, 'up');
  assert.equal(link.networks.only()[1].ipv6, undefined);
});

test('a lossy, slow line only takes longer', () => {
  const world = new World();
  const server = world.server();
  const link = world.link();
  const random = seeded(5);
  world.gre.conditions.latency = 200;
  world.gre.conditions.drop = () => random(1)[0]! < 51;
  link.dial();
  world.advance(60_000);
  assert.equal(link.state, 'up');
  assert.equal(server.server.sessions().length, 1);
});

test('two links of one host to one server', () => {
  const world = new World();
  const server = world.server({}, world.gateway([user('anna'), user('bert')]));
  const gateway = world.gateway([]);
  const anna = world.link({}, { gateway });
  const bert = world.link(
    { name: 'second', username: 'bert', secret: user('bert').secret },
    { gateway },
  );
  anna.dial();
  bert.dial();
  world.advance(3_000);
  assert.equal(anna.state, 'up');
  assert.equal(bert.state, 'up');
  assert.equal(server.server.sessions().length, 2);
  anna.hangup();
  world.advance(3_000);
  assert(bert.networks.only()[0].sendIp(), 'the other one is not disturbed');
});
