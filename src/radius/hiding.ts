/** How values are hidden with the shared secret: RFC 2865 §5.2 (User-Password), RFC 2548 §2.4.2 (a salt in front). */
import { md5 } from '../crypto/md5.ts';
import { malformed, type Malformed } from '../wire/codec.ts';
import { readU16, writeU16 } from '../wire/octets.ts';
import type { AttributeCipher } from '../wire/radius.ts';
import type { SharedSecret } from './shared-secret.ts';

const BLOCK = 16;
const SALT = 2;

/**
 * Hides and reveals the attributes of a request and of its answer.
 * @param requestAuthenticator 16 octets: that of the request, for its answer too
 * @param random octets for salts
 */
export function attributeCipher(
  { octets: secret }: SharedSecret,
  requestAuthenticator: Uint8Array,
  random: (length: number) => Uint8Array,
): AttributeCipher {
  // RFC 2548 §2.4.2: no two salts of a packet are the same.
  let salt: number | undefined;
  const nextSalt = () => {
    salt = salt === undefined ? readU16(random(SALT), 0) : salt + 1;
    const octets = new Uint8Array(SALT);
    writeU16(octets, 0, salt | 0x8000);
    return octets;
  };
  return {
    hide(hiding, plain) {
      if (hiding === 'user-password') {
        const padded = new Uint8Array(Math.max(BLOCK, wholeBlocks(plain.length)));
        padded.set(plain);
        return chained(secret, [requestAuthenticator], padded, 'hide');
      }
      const padded = new Uint8Array(wholeBlocks(1 + plain.length));
      padded[0] = plain.length;
      padded.set(plain, 1);
      const ownSalt = nextSalt();
      const hidden = chained(secret, [requestAuthenticator, ownSalt], padded, 'hide');
      return Uint8Array.of(...ownSalt, ...hidden);
    },
    reveal(hiding, hidden) {
      const from = hiding === 'salt' ? SALT : 0;
      const length = hidden.length - from;
      if (length < BLOCK || length % BLOCK !== 0)
        return malformed('bad-value', `hidden value of ${hidden.length} octets`);
      const start = [requestAuthenticator, hidden.subarray(0, from)];
      const plain = chained(secret, start, hidden.subarray(from), 'reveal');
      return hiding === 'salt' ? withoutLength(plain) : plain;
    },
  };
}

function wholeBlocks(length: number): number {
  return Math.ceil(length / BLOCK) * BLOCK;
}

/** The first octet counts those that follow it without their padding; a wrong secret shows here, too. */
function withoutLength(plain: Uint8Array): Uint8Array | Malformed {
  const length = plain[0]!;
  return 1 + length > plain.length
    ? malformed('bad-value', `hidden value claims ${length} of ${plain.length - 1} octets`)
    : plain.slice(1, 1 + length);
}

/** Each block is XORed with MD5(secret, what is hidden of the block before it); `start` stands before the first. */
function chained(
  secret: Uint8Array,
  start: readonly Uint8Array[],
  input: Uint8Array,
  direction: 'hide' | 'reveal',
): Uint8Array {
  const output = new Uint8Array(input.length);
  const hidden = direction === 'hide' ? output : input;
  for (let at = 0; at < input.length; at += BLOCK) {
    const before = at === 0 ? start : [hidden.subarray(at - BLOCK, at)];
    const mask = md5(secret, ...before);
    for (let i = 0; i < BLOCK; i++) output[at + i] = input[at + i]! ^ mask[i]!;
  }
  return output;
}
