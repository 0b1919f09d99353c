import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Secret } from '../../src/crypto/secret.ts';
import type { AuthMethod, LinkOptions, MppeStrength } from '../../src/ppp/options.ts';
import { cause } from '../../src/wire/cause.ts';
import {
  CLIENT_ADDRESS,
  clientOptions,
  DNS,
  GRANT,
  Pair,
  PASSWORD,
  SERVER_ADDRESS,
  serverOptions,
  Station,
  type PairOptions,
} from '../support/link.ts';

const hex = (octets: Uint8Array | undefined): string => Buffer.from(octets ?? []).toString('hex');

function mppe(
  policy: 'required' | 'optional' | 'off',
  strengths: readonly MppeStrength[] = [128],
  stateful = false,
): { mppe: LinkOptions['mppe'] } {
  return { mppe: { policy, strengths, stateful } };
}

function login(methods: readonly AuthMethod[]): { server: object; client: object } {
  return {
    server: { authenticatePeer: { methods, name: 'gateway' } },
    client: { identity: { ...clientOptions().identity!, methods } },
  };
}

test('a link comes up with mschap-v2 and mppe-128', () => {
  const pair = new Pair().start().advance(1000);
  const { server, client } = pair;
  assert.equal(pair.areUp, true);
  assert.deepEqual(client.last('ip-up'), {
    kind: 'ip-up',
    localAddress: CLIENT_ADDRESS,
    peerAddress: SERVER_ADDRESS,
    dns: [DNS],
  });
  assert.deepEqual(server.last('ip-up'), {
    kind: 'ip-up',
    localAddress: SERVER_ADDRESS,
    peerAddress: CLIENT_ADDRESS,
    dns: [],
  });
  assert.deepEqual(client.last('lcp-up'), {
    kind: 'lcp-up',
    peerPfc: true,
    peerAcfc: true,
    peerMru: 1400,
  });
  assert.equal(client.last('authenticated')?.method, 'mschap-v2');
  assert.equal(server.last('login')?.attempt.username, 'User');
  assert.equal(hex(server.mppe('send')?.startKey), hex(client.mppe('receive')?.startKey));
  assert.equal(hex(server.mppe('receive')?.startKey), hex(client.mppe('send')?.startKey));
  assert.notEqual(hex(server.mppe('receive')?.startKey), hex(server.mppe('send')?.startKey));
  assert.equal(server.mppe('send')?.startKey.length, 16);
  assert.equal(server.mppe('send')?.stateful, false);
  assert.equal(server.last('authenticated'), undefined);
  assert.deepEqual(client.encryption, {
    send: { strength: 128, stateful: false },
    receive: { strength: 128, stateful: false },
  });
  assert.equal(client.isIpUp, true);
});

test('a quiet open link without keepalive asks for no time-out', () => {
  const pair = new Pair().start().advance(1000);
  assert.equal(pair.server.link.nextTimeout(), undefined);
  assert.equal(pair.client.link.nextTimeout(), undefined);
});

test('each login method, in its outcome and its keys', () => {
  const keyed: Record<AuthMethod, boolean> = {
    'mschap-v2': true,
    eap: true,
    mschap: true,
    chap: false,
    pap: false,
  };
  for (const [method, hasKeys] of Object.entries(keyed) as [AuthMethod, boolean][]) {
    const { server, client } = login([method]);
    const pair = new Pair({
      server: { ...server, ...mppe('optional') },
      client: { ...client, ...mppe('optional') },
    });
    pair.start().advance(1000);
    assert.ok(pair.areUp, method);
    assert.equal(pair.client.last('authenticated')?.method, method);
    assert.equal(pair.server.last('login')?.attempt.method, method);
    assert.equal(pair.server.mppe('send') !== undefined, hasKeys, method);
    assert.equal(
      hex(pair.server.mppe('send')?.startKey),
      hex(pair.client.mppe('receive')?.startKey),
    );
  }
});

