/**
 * Who may log in: the password, the lock-out and the slow-down.
 *
 * An unknown user, a wrong password and a banned source take the same path and the same time: the password is always
 * verified, against a secret nobody knows where there is none.
 */
import type { Ipv4 } from '../../wire/brand.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import type { ServerOptions, User } from '../options.ts';
import type { LoginAttempt } from '../../ppp/authentication/login-attempt.ts';
import type { Access } from './access.ts';

export interface Judgement {
  /** Who proved to be whom, or why not. */
  readonly verdict: { readonly user: User } | { readonly refused: Cause };
  /** The answer waits so long, ms. */
  readonly delay: number;
}

/** @param isIn it is logged in already, and renegotiates: a ban is for those who are not */
export function judgeLogin(
  attempt: LoginAttempt,
  source: Ipv4,
  server: ServerOptions,
  access: Access,
  isIn: boolean,
  now: number,
): Judgement {
  const { accounts, lockout } = access;
  const { username, bareUsername } = attempt;
  const user = accounts.find(username, bareUsername, server.name);
  const right = attempt.verify(user?.secret ?? accounts.dummy) && user !== undefined;
  const delay = lockout.delay(bareUsername, now);
  if (!isIn && lockout.isBanned(source, now)) {
    return { verdict: { refused: cause('SOURCE_BANNED') }, delay };
  }
  if (!right) {
    lockout.failed(source, bareUsername, server.ban, now);
    return { verdict: { refused: cause('PEER_AUTH_FAILED') }, delay };
  }
  lockout.succeeded(source, bareUsername);
  return { verdict: { user }, delay };
}
