/** Peers played by hand, up to and through the login by mschap-v2. */
import assert from 'node:assert/strict';
import { generateNtResponse } from '../../src/crypto/ms-chap-v2.ts';
import { Secret } from '../../src/crypto/secret.ts';
import type { LinkOptions } from '../../src/ppp/options.ts';
import { encodeMsChapV2Response } from '../../src/wire/ms-chap.ts';
import { PppProtocol } from '../../src/wire/ppp-frame.ts';
import { clientOptions, GRANT, PASSWORD, serverOptions } from './link.ts';
import { PeerScript } from './peer-script.ts';

const { Chap } = PppProtocol;

function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex');
}

export function ascii(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex');
}

/** A caller's mschap-v2 Response to the Challenge that comes next. */
export function respond(
  peer: PeerScript,
  name = 'User',
  flags = 0,
): { identifier: number; data: string } {
  const { identifier, data } = peer.expect(Chap, 1);
  assert.equal(data.slice(0, 2), '10');
  const authenticatorChallenge = Buffer.from(data.slice(2, 34), 'hex');
  const peerChallenge = new Uint8Array(16).fill(7);
  const userName = Buffer.from(name, 'latin1');
  const secret = Secret.fromPassword(PASSWORD);
  const ntResponse = generateNtResponse(
    { authenticatorChallenge, peerChallenge, userName },
    secret.ntHash,
  );
  const value = encodeMsChapV2Response({ peerChallenge, ntResponse, flags });
  const response = `31${hex(value)}${hex(userName)}`;
  peer.send(Chap, 2, identifier, response);
  return { identifier, data: response };
}

/** A server with a caller that has just been admitted. */
export function admitted(
  options: Partial<LinkOptions> = {},
  name?: string,
  flags?: number,
): PeerScript {
  const peer = new PeerScript({ ...serverOptions(), ...options });
  peer.openLcp('0506aabbccdd');
  respond(peer, name, flags);
  assert.equal(peer.login.attempt.verify(Secret.fromPassword(PASSWORD)), true);
  return peer.admit(GRANT);
}

/** `S=…` of a server that knows the password, for the Challenge of 16 times 42. */
export function serverProof(response: string): string {
  const peer = new PeerScript({
    ...serverOptions(),
    random: (length) => new Uint8Array(length).fill(0x42),
  });
  peer.openLcp();
  const { identifier } = peer.expect(Chap, 1);
  peer.send(Chap, 2, identifier, response);
  assert.equal(peer.login.attempt.verify(Secret.fromPassword(PASSWORD)), true);
  peer.admit(GRANT);
  return Buffer.from(peer.expect(Chap, 3).data, 'hex').toString('latin1');
}

/** Our client, asked for mschap-v2, its Response sent. */
export function responding(options: Partial<LinkOptions> = {}): {
  peer: PeerScript;
  proof: string;
} {
  const peer = new PeerScript({ ...clientOptions(), ...options });
  peer.openLcp('0506 01020304 0305 c223 81');
  peer.send(Chap, 1, 7, `10${'42'.repeat(16)}${ascii('server')}`);
  return { peer, proof: serverProof(peer.expect(Chap, 2, 7).data) };
}

/** Our client, whose login was accepted by a server that proved itself. */
export function responded(options: Partial<LinkOptions> = {}): PeerScript {
  const { peer, proof } = responding(options);
  return peer.send(Chap, 3, 7, ascii(proof));
}
