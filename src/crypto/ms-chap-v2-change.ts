/**
 * A new password for an old one (RFC 2759 §8.9 to §8.13): the peer sends it encrypted under the old NtPasswordHash, and the
 * old hash under the new one, which shows that whoever sends it knew both.
 */
import { desEncrypt } from './des.ts';
import { equalConstantTime } from './equal-constant-time.ts';
import { md4 } from './md4.ts';
import { RC4_STATE_OCTETS, rc4Apply, rc4KeySchedule } from './rc4.ts';

/** Octets in the PwBlock of RFC 2759 §8.10 for random filling and then the password; its length (4 octets) follows. */
const PASSWORD_ROOM = 512;

/**
 * The NtPasswordHash (16 octets) of the new password; undefined: the change was made with another old one.
 * @param encryptedPassword NewPasswordEncryptedWithOldNtPasswordHash, 516 octets
 * @param encryptedHash OldNtPasswordHashEncryptedWithNewNtPasswordHash, 16 octets
 * @param oldNtHash NtPasswordHash of the old password, 16 octets
 */
export function changedNtHash(
  encryptedPassword: Uint8Array,
  encryptedHash: Uint8Array,
  oldNtHash: Uint8Array,
): Uint8Array | undefined {
  const block = encryptedPassword.slice();
  const state = new Uint8Array(RC4_STATE_OCTETS);
  rc4KeySchedule(state, oldNtHash, 0, oldNtHash.length);
  rc4Apply(state, block, 0, block.length, 0);
  const length = new DataView(block.buffer).getUint32(PASSWORD_ROOM, true);
  // With another hash anything comes out; the same work is done all the same.
  const isPassword = length > 0 && length <= PASSWORD_ROOM && length % 2 === 0;
  const at = isPassword ? PASSWORD_ROOM - length : 0;
  const newNtHash = md4(block.subarray(at, PASSWORD_ROOM));
  const isKnown = equalConstantTime(encryptedHash, hashEncryptedWithBlock(oldNtHash, newNtHash));
  return isPassword && isKnown ? newNtHash : undefined;
}

/** NtPasswordHashEncryptedWithBlock, 16 octets. RFC 2759 §8.13 */
export function hashEncryptedWithBlock(ntHash: Uint8Array, block: Uint8Array): Uint8Array {
  const cypher = new Uint8Array(16);
  cypher.set(desEncrypt(block.subarray(0, 7), ntHash.subarray(0, 8)), 0);
  cypher.set(desEncrypt(block.subarray(7, 14), ntHash.subarray(8, 16)), 8);
  return cypher;
}