test('a wrong password is refused with the same words as an unknown user, by each method', () => {
  for (const method of ['mschap-v2', 'eap', 'mschap', 'chap', 'pap'] as const) {
    const failures: string[] = [];
    for (const username of ['User', 'Nobody']) {
      const { server, client } = login([method]);
      const identity = {
        username,
        secret: Secret.fromPassword(username === 'User' ? 'wrong' : PASSWORD),
        methods: [method],
      };
      const pair = new Pair({ server, client: { ...client, identity } }).start().advance(2000);
      assert.equal(pair.client.cause?.code, 'AUTH_TOPEER_FAILED', `${method} ${username}`);
      assert.equal(pair.server.cause?.code, 'PEER_AUTH_FAILED', method);
      assert.equal(pair.server.last('ip-up'), undefined);
      assert.equal(pair.client.last('ip-up'), undefined);
      failures.push(pair.client.last('down')?.cause.detail ?? '');
    }
    assert.equal(failures[0], failures[1], method);
  }
});

test('refuse tells the caller nothing of the cause, and the link ends with it', () => {
  const pair = new Pair({ secret: Secret.fromPassword('other') }).start().advance(5000);
  assert.equal(pair.server.cause?.code, 'PEER_AUTH_FAILED');
  assert.equal(pair.server.all('down').length, 1);
  assert.equal(pair.server.outputs.at(-1)?.kind, 'down');
});

test('admit without a verified login is our own misuse', () => {
  const pair = new Pair({ decisionDelay: 60_000 }).start().advance(100);
  assert.equal(pair.server.all('login').length, 1);
  assert.throws(() => pair.server.link.admit(GRANT, pair.clock.now), /verified/);
  assert.equal(pair.server.last('ip-up'), undefined);
});

test('a login that nobody decides on times out', () => {
  const pair = new Pair({ decisionDelay: 600_000 }).start().advance(40_000);
  const codes = [pair.server.cause?.code, pair.client.cause?.code];
  assert.ok(codes.includes('AUTH_TIMEOUT'), codes.join());
  assert.equal(pair.server.last('ip-up'), undefined);
});

test('a decision that comes late still opens the link; repeated Responses meanwhile ask once', () => {
  const pair = new Pair({ decisionDelay: 8000 }).start().advance(9000);
  assert.equal(pair.areUp, true);
  assert.equal(pair.server.all('login').length, 1);
});

test('an NT hash serves MS-CHAP, and neither CHAP-MD5 nor PAP', () => {
  const ntHash = Secret.fromNtHash(Secret.fromPassword(PASSWORD).ntHash);
  for (const method of ['mschap-v2', 'eap', 'mschap', 'chap', 'pap'] as const) {
    const { server, client } = login([method]);
    const off = mppe('off');
    const pair = new Pair({
      secret: ntHash,
      server: { ...server, ...off },
      client: { ...client, ...off },
    });
    pair.start().advance(3000);
    assert.equal(pair.areUp, method !== 'chap' && method !== 'pap', method);
  }
});

test('methods: the first common one in order of the server, never one that is not allowed', () => {
  const cases: [readonly AuthMethod[], readonly AuthMethod[], AuthMethod | undefined][] = [
    [['mschap-v2', 'chap'], ['mschap-v2', 'chap'], 'mschap-v2'],
    [['mschap-v2', 'chap'], ['pap', 'chap'], 'chap'],
    [['mschap-v2', 'mschap', 'chap', 'pap'], ['pap'], 'pap'],
    [['pap', 'mschap-v2'], ['mschap-v2'], 'mschap-v2'],
    [['eap', 'mschap-v2'], ['mschap-v2'], 'mschap-v2'],
    [['eap', 'mschap-v2'], ['mschap-v2', 'eap'], 'eap'],
    [['mschap-v2'], ['eap'], undefined],
    [['eap'], ['mschap-v2'], undefined],
    [['mschap-v2'], ['pap', 'chap', 'mschap'], undefined],
    [['pap'], ['mschap-v2'], undefined],
  ];
  for (const [server, client, expected] of cases) {
    const pair = new Pair({
      server: { ...login(server).server, ...mppe('off') },
      client: { ...login(client).client, ...mppe('off') },
    });
    pair.start().advance(10_000);
    const name = `${server.join()} against ${client.join()}`;
    assert.equal(pair.client.last('authenticated')?.method, expected, name);
    if (expected !== undefined) continue;
    assert.equal(pair.areUp, false);
    assert.equal(pair.server.cause?.code, 'AUTH_METHOD_REFUSED', name);
    assert.equal(pair.client.cause?.code, 'AUTH_METHOD_REFUSED', name);
    assert.equal(pair.server.all('login').length, 0, name);
  }
});

