/** A peer that changes its password: RFC 2759 §7, made with the slow twins of the ciphers. */
import { ntPasswordHash } from '../../src/crypto/password.ts';
import { generateNtResponse } from '../../src/crypto/ms-chap-v2.ts';
import { encodeChap } from '../../src/wire/chap.ts';
import { encodeMsChapV2Change, encodeMsChapV2Response } from '../../src/wire/ms-chap.ts';
import { textOf } from '../../src/wire/text.ts';
import { desTwin } from '../crypto/des-twin.ts';
import { rc4TwinApply } from '../crypto/rc4-twin.ts';

const peerChallenge = Uint8Array.from({ length: 16 }, (_, n) => n * 7);

export interface Retry {
  /** Of the Failure. */
  readonly identifier: number;
  readonly challenge: Uint8Array;
  readonly username: string;
}

export function changedHash(oldPassword: string, newPassword: string) {
  const [oldHash, newHash] = [ntPasswordHash(oldPassword), ntPasswordHash(newPassword)];
  const block = Uint8Array.from({ length: 516 }, (_, n) => (n * 31) & 0xff);
  const unicode = Buffer.from(newPassword, 'utf16le');
  block.set(unicode, 512 - unicode.length);
  new DataView(block.buffer).setUint32(512, unicode.length, true);
  const encryptedPassword = Uint8Array.from(rc4TwinApply(oldHash, block));
  const encryptedHash = Uint8Array.from([
    ...desTwin(withParity(newHash.subarray(0, 7)), oldHash.subarray(0, 8)),
    ...desTwin(withParity(newHash.subarray(7, 14)), oldHash.subarray(8, 16)),
  ]);
  return { oldHash, newHash, encryptedPassword, encryptedHash };
}

/** Seven bits to an octet, and one more that nobody looks at (RFC 2759 §8.6). */
function withParity(key: Uint8Array): Uint8Array {
  const bits = [...key].map((octet) => octet.toString(2).padStart(8, '0')).join('');
  return Uint8Array.from({ length: 8 }, (_, n) => parseInt(`${bits.slice(n * 7, n * 7 + 7)}0`, 2));
}

export function changePayload(
  { identifier, challenge, username }: Retry,
  oldPassword: string,
  newPassword: string,
): Uint8Array {
  const { newHash, encryptedPassword, encryptedHash } = changedHash(oldPassword, newPassword);
  const ntResponse = generateNtResponse(
    { authenticatorChallenge: challenge, peerChallenge, userName: textOf(username).octets },
    newHash,
  );
  const data = encodeMsChapV2Change({
    encryptedPassword,
    encryptedHash,
    peerChallenge,
    ntResponse,
    flags: 0,
  });
  return encodeChap({ kind: 'change-password', identifier: (identifier + 1) & 0xff, data });
}

export function responsePayload(
  { identifier, challenge, username }: Retry,
  password: string,
): Uint8Array {
  const name = textOf(username);
  const ntResponse = generateNtResponse(
    { authenticatorChallenge: challenge, peerChallenge, userName: name.octets },
    ntPasswordHash(password),
  );
  const value = encodeMsChapV2Response({ peerChallenge, ntResponse, flags: 0 });
  return encodeChap({ kind: 'response', identifier: (identifier + 1) & 0xff, value, name });
}
