/**
 * The three DES operations in which MS-CHAPv1 and MS-CHAPv2 end (RFC 2433 §A.7, RFC 2759 §8.5).
 */
import { desEncrypt } from './des.ts';

/**
 * ChallengeResponse: the response (24 octets) to a challenge of 8 octets under a password hash of
 * 16 octets. RFC 2759 §8.5
 */
export function challengeResponse(challenge: Uint8Array, passwordHash: Uint8Array): Uint8Array {
  const padded = new Uint8Array(21);
  padded.set(passwordHash);
  const response = new Uint8Array(24);
  for (let third = 0; third < 3; third++) {
    const key = padded.subarray(third * 7, third * 7 + 7);
    response.set(desEncrypt(key, challenge), third * 8);
  }
  return response;
}