test('a server that asks for no login is not trusted by a client that insists on a mutual one', () => {
  const server = serverOptions();
  const pair = new Pair({ client: mppe('off') });
  const eap = new Pair({ client: { ...login(['eap']).client, ...mppe('off') } });
  const open = new Pair({ client: { ...login(['mschap-v2', 'pap']).client, ...mppe('off') } });
  for (const [it, expected] of [
    [pair, 'SERVER_NOT_TRUSTED'],
    [eap, 'SERVER_NOT_TRUSTED'],
    [open, undefined],
  ] as const) {
    const bare = new Station({
      mru: server.mru,
      random: server.random,
      count: server.count,
      ipv6: false,
      ...mppe('off'),
      ip: { localAddress: SERVER_ADDRESS, peerAddress: CLIENT_ADDRESS, requestDns: false },
    });
    Object.assign(it, { server: bare });
    it.start().advance(3000);
    assert.equal(it.client.cause?.code, expected);
    assert.equal(it.client.isIpUp, expected === undefined);
  }
});

test('both ends log in to each other', () => {
  const client = {
    authenticatePeer: { methods: ['chap' as const], name: 'branch' },
    ip: { localAddress: CLIENT_ADDRESS, requestDns: false },
  };
  const server = {
    identity: { ...clientOptions().identity!, methods: ['chap' as const] },
    ip: { requestDns: false },
  };
  const clientGrant = { ...GRANT, localAddress: CLIENT_ADDRESS, peerAddress: SERVER_ADDRESS };
  const pair = new Pair({ server, client, clientGrant }).start().advance(1000);
  assert.equal(pair.areUp, true);
  assert.equal(pair.server.all('login').length, 1);
  assert.equal(pair.client.all('login').length, 1);
  assert.equal(pair.server.last('authenticated')?.method, 'chap');
  assert.equal(pair.client.last('authenticated')?.method, 'mschap-v2');
  assert.notEqual(pair.server.mppe('send'), undefined);
});

test('mppe policies: each against each', () => {
  type Policy = 'required' | 'optional' | 'off';
  const policies: Policy[] = ['required', 'optional', 'off'];
  const outcome = (server: Policy, client: Policy): string => {
    const both = [server, client];
    if (!both.includes('off')) return 'up 128';
    return both.includes('required') ? 'MPPE_REQUIRED PEER_TERMINATED' : 'up none';
  };
  for (const server of policies)
    for (const client of policies) {
      const pair = new Pair({ server: mppe(server), client: mppe(client) }).start().advance(10_000);
      const send = pair.server.mppe('send')?.strength ?? 'none';
      const codes = [pair.server.cause?.code, pair.client.cause?.code].sort().join(' ');
      const seen = pair.areUp ? `up ${send}` : codes;
      assert.equal(seen, outcome(server, client), `server ${server}, client ${client}`);
      assert.equal(
        hex(pair.server.mppe('send')?.startKey),
        hex(pair.client.mppe('receive')?.startKey),
      );
      assert.equal(
        hex(pair.client.mppe('send')?.startKey),
        hex(pair.server.mppe('receive')?.startKey),
      );
    }
});

