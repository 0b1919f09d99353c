/**
 * The start keys that a login leaves behind (RFC 3079 §2, §3), derived when CCP asks: every negotiation starts from them
 * again.
 */
import {
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
    };

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
