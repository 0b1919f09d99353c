/** IPv6 of servers and users: types of their options, and what does not go together. */
import type { ServerOptions, User } from '../../session/options.ts';
import {
  formatIpv6Address,
  formatIpv6Prefix,
  ipv6PrefixCovers,
  parseIpv6Address,
  parseIpv6Prefix,
  type Ipv6Prefix,
} from '../../wire/ipv6.ts';
import type { OptionType } from './option-types.ts';
import { complainer, type Place, type Problem } from './problems.ts';

/** What is routed between hosts: 2000::/3 and fc00::/7 (RFC 4291 §2.4, RFC 4193 §3.1). */
const UNICAST = ['2000::/3', 'fc00::/7'].map((text) => parseIpv6Prefix(text)!);
const OWN_LENGTH = 64;

/** @param shortest what is shorter is meant otherwise */
function ipv6Network(shortest: number, longest: number, allowed: string): OptionType<Ipv6Prefix> {
  return {
    allowed,
    parse(value) {
      const found = value.includes('/') ? parseIpv6Prefix(value) : undefined;
      const isIn = found !== undefined && found.length >= shortest && found.length <= longest;
      return isIn && UNICAST.some((all) => ipv6PrefixCovers(all, found)) ? found : undefined;
    },
  };
}

export const serverPrefix = ipv6Network(
  16,
  OWN_LENGTH,
  'an IPv6 network of at most 64 bits, such as 2001:db8:5:100::/56',
);
export const userPrefix = ipv6Network(
  OWN_LENGTH,
  OWN_LENGTH,
  'an IPv6 network of 64 bits, such as 2001:db8:5:1ff::/64',
);
export const delegatedPrefix = ipv6Network(
  16,
  OWN_LENGTH,
  'an IPv6 network of at most 64 bits, such as 2001:db8:5:200::/60',
);

export const ipv6Address: OptionType<Uint8Array> = {
  allowed: 'an IPv6 address',
  parse: (value) => {
    const address = parseIpv6Address(value);
    // No link-local one: the caller has another link than the server meant.
    return address !== undefined && UNICAST.some((all) => covers(all, address))
      ? address
      : undefined;
  },
};

function covers(prefix: Ipv6Prefix, address: Uint8Array): boolean {
  return ipv6PrefixCovers(prefix, { address, length: 128 });
}

/** Two that share addresses. */
function meet(a: Ipv6Prefix, b: Ipv6Prefix): boolean {
  return ipv6PrefixCovers(a, b) || ipv6PrefixCovers(b, a);
}

const inNetwork = (section: string): Place => ({ file: 'network', section });
const inUsers = (section: string): Place => ({ file: 'pptp_users', section });

export function checkServersIpv6(servers: readonly ServerOptions[], problems: Problem[]): void {
  servers.forEach(({ name, ipv6, ip6: { prefixes, dns } }, at) => {
    const complain = complainer(problems, inNetwork(name));
    const warn = complainer(problems, inNetwork(name), 'warning');
    if (!ipv6 && prefixes.length > 0)
      warn(
        'ip6prefix',
        prefixes.map(formatIpv6Prefix).join(' '),
        "is of no effect without ipv6 '1'",
      );
    if (!ipv6 && dns.length > 0)
      warn('ip6dns', dns.map(formatIpv6Address).join(' '), "is of no effect without ipv6 '1'");
    prefixes.forEach((prefix, n) => {
      const text = formatIpv6Prefix(prefix);
      if (prefixes.slice(0, n).some((before) => meet(before, prefix)))
        complain('ip6prefix', text, 'shares addresses with another one of this server');
      const other = servers
        .slice(0, at)
        .find((server) => server.ip6.prefixes.some((theirs) => meet(theirs, prefix)));
      if (other !== undefined)
        complain(
          'ip6prefix',
          text,
          `shares addresses with server '${other.name}'`,
          inNetwork(other.name),
        );
    });
  });
}

export function checkUsersIpv6(
  users: readonly User[],
  servers: readonly ServerOptions[],
  problems: Problem[],
): void {
  const before: { readonly prefix: Ipv6Prefix; readonly section: string }[] = [];
  for (const { section, ip6 } of users) {
    const complain = complainer(problems, inUsers(section));
    for (const [option, prefixes] of [
      ['ip6prefix', ip6.prefixes],
      ['ip6route', ip6.routes],
    ] as const)
      for (const prefix of prefixes) {
        const text = formatIpv6Prefix(prefix);
        const other = before.find((earlier) => meet(earlier.prefix, prefix));
        if (other?.section === section)
          complain(option, text, 'shares addresses with another one of this user');
        else if (other !== undefined)
          complain(
            option,
            text,
            `shares addresses with user section '${other.section}'`,
            inUsers(other.section),
          );
        before.push({ prefix, section });
        const server = servers.find(({ ip6: { prefixes: own } }) =>
          own.some(({ address }) => meet({ address, length: OWN_LENGTH }, prefix)),
        );
        if (server !== undefined)
          complain(
            option,
            text,
            `the first /64 of server '${server.name}' is the router's own`,
            inNetwork(server.name),
          );
      }
  }
}
