/** MPPE session keys as RFC 3078 §7 and RFC 3079 §3 tell them: slow and obvious. */
import { createHash } from 'node:crypto';
import { rc4TwinApply } from './rc4-twin.ts';

export type Bits = 40 | 56 | 128;

export function initialKeyTwin(startKey: Uint8Array, bits: Bits): Uint8Array {
  return reduced(newKeyFromSha(startKey, startKey), bits);
}

export function nextKeyTwin(startKey: Uint8Array, sessionKey: Uint8Array, bits: Bits): Uint8Array {
  const interim = newKeyFromSha(startKey, sessionKey);
  return reduced(rc4TwinApply(interim, interim), bits);
}

function newKeyFromSha(startKey: Uint8Array, sessionKey: Uint8Array): Uint8Array {
  const padded = Buffer.concat([startKey, Buffer.alloc(40, 0), sessionKey, Buffer.alloc(40, 0xf2)]);
  const digest = createHash('sha1').update(padded).digest();
  return new Uint8Array(digest.subarray(0, startKey.length));
}

function reduced(key: Uint8Array, bits: Bits): Uint8Array {
  const fixed = { 40: [0xd1, 0x26, 0x9e], 56: [0xd1], 128: [] }[bits];
  return Uint8Array.from([...fixed, ...key.subarray(fixed.length)]);
}
