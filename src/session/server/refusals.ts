/**
 * What a caller is told who is not let in although its password was right: MS-CHAP's error number and a text. Whoever has
 * not proved it, or guesses from a banned address, is told of a wrong password, whatever else speaks against it.
 */
import type { Refusal } from '../../ppp/options.ts';
import type { Cause, CauseCode } from '../../wire/cause.ts';
import { MsChapError } from '../../wire/ms-chap.ts';

const { AccountDisabled, NoDialinPermission, RestrictedLogonHours, ServerSilent } = MsChapError;

/** Also for whom the answer is not known: it tells nothing of the password. */
const notDecided: Refusal = {
  errorCode: ServerSilent,
  message: 'The authentication server does not answer',
  isForAnybody: true,
};

const refusals: Partial<Record<CauseCode, Refusal>> = {
  RADIUS_NO_ANSWER: notDecided,
  RADIUS_UNREACHABLE: notDecided,
  RADIUS_WRONG_SECRET: notDecided,
  RADIUS_UNSIGNED: notDecided,
  RADIUS_BUSY: notDecided,
  RADIUS_NOT_PROVEN: notDecided,
  RADIUS_UNUSABLE: notDecided,
  ACCOUNT_DISABLED: {
    errorCode: AccountDisabled,
    message: 'The account is disabled, or not for this server',
  },
  PASSWORD_NOT_STORED: {
    errorCode: MsChapError.ChangingPassword,
    message: 'The password could not be changed',
  },
  // Not 648: Windows would ask for a new password then.
  ACCOUNT_EXPIRED: { errorCode: AccountDisabled, message: 'The account has expired' },
  OUTSIDE_HOURS: {
    errorCode: RestrictedLogonHours,
    message: 'The user may not log in at this time',
  },
  AUTH_METHOD_REFUSED: {
    errorCode: NoDialinPermission,
    message: 'The user may not log in by this method',
  },
  QUOTA_USED_UP: {
    errorCode: NoDialinPermission,
    message: "This month's quota is used up",
  },
  USER_LIMIT: {
    errorCode: NoDialinPermission,
    message: 'The user has as many sessions as allowed already',
  },
  TOO_MANY_SESSIONS: { errorCode: NoDialinPermission, message: 'The server is full' },
  POOL_EMPTY: { errorCode: NoDialinPermission, message: 'The server has no free address left' },
  ADDRESS_IN_USE: {
    errorCode: NoDialinPermission,
    message: "The user's address is in use",
  },
  ADDRESS_TAKEN: {
    errorCode: NoDialinPermission,
    message: "The user's address is in use",
  },
  ROUTE_LOOP: {
    errorCode: NoDialinPermission,
    message: "The user's own network holds the address that the call comes from",
  },
};

/** The password was right. */
export const mustChange: Refusal = {
  errorCode: MsChapError.PasswordExpired,
  message: 'The password must be changed',
  retry: {},
};

/** undefined: nothing is told. */
export function refusalOf({ code }: Cause): Refusal | undefined {
  return refusals[code];
}
