/**
 * MS-CHAPv2 (RFC 2759 §8): the peer's NT-Response and the authenticator's proof in return. The
 * password enters as its NtPasswordHash, because an account may hold nothing else.
 */
import { challengeResponse } from './challenge-response.ts';
import { equalConstantTime } from './equal-constant-time.ts';
import { hashNtPasswordHash } from './password.ts';
import { sha1 } from './sha1.ts';

/** The public part of one authentication. Named fields: the challenges are easily confused. */
export interface MsChapV2Exchange {
  /** 16 octets, from the Challenge packet. */
  readonly authenticatorChallenge: Uint8Array;
  /** 16 octets, from the Response packet. */
  readonly peerChallenge: Uint8Array;
  /** The user's name as on the wire; a domain in front of it is left out of the hash here. */
  readonly userName: Uint8Array;
}

/** The part of a name after its last backslash: DOMAIN\user and DOMAIN\\user are both met. */
export function bareUserName(name: Uint8Array): Uint8Array {
  return name.subarray(name.lastIndexOf(BACKSLASH) + 1);
}

/**
 * ChallengeHash, 8 octets. RFC 2759 §8.2
 * @param userName without domain (`bareUserName`)
 */
export function challengeHash(
  peerChallenge: Uint8Array,
  authenticatorChallenge: Uint8Array,
  userName: Uint8Array,
): Uint8Array {
  return sha1(peerChallenge, authenticatorChallenge, userName).slice(0, 8);
}

/**
 * NT-Response, 24 octets. RFC 2759 §8.1
 * @param ntHash NtPasswordHash, 16 octets
 */
export function generateNtResponse(exchange: MsChapV2Exchange, ntHash: Uint8Array): Uint8Array {
  return challengeResponse(hashOf(exchange), ntHash);
}

/** Whether the peer's `ntResponse` proves the password; in constant time. */
export function checkNtResponse(
  exchange: MsChapV2Exchange,
  ntHash: Uint8Array,
  ntResponse: Uint8Array,
): boolean {
  return equalConstantTime(ntResponse, generateNtResponse(exchange, ntHash));
}

/**
 * Authenticator response as its 20 octets. RFC 2759 §8.7
 * @param ntHash NtPasswordHash, 16 octets
 * @param ntResponse the peer's NT-Response, 24 octets
 */
export function generateAuthenticatorResponse(
  exchange: MsChapV2Exchange,
  ntHash: Uint8Array,
  ntResponse: Uint8Array,
): Uint8Array {
  const digest = sha1(hashNtPasswordHash(ntHash), ntResponse, SIGNING_CONSTANT);
  return sha1(digest, hashOf(exchange), PADDING_CONSTANT);
}

const BACKSLASH = 0x5c;

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Magic1 and Magic2 of RFC 2759 §8.7. */
const SIGNING_CONSTANT = ascii('Magic server to client signing constant');
const PADDING_CONSTANT = ascii('Pad to make it do more than one iteration');

function hashOf(exchange: MsChapV2Exchange): Uint8Array {
  const { peerChallenge, authenticatorChallenge, userName } = exchange;
  return challengeHash(peerChallenge, authenticatorChallenge, bareUserName(userName));
}