test('mppe strengths: the best common one, or none', () => {
  const cases: [MppeStrength[], MppeStrength[], string][] = [
    [[128, 56, 40], [128, 56, 40], '128 128'],
    [[40], [128, 56, 40], '40 40'],
    [[56, 40], [128, 40], '40 40'],
    [[128, 56], [56, 40], '56 56'],
  ];
  for (const [server, client, expected] of cases)
    for (const policy of ['required', 'optional'] as const) {
      const pair = new Pair({ server: mppe(policy, server), client: mppe(policy, client) });
      pair.start().advance(10_000);
      const { send, receive } = pair.server.encryption;
      assert.equal(pair.areUp, true);
      assert.equal(`${send?.strength} ${receive?.strength}`, expected);
      const length = expected === '128 128' ? 16 : 8;
      assert.equal(pair.server.mppe('send')?.startKey.length, length);
      assert.equal(
        hex(pair.server.mppe('send')?.startKey),
        hex(pair.client.mppe('receive')?.startKey),
      );
    }
  const strict = new Pair({ server: mppe('required', [128]), client: mppe('required', [40]) });
  strict.start().advance(10_000);
  assert.equal(strict.areUp, false);
  assert.equal(
    [strict.server.cause?.code, strict.client.cause?.code].includes('MPPE_REQUIRED'),
    true,
  );
  const loose = new Pair({ server: mppe('optional', [128]), client: mppe('optional', [40]) });
  loose.start().advance(10_000);
  assert.equal(loose.areUp, true);
  assert.deepEqual(loose.server.encryption, { send: undefined, receive: undefined });
  assert.equal(loose.client.mppe('send'), undefined);
  assert.equal(loose.client.mppe('receive'), undefined);
});

test('stateful mode: only when both allow it and one asks', () => {
  const allowed = { policy: 'required', strengths: [128], stateful: true } as const;
  const run = (server: LinkOptions['mppe'], client: LinkOptions['mppe']): string => {
    const pair = new Pair({ server: { mppe: server }, client: { mppe: client } });
    pair.start().advance(5000);
    const { send, receive } = pair.server.encryption;
    return `${pair.areUp} ${send?.stateful} ${receive?.stateful}`;
  };
  assert.equal(run(allowed, allowed), 'true false false');
  assert.equal(run({ ...allowed, askStateful: true }, allowed), 'true true true');
  assert.equal(
    run({ ...allowed, askStateful: true }, { ...allowed, askStateful: true }),
    'true true true',
  );
  assert.equal(
    run({ ...allowed, askStateful: true }, { ...allowed, stateful: false }),
    'true false false',
  );
});

test('a login without keys cannot be encrypted: MPPE_NO_KEYS where it is required', () => {
  for (const method of ['chap', 'pap'] as const) {
    const { server, client } = login([method]);
    const pair = new Pair({ server, client: { ...client, ...mppe('off') } }).start().advance(5000);
    assert.equal(pair.server.cause?.code, 'MPPE_NO_KEYS');
    assert.equal(pair.server.last('ip-up'), undefined);
  }
});

test('MS-CHAPv1 gives 128 bits, and 40 where the LM hash is known', () => {
  const { server, client } = login(['mschap']);
  const run = (strengths: MppeStrength[], secret: Secret): number | undefined => {
    const options: PairOptions = {
      secret,
      server: { ...server, ...mppe('required', strengths) },
      client: { ...client, ...mppe('required', strengths) },
    };
    const pair = new Pair(options).start().advance(5000);
    assert.equal(
      hex(pair.server.mppe('send')?.startKey),
      hex(pair.client.mppe('receive')?.startKey),
    );
    return pair.server.encryption.send?.strength;
  };
  const password = Secret.fromPassword(PASSWORD);
  assert.equal(run([128, 40], password), 128);
  assert.equal(run([40], password), 40);
  assert.equal(run([40], Secret.fromNtHash(password.ntHash)), undefined);
});

test('mppe is set before the frame leaves that lets the peer use it, and ip-up comes last', () => {
  const pair = new Pair().start().advance(1000);
  for (const { outputs } of [pair.server, pair.client]) {
    const order = outputs.flatMap((output) => {
      if (output.kind === 'mppe') return [output.direction];
      if (output.kind === 'ip-up') return ['ip-up'];
      if (output.kind !== 'transmit' || output.frame[2] !== 0x80 || output.frame[3] !== 0xfd)
        return [];
      return [`ccp ${output.frame[4]}`];
    });
    assert.equal(order[order.indexOf('ccp 1') - 1], 'receive');
    assert.equal(order[order.indexOf('ccp 2') - 1], 'send');
    assert.equal(order.at(-1), 'ip-up');
  }
});

