/**
 * The hashes MS-CHAP makes of a password (RFC 2433 appendix A, RFC 2759 §8).
 */
import { desEncrypt } from './des.ts';
import { md4 } from './md4.ts';

/** NtPasswordHash, 16 octets: MD4 of the password in UTF-16LE. RFC 2759 §8.3 */
export function ntPasswordHash(password: string): Uint8Array {
  const unicode = new Uint8Array(password.length * 2);
  for (let at = 0; at < password.length; at++) {
    const unit = password.charCodeAt(at);
    unicode[at * 2] = unit;
    unicode[at * 2 + 1] = unit >>> 8;
  }
  return md4(unicode);
}

/** NtPasswordHashHash (HashNtPasswordHash), 16 octets: MD4 of the NT hash. RFC 2759 §8.4 */
export function hashNtPasswordHash(ntHash: Uint8Array): Uint8Array {
  return md4(ntHash);
}

/**
 * LmPasswordHash, 16 octets, or `undefined` for a password that has none. RFC 2433 §A.2 defines it
 * on up to 14 characters of the peer's OEM code page. Which page that is nobody negotiates, so
 * only ASCII, the part common to all of them, is hashed.
 */
export function lmPasswordHash(password: string): Uint8Array | undefined {
  if (password.length > 14 || !IS_ASCII.test(password)) return undefined;
  const padded = new Uint8Array(14);
  padded.set(new TextEncoder().encode(password.toUpperCase()));
  const hash = new Uint8Array(16);
  hash.set(desEncrypt(padded.subarray(0, 7), LM_TEXT), 0);
  hash.set(desEncrypt(padded.subarray(7), LM_TEXT), 8);
  return hash;
}

// eslint-disable-next-line no-control-regex -- all of ASCII is meant
const IS_ASCII = /^[\x00-\x7f]*$/;

/** StdText of RFC 2433 §A.3 (DesHash). */
const LM_TEXT = new TextEncoder().encode('KGS!@#$%');
