/**
 * MS-CHAPv1 (RFC 2433): responses of a peer and their check by the authenticator.
 */
import { challengeResponse } from './challenge-response.ts';
import { equalConstantTime } from './equal-constant-time.ts';

/**
 * NtChallengeResponse, 24 octets. RFC 2433 §A.5
 * @param challenge 8 octets
 * @param ntHash NtPasswordHash, 16 octets
 */
export function generateMsChapV1NtResponse(challenge: Uint8Array, ntHash: Uint8Array): Uint8Array {
  return challengeResponse(challenge, ntHash);
}

/**
 * LmChallengeResponse, 24 octets. RFC 2433 §A.1
 * @param challenge 8 octets
 * @param lmHash LmPasswordHash, 16 octets
 */
export function generateMsChapV1LmResponse(challenge: Uint8Array, lmHash: Uint8Array): Uint8Array {
  return challengeResponse(challenge, lmHash);
}

/** Whether `response` is the right NtChallengeResponse; in constant time. */
export function checkMsChapV1NtResponse(
  challenge: Uint8Array,
  ntHash: Uint8Array,
  response: Uint8Array,
): boolean {
  return equalConstantTime(response, generateMsChapV1NtResponse(challenge, ntHash));
}

/** Whether `response` is the right LmChallengeResponse; in constant time. */
export function checkMsChapV1LmResponse(
  challenge: Uint8Array,
  lmHash: Uint8Array,
  response: Uint8Array,
): boolean {
  return equalConstantTime(response, generateMsChapV1LmResponse(challenge, lmHash));
}
