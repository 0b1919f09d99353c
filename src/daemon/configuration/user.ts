/** A user from its section of pptp_users. */
import type { UciSection } from '../../router/uci.ts';
import type { User } from '../../session/options.ts';
import { keysOf } from './option-table.ts';
import { userOptions } from './options.ts';
import { complainer, type Problem } from './problems.ts';
import { quotaFrom } from './quota.ts';
import { placeOf, readSection } from './section.ts';
import { checkMethods } from './security.ts';

/** Sets that one address may be in, and periods of the week. */
const MOST_GROUPS = 16;
const MOST_PERIODS = 64;

export function userFromSection(section: UciSection, problems: Problem[]): User | undefined {
  const values = readSection(section, userOptions, problems);
  if (values === undefined) return undefined;
  const complain = complainer(problems, placeOf(section));
  const secret = values.nthash ?? values.password;
  if (secret === undefined || (values.nthash !== undefined && values.password !== undefined)) {
    const fault =
      secret === undefined ? 'is required (or nthash)' : 'expected password or nthash, not both';
    complain('password', undefined, fault);
    return undefined;
  }
  const auth = [...new Set(values.auth)];
  checkMethods(section, auth, values.mppe, problems);
  const groups = [...new Set(values.group)];
  if (groups.length > MOST_GROUPS)
    complain('group', `${groups.length} sets`, `expected at most ${MOST_GROUPS}`);
  const periods = values.hours.flatMap((each) => each.periods);
  if (periods.length > MOST_PERIODS)
    complain('hours', `${periods.length} times`, `expected at most ${MOST_PERIODS}`);
  return {
    section: section.name,
    keys: keysOf(userOptions, values),
    enabled: values.enabled,
    username: values.username,
    secret,
    servers: values.server,
    address: values.ipaddr,
    routes: values.route,
    ip6: {
      prefixes: values.ip6prefix === undefined ? [] : [values.ip6prefix],
      routes: values.ip6route,
    },
    clientRoutes: values.client_route,
    domains: values.domain,
    maxSessions: values.max_sessions,
    mppe: values.mppe,
    auth,
    hours:
      periods.length === 0
        ? undefined
        : { periods, text: values.hours.map(({ text }) => text).join('; ') },
    groups,
    note: values.note,
    rates: {
      ...(values.rate_up === undefined ? {} : { up: values.rate_up }),
      ...(values.rate_down === undefined ? {} : { down: values.rate_down }),
      ...(values.rate_burst === undefined ? {} : { burst: values.rate_burst }),
    },
    quota: quotaFrom(section, values, problems),
    mustChange: values.must_change,
    expires: values.expires,
  };
}
