/** What real peers do, played by hand: pppd, Windows, accel-ppp. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Secret } from '../../src/crypto/secret.ts';
import { Login } from '../../src/ppp/authentication/login.ts';
import type { LinkOptions } from '../../src/ppp/options.ts';
import { encodeControlPacket } from '../../src/wire/control-packet.ts';
import { PppProtocol } from '../../src/wire/ppp-frame.ts';
import { clientOptions, GRANT, PASSWORD, seededOctets, serverOptions } from '../support/link.ts';
import { admitted, ascii, respond, responding, serverProof } from '../support/logins.ts';
import { PeerScript } from '../support/peer-script.ts';

const { Lcp, Chap, Pap, Ccp, Ipcp, Ipv6cp } = PppProtocol;
const GRANTED = 'c0a8630a';

/** CCP with one stateless choice of 128 bits both ways. */
function openCcp(peer: PeerScript): void {
  peer.ackRequest(Ccp);
  peer.send(Ccp, 1, 1, '1206 01000040');
  peer.expect(Ccp, 2, 1, '1206 01000040');
}

test('Windows: CBCP, MRRU and endpoint are rejected, Identification ignored, union MPPE and WINS', () => {
  const peer = new PeerScript(serverOptions());
  const request = peer.expect(Lcp, 1);
  peer.send(
    Lcp,
    1,
    0,
    '01040578 0506 11223344 0702 0802 0d0306 11040640 1202 1309 01 010203040506',
  );
  peer.expect(Lcp, 4, 0, '0d0306 11040640 1202 1309 01 010203040506');
  peer.send(Lcp, 1, 1, '01040578 0506 11223344 0702 0802');
  peer.expect(Lcp, 2, 1, '01040578 0506 11223344 0702 0802');
  peer.send(Lcp, 2, request.identifier, request.data);
  peer.send(Lcp, 12, 2, `11223344${ascii('MSRASV5.20')}`);
  peer.send(Lcp, 12, 3, `11223344${ascii('MSRAS-0-HOST')}`);
  peer.send(Lcp, 13, 4, '11223344 00000000');
  const { identifier } = respond(peer, 'DOMAIN\\User');
  const { attempt } = peer.login;
  assert.equal(attempt.username, 'DOMAIN\\User');
  assert.equal(attempt.bareUsername, 'User');
  assert.equal(attempt.verify(Secret.fromPassword(PASSWORD)), true);
  peer.admit(GRANT);
  const success = peer.expect(Chap, 3, identifier);
  assert.match(Buffer.from(success.data, 'hex').toString('latin1'), /^S=[0-9A-F]{40} M=/);
  peer.ackRequest(Ccp);
  // +H +M +S +L -D +C: one choice of ours.
  peer.send(Ccp, 1, 4, '1206 010000e1');
  peer.expect(Ccp, 3, 4, '1206 01000040');
  peer.send(Ccp, 1, 5, '1206 01000040');
  peer.expect(Ccp, 2, 5, '1206 01000040');
  peer.ackRequest(Ipcp);
  peer.send(Ipcp, 1, 6, '0306 00000000 8106 00000000 8206 00000000 8306 00000000 8406 00000000');
  peer.expect(Ipcp, 4, 6, '8206 00000000 8306 00000000 8406 00000000');
  peer.send(Ipcp, 1, 7, '0306 00000000 8106 00000000');
  peer.expect(Ipcp, 3, 7, `0306 ${GRANTED} 8106 08080808`);
  peer.send(Ipcp, 1, 8, `0306 ${GRANTED} 8106 08080808`);
  peer.expect(Ipcp, 2, 8);
  assert.equal(peer.isIpUp, true);
  peer.expectNothing();
});

test('Windows 98 (flags 4): the Success has no M=', () => {
  const peer = admitted({}, 'User', 4);
  const { data } = peer.expect(Chap, 3);
  assert.match(Buffer.from(data, 'hex').toString('latin1'), /^S=[0-9A-F]{40}$/);
});

test('a repeated Response gets the same Success, before and after the network phase begins', () => {
  const peer = new PeerScript(serverOptions()).openLcp();
  const { identifier, data } = respond(peer);
  peer.send(Chap, 2, identifier, data);
  assert.equal(peer.all('login').length, 1);
  peer.login.attempt.verify(Secret.fromPassword(PASSWORD));
  peer.admit(GRANT);
  const first = peer.expect(Chap, 3, identifier);
  peer.expect(Ccp, 1);
  peer.send(Chap, 2, identifier, data);
  peer.expect(Chap, 3, identifier, first.data);
  peer.send(Chap, 2, (identifier + 1) & 0xff, data);
  peer.expectNothing();
  assert.equal(peer.all('login').length, 1);
});

