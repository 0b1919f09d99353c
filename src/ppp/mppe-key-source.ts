/**
 * The start keys that a login leaves behind (RFC 3079 §2, §3), derived when CCP asks: every negotiation starts from them
 * again.
 */
import {
  mppeKeyLength,
  mppeStartKeys,
  mppeStartKeysMsChapV1,
  mppeStartKeysMsChapV1Lm,
  type MppeStartKeys,
} from '../crypto/mppe-keys.ts';
import type { MppeStrength } from './options.ts';

export type MppeKeySource =
  | {
      readonly method: 'mschap-v2';
      readonly ntHashHash: Uint8Array;
      readonly ntResponse: Uint8Array;
      readonly isAuthenticator: boolean;
    }
  | {
      readonly method: 'mschap';
      readonly ntHashHash: Uint8Array;
      readonly challenge: Uint8Array;
      /** Absent where only the NT hash is known: no keys of 40 and 56 bits then. */
      readonly lmHash: Uint8Array | undefined;
    }
  /** From whoever has verified an MS-CHAPv2 login elsewhere: start keys of 128 bits as this end sees them, 16 octets. */
  | { readonly method: 'given'; readonly send: Uint8Array; readonly receive: Uint8Array };

/** Start keys of both directions as this end sees them; undefined where the login gives none of this strength. */
export function startKeys(
  source: MppeKeySource,
  strength: MppeStrength,
): MppeStartKeys | undefined {
  switch (source.method) {
    case 'mschap-v2': {
      const { ntHashHash, ntResponse, isAuthenticator } = source;
      return mppeStartKeys(ntHashHash, ntResponse, isAuthenticator, strength);
    }
    case 'mschap':
      if (strength === 128) return mppeStartKeysMsChapV1(source.ntHashHash, source.challenge);
      return source.lmHash === undefined ? undefined : mppeStartKeysMsChapV1Lm(source.lmHash);
    case 'given': {
      // All strengths are cut from one digest (RFC 3079 §3.4, GetAsymmetricStartKey).
      const octets = mppeKeyLength(strength);
      return { send: source.send.slice(0, octets), receive: source.receive.slice(0, octets) };
    }
  }
}

/** The strengths among `allowed` for which there are keys, in the same order. */
export function keyedStrengths(
  source: MppeKeySource | undefined,
  allowed: readonly MppeStrength[],
): readonly MppeStrength[] {
  if (source === undefined) return [];
  return [...allowed.filter((strength) => startKeys(source, strength) !== undefined)];
}