test('optional encryption is waited for 5 s where the peer is silent about it', () => {
  const pair = new Pair({ server: mppe('optional'), client: mppe('optional') });
  const isCcp = (frame: Uint8Array): boolean => frame[2] === 0x80 && frame[3] === 0xfd;
  const { link } = pair.server;
  const handleFrame = link.handleFrame.bind(link);
  let deaf = true;
  link.handleFrame = (frame, now) => {
    if (!(deaf && isCcp(frame))) handleFrame(frame, now);
  };
  pair.start().advance(4900);
  assert.equal(pair.server.last('ip-up'), undefined);
  pair.advance(4000);
  assert.equal(pair.areUp, true);
  assert.equal(pair.server.mppe('receive'), undefined);
  deaf = false;
  pair.advance(4000);
  // CCP that opens later is used all the same.
  assert.equal(pair.server.encryption.send?.strength, 128);
  assert.equal(hex(pair.server.mppe('send')?.startKey), hex(pair.client.mppe('receive')?.startKey));
  assert.equal(pair.areUp, true);
});

test('LCP keepalive: a silent peer is dead after the configured failures', () => {
  const keepalive = { failures: 3, interval: 10_000 };
  const pair = new Pair({ client: { keepalive } }).start().advance(60_000);
  assert.equal(pair.areUp, true);
  pair.faults = { loss: 1, repetition: 0, jitter: 0 };
  pair.advance(29_000);
  assert.equal(pair.client.last('down'), undefined);
  pair.advance(25_000);
  assert.equal(pair.client.cause?.code, 'PEER_DEAD');
  assert.equal(pair.client.all('ip-down').length, 1);
});

test('LCP keepalive: traffic is proof of life and spares the echoes', () => {
  const keepalive = { failures: 1, interval: 10_000 };
  const pair = new Pair({ client: { keepalive } }).start().advance(1000);
  const before = pair.client.frames.length;
  pair.faults = { loss: 1, repetition: 0, jitter: 0 };
  for (let at = 0; at < 20; at++) {
    pair.client.link.handleTraffic(pair.clock.now);
    pair.advance(9000);
  }
  assert.equal(pair.client.frames.length, before);
  assert.equal(pair.client.cause, undefined);
});

test('LCP keepalive, always: traffic does not spare the echoes', () => {
  const keepalive = { failures: 1, interval: 10_000, always: true } as const;
  const pair = new Pair({ client: { keepalive } }).start().advance(1000);
  const before = pair.client.frames.length;
  for (let at = 0; at < 10; at++) {
    pair.client.link.handleTraffic(pair.clock.now);
    pair.advance(9000);
  }
  assert.equal(pair.client.frames.length, before + 9);
  assert.equal(pair.areUp, true);
});

test('close says goodbye and ends both ends; within 4 s even if nobody answers', () => {
  const pair = new Pair().start().advance(1000);
  pair.client.link.close(cause('USER_REQUEST'), pair.clock.now);
  pair.advance(2000);
  assert.equal(pair.client.cause?.code, 'USER_REQUEST');
  assert.equal(pair.server.cause?.code, 'PEER_TERMINATED');
  for (const { outputs } of [pair.client, pair.server]) {
    const kinds = outputs.map((output) => output.kind);
    assert.equal(kinds.lastIndexOf('ip-down') > kinds.lastIndexOf('ip-up'), true);
    assert.equal(kinds.at(-1), 'down');
    assert.equal(kinds.filter((kind) => kind === 'down').length, 1);
  }
  assert.equal(pair.server.mppe('send'), undefined);

  const deaf = new Pair().start().advance(1000);
  deaf.faults = { loss: 1, repetition: 0, jitter: 0 };
  deaf.client.link.close(cause('SHUTDOWN'), deaf.clock.now);
  deaf.advance(4000);
  assert.equal(deaf.client.cause?.code, 'SHUTDOWN');
});