test('only a caller that has proved its password learns why it is refused, by each method', () => {
  const told = { errorCode: 649, message: 'The server is full' };
  const refused = (method: Login['method'], password: string): string => {
    const right = Secret.fromPassword(PASSWORD);
    const peer = new PeerScript({
      ...serverOptions(),
      authenticatePeer: { methods: [method], name: 'gateway' },
    });
    peer.openLcp('0506aabbccdd');
    const login = new Login(
      method,
      { username: 'User', secret: Secret.fromPassword(password) },
      { random: seededOctets(5), count: () => undefined },
      0,
    );
    const protocol = method === 'pap' ? Pap : Chap;
    if (method !== 'pap') {
      const { code, identifier, data } = peer.expect(Chap, 1);
      const octets = Buffer.from(data, 'hex');
      login.handlePayload(Chap, encodeControlPacket({ code, identifier, data: octets }), 0);
    }
    for (let output; (output = login.poll()) !== undefined;)
      if (output.kind === 'transmit') peer.sendFrame(output.frame);
    assert.equal(peer.login.attempt.verify(right), password === PASSWORD);
    peer.act((link, now) => link.refuse({ code: 'TOO_MANY_SESSIONS' }, now, told));
    const { data } = peer.expect(protocol, method === 'pap' ? 3 : 4);
    return Buffer.from(data, 'hex').toString('latin1');
  };
  for (const method of ['mschap-v2', 'mschap'] as const) {
    assert.match(refused(method, PASSWORD), /^E=649 R=0 C=[0-9A-F]+ V=[23] M=The server is full$/);
    assert.match(
      refused(method, 'guess'),
      /^E=691 R=0 C=[0-9A-F]+ V=[23] M=Authentication failed$/,
    );
  }
  for (const method of ['chap', 'pap'] as const) {
    assert.match(refused(method, PASSWORD), /The server is full$/);
    assert.match(refused(method, 'guess'), /Authentication failed$/);
  }
});

test('a refused caller learns E=691 R=0 C= V=3, the same when it repeats itself', () => {
  const peer = new PeerScript(serverOptions()).openLcp();
  const { identifier, data } = respond(peer);
  peer.act((link, now) => link.refuse({ code: 'ACCOUNT_DISABLED' }, now));
  const failure = peer.expect(Chap, 4, identifier);
  const text = Buffer.from(failure.data, 'hex').toString('latin1');
  assert.match(text, /^E=691 R=0 C=[0-9A-F]{32} V=3 M=/);
  peer.send(Chap, 2, identifier, data);
  peer.expect(Chap, 4, identifier, failure.data);
  peer.wait(1900).expectNothing();
  peer.wait(200).expect(Lcp, 5);
  peer.wait(3000);
  assert.equal(peer.cause?.code, 'ACCOUNT_DISABLED');
});

test('a refused caller that hangs up itself, or starts LCP again, is out all the same', () => {
  for (const packet of [
    [5, ''],
    [1, '0506 aabbccdd'],
  ] as const) {
    const peer = new PeerScript(serverOptions()).openLcp();
    respond(peer);
    peer.act((link, now) => link.refuse({ code: 'PEER_AUTH_FAILED' }, now));
    peer.send(Lcp, packet[0], 9, packet[1]);
    const request = peer.answers().find(({ code, protocol }) => protocol === Lcp && code === 1);
    if (request !== undefined) peer.send(Lcp, 2, request.identifier, request.data);
    peer.wait(10_000);
    assert.equal(peer.cause?.code, 'PEER_AUTH_FAILED');
    assert.equal(peer.all('login').length, 1);
  }
});

test('pppd as a client: asks one choice, VJ is rejected, addresses are Naked, two Terminate-Requests', () => {
  const peer = admitted();
  peer.expect(Chap, 3);
  openCcp(peer);
  peer.ackRequest(Ipcp);
  peer.send(Ipcp, 1, 1, '0206 002d0f01 0306 00000000 8106 00000000 8306 00000000');
  peer.expect(Ipcp, 4, 1, '0206 002d0f01 8306 00000000');
  peer.send(Ipcp, 1, 2, '0306 00000000 8106 00000000');
  peer.expect(Ipcp, 3, 2, `0306 ${GRANTED} 8106 08080808`);
  peer.send(Ipcp, 1, 3, `0306 ${GRANTED} 8106 08080808`);
  peer.expect(Ipcp, 2, 3);
  assert.equal(peer.isIpUp, true);
  // IPV6CP and IPXCP are not spoken here.
  peer.send(Ipv6cp, 1, 1, '010a 0000000000000005');
  assert.equal(peer.expect(Lcp, 8).data, '8057 0101000e 010a0000000000000005'.replaceAll(' ', ''));
  peer.send(PppProtocol.Ipxcp, 1, 1);
  assert.equal(peer.expect(Lcp, 8).data, '802b01010004');
  peer.send(Lcp, 5, 2).send(Lcp, 5, 3);
  peer.expect(Lcp, 6, 2);
  peer.expect(Lcp, 6, 3);
  assert.equal(peer.all('ip-down').length, 1);
  peer.wait(2000);
  assert.equal(peer.cause?.code, 'PEER_TERMINATED');
});

