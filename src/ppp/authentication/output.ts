/**
 * What the two sides of authentication have to say, and their times.
 */
import type { Cause } from '../../wire/cause.ts';
import type { LinkOutput } from '../output.ts';

export type AuthenticationOutput =
  | Extract<LinkOutput, { kind: 'transmit' | 'login' | 'authenticated' }>
  | { readonly kind: 'failed'; readonly cause: Cause };

/** ms between repetitions of a Challenge, Response or Authenticate-Request. */
export const REPEAT_TIME = 3000;
export const MAX_REPEATS = 10;
/** ms for somebody who has to think of a new password and to type it twice. */
export const RETRY_PATIENCE = 120_000;
/** ms to wait for the first word of the peer, or for the owner's decision. */
export const PATIENCE = 30_000;
/** Requests of one EAP conversation; EAP-TLS with long chains of certificates takes some 20. */
export const MAX_ROUNDS = 50;
