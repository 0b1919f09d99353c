/** MPPE from the same keys once more: once in a link's life, then a new login gives new ones. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Secret } from '../../src/crypto/secret.ts';
import type { LinkOptions } from '../../src/ppp/options.ts';
import { PppProtocol } from '../../src/wire/ppp-frame.ts';
import { GRANT, PASSWORD } from '../support/link.ts';
import { admitted, ascii, respond, responded, serverProof } from '../support/logins.ts';
import type { PeerScript } from '../support/peer-script.ts';

const { Lcp, Chap, Ccp, Ipcp } = PppProtocol;
const MPPE = '1206 01000040';

interface Role {
  /** Logged in; CCP comes next. */
  readonly loggedIn: (options?: Partial<LinkOptions>) => PeerScript;
  /** LCP and the login again; our Configure-Request comes next. */
  readonly logInAgain: (peer: PeerScript) => void;
  /** Our address, then the peer's. */
  readonly openIpcp: (peer: PeerScript) => void;
}

const roles: Record<string, Role> = {
  server: {
    loggedIn: (options) => {
      const peer = admitted(options);
      peer.expect(Chap, 3);
      return peer;
    },
    logInAgain: (peer) => {
      peer.openLcp('0506aabbccdd');
      respond(peer);
      assert.ok(peer.login.attempt.verify(Secret.fromPassword(PASSWORD)));
      peer.admit(GRANT).expect(Chap, 3);
    },
    openIpcp: (peer) => {
      peer.ackRequest(Ipcp);
      peer.send(Ipcp, 1, 1, '0306 c0a8630a').expect(Ipcp, 2, 1);
    },
  },
  client: {
    loggedIn: responded,
    logInAgain: (peer) => {
      peer.openLcp('0506 01020304 0305 c223 81');
      peer.send(Chap, 1, 8, `10${'42'.repeat(16)}${ascii('server')}`);
      peer.send(Chap, 3, 8, ascii(serverProof(peer.expect(Chap, 2, 8).data)));
    },
    openIpcp: (peer) => {
      peer.send(Ipcp, 3, peer.expect(Ipcp, 1).identifier, '0306 c0a8630a').ackRequest(Ipcp);
      peer.send(Ipcp, 1, 1, '0306 c0a86301').expect(Ipcp, 2, 1);
    },
  },
};

function openCcp(peer: PeerScript): void {
  peer.ackRequest(Ccp);
  peer.send(Ccp, 1, 1, MPPE).expect(Ccp, 2, 1);
}

/** The peer starts CCP again; we have taken part in it. */
function restartCcp(peer: PeerScript): void {
  peer.send(Ccp, 1, 2, MPPE).ackRequest(Ccp);
  peer.expect(Ccp, 2, 2);
  assert.ok(peer.isIpUp);
}

/** The peer starts CCP again, and gets LCP's Configure-Request instead. */
function restartLcp(peer: PeerScript): void {
  peer.send(Ccp, 1, 3, MPPE);
  assert.equal(peer.isIpUp, false);
  assert.equal(peer.mppe('send'), undefined);
  assert.equal(peer.mppe('receive'), undefined);
}

function count(peer: PeerScript, what: string): number {
  return peer.all('counted').filter((output) => output.what === what).length;
}

function keys(peer: PeerScript): string[] {
  return (['send', 'receive'] as const).map((direction) => {
    const startKey = peer.mppe(direction)?.startKey;
    assert.ok(startKey !== undefined);
    return Buffer.from(startKey).toString('hex');
  });
}

for (const [name, { loggedIn, logInAgain, openIpcp }] of Object.entries(roles)) {
  const up = (options?: Partial<LinkOptions>): PeerScript => {
    const peer = loggedIn(options);
    openCcp(peer);
    openIpcp(peer);
    return peer;
  };

  test(`${name}: before packets have gone CCP starts again as often as the peer likes`, () => {
    const peer = up();
    for (let n = 0; n < 20; n++) restartCcp(peer);
    assert.equal(count(peer, 'repeated-keys'), 0);
    assert.equal(count(peer, 'spent-keys'), 0);
  });

  for (const direction of ['send', 'receive'] as const)
    test(`${name}: after packets, ${direction}, CCP starts again once; then a new login gives new keys`, () => {
      const peer = up();
      const first = keys(peer);
      peer.packets[direction]++;
      restartCcp(peer);
      assert.deepEqual(keys(peer), first);
      for (let n = 0; n < 5; n++) restartCcp(peer);
      assert.equal(count(peer, 'repeated-keys'), 1);

      const seen = new Set(first);
      for (let login = 1; login <= 3; login++) {
        peer.packets[direction]++;
        restartLcp(peer);
        assert.equal(count(peer, 'spent-keys'), login);
        logInAgain(peer);
        openCcp(peer);
        openIpcp(peer);
        for (const key of keys(peer)) assert.ok(!seen.has(key));
        for (const key of keys(peer)) seen.add(key);
        restartCcp(peer); // no packets yet
      }
      peer.expectNothing();
      assert.equal(count(peer, 'repeated-keys'), 1);
      assert.equal(peer.cause, undefined);
    });

  test(`${name}: CCP that starts again without end makes one login, not many`, () => {
    const peer = up();
    peer.packets.send++;
    restartCcp(peer);
    peer.packets.send++;
    restartLcp(peer);
    for (let n = 0; n < 1000; n++) peer.send(Ccp, 1, n & 0xff, MPPE);
    logInAgain(peer);
    openCcp(peer);
    openIpcp(peer);
    for (let n = 0; n < 1000; n++) restartCcp(peer);
    peer.expectNothing();
    assert.equal(count(peer, 'spent-keys'), 1);
  });

  test(`${name}: a peer that does not log in anew loses the session`, () => {
    const peer = up();
    peer.packets.send++;
    restartCcp(peer);
    peer.packets.send++;
    restartLcp(peer);
    peer.wait(40_000);
    assert.equal(peer.cause?.code, 'LCP_TIMEOUT');
  });

  test(`${name}: optional encryption that ends and starts again; packets without it do not count`, () => {
    const peer = up({ mppe: { policy: 'optional', strengths: [128], stateful: false } });
    const endCcp = (): void => {
      peer.send(Ccp, 5, 1).expect(Ccp, 6, 1);
      peer.wait(5_000);
      assert.ok(peer.isIpUp);
      peer.packets.send++;
      peer.packets.receive++;
    };
    for (const repeated of [0, 1, 1]) {
      endCcp();
      restartCcp(peer);
      assert.equal(count(peer, 'repeated-keys'), repeated);
      if (repeated === 0) peer.packets.send++;
    }
    peer.packets.send++;
    endCcp();
    restartLcp(peer);
    assert.ok(peer.answers().some(({ protocol, code }) => protocol === Lcp && code === 1));
    assert.equal(count(peer, 'spent-keys'), 1);
  });
}
