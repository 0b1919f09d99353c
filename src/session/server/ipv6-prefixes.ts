/** What a server has for its callers in IPv6: prefixes out of its own, and those that are a user's. */
import { PrefixPool, type SavedClaims } from '../../ipv6/prefix-pool.ts';
import { addressInPrefix, isSameIpv6Prefix, type Ipv6Prefix } from '../../wire/ipv6.ts';
import type { ServerOptions, User } from '../options.ts';
import { SERVER_INTERFACE_IDENTIFIER } from '../ports.ts';
import type { Ipv6Offer, Ipv6Source } from '../session-ipv6.ts';
import type { Account } from './account.ts';

/** RFC 8415 §11.5: DUID-UUID, and 16 octets. */
const DUID_UUID = [0, 4];
const UUID_LENGTH = 16;
const OWN_LENGTH = 64;

export class Ipv6Prefixes {
  readonly #pool = new PrefixPool({ networks: [], reserved: [] });
  #duid: Uint8Array;
  #options: ServerOptions;
  #networks: readonly Ipv6Prefix[] = [];

  constructor(options: ServerOptions, random: (length: number) => Uint8Array) {
    this.#duid = Uint8Array.of(...DUID_UUID, ...random(UUID_LENGTH));
    this.#options = options;
  }

  /**
   * Clients know the server by it. Not carried: #pool, whose claims are those of the sessions, which take them anew; #options and
   * #networks, which are given.
   */
  save() {
    return this.#duid;
  }

  restore(duid: Uint8Array): void {
    this.#duid = duid;
  }

  /** @param assigned by the router; used where the options have none */
  reconfigure(
    options: ServerOptions,
    users: readonly User[],
    assigned: readonly Ipv6Prefix[],
  ): void {
    this.#options = options;
    this.#networks = networksOf(options, assigned);
    const reserved = users.flatMap(({ ip6 }) => [...ip6.prefixes, ...ip6.routes]);
    this.#pool.reconfigure({ networks: this.#networks, reserved });
  }

  /** For a session of this account. undefined: the server has no IPv6. @param trouble what it does not get, in words */
  source(
    id: number,
    account: Account,
    domains: readonly string[],
    trouble: (what: string) => void,
  ): Ipv6Source | undefined {
    if (!this.#options.ipv6) return undefined;
    const { username } = account;
    return {
      offer: (identifier) => this.#offer(id, account, domains, identifier, trouble),
      delegate: (length) => this.#pool.delegate(id, username, length),
    };
  }

  claims(id: number): SavedClaims {
    return this.#pool.save(id);
  }

  /** What the session had with the program before. */
  reclaim(id: number, claims: SavedClaims): void {
    this.#pool.restore(id, claims);
  }

  release(id: number): void {
    this.#pool.release(id);
  }

  #offer(
    id: number,
    { username, ip6 }: Account,
    domains: readonly string[],
    identifier: Uint8Array,
    trouble: (what: string) => void,
  ): Ipv6Offer | undefined {
    const networks = this.#networks;
    const isMine = (prefix: Ipv6Prefix) => this.#pool.take(id, prefix);
    const fixed = ip6.prefixes.filter(isMine);
    const delegated = ip6.routes.filter(isMine);
    if (networks.length === 0 && fixed.length === 0 && delegated.length === 0) return undefined;
    const mode = fixed.length > 0 ? 'own' : this.#options.ip6.mode;
    const prefixes =
      fixed.length > 0
        ? fixed
        : mode === 'own'
          ? this.#pool.own(id, username)
          : this.#pool
              .shared(id, identifier)
              .map(({ address }) => ({ address, length: OWN_LENGTH }));
    if (prefixes.length === 0 && delegated.length === 0)
      trouble(
        mode === 'own' ? 'no IPv6 prefix is left' : 'another one has its IPv6 interface identifier',
      );
    return {
      mode,
      prefixes,
      delegated,
      networks,
      isDefault: [...prefixes, ...delegated].some(isGlobal),
      addresses: addressesOf(networks),
      dns: ip6.dns ?? this.#options.ip6.dns,
      domains,
      duid: this.#duid,
    };
  }
}

/** Networks of a server: those of its options before those that the router assigns; each once. */
export function networksOf(
  { ipv6, ip6: { prefixes } }: ServerOptions,
  assigned: readonly Ipv6Prefix[],
): readonly Ipv6Prefix[] {
  if (!ipv6) return [];
  const networks = prefixes.length > 0 ? prefixes : assigned;
  return networks.filter(
    (network, at) => networks.findIndex((each) => isSameIpv6Prefix(each, network)) === at,
  );
}

/** The router's own in each of them. */
export function addressesOf(networks: readonly Ipv6Prefix[]): readonly Uint8Array[] {
  return networks.map((network) => addressInPrefix(network, SERVER_INTERFACE_IDENTIFIER));
}

/** 2000::/3, which leads to the Internet: RFC 4291 §2.4. */
function isGlobal({ address }: Ipv6Prefix): boolean {
  return address[0]! >> 5 === 1;
}