test('an address that was not granted is never acked', () => {
  const peer = admitted({ mppe: { policy: 'off', strengths: [], stateful: false } });
  peer.expect(Chap, 3);
  peer.ackRequest(Ipcp);
  for (let identifier = 1; identifier <= 5; identifier++) {
    peer.send(Ipcp, 1, identifier, '0306 0a000001');
    peer.expect(Ipcp, 3, identifier, `0306 ${GRANTED}`);
  }
  // Max-Failure: what is asked for without end is rejected, then nothing is left to talk about.
  for (let identifier = 6; peer.cause === undefined && identifier < 40; identifier++) {
    peer.send(Ipcp, 1, identifier, '0306 0a000001');
    assert.equal(
      !peer.answers().some(({ protocol, code }) => protocol === Ipcp && code === 2),
      true,
    );
    peer.wait(300);
  }
  assert.equal(peer.cause?.code, 'IPCP_FAILED');
  assert.equal(peer.last('ip-up'), undefined);
});

test('a caller that asks for no address is told it once and then has it silently', () => {
  const peer = admitted({ mppe: { policy: 'off', strengths: [], stateful: false } });
  peer.expect(Chap, 3);
  peer.ackRequest(Ipcp);
  peer.send(Ipcp, 1, 1, '');
  peer.expect(Ipcp, 3, 1, `0306 ${GRANTED}`);
  peer.send(Ipcp, 1, 2, '');
  peer.expect(Ipcp, 2, 2, '');
  assert.equal(peer.last('ip-up')?.peerAddress, GRANT.peerAddress);
});

test('accel: rejects ACCM, PFC and ACFC; starts IPCP together with CCP, whose request is kept', () => {
  const peer = new PeerScript(clientOptions());
  const request = peer.expect(Lcp, 1);
  assert.match(request.data, /0702/);
  peer.send(Lcp, 4, request.identifier, '0702 0802');
  const again = peer.expect(Lcp, 1);
  assert.equal(!again.data.includes('07020802'), true);
  peer.send(Lcp, 1, 1, '0104059c 0506 01020304 0305 c223 81');
  peer.expect(Lcp, 2, 1);
  peer.send(Lcp, 2, again.identifier, again.data);
  // An empty name.
  peer.send(Chap, 1, 7, `10${'42'.repeat(16)}`);
  const response = peer.expect(Chap, 2, 7);
  assert.equal(response.data.slice(100), ascii('User'));
  peer.send(Chap, 1, 7, `10${'42'.repeat(16)}`);
  peer.expect(Chap, 2, 7, response.data);
  // Wrong until the server proves itself.
  assert.equal(peer.last('authenticated'), undefined);
  const proof = serverProof(response.data);
  peer.send(Chap, 3, 7, ascii(proof));
  assert.equal(peer.last('authenticated')?.method, 'mschap-v2');
  // CCP and IPCP of the peer at once, before ours.
  const ours = peer.expect(Ccp, 1);
  assert.equal(ours.data, '120601000040');
  peer.send(Ccp, 1, 1, '1206 01000040');
  peer.send(Ipcp, 1, 1, '0306 c0a86301');
  peer.expect(Ccp, 2, 1);
  peer.expectNothing();
  peer.send(Ccp, 2, ours.identifier, ours.data);
  const address = peer.expect(Ipcp, 1);
  assert.equal(address.data, '030600000000810600000000830600000000');
  peer.expect(Ipcp, 2, 1, '0306 c0a86301');
  peer.send(Ipcp, 4, address.identifier, '8106 00000000 8306 00000000');
  const bare = peer.expect(Ipcp, 1, undefined, '0306 00000000');
  peer.send(Ipcp, 3, bare.identifier, '0306 c0a8630a');
  peer.ackRequest(Ipcp);
  assert.deepEqual(peer.last('ip-up'), {
    kind: 'ip-up',
    localAddress: 0xc0a8630a,
    peerAddress: 0xc0a86301,
    dns: [],
  });
});

test('a Success that proves nothing ends the link: SERVER_NOT_TRUSTED', () => {
  const { proof } = responding();
  const wrong = proof.replace(/^S=./, (start) => (start === 'S=0' ? 'S=1' : 'S=0'));
  for (const message of ['', 'M=Welcome', wrong, proof.slice(0, 41), `S=${'0'.repeat(40)}`]) {
    const { peer } = responding();
    peer.send(Chap, 3, 7, ascii(message));
    assert.equal(peer.last('authenticated'), undefined, message);
    peer.wait(3000);
    assert.equal(peer.cause?.code, 'SERVER_NOT_TRUSTED', message);
    assert.equal(peer.last('ip-up'), undefined);
  }
});

test('a Success with M= joined on, without it, or in small letters is taken', () => {
  const { proof } = responding();
  const digest = proof.slice(0, 42);
  for (const message of [
    digest,
    `${digest}M=hi`,
    `${digest} M=hi`,
    `S=${digest.slice(2).toLowerCase()}`,
  ]) {
    const { peer } = responding();
    peer.send(Chap, 3, 7, ascii(message));
    assert.equal(peer.last('authenticated')?.method, 'mschap-v2', message);
  }
});

