import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hashNtPasswordHash, lmPasswordHash, ntPasswordHash } from '../../src/crypto/password.ts';
import { LAN_MANAGER, MPPE_MS_CHAP_V1, MS_CHAP_V1, MS_CHAP_V2 } from '../vectors/ms-chap.ts';
import { hex } from './hex.ts';
import { md4Twin } from './md4-twin.ts';

const lmHash = (password: string): string | undefined => {
  const hash = lmPasswordHash(password);
  return hash && hex(hash);
};

test('RFC 2759 §9.2: NtPasswordHash and its hash', () => {
  const ntHash = ntPasswordHash(MS_CHAP_V2.password);
  assert.equal(hex(ntHash), MS_CHAP_V2.ntHash);
  assert.equal(hex(hashNtPasswordHash(ntHash)), MS_CHAP_V2.ntHashHash);
});

test('NtPasswordHash of other printed examples', () => {
  assert.equal(hex(ntPasswordHash(MS_CHAP_V1.password)), MS_CHAP_V1.ntHash);
  assert.equal(hex(ntPasswordHash(LAN_MANAGER.password)), LAN_MANAGER.ntHash);
  assert.equal(hex(ntPasswordHash('')), '31D6CFE0D16AE931B73C59D7E0C089C0');
});

test('a password enters as UTF-16LE, whatever characters it has', () => {
  const password = fc.string({ unit: 'binary', maxLength: 300 });
  fc.assert(
    fc.property(password, (password) => {
      assert.deepEqual(ntPasswordHash(password), md4Twin(Buffer.from(password, 'utf16le')));
    }),
  );
  const words = Uint8Array.of(0xfc, 0x00, 0xac, 0x20, 0x3d, 0xd8, 0x11, 0xdd); // ü, €, two surrogates
  assert.deepEqual(ntPasswordHash('ü€\u{1f511}'), md4Twin(words));
});

test('LmPasswordHash of printed examples', () => {
  assert.equal(lmHash(LAN_MANAGER.password), LAN_MANAGER.lmHash);
  assert.equal(lmHash(MPPE_MS_CHAP_V1.password), MPPE_MS_CHAP_V1.lmHash);
  assert.equal(lmHash(''), 'AAD3B435B51404EEAAD3B435B51404EE');
});

test('LmPasswordHash does not tell capital letters from small ones', () => {
  const ascii = fc.string({ unit: 'binary-ascii', maxLength: 14 });
  fc.assert(
    fc.property(ascii, (password) => {
      assert.equal(lmHash(password.toLowerCase()), lmHash(password.toUpperCase()));
    }),
  );
  assert.notEqual(lmHash('a'), lmHash('b'));
});

test('passwords longer than 14 characters or outside ASCII have no LmPasswordHash', () => {
  assert.notEqual(lmPasswordHash('12345678901234'), undefined);
  assert.equal(lmPasswordHash('123456789012345'), undefined);
  assert.equal(lmPasswordHash('pässword'), undefined);
  assert.equal(lmPasswordHash('\u0080'), undefined);
});
