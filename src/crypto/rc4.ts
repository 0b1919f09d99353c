/**
 * RC4 on the caller's memory, without allocation: the cipher of MPPE (RFC 3078 §6). OpenSSL 3
 * refuses it, so it is ours.
 *
 * A state is `RC4_STATE_OCTETS` octets: the permutation, then its indexes i and j.
 */

export const RC4_STATE_OCTETS = 258;

const I = 256;
const J = 257;

/**
 * Starts a key stream in `state` from the `keyLength` octets (1 to 256) of `key` at offset `at`.
 */
export function rc4KeySchedule(
  state: Uint8Array,
  key: Uint8Array,
  at: number,
  keyLength: number,
): void {
  for (let i = 0; i < 256; i++) state[i] = i;
  for (let i = 0, j = 0, k = 0; i < 256; i++) {
    const swapped = state[i]!;
    j = (j + swapped + key[at + k]!) & 0xff;
    state[i] = state[j]!;
    state[j] = swapped;
    if (++k === keyLength) k = 0;
  }
  state[I] = 0;
  state[J] = 0;
}

/**
 * Encrypts or decrypts `length` octets of `octets` from offset `from` to offset `to` of the same
 * array, going on in the key stream where the last call stopped. `to` may equal `from` (in place)
 * or lie before it; where the two ranges overlap it must not lie behind it.
 */
export function rc4Apply(
  state: Uint8Array,
  octets: Uint8Array,
  from: number,
  length: number,
  to: number,
): void {
  let i = state[I]!;
  let j = state[J]!;
  for (let n = 0; n < length; n++) {
    i = (i + 1) & 0xff;
    const x = state[i]!;
    j = (j + x) & 0xff;
    const y = state[j]!;
    state[i] = y;
    state[j] = x;
    octets[to + n] = octets[from + n]! ^ state[(x + y) & 0xff]!;
  }
  state[I] = i;
  state[J] = j;
}