test('a server that just goes on without Success gets no further', () => {
  const { peer } = responding({ mppe: { policy: 'off', strengths: [], stateful: false } });
  peer.send(Ipcp, 1, 1, '0306 c0a86301');
  peer.expectNothing();
  peer.send(Chap, 3, 8, ascii('S=whatever')).expectNothing();
  peer.wait(31_000);
  assert.equal(
    peer.answers().every(({ protocol }) => protocol === Chap || protocol === Lcp),
    true,
  );
  peer.wait(3000);
  assert.equal(peer.cause?.code, 'AUTH_TIMEOUT');
});

test('a server challenges again later: answered, and a Failure then ends the link', () => {
  const { peer, proof } = responding();
  peer.send(Chap, 3, 7, ascii(proof));
  peer.expect(Ccp, 1);
  peer.send(Chap, 1, 8, `10${'42'.repeat(16)}`);
  const again = peer.expect(Chap, 2, 8);
  peer.send(Chap, 3, 8, ascii(serverProof(again.data)));
  assert.equal(peer.all('authenticated').length, 1);
  peer.send(Chap, 1, 9, `10${'43'.repeat(16)}`);
  peer.expect(Chap, 2, 9);
  peer.send(Chap, 4, 9, ascii('E=647 R=0 C=00 V=3 M=Disabled\r\n'));
  peer.wait(3000);
  assert.deepEqual(peer.cause, {
    code: 'LOGIN_DENIED',
    detail: 'error 647, account disabled: Disabled',
  });
});

test('EAP is answered with a Nak that names our best method, and a weaker one, too', () => {
  const methods = ['mschap-v2', 'chap'] as const;
  const peer = new PeerScript({
    ...clientOptions(),
    identity: { ...clientOptions().identity!, methods },
  });
  peer.expect(Lcp, 1);
  peer.send(Lcp, 1, 1, '0304 c227');
  peer.expect(Lcp, 3, 1, '0305 c223 81');
  peer.send(Lcp, 1, 2, '0304 c023');
  peer.expect(Lcp, 3, 2, '0305 c223 81');
  peer.send(Lcp, 1, 3, '0305 c223 80');
  peer.expect(Lcp, 3, 3, '0305 c223 81');
  peer.send(Lcp, 1, 4, '0305 c223 05');
  peer.expect(Lcp, 2, 4);
});

test('a peer that insists on PAP never gets it', () => {
  const peer = new PeerScript(clientOptions());
  peer.expect(Lcp, 1);
  for (let identifier = 1; peer.cause === undefined && identifier < 50; identifier++) {
    peer.send(Lcp, 1, identifier, '0304 c023').wait(100);
    assert.equal(
      !peer.answers().some(({ code, identifier: own }) => code === 2 && own === identifier),
      true,
    );
  }
  assert.notEqual(peer.cause, undefined);
});

test('we have no identity: a demand to log in is rejected', () => {
  const peer = new PeerScript(serverOptions());
  peer.expect(Lcp, 1);
  peer.send(Lcp, 1, 1, '0305 c223 81');
  peer.expect(Lcp, 4, 1, '0305 c223 81');
});

test('MPPE: what is asked and what is answered', () => {
  type Policy = LinkOptions['mppe'];
  const required: Policy = { policy: 'required', strengths: [128], stateful: false };
  const optional: Policy = { ...required, policy: 'optional' };
  const all: Policy = { ...required, strengths: [128, 56, 40] };
  const weak: Policy = { ...required, strengths: [40] };
  const stateful: Policy = { ...required, stateful: true };
  const cases: [string, Policy, string, number, string][] = [
    ['single choice', required, '1206 01000040', 2, '1206 01000040'],
    ['union', required, '1206 01000060', 3, '1206 01000040'],
    ['union with C and D', required, '1206 010000f1', 3, '1206 01000040'],
    ['single with C', required, '1206 01000041', 3, '1206 01000040'],
    ['40 only, 128 required', required, '1206 01000020', 3, '1206 01000040'],
    ['40 only, 40 allowed', all, '1206 01000020', 2, '1206 01000020'],
    ['union, 40 allowed', weak, '1206 010000e0', 3, '1206 01000020'],
    ['56 only', all, '1206 01000080', 2, '1206 01000080'],
    ['stateful, not allowed', required, '1206 00000040', 3, '1206 01000040'],
    ['stateful, allowed', stateful, '1206 00000040', 2, '1206 00000040'],
    ['stateful union, allowed', stateful, '1206 00000060', 3, '1206 00000040'],
    ['all off, required', required, '1206 00000000', 3, '1206 01000040'],
    ['all off, optional', optional, '1206 00000000', 2, '1206 00000000'],
    ['only MPPC, optional', optional, '1206 00000001', 3, '1206 01000040'],
    ['nothing, required', required, '', 3, '1206 01000040'],
    ['nothing, optional', optional, '', 2, ''],
    [
      'deflate and BSD',
      required,
      '1206 01000040 1a04 7800 1804 7800 1503 2f',
      4,
      '1a04 7800 1804 7800 1503 2f',
    ],
    ['MPPE of a wrong length', required, '1204 0100', 4, '1204 0100'],
    ['MPPE twice', required, '1206 01000040 1206 01000020', 4, '1206 01000020'],
  ];
  for (const [name, mppe, asked, code, answer] of cases) {
    const peer = admitted({ mppe });
    peer.expect(Chap, 3);
    peer.expect(Ccp, 1);
    peer.send(Ccp, 1, 9, asked);
    const packet = peer.expect(Ccp, code, 9);
    assert.equal(packet.data, answer.replaceAll(' ', ''), name);
  }
});

