/** The users, found by the name on the wire, and what speaks against letting one in. */
import { Secret } from '../../crypto/secret.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import type { User } from '../options.ts';
import { isWithin } from './hours.ts';

/** ms since 1970. */
export interface WallTime {
  readonly utc: number;
  /** As the clocks on the walls have it. */
  readonly local: number;
}

export class Accounts {
  readonly #byUsername = new Map<string, User[]>();
  /** Nobody knows it: what the logins of unknown users are verified against. */
  readonly dummy: Secret;

  constructor(users: readonly User[], random: (length: number) => Uint8Array) {
    for (const user of users) {
      const namesakes = this.#byUsername.get(user.username);
      if (namesakes === undefined) this.#byUsername.set(user.username, [user]);
      else namesakes.push(user);
    }
    this.dummy = Secret.fromPassword(String.fromCharCode(...random(16)));
  }

  /**
   * The account with the name as it came, else with the name without its domain (`CORP\anna` is also anna's). Of namesakes
   * the one that may call this server.
   */
  find(username: string, bareUsername: string, server: string): User | undefined {
    const namesakes = this.#byUsername.get(username) ?? this.#byUsername.get(bareUsername) ?? [];
    return namesakes.find((user) => mayCall(user, server)) ?? namesakes[0];
  }
}

/** ms since 1970. */
export interface WallTime {
  readonly utc: number;
  /** As the clocks on the walls have it. */
  readonly local: number;
}

/**
 * Why this account may not use this server now, whatever its password.
 * @param methods those that it has logged in with
 */
export function accountFault(
  user: User,
  server: string,
  { utc, local }: WallTime,
  methods: readonly string[],
): Cause | undefined {
  if (!user.enabled) return cause('ACCOUNT_DISABLED');
  if (!mayCall(user, server)) return cause('ACCOUNT_DISABLED', `not allowed on ${server}`);
  if (user.expires !== undefined && utc > user.expires) return cause('ACCOUNT_EXPIRED');
  if (user.hours !== undefined && !isWithin(user.hours, local))
    return cause('OUTSIDE_HOURS', user.hours.text);
  const allowed: readonly string[] = user.auth;
  if (allowed.length > 0 && !methods.every((method) => allowed.includes(method)))
    return cause('AUTH_METHOD_REFUSED', `the user may use ${allowed.join(', ')}`);
  return undefined;
}

function mayCall(user: User, server: string): boolean {
  return user.servers.length === 0 || user.servers.includes(server);
}
