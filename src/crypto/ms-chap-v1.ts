/**
 * MS-CHAPv1 (RFC 2433): NT responses of a peer and their check by the authenticator. LM responses give the password away:
 * we neither send nor take them.
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

/** Whether `response` is the right NtChallengeResponse; in constant time. */
export function checkMsChapV1NtResponse(
  challenge: Uint8Array,
  ntHash: Uint8Array,
  response: Uint8Array,
): boolean {
  return equalConstantTime(response, generateMsChapV1NtResponse(challenge, ntHash));
}
