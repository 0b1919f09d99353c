/**
 * What is the same in CHAP and in EAP for whoever logs in: the answer to MS-CHAPv2's Challenge, and what the server's
 * Success and Failure mean (RFC 2759 §4 to §6, RFC 2433 §6).
 */
import { equalConstantTime } from '../../crypto/equal-constant-time.ts';
import {
  generateAuthenticatorResponse,
  generateNtResponse,
  type MsChapV2Exchange,
} from '../../crypto/ms-chap-v2.ts';
import type { Secret } from '../../crypto/secret.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { isMalformed } from '../../wire/codec.ts';
import {
  encodeMsChapV2Response,
  MsChapError,
  msChapErrorWords,
  parseMsChapFailure,
  parseMsChapV2Success,
} from '../../wire/ms-chap.ts';
import { readable } from '../../wire/text.ts';
import type { MppeKeySource } from '../mppe-key-source.ts';
import { msChapV2Keys } from './evidence.ts';

export interface MsChapV2Answer {
  /** The 49 octets of the Response. */
  readonly value: Uint8Array;
  readonly keys: MppeKeySource;
  /** What a Success must prove: the authenticator response, 20 octets. */
  readonly proof: Uint8Array;
}

/** @param exchange with a peer challenge that nobody could foresee */
export function answerMsChapV2(exchange: MsChapV2Exchange, secret: Secret): MsChapV2Answer {
  const { peerChallenge } = exchange;
  const ntResponse = generateNtResponse(exchange, secret.ntHash);
  return {
    value: encodeMsChapV2Response({ peerChallenge, ntResponse, flags: 0 }),
    keys: msChapV2Keys(ntResponse, secret, false),
    proof: generateAuthenticatorResponse(exchange, secret.ntHash, ntResponse),
  };
}

/**
 * Whether a Success of MS-CHAPv2 shows that the server knows the password, too (RFC 2759 §5); in constant time.
 * @param proof the authenticator response that is expected, 20 octets
 */
export function provesSecret(message: string, proof: Uint8Array): boolean {
  const success = parseMsChapV2Success(message);
  return !isMalformed(success) && equalConstantTime(success.authenticatorResponse, proof);
}

/** The peer's own words, without the challenge that an MS-CHAP failure carries. */
export function msChapFailureCause(text: string): Cause {
  const failure = parseMsChapFailure(text);
  if (isMalformed(failure)) return cause('AUTH_TOPEER_FAILED', readable(text));
  const { errorCode, message } = failure;
  const words = msChapErrorWords.get(errorCode);
  const error = words === undefined ? `error ${errorCode}` : `error ${errorCode}, ${words}`;
  const said = readable(message);
  return cause(
    denials.has(errorCode) ? 'LOGIN_DENIED' : 'AUTH_TOPEER_FAILED',
    said === undefined ? error : `${error}: ${said}`,
  );
}

/** Whoever gets them is not let in, but the password is not what is wrong. */
const denials: ReadonlySet<number> = new Set<number>([
  MsChapError.RestrictedLogonHours,
  MsChapError.AccountDisabled,
  MsChapError.PasswordExpired,
  MsChapError.NoDialinPermission,
]);
