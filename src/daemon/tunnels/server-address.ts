/** The addresses of the server that a link dials, from its name. */
import { errorText } from '../../platform/errors.ts';
import { host } from '../../platform/platform.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { formatAddress, parseAddress, parsePrefix, prefixContains } from '../../wire/ip.ts';

/** "This network", loopback, multicast and reserved addresses: RFC 6890, RFC 5771 §3, RFC 1112 §4. */
const IMPOSSIBLE = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/4', '240.0.0.0/4'].map((text) =>
  parsePrefix(text)!,
);

export interface Resolver {
  lookup(name: string, family: 4 | 6): Promise<readonly string[]>;
  /** Of this router itself. */
  own(): readonly string[];
}

const system: Resolver = {
  lookup: (name, family) => host.resolve(name, family),
  own: () => host.addresses().map(({ address }) => address),
};

/** @returns those that can be dialled, or why there is none */
export async function serverAddresses(
  name: string,
  resolver: Resolver = system,
): Promise<readonly Ipv4[] | Cause> {
  let found: readonly string[];
  let own: readonly string[];
  try {
    found = await resolver.lookup(name, 4);
    own = resolver.own();
  } catch (error) {
    return (await hasIpv6(name, resolver))
      ? cause('IPV6_ONLY')
      : cause('RESOLVE_FAILED', errorText(error));
  }
  const addresses = found.flatMap((text) => parseAddress(text) ?? []);
  const possible = addresses.filter(
    (address) => !IMPOSSIBLE.some((prefix) => prefixContains(prefix, address)),
  );
  const others = possible.filter((address) => !own.includes(formatAddress(address)));
  if (others.length > 0 || addresses.length === 0) return others;
  return cause(
    possible.length > 0 ? 'LOOPBACK' : 'ADDRESS_IMPOSSIBLE',
    addresses.map(formatAddress).join(', '),
  );
}

async function hasIpv6(name: string, resolver: Resolver): Promise<boolean> {
  try {
    return (await resolver.lookup(name, 6)).length > 0;
  } catch {
    return false; // the first answer says why
  }
}