test('MPPE required: a peer that rejects, protocol-rejects, terminates or ignores it ends the link', () => {
  const endings: [string, (peer: PeerScript) => void][] = [
    [
      'MPPE_REQUIRED',
      (peer) => {
        const { identifier, data } = peer.expect(Ccp, 1);
        peer.send(Ccp, 4, identifier, data);
      },
    ],
    [
      'MPPE_REQUIRED',
      (peer) => {
        peer.send(Lcp, 8, 1, '80fd 0101000a 120601000040');
      },
    ],
    [
      'MPPE_REQUIRED',
      (peer) => {
        peer.send(Ccp, 5, 1);
      },
    ],
    [
      'MPPE_REQUIRED',
      (peer) => {
        const { identifier } = peer.expect(Ccp, 1);
        peer.send(Ccp, 3, identifier, '1206 01000020');
      },
    ],
    [
      'CCP_TIMEOUT',
      (peer) => {
        peer.wait(31_000);
      },
    ],
  ];
  for (const [code, end] of endings) {
    const peer = admitted();
    peer.expect(Chap, 3);
    end(peer);
    peer.wait(4000);
    assert.equal(peer.cause?.code, code);
    assert.equal(peer.last('ip-up'), undefined);
    assert.equal(!peer.answers().some(({ protocol }) => protocol === Ipcp), true);
  }
});

test('MPPE optional: refused in whatever way, IP goes on without it', () => {
  const mppe = { policy: 'optional', strengths: [128], stateful: false } as const;
  const refusals: ((peer: PeerScript) => void)[] = [
    (peer) => {
      const { identifier, data } = peer.expect(Ccp, 1);
      peer.send(Ccp, 4, identifier, data);
    },
    (peer) => {
      peer.send(Lcp, 8, 1, '80fd 0101000a 120601000040');
    },
    (peer) => {
      peer.send(Ccp, 5, 1);
    },
    (peer) => {
      peer.wait(5000);
    },
  ];
  for (const refuse of refusals) {
    const peer = admitted({ mppe });
    peer.expect(Chap, 3);
    refuse(peer);
    const request = peer.answers().find(({ protocol, code }) => protocol === Ipcp && code === 1);
    assert.ok(request !== undefined, 'IPCP did not start');
    peer.send(Ipcp, 2, request.identifier, request.data);
    peer.send(Ipcp, 1, 1, `0306 ${GRANTED}`);
    assert.equal(peer.isIpUp, true);
    assert.equal(peer.mppe('send'), undefined);
    assert.equal(peer.mppe('receive'), undefined);
  }
});

test('CCP that starts again on an open link: IP stops, keys and counts start anew, IP goes on', () => {
  const peer = admitted();
  peer.expect(Chap, 3);
  openCcp(peer);
  peer.ackRequest(Ipcp);
  peer.send(Ipcp, 1, 1, `0306 ${GRANTED}`);
  const key = peer.mppe('send')?.startKey;
  const before = peer.outputs.length;
  peer.answers();
  peer.send(Ccp, 1, 2, '1206 01000040');
  peer.ackRequest(Ccp);
  const kinds = peer.outputs.slice(before).map((output) => {
    if (output.kind === 'mppe')
      return `${output.direction} ${output.mppe === undefined ? 'off' : 'on'}`;
    return output.kind;
  });
  assert.deepEqual(kinds, [
    'ip-down',
    'send off',
    'receive off',
    'receive on',
    'transmit',
    'send on',
    'transmit',
    'ip-up',
  ]);
  assert.deepEqual(peer.mppe('send')?.startKey, key);
});

