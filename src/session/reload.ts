/** Which changes of the configuration a live session can live with (the column "applies" of the option table). */
import { cause, type Cause } from '../wire/cause.ts';
import type { ClientLinkOptions, ServerOptions, User } from './options.ts';

/** Whether the account gives the same to the one who is logged in: its other fields are looked at one by one. */
export function sameRights(before: User, after: User): boolean {
  return (
    before.username === after.username &&
    before.secret.equals(after.secret) &&
    before.address === after.address &&
    same(before.routes, after.routes)
  );
}

/** Why a session that logged in with `auth` ("none": not yet) cannot go on under the new options of its server. */
export function settingsFault(
  auth: string,
  before: ServerOptions,
  after: ServerOptions,
): Cause | undefined {
  const kept = ['device', 'localAddress', 'network', 'proxyArp', 'mppe', 'mtu', 'ipv6'] as const;
  if (kept.some((option) => !same(before[option], after[option]))) return cause('CONFIG_CHANGED');
  const allowed =
    auth === 'none'
      ? same(before.auth, after.auth)
      : (after.auth as readonly string[]).includes(auth);
  return allowed ? undefined : cause('CONFIG_CHANGED');
}

/** Whether a link can stay as it is: only the rules for dialling again differ. */
export function sameLink(before: ClientLinkOptions, after: ClientLinkOptions): boolean {
  return before.secret.equals(after.secret) && same(settings(before), settings(after));
}

/** Without the rules for dialling again, and the secret, which is compared by itself. */
function settings(options: ClientLinkOptions): unknown {
  return {
    ...options,
    secret: undefined,
    keepalive: undefined,
    auto: undefined,
    blockOnAuthFailure: undefined,
    maxFail: undefined,
    holdoff: undefined,
    holdoffMax: undefined,
    commands: undefined,
    verbose: undefined,
  };
}

/** Plain data in the same order of keys. */
function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
