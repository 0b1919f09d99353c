/**
 * What a caller showed to prove a password, and its check: PAP (RFC 1334), CHAP (RFC 1994), MS-CHAP (RFC 2433, RFC 2759).
 * Every check does the same work whether the secret is right, wrong or a stand-in for an unknown user's.
 */
import { checkChapMd5Response } from '../../crypto/chap-md5.ts';
import { equalConstantTime } from '../../crypto/equal-constant-time.ts';
import { checkMsChapV1NtResponse } from '../../crypto/ms-chap-v1.ts';
import { changedNtHash } from '../../crypto/ms-chap-v2-change.ts';
import {
  checkNtResponse,
  generateAuthenticatorResponse,
  type MsChapV2Exchange,
} from '../../crypto/ms-chap-v2.ts';
import { hashNtPasswordHash, lmPasswordHash } from '../../crypto/password.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha1 } from '../../crypto/sha1.ts';
import { formatMsChapV2Success } from '../../wire/ms-chap.ts';
import type { MppeKeySource } from '../mppe-key-source.ts';

export type Evidence =
  | { readonly method: 'pap'; readonly password: Uint8Array }
  | {
      readonly method: 'chap';
      readonly identifier: number;
      readonly challenge: Uint8Array;
      readonly response: Uint8Array;
    }
  | {
      readonly method: 'mschap';
      readonly identifier: number;
      readonly challenge: Uint8Array;
      readonly ntResponse: Uint8Array;
      /** Without it only the LM response is there, which is not accepted (RFC 2433 §4). */
      readonly hasNtResponse: boolean;
    }
  | {
      readonly method: 'mschap-v2';
      readonly identifier: number;
      readonly exchange: MsChapV2Exchange;
      readonly ntResponse: Uint8Array;
      /** Windows 98 (flags 4) cannot take the M= part of a Success. */
      readonly takesMessage: boolean;
      /** The response is to a new password, which comes with it (RFC 2759 §7). */
      readonly change?: PasswordChange;
    }
  /** An EAP Response for a server that knows the method (RFC 3748 §2.3); nobody here can check it. */
  | {
      readonly method: 'eap';
      /** The packet. */
      readonly message: Uint8Array;
      /** 0: the identity; then one for each Request of that server. */
      readonly round: number;
      /** Octets of the longest Request that the peer takes. */
      readonly peerMru: number;
    };

/** As crypto/ms-chap-v2-change.ts has them. */
export interface PasswordChange {
  readonly encryptedPassword: Uint8Array;
  readonly encryptedHash: Uint8Array;
}

/** What follows from a successful check. */
export interface Proof {
  /** Message of the Success or Authenticate-Ack. */
  readonly success: string;
  readonly keys: MppeKeySource | undefined;
  /** The new password, which is to be kept before anybody is let in. */
  readonly newSecret?: Secret;
}

/** What a peer is told that is let in. */
export const WELCOME = 'Welcome';

export function checkEvidence(evidence: Evidence, secret: Secret): Proof | undefined {
  switch (evidence.method) {
    case 'pap':
      return checkPassword(evidence.password, secret) ? plainProof : undefined;
    case 'chap': {
      const { identifier, challenge, response } = evidence;
      // An NT hash cannot answer CHAP-MD5: the check is made all the same, and fails.
      const password = encoder.encode(secret.password ?? '');
      const right = checkChapMd5Response(identifier, password, challenge, response);
      return right && secret.kind === 'password' ? plainProof : undefined;
    }
    case 'mschap':
      return checkMsChap(evidence, secret);
    case 'mschap-v2':
      return checkMsChapV2(evidence, secret);
    case 'eap':
      return undefined;
  }
}

const encoder = new TextEncoder();
const plainProof: Proof = { success: WELCOME, keys: undefined };

/** Digests are compared, so that the time does not tell the password's length. */
function checkPassword(password: Uint8Array, secret: Secret): boolean {
  const right = equalConstantTime(sha1(password), sha1(encoder.encode(secret.password ?? '')));
  return right && secret.kind === 'password';
}

function checkMsChap(
  { challenge, ntResponse, hasNtResponse }: Evidence & { method: 'mschap' },
  secret: Secret,
): Proof | undefined {
  if (!checkMsChapV1NtResponse(challenge, secret.ntHash, ntResponse) || !hasNtResponse)
    return undefined;
  return { success: WELCOME, keys: msChapKeys(challenge, secret) };
}

function checkMsChapV2(
  { exchange, ntResponse, takesMessage, change }: Evidence & { method: 'mschap-v2' },
  kept: Secret,
): Proof | undefined {
  const newSecret = change === undefined ? undefined : changedSecret(change, kept);
  if (change !== undefined && newSecret === undefined) return undefined;
  const secret = newSecret ?? kept;
  if (!checkNtResponse(exchange, secret.ntHash, ntResponse)) return undefined;
  return {
    success: formatMsChapV2Success({
      authenticatorResponse: generateAuthenticatorResponse(exchange, secret.ntHash, ntResponse),
      message: takesMessage ? WELCOME : '',
    }),
    keys: msChapV2Keys(ntResponse, secret, true),
    ...(newSecret === undefined ? {} : { newSecret }),
  };
}

function changedSecret(
  { encryptedPassword, encryptedHash }: PasswordChange,
  { ntHash }: Secret,
): Secret | undefined {
  const changed = changedNtHash(encryptedPassword, encryptedHash, ntHash);
  return changed === undefined ? undefined : Secret.fromNtHash(changed);
}

export function msChapKeys(challenge: Uint8Array, secret: Secret): MppeKeySource {
  return {
    method: 'mschap',
    ntHashHash: hashNtPasswordHash(secret.ntHash),
    challenge,
    lmHash: secret.password === undefined ? undefined : lmPasswordHash(secret.password),
  };
}

export function msChapV2Keys(
  ntResponse: Uint8Array,
  secret: Secret,
  isAuthenticator: boolean,
): MppeKeySource {
  const ntHashHash = hashNtPasswordHash(secret.ntHash);
  return { method: 'mschap-v2', ntHashHash, ntResponse, isAuthenticator };
}
