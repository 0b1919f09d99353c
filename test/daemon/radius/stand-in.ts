/** A stand-in for a RADIUS server: what it answers is the test's to say. It drops what is signed with another secret, as FreeRADIUS does. */
import { generateAuthenticatorResponse } from '../../../src/crypto/ms-chap-v2.ts';
import { Secret } from '../../../src/crypto/secret.ts';
import { hmacMd5 } from '../../../src/crypto/hmac-md5.ts';
import { datagrams } from '../../../src/platform/platform.ts';
import { attributeCipher } from '../../../src/radius/hiding.ts';
import { sealAnswer } from '../../../src/radius/sealing.ts';
import { SharedSecret } from '../../../src/radius/shared-secret.ts';
import {
  decodeRadiusPacket,
  messageAuthenticatorAt,
  type DecodedRadiusPacket,
} from '../../../src/wire/radius.ts';
import { radiusValue, type RadiusAttribute } from '../../../src/wire/radius-attributes.ts';
import { formatMsChapV2Success } from '../../../src/wire/ms-chap.ts';
import { textOf } from '../../../src/wire/text.ts';
import { ok } from '../../wire/sample.ts';

export interface Answer {
  readonly code: number;
  readonly attributes: readonly RadiusAttribute[];
}

export interface StandIn {
  readonly port: number;
  /** What came and was believed. */
  readonly heard: DecodedRadiusPacket[];
  close(): void;
}

export async function standIn(
  secret: string,
  answer: (request: DecodedRadiusPacket) => Answer | undefined,
): Promise<StandIn> {
  const shared = new SharedSecret(secret);
  const random = (length: number) => new Uint8Array(length);
  const heard: DecodedRadiusPacket[] = [];
  const listener = await datagrams.listen(0, {
    datagram: (octets, from) => {
      if (!isBelieved(octets, shared)) return;
      const cipher = attributeCipher(shared, octets.slice(4, 20), random);
      const request = ok(decodeRadiusPacket(octets, cipher));
      heard.push(request);
      const reply = answer(request);
      if (reply === undefined) return;
      const { identifier, authenticator } = request;
      listener.send(sealAnswer({ ...reply, identifier }, authenticator, shared, random), from);
    },
    failed: (error) => {
      throw error;
    },
  });
  return { port: listener.port, heard, close: () => listener.close() };
}

/** Unsigned, or signed with our secret: RFC 3579 §3.2. */
function isBelieved(octets: Uint8Array, { octets: secret }: SharedSecret): boolean {
  const at = messageAuthenticatorAt(octets);
  if (typeof at !== 'number') return at === undefined;
  const copy = new Uint8Array(octets); // a Buffer's slice is no copy
  copy.fill(0, at, at + 16);
  return Buffer.from(hmacMd5(secret, copy)).equals(octets.subarray(at, at + 16));
}

/** RFC 2548 §2.3.3: what proves to the caller that the server knows the password. */
export function proofOf(request: DecodedRadiusPacket, password: string): RadiusAttribute {
  const { attributes } = request;
  const response = radiusValue(attributes, 'MS-CHAP2-Response')!;
  const { identifier, peerChallenge, ntResponse } = response;
  const exchange = {
    authenticatorChallenge: radiusValue(attributes, 'MS-CHAP-Challenge')!,
    peerChallenge,
    userName: radiusValue(attributes, 'User-Name')!.octets,
  };
  const { ntHash } = Secret.fromPassword(password);
  const authenticatorResponse = generateAuthenticatorResponse(exchange, ntHash, ntResponse);
  const text = formatMsChapV2Success({ authenticatorResponse, message: '' });
  return { name: 'MS-CHAP2-Success', value: { identifier, value: textOf(text) } };
}
