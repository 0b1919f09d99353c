/**
 * What the two sides of authentication tell the link.
 */
import type { Cause } from '../../wire/cause.ts';
import type { AuthMethod } from '../options.ts';
import type { LoginAttempt } from './login-attempt.ts';

export type AuthenticationOutput =
  | { readonly kind: 'transmit'; readonly protocol: number; readonly payload: Uint8Array }
  | { readonly kind: 'login'; readonly attempt: LoginAttempt }
  /** The peer accepted our login. */
  | { readonly kind: 'authenticated'; readonly method: AuthMethod }
  | { readonly kind: 'failed'; readonly cause: Cause };

/** ms between repetitions of a Challenge, Response or Authenticate-Request. */
export const REPEAT_TIME = 3000;
export const MAX_REPEATS = 10;
/** ms to wait for the first word of the peer, or for the owner's decision. */
export const PATIENCE = 30_000;