test('Reset-Request is acked with its identifier and flushes; our own are sent one at a time, at most one a second unless answered', () => {
  const mppe = { policy: 'required', strengths: [128], stateful: true, askStateful: true } as const;
  const peer = admitted({ mppe });
  peer.expect(Chap, 3);
  peer.act((link, now) => link.handleDesynchronized(now));
  peer.ackRequest(Ccp);
  peer.send(Ccp, 14, 77).send(Ccp, 15, 1);
  peer.expectNothing();
  // Stateful is suggested once; a peer that insists on stateless gets it.
  peer.send(Ccp, 1, 1, '1206 01000040');
  peer.expect(Ccp, 3, 1, '1206 00000040');
  peer.send(Ccp, 1, 2, '1206 01000040');
  peer.expect(Ccp, 2, 2);
  peer.answers();
  peer.send(Ccp, 14, 77);
  peer.expect(Ccp, 15, 77);
  assert.equal(peer.all('flush').length, 1);
  const stale = () =>
    peer.all('counted').filter(({ what }) => what.endsWith('stale-answer')).length;
  for (let at = 0; at < 5; at++) peer.act((link, now) => link.handleDesynchronized(now));
  const { identifier } = peer.expect(Ccp, 14);
  peer.answers().forEach(({ protocol }) => assert.notEqual(protocol, Ccp));
  peer.send(Ccp, 15, identifier + 1);
  assert.equal(stale(), 1);
  peer.wait(1000).act((link, now) => link.handleDesynchronized(now));
  peer.expect(Ccp, 14, identifier);
  peer.send(Ccp, 15, identifier).send(Ccp, 15, identifier);
  assert.equal(stale(), 2);
  peer.act((link, now) => link.handleDesynchronized(now));
  peer.expectNothing();
  peer.wait(50).act((link, now) => link.handleDesynchronized(now));
  peer.expect(Ccp, 14, (identifier + 1) & 0xff);
});

test('echo is answered before the login, with our own magic number and within the MRU of the peer', () => {
  const peer = new PeerScript(serverOptions());
  const { identifier, data } = peer.expect(Lcp, 1);
  const magic = /0506(.{8})/.exec(data)![1]!;
  peer.send(Lcp, 9, 1, '01020304').expectNothing();
  // An MRU of 200 is Naked once; the peer insists.
  peer.send(Lcp, 1, 1, '0104 00c8 0506 01020304');
  peer.expect(Lcp, 3, 1, '0104 0578');
  peer.send(Lcp, 1, 2, '0104 00c8 0506 01020304');
  peer.expect(Lcp, 2, 2);
  peer.send(Lcp, 2, identifier, data);
  peer.expect(Chap, 1);
  assert.equal(peer.last('lcp-up')?.peerMru, 200);
  peer.send(Lcp, 9, 5, `01020304${'ab'.repeat(1000)}`);
  peer.expect(Lcp, 10, 5, `${magic}${'ab'.repeat(192)}`);
  peer.send(Lcp, 9, 6, '0102').send(Lcp, 11, 7, '01020304').expectNothing();
  // Our own magic number comes back: three times, and the link is looped.
  for (let at = 0; at < 3; at++) peer.send(Lcp, 9, 8, magic);
  peer.wait(3000);
  assert.equal(peer.cause?.code, 'LOOPBACK');
});

test('an MRU below 128 is never taken, a larger one than ours bounds nothing', () => {
  const peer = new PeerScript(serverOptions());
  const { identifier, data } = peer.expect(Lcp, 1);
  peer.send(Lcp, 1, 1, '0104 007f');
  peer.expect(Lcp, 3, 1, '0104 0578');
  peer.send(Lcp, 1, 2, '0104 007f');
  peer.expect(Lcp, 3, 2, '0104 0578');
  peer.send(Lcp, 1, 3, '0104 05dc 0206 000a0000');
  peer.expect(Lcp, 2, 3);
  peer.send(Lcp, 2, identifier, data);
  const { peerMru, peerPfc } = peer.last('lcp-up')!;
  assert.deepEqual({ peerMru, peerPfc }, { peerMru: 1400, peerPfc: false });
});

test('Naks and Rejects of our LCP options: MRU taken, magic number renewed or left out', () => {
  const peer = new PeerScript(serverOptions());
  const first = peer.expect(Lcp, 1);
  peer.send(Lcp, 3, first.identifier, '0104 0200 0506 01020304 0702 6302');
  const second = peer.expect(Lcp, 1);
  assert.match(second.data, /^01040200/);
  assert.notEqual(/0506(.{8})/.exec(second.data)![1], /0506(.{8})/.exec(first.data)![1]);
  assert.equal(!second.data.includes('0702'), true);
  peer.send(Lcp, 3, second.identifier, '0104 0010 0206 00000000');
  const third = peer.expect(Lcp, 1);
  assert.match(third.data, /^01040200/);
  const magic = /0506.{8}/.exec(third.data)![0];
  // What we did not ask for cannot be rejected.
  peer.send(Lcp, 4, third.identifier, '0506 00000000').expectNothing();
  peer.send(Lcp, 4, third.identifier, `0104 0200 ${magic} 0802`);
  const fourth = peer.expect(Lcp, 1);
  assert.equal(fourth.data, '0305c22381');
  peer.send(Lcp, 4, fourth.identifier, '0305 c223 81');
  peer.wait(3000);
  assert.equal(peer.cause?.code, 'AUTH_METHOD_REFUSED');
});

