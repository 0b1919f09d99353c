/**
 * CHAP with MD5 (RFC 1994 §4.1). It yields no MPPE keys.
 *
 * Node's cryptography is loaded by the first such login: it takes half a megabyte, and few gateways ever need it.
 */
import { createRequire } from 'node:module';
import { equalConstantTime } from './equal-constant-time.ts';

const require = createRequire(import.meta.url);

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
  const { createHash } = require('node:crypto') as typeof import('node:crypto');
  const hash = createHash('md5');
  hash.update(Uint8Array.of(identifier)).update(password).update(challenge);
  return new Uint8Array(hash.digest());
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
