/** What PPP gives to somebody who is let in: as the server has it, and his account. */
import type { Grant, MppeOptions } from '../../ppp/options.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import type { Terms } from '../authorization.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import type { ServerOptions, User } from '../options.ts';
import type { InformParameters } from '../ports.ts';
import type { Account } from './account.ts';

/** All but the address. @returns or why there is nothing that both allow */
export function grantOf(
  { localAddress, dns, nbns, mppe }: ServerOptions,
  { user, terms, ip6 }: Account,
): Omit<Grant, 'peerAddress'> | Cause {
  // The owner's word about a user counts more than the server's, weaker or stronger.
  const own = { ...mppe, policy: user?.mppe ?? mppe.policy };
  const encryption = stricter(own, terms.mppe);
  if ('code' in encryption) return encryption;
  return {
    localAddress,
    dns: terms.dns ?? dns,
    nbns: terms.nbns ?? nbns,
    mppe: encryption,
    ...(terms.mtu === undefined ? {} : { mtu: terms.mtu }),
    ...(ip6.interfaceIdentifier === undefined
      ? {}
      : { interfaceIdentifier: ip6.interfaceIdentifier }),
  };
}

/** What DHCPINFORM is answered with: the user's own where there is any, else the server's. */
export function informOf(
  { network, clientRoutes, domains }: ServerOptions,
  user: User | undefined,
  dns: readonly Ipv4[],
): InformParameters {
  const own = <T>(ofUser: readonly T[] = [], ofServer: readonly T[]) =>
    ofUser.length > 0 ? ofUser : ofServer;
  return {
    prefixLength: network.length,
    dns,
    domains: own(user?.domains, domains),
    routes: own(user?.clientRoutes, clientRoutes),
  };
}

function stricter(own: MppeOptions, wish: Terms['mppe']): MppeOptions | Cause {
  if (wish === undefined) return own;
  const strengths = own.strengths.filter((each) => wish.strengths?.includes(each) !== false);
  const policy = wish.policy === 'required' && own.policy === 'optional' ? 'required' : own.policy;
  const isPossible = own.policy !== 'off' && strengths.length > 0;
  if (isPossible || (wish.policy !== 'required' && own.policy !== 'required'))
    return { ...own, policy: isPossible ? policy : 'off', strengths };
  return cause(
    'RADIUS_UNUSABLE',
    'it wants an encryption that the server does not allow (mppe, mppe_strength)',
  );
}