test('LCP that starts again on an open link goes through login and IPCP again', () => {
  const peer = admitted();
  peer.expect(Chap, 3);
  openCcp(peer);
  peer.ackRequest(Ipcp);
  peer.send(Ipcp, 1, 1, `0306 ${GRANTED}`);
  assert.equal(peer.isIpUp, true);
  peer.answers();
  peer.send(Lcp, 1, 9, '0506 99999999');
  assert.equal(peer.isIpUp, false);
  assert.equal(peer.all('ip-down').length, 1);
  assert.equal(peer.mppe('send'), undefined);
  assert.equal(peer.mppe('receive'), undefined);
  const request = peer.expect(Lcp, 1);
  peer.expect(Lcp, 2, 9);
  peer.send(Lcp, 2, request.identifier, request.data);
  respond(peer);
  peer.login.attempt.verify(Secret.fromPassword(PASSWORD));
  peer.admit(GRANT);
  peer.expect(Chap, 3);
  openCcp(peer);
  peer.ackRequest(Ipcp);
  peer.send(Ipcp, 1, 2, `0306 ${GRANTED}`);
  assert.equal(peer.isIpUp, true);
  assert.equal(peer.all('ip-up').length, 2);
});

test('why a peer ended the link is told by how far it had come, whatever methods differed first', () => {
  const mppe = { policy: 'off', strengths: [], stateful: false } as const;
  const identity = { ...clientOptions().identity!, methods: ['chap', 'pap'] as const };
  const start = (): PeerScript => {
    const peer = new PeerScript({ ...clientOptions(), identity, mppe });
    const { identifier, data } = peer.expect(Lcp, 1);
    peer.send(Lcp, 1, 1, '0304 c227').expect(Lcp, 3, 1);
    return peer.send(Lcp, 2, identifier, data);
  };
  const endOf = (peer: PeerScript): unknown => peer.send(Lcp, 5, 9).wait(3000).cause;
  assert.deepEqual(endOf(start()), { code: 'AUTH_METHOD_REFUSED' });
  // pppd says goodbye like this where it lets nobody in without EAP.
  const open = (method: string): PeerScript => start().send(Lcp, 1, 2, method);
  assert.deepEqual(endOf(open('')), { code: 'AUTH_METHOD_REFUSED' });
  const chap = '0305 c223 05';
  const login = { code: 'PEER_TERMINATED', detail: 'during the login' };
  assert.deepEqual(endOf(open(chap)), login);
  const peer = open(chap)
    .send(Chap, 1, 7, `10${'42'.repeat(16)}`)
    .send(Chap, 3, 7);
  assert.deepEqual(endOf(peer), { code: 'PEER_TERMINATED' });
  const up = open('');
  up.expect(Lcp, 2);
  const { identifier } = up.expect(Ipcp, 1);
  up.send(Ipcp, 3, identifier, `0306 ${GRANTED}`).ackRequest(Ipcp);
  up.send(Ipcp, 1, 1, '0306 c0a86301');
  assert.equal(up.isIpUp, true);
  assert.deepEqual(endOf(up), { code: 'PEER_TERMINATED' });
});

test('a repetition of the request that was acked last is acked again without a restart, three times', () => {
  const peer = admitted({ mppe: { policy: 'off', strengths: [], stateful: false } });
  peer.expect(Chap, 3);
  peer.ackRequest(Ipcp);
  peer.send(Ipcp, 1, 1, `0306 ${GRANTED}`);
  peer.expect(Ipcp, 2, 1);
  for (let at = 0; at < 3; at++) {
    peer.send(Ipcp, 1, 1, `0306 ${GRANTED}`);
    peer.expect(Ipcp, 2, 1, `0306 ${GRANTED}`);
  }
  assert.equal(peer.all('ip-down').length, 0);
  peer.send(Ipcp, 1, 1, `0306 ${GRANTED}`);
  peer.expect(Ipcp, 1);
  assert.equal(peer.all('ip-down').length, 1);
});

test('unknown codes are Code-Rejected, a rejected vital code ends the link, another does not', () => {
  const peer = new PeerScript(serverOptions()).openLcp();
  peer.expect(Chap, 1);
  peer.send(Lcp, 99, 5, 'abcd');
  peer.expect(Lcp, 7, undefined, '63050006abcd');
  peer.send(Lcp, 7, 1, '0c010004').send(Lcp, 7, 2).expectNothing();
  peer.send(Lcp, 7, 3, '01010004');
  peer.expect(Lcp, 5);
  peer.wait(3000);
  assert.equal(peer.cause?.code, 'NEGOTIATION_FAILED');
});

test('Protocol-Reject of LCP, CHAP, IPCP and of something we do not speak', () => {
  const run = (protocol: string): string | undefined => {
    const peer = admitted({ mppe: { policy: 'off', strengths: [], stateful: false } });
    peer.send(Lcp, 8, 1, `${protocol} 01010004`).wait(3000);
    return peer.cause?.code;
  };
  assert.equal(run('c021'), 'NEGOTIATION_FAILED');
  assert.equal(run('8021'), 'IPCP_FAILED');
  assert.equal(run('1234'), undefined);
  const early = new PeerScript(serverOptions()).openLcp();
  early
    .send(Lcp, 8, 1, '80fd 01')
    .send(Lcp, 8, 1, 'c2')
    .send(Lcp, 8, 1, 'c223 01010004')
    .wait(3000);
  assert.equal(early.cause?.code, 'AUTH_METHOD_REFUSED');
});