test('close and loss of the call at every moment of the set-up', () => {
  for (let time = 0; time <= 300; time += 5) {
    const closed = new Pair().start().advance(time);
    closed.server.link.close(cause('SHUTDOWN'), closed.clock.now);
    closed.advance(4000);
    assert.equal(closed.server.cause?.code, 'SHUTDOWN', `${time}`);
    assert.notEqual(closed.client.cause, undefined, `${time}`);

    const lost = new Pair().start().advance(time);
    lost.client.link.handleLowerDown(cause('HANGUP'), lost.clock.now);
    lost.advance(10);
    assert.equal(lost.client.cause?.code, 'HANGUP');
    assert.equal(lost.client.all('ip-up').length, lost.client.all('ip-down').length);
    assert.equal(lost.client.link.nextTimeout(), undefined);
  }
});

test('nobody answers: LCP_TIMEOUT after three quick requests and ten', () => {
  const pair = new Pair({ faults: { loss: 1, repetition: 0, jitter: 0 } }).start().advance(3_400);
  assert.equal(pair.client.frames.length, 3);
  pair.advance(29_000);
  assert.equal(pair.client.last('down'), undefined);
  pair.advance(2000);
  assert.equal(pair.client.cause?.code, 'LCP_TIMEOUT');
  assert.equal(pair.client.frames.length, 13);
});

test('a link that leads back to itself is found', () => {
  const pair = new Pair();
  const { client, clock } = pair;
  client.link.handleLowerUp(clock.now);
  for (let at = 0; at < 20 && client.cause === undefined; at++) {
    for (let output; (output = client.link.poll()) !== undefined;) {
      client.outputs.push(output);
      if (output.kind === 'transmit') client.link.handleFrame(output.frame, clock.now);
    }
  }
  assert.equal(client.cause?.code, 'LOOPBACK');
});

test('IPV6CP: identifiers, or a Protocol-Reject where it is off', () => {
  const both = new Pair({ server: { ipv6: true }, client: { ipv6: true } }).start().advance(1000);
  const server = both.server.last('ipv6-up');
  const client = both.client.last('ipv6-up');
  assert.equal(hex(server?.localIdentifier), hex(client?.peerIdentifier));
  assert.equal(hex(client?.localIdentifier), hex(server?.peerIdentifier));
  assert.notEqual(hex(client?.localIdentifier), hex(server?.localIdentifier));
  const one = new Pair({ server: { ipv6: true } }).start().advance(1000);
  assert.equal(one.areUp, true);
  assert.equal(one.server.last('ipv6-up'), undefined);
  assert.equal(one.server.link.nextTimeout(), undefined);
});

test('IPV6CP: not where IPv6 does not fit, whose packets of 1280 octets every link must carry', () => {
  for (const [policy, mru, isUp] of [
    ['off', 1280, true],
    ['off', 1279, false],
    ['required', 1284, true],
    ['required', 1283, false],
  ] as const) {
    const { server, client } = login(['mschap-v2']);
    const pair = new Pair({
      server: { ...server, ...mppe(policy), ipv6: true, mru },
      client: { ...client, ...mppe(policy), ipv6: true },
    });
    pair.start().advance(10_000);
    assert.equal(pair.areUp, true);
    for (const end of [pair.server, pair.client])
      assert.equal(end.last('ipv6-up') !== undefined, isUp, `${policy} ${mru}`);
  }
});

test('IPV6CP: equal and zero identifiers are Naked until they differ', () => {
  const interfaceIdentifier = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 5);
  for (const identifier of [interfaceIdentifier, new Uint8Array(8)]) {
    const pair = new Pair({
      server: { ipv6: true, interfaceIdentifier },
      client: { ipv6: true, interfaceIdentifier: identifier },
    });
    pair.start().advance(10_000);
    const server = pair.server.last('ipv6-up');
    assert.notEqual(server, undefined);
    assert.notEqual(hex(server!.localIdentifier), hex(server!.peerIdentifier));
  }
});

