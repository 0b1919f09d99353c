/**
 * MPPE keys: start keys out of an MS-CHAP authentication (RFC 3079 §2, §3) and the session keys
 * that follow from them (RFC 3078 §7).
 *
 * A key of 128 bits has 16 octets. Keys of 40 and 56 bits have 8, the first three or the first one
 * of which are fixed in every session key (RFC 3079 §3.1, §3.2).
 */
import { RC4_STATE_OCTETS, rc4Apply, rc4KeySchedule } from './rc4.ts';
import { Sha1, sha1, SHA1_OCTETS } from './sha1.ts';

/** Key strength in bits, as CCP negotiates it (RFC 3078 §2.1). */
export type MppeBits = 40 | 56 | 128;

/** One direction of MPPE, as CCP and the login settled it: packet 0 uses keys that follow from `startKey`. */
export interface MppeKeys {
  readonly strength: MppeBits;
  /** RFC 3078 §2.1: the H bit clear. */
  readonly stateful: boolean;
  /** 16 octets for 128 bits, else 8. RFC 3079 §3 */
  readonly startKey: Uint8Array;
}

/** Start keys of the two directions, as this end sees them. */
export interface MppeStartKeys {
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
}

/** Octets in a key of `bits`. */
export function mppeKeyLength(bits: MppeBits): 8 | 16 {
  return bits === 128 ? 16 : 8;
}

/**
 * Start keys after MS-CHAPv2. RFC 3079 §3
 * @param ntHashHash NtPasswordHashHash, 16 octets
 * @param ntResponse the NT-Response that proved the password, 24 octets
 * @param isAuthenticator whether this end was the authenticator (the RFC's IsServer)
 */
export function mppeStartKeys(
  ntHashHash: Uint8Array,
  ntResponse: Uint8Array,
  isAuthenticator: boolean,
  bits: MppeBits,
): MppeStartKeys {
  const master = masterKey(ntHashHash, ntResponse);
  const fromAuthenticator = asymmetricStartKey(master, AUTHENTICATOR_SENDS, bits);
  const fromPeer = asymmetricStartKey(master, AUTHENTICATOR_RECEIVES, bits);
  return isAuthenticator
    ? { send: fromAuthenticator, receive: fromPeer }
    : { send: fromPeer, receive: fromAuthenticator };
}

/**
 * Start keys of 128 bits after MS-CHAPv1, the same in both directions. RFC 3079 §2.3
 * @param ntHashHash NtPasswordHashHash, 16 octets
 * @param challenge the authenticator's challenge, 8 octets
 */
export function mppeStartKeysMsChapV1(
  ntHashHash: Uint8Array,
  challenge: Uint8Array,
): MppeStartKeys {
  const key = sha1(ntHashHash, ntHashHash, challenge).slice(0, 16);
  return { send: key, receive: key };
}

/**
 * Start keys of 40 and 56 bits after MS-CHAPv1: the LM hash's first half, the same in both
 * directions and in every session of this password. RFC 3079 §2.1, §2.2
 * @param lmHash LmPasswordHash, 16 octets
 */
export function mppeStartKeysMsChapV1Lm(lmHash: Uint8Array): MppeStartKeys {
  const key = lmHash.slice(0, 8);
  return { send: key, receive: key };
}

/**
 * Key changes on the packet path: holds its scratch memory, allocates nothing after construction.
 * One serves any number of sessions, since no call leaves anything behind for the next.
 */
export class KeyChanger {
  readonly #sha = new Sha1();
  readonly #interim = new Uint8Array(SHA1_OCTETS);
  readonly #rc4 = new Uint8Array(RC4_STATE_OCTETS);

  /**
   * Writes the first session key of `startKey` (at `startAt`) to `key` at `keyAt`: the SHA step alone. RFC 3079 §3.1 to §3.3
   */
  initialKey(
    startKey: Uint8Array,
    startAt: number,
    bits: MppeBits,
    key: Uint8Array,
    keyAt: number,
  ): void {
    const length = mppeKeyLength(bits);
    this.#newKeyFromSha(startKey, startAt, startKey, startAt, length);
    this.#store(key, keyAt, length, bits);
  }

  /**
   * Replaces the session key in `key` at `keyAt` by the one after it: the SHA step, its result
   * encrypted with RC4 under itself, then the bits a weak key gives up. RFC 3078 §7.3
   */
  nextKey(
    startKey: Uint8Array,
    startAt: number,
    bits: MppeBits,
    key: Uint8Array,
    keyAt: number,
  ): void {
    const length = mppeKeyLength(bits);
    this.#newKeyFromSha(startKey, startAt, key, keyAt, length);
    rc4KeySchedule(this.#rc4, this.#interim, 0, length);
    rc4Apply(this.#rc4, this.#interim, 0, length, 0);
    this.#store(key, keyAt, length, bits);
  }

  /** GetNewKeyFromSHA of RFC 3079 §3.4. */
  #newKeyFromSha(
    startKey: Uint8Array,
    startAt: number,
    sessionKey: Uint8Array,
    sessionAt: number,
    length: number,
  ): void {
    const sha = this.#sha;
    sha.update(startKey, startAt, length);
    sha.update(SHA_PAD_1, 0, SHA_PAD_1.length);
    sha.update(sessionKey, sessionAt, length);
    sha.update(SHA_PAD_2, 0, SHA_PAD_2.length);
    sha.digestInto(this.#interim, 0, length);
  }

  #store(key: Uint8Array, keyAt: number, length: number, bits: MppeBits): void {
    const interim = this.#interim;
    for (let n = 0; n < length; n++) key[keyAt + n] = interim[n]!;
    if (bits === 128) return;
    key[keyAt] = 0xd1;
    if (bits === 56) return;
    key[keyAt + 1] = 0x26;
    key[keyAt + 2] = 0x9e;
  }
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Magic1, Magic2, Magic3, SHApad1 and SHApad2 of RFC 3079 §3.4. */
const MASTER_KEY = ascii('This is the MPPE Master Key');
const AUTHENTICATOR_RECEIVES = ascii(
  'On the client side, this is the send key; on the server side, it is the receive key.',
);
const AUTHENTICATOR_SENDS = ascii(
  'On the client side, this is the receive key; on the server side, it is the send key.',
);
const SHA_PAD_1 = new Uint8Array(40);
const SHA_PAD_2 = new Uint8Array(40).fill(0xf2);

/** GetMasterKey of RFC 3079 §3.4. */
function masterKey(ntHashHash: Uint8Array, ntResponse: Uint8Array): Uint8Array {
  return sha1(ntHashHash, ntResponse, MASTER_KEY).slice(0, 16);
}

/** GetAsymmetricStartKey of RFC 3079 §3.4, its two flags as the magic text they choose. */
function asymmetricStartKey(master: Uint8Array, magic: Uint8Array, bits: MppeBits): Uint8Array {
  return sha1(master, SHA_PAD_1, magic, SHA_PAD_2).slice(0, mppeKeyLength(bits));
}
