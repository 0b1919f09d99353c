/** HMAC with MD5 (RFC 2104), for RADIUS' Message-Authenticator. */
import { md5 } from './md5.ts';

const BLOCK_OCTETS = 64;

/** The authenticator (16 octets) of the concatenation of `pieces` under `key`. RFC 2104 §2 */
export function hmacMd5(key: Uint8Array, ...pieces: readonly Uint8Array[]): Uint8Array {
  const inner = new Uint8Array(BLOCK_OCTETS).fill(0x36);
  const outer = new Uint8Array(BLOCK_OCTETS).fill(0x5c);
  const short = key.length > BLOCK_OCTETS ? md5(key) : key;
  short.forEach((octet, at) => {
    inner[at]! ^= octet;
    outer[at]! ^= octet;
  });
  return md5(outer, md5(inner, ...pieces));
}