test('IPCP: a server without address of its own, one that gives none, one that ends it', () => {
  const mppe = { policy: 'off', strengths: [], stateful: false } as const;
  const start = (options: Partial<LinkOptions> = {}): PeerScript => {
    const { peer, proof } = responding({ mppe, ...options });
    peer.send(Chap, 3, 7, ascii(proof));
    return peer;
  };
  const silent = start();
  const request = silent.expect(Ipcp, 1);
  silent.send(Ipcp, 3, request.identifier, '0306 c0a8630a 8106 08080808 8306 00000000');
  silent.ackRequest(Ipcp);
  silent.send(Ipcp, 1, 1, '0306 00000000');
  silent.expect(Ipcp, 4, 1, '0306 00000000');
  silent.send(Ipcp, 1, 2, '');
  silent.expect(Ipcp, 2, 2);
  assert.deepEqual(silent.last('ip-up'), {
    kind: 'ip-up',
    localAddress: 0xc0a8630a,
    peerAddress: 0,
    dns: [0x08080808],
  });

  const none = start();
  none.ackRequest(Ipcp);
  none.send(Ipcp, 1, 1, '0306 c0a86301').wait(3000);
  assert.equal(none.cause?.code, 'IPCP_FAILED');

  const rejecting = start();
  const { identifier } = rejecting.expect(Ipcp, 1);
  rejecting.send(Ipcp, 4, identifier, '0306 00000000').wait(3000);
  assert.equal(rejecting.cause?.code, 'IPCP_FAILED');

  const fixed = start({ ip: { localAddress: 0x0a000001, requestDns: false } });
  const own = fixed.expect(Ipcp, 1, undefined, '0306 0a000001');
  fixed.send(Ipcp, 4, own.identifier, '0306 0a000001');
  fixed.ackRequest(Ipcp);
  fixed.send(Ipcp, 1, 1, '0306 c0a86301');
  assert.equal(fixed.last('ip-up')?.localAddress, 0x0a000001);

  const ended = start();
  ended.send(Ipcp, 5, 1).wait(3000);
  assert.equal(ended.cause?.code, 'IPCP_FAILED');

  const quiet = start().wait(40_000);
  assert.equal(quiet.cause?.code, 'IPCP_TIMEOUT');
});

test('a peer that is not ready (Terminate-Ack) is asked again after a second and not given up at once', () => {
  const { peer, proof } = responding({ mppe: { policy: 'off', strengths: [], stateful: false } });
  peer.send(Chap, 3, 7, ascii(proof));
  const first = peer.expect(Ipcp, 1);
  for (let at = 0; at < 20; at++) {
    peer.send(Ipcp, 6, first.identifier).expectNothing();
    peer.wait(1000).expect(Ipcp, 1, first.identifier, first.data);
  }
  assert.equal(peer.cause, undefined);
});

test('a peer that acks for ever but never asks is given up after a minute', () => {
  const { peer, proof } = responding({ mppe: { policy: 'off', strengths: [], stateful: false } });
  peer.send(Chap, 3, 7, ascii(proof));
  for (let at = 0; at < 40 && peer.cause === undefined; at++) {
    for (const { protocol, code, identifier, data } of peer.answers())
      if (protocol === Ipcp && code === 1) peer.send(Ipcp, 2, identifier, data);
    peer.wait(3000);
  }
  assert.equal(peer.cause?.code, 'IPCP_TIMEOUT');
});

test('data that strays in, frames before their phase and the wrong side of CHAP are counted', () => {
  const peer = new PeerScript(serverOptions());
  peer.sendFrame(Uint8Array.of(0x21, 0x45)).sendFrame(Uint8Array.of(0xff, 3, 0, 0xfd, 0x90, 0));
  peer
    .send(Ipcp, 1, 1)
    .send(Chap, 2, 1)
    .sendFrame(Uint8Array.of(0xff))
    .sendFrame(new Uint8Array(0));
  peer.send(PppProtocol.Eap, 1, 1);
  const counted = peer.all('counted').map(({ what }) => what);
  assert.deepEqual(counted, [
    'unexpected-data',
    'unexpected-data',
    'out-of-state',
    'unexpected-authentication',
    'out-of-state',
    'malformed-frame',
    'unexpected-authentication',
  ]);
  assert.equal(peer.answers().length, 1);
});

test('PFC and ACFC: frames without FF 03 are understood at any time', () => {
  const peer = new PeerScript(serverOptions());
  peer.expect(Lcp, 1);
  peer.sendFrame(Uint8Array.of(0xc0, 0x21, 1, 1, 0, 4));
  peer.expect(Lcp, 2, 1);
});