test('IPCP: a caller gets its granted address, whatever it asks for', () => {
  const ip = { localAddress: 0x0a000001, requestDns: true };
  const pair = new Pair({ client: { ip } }).start().advance(1000);
  assert.equal(pair.client.last('ip-up')?.localAddress, CLIENT_ADDRESS);
  assert.equal(pair.server.last('ip-up')?.peerAddress, CLIENT_ADDRESS);
});

test('over a line that loses, repeats and reorders, links come up with equal keys or end', () => {
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.integer({ min: 1, max: 1e6 }),
        loss: fc.double({ min: 0, max: 0.3, noNaN: true }),
        repetition: fc.double({ min: 0, max: 0.2, noNaN: true }),
        jitter: fc.integer({ min: 0, max: 200 }),
        method: fc.constantFrom<AuthMethod>('mschap-v2', 'mschap', 'chap', 'pap'),
        policy: fc.constantFrom<'required' | 'optional' | 'off'>('required', 'optional', 'off'),
      }),
      ({ seed, loss, repetition, jitter, method, policy }) => {
        const { server, client } = login([method]);
        const chosen = method.startsWith('mschap') ? policy : 'off';
        const pair = new Pair({
          seed,
          faults: { loss, repetition, jitter },
          server: { ...server, ...mppe(chosen), ipv6: true },
          client: { ...client, ...mppe(chosen), ipv6: true },
        });
        pair.start().advance(60_000);
        pair.faults = { loss: 0, repetition: 0, jitter: 0 };
        pair.advance(30_000);
        if (pair.server.cause === undefined && pair.client.cause === undefined) {
          assert.equal(pair.areUp, true);
          assert.equal(
            hex(pair.server.mppe('send')?.startKey),
            hex(pair.client.mppe('receive')?.startKey),
          );
          assert.equal(
            hex(pair.client.mppe('send')?.startKey),
            hex(pair.server.mppe('receive')?.startKey),
          );
          if (chosen === 'required') assert.equal(pair.server.mppe('send')?.strength, 128);
        }
        for (const { outputs } of [pair.server, pair.client])
          assertNoPlaintext(outputs, chosen === 'required');
      },
    ),
    { numRuns: 150 },
  );
});

test('an optional encryption that one end gave up and the other has open is negotiated again', () => {
  const { server, client } = login(['mschap-v2']);
  const pair = new Pair({
    server: { ...server, ...mppe('optional') },
    client: { ...client, ...mppe('optional') },
  });
  const ack = 'ff0380fd02';
  pair.isLost = (frame, to) => to === pair.client && hex(frame).startsWith(ack);
  pair.start().advance(60_000);
  assert.equal(pair.areUp, true);
  assert.equal(pair.client.mppe('receive'), undefined);
  pair.isLost = () => false;
  pair.advance(40_000);
  assert.equal(pair.areUp, true);
  for (const [from, to] of [
    [pair.server, pair.client],
    [pair.client, pair.server],
  ] as const) {
    assert.equal(from.mppe('send')?.strength, 128);
    assert.deepEqual(from.mppe('send'), to.mppe('receive'));
  }
});

test('with little loss every link comes up', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const faults = { loss: 0.1, repetition: 0, jitter: 60 };
    const pair = new Pair({ seed, faults }).start().advance(45_000);
    pair.faults = { loss: 0, repetition: 0, jitter: 0 };
    pair.advance(15_000);
    assert.ok(pair.areUp, `seed ${seed}: ${pair.server.cause?.code} ${pair.client.cause?.code}`);
  }
});

/** IP is up only while both directions are encrypted, and ups and downs alternate. */
function assertNoPlaintext(outputs: readonly { kind: string }[], required: boolean): void {
  const on = { send: false, receive: false };
  let isUp = false;
  for (const output of outputs as Pair['server']['outputs']) {
    if (output.kind === 'mppe') on[output.direction] = output.mppe !== undefined;
    if (output.kind === 'ip-up') {
      assert.equal(isUp, false);
      isUp = true;
    }
    if (output.kind === 'ip-down') {
      assert.equal(isUp, true);
      isUp = false;
    }
    if (required && isUp) assert.ok(on.send && on.receive, 'plaintext');
  }
}
