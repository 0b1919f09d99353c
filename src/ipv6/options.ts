/** What a server tells one caller of IPv6, and what of that it asks its surroundings. */
import type { Ipv6Prefix } from '../wire/ipv6.ts';

export interface CallerIpv6Options {
  /**
   * 'own': all of `prefixes` is the caller's. 'shared': other callers have addresses there, too, so that only the one with the
   * identifier that IPV6CP agreed is its own.
   */
  readonly mode: 'own' | 'shared';
  /** /64 each: in them the caller makes itself addresses. */
  readonly prefixes: readonly Ipv6Prefix[];
  /** For the networks behind the caller, always the same ones. Without any, CallerIpv6Ports.delegate is asked. */
  readonly delegated: readonly Ipv6Prefix[];
  /** What the server has: the tunnel leads there. */
  readonly networks: readonly Ipv6Prefix[];
  /** The tunnel leads to everywhere else, too. */
  readonly isDefault: boolean;
  /** Our addresses beside the link-local one; 16 octets. */
  readonly addresses: readonly Uint8Array[];
  /** 16 octets each. */
  readonly dns: readonly Uint8Array[];
  /** The first is the caller's own, all are searched. */
  readonly domains: readonly string[];
  /** Octets of an IPv6 packet in the tunnel; at least IPV6_MIN_MTU. */
  readonly mtu: number;
  /** Of IPV6CP, 8 octets each. */
  readonly ourIdentifier: Uint8Array;
  readonly peerIdentifier: Uint8Array;
  /** Ours as a DHCPv6 server, the same for all callers: RFC 8415 §11. */
  readonly duid: Uint8Array;
}

export interface CallerIpv6Ports {
  readonly random: (length: number) => Uint8Array;
  readonly count: (name: string) => void;
  /**
   * Prefixes of this length (56..64), or of the nearest that there are, one out of each of `networks`; none: none is left. While the
   * session goes on the same ones each time, whatever the length.
   */
  readonly delegate: (length: number) => readonly Ipv6Prefix[];
}

export type CallerIpv6Output =
  /** A whole IPv6 packet to the caller. */
  | { readonly kind: 'send'; readonly packet: Uint8Array }
  /** The network behind the caller has it: a route is wanted, and it may be a source. */
  | { readonly kind: 'delegated'; readonly prefix: Ipv6Prefix }
  /** The caller has it no longer. Of delegated ones, and of those of `prefixes` that `change` has replaced. */
  | { readonly kind: 'released'; readonly prefix: Ipv6Prefix };

/** RFC 9096 §3.4, seconds: what a caller was told last holds so long without being told again. */
export const PREFERRED_LIFETIME = 2_700;
export const VALID_LIFETIME = 5_400;
/** T1 and T2, seconds: a client learns within T1 that its prefix is another. */
export const RENEWAL_TIME = 600;
export const REBINDING_TIME = 2_160;
