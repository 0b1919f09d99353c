/** CHAP with MD5 (RFC 1994 §4.1). It yields no MPPE keys. */
import { equalConstantTime } from './equal-constant-time.ts';
import { md5 } from './md5.ts';

/**
 * Response value (16 octets) to a challenge. RFC 1994 §4.1
 * @param identifier the Challenge packet's Identifier, one octet
 * @param password as octets: UTF-8, where the configuration holds text
 */
export function chapMd5Response(
  identifier: number,
  password: Uint8Array,
  challenge: Uint8Array,
): Uint8Array {
  return md5(Uint8Array.of(identifier), password, challenge);
}

/** Whether `response` is the answer to the challenge; in constant time. */
export function checkChapMd5Response(
  identifier: number,
  password: Uint8Array,
  challenge: Uint8Array,
  response: Uint8Array,
): boolean {
  return equalConstantTime(response, chapMd5Response(identifier, password, challenge));
}
