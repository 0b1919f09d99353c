/**
 * What the owner decides about servers, links and users: the parsed configuration as the session floor reads it.
 *
 * daemon/configuration makes these from UCI. Times are milliseconds.
 */
import type { Secret } from '../crypto/secret.ts';
import type { AuthMethod, MppeOptions } from '../ppp/options.ts';
import type { Ipv4 } from '../wire/brand.ts';
import type { AddressRange, Prefix } from '../wire/ip.ts';
import type { Ipv6Prefix } from '../wire/ipv6.ts';

/**
 * Two versions of a section with the same key differ in nothing that would make its listener anew, or end its sessions
 * whatever they are.
 */
export interface Keys {
  readonly listener: string;
  readonly session: string;
}

/** LCP echo: the link is dead after `failures` requests, one each `interval`, without an answer. */
export interface Keepalive {
  readonly failures: number;
  readonly interval: number;
  /** Ask even while packets come from the peer. */
  readonly always?: true;
}

/** What a link takes of IPv6 that its peer offers (`ipv6 auto`): on OpenWrt by a DHCPv6 client interface, as the stock client starts it. */
export interface Ipv6Client {
  /** Use the name servers that the peer offers in IPv6. */
  readonly peerDns: boolean;
  /** Length of the prefix to ask for, 'auto' or 'no'; undefined: the client's own default. */
  readonly requestPrefix: string | undefined;
  readonly noRelease: boolean;
  readonly sourceFilter: boolean;
  readonly delegate: boolean;
}

/**
 * How fast a session may be, as its owner sees it: a caller sends up and gets down, the router sends up a link and gets
 * down from it. kbit/s of IP packets inside the tunnel, 0: no limit.
 */
export interface Rates {
  readonly up: number;
  readonly down: number;
  /** ms at the rate that may pass at once after a pause. */
  readonly burst: number;
}

/** What may be moved in a month, both ways, and what happens when it is used up. */
export interface Quota {
  /** Octets of IP packets inside the tunnel. */
  readonly octets: number;
  readonly action:
    /** Sessions end, and there are no new ones until the next period. */
    | { readonly kind: 'deny' }
    /** kbit/s, in either direction. */
    | { readonly kind: 'slow'; readonly rate: number }
    | { readonly kind: 'notify' };
  /** Of the month, on which a period begins; in a month that does not have it, the last. */
  readonly day: number;
}

export type AccountSource = 'local' | 'radius';

/** What servers and links have in common. */
interface TunnelOptions {
  /** Name of the UCI section: the interface. */
  readonly name: string;
  readonly keys: Keys;
  /** TUN device, at most 15 characters. */
  readonly device: string;
  readonly port: number;
  /** In order of preference; a peer that offers none of these is refused. */
  readonly auth: readonly AuthMethod[];
  readonly mppe: MppeOptions;
  /** Largest inner IP packet, octets. */
  readonly mtu: number;
  /** IPV6CP. */
  readonly ipv6: boolean;
  readonly keepalive: Keepalive | undefined;
  /** Of a server: of callers whose account has none of its own. */
  readonly rates: Rates;
}

/** What a server gives to its callers, where `ipv6` is on. */
export interface ServerIpv6 {
  /** own: each has a /64 to itself; shared: one address each, out of the first /64. */
  readonly mode: 'own' | 'shared';
  /** Of at most 64 bits each; none: those that the router assigns, or link-local alone. */
  readonly prefixes: readonly Ipv6Prefix[];
  /** 16 octets each. */
  readonly dns: readonly Uint8Array[];
}

/** What of IPv6 is a user's own. */
export interface UserIpv6 {
  /** /64 each; none: out of the server's. */
  readonly prefixes: readonly Ipv6Prefix[];
  /** Delegated to it; none: out of the server's. */
  readonly routes: readonly Ipv6Prefix[];
}

export interface ServerOptions extends TunnelOptions {
  readonly kind: 'server';
  readonly ip6: ServerIpv6;
  readonly localAddress: Ipv4;
  /** The network the device carries; a /32 (the local address) where the pool lies inside another network. */
  readonly network: Prefix;
  readonly pool: readonly AddressRange[];
  /** Answer ARP for callers on the device that carries their network. */
  readonly proxyArp: boolean;
  /** Devices to accept callers on; empty: all. */
  readonly listen: readonly string[];
  /** Let callers in through the router's firewall. */
  readonly openFirewall: boolean;
  /** Plain Linux: callers reach other networks under the router's addresses. */
  readonly masquerade: boolean;
  /** 0: never. */
  readonly idleTimeout: number;
  /** 0: never. */
  readonly sessionTimeout: number;
  readonly maxSessions: number;
  readonly maxPerUser: number;
  readonly onDuplicate: 'replace' | 'deny';
  /** Callers may not reach each other. */
  readonly isolate: boolean;
  /** Networks to exchange NetBIOS broadcasts and mDNS with. */
  readonly broadcastRelay: readonly string[];
  readonly dns: readonly Ipv4[];
  readonly nbns: readonly Ipv4[];
  /** What callers that ask for it (DHCPINFORM) and their set-up get: networks to reach through the tunnel, and domains. */
  readonly clientRoutes: readonly Prefix[];
  readonly domains: readonly string[];
  /** Who decides on logins; the first before the second. */
  readonly accounts: readonly AccountSource[];
  /** Networks from which callers are accepted; none: all. */
  readonly allowFrom: readonly Prefix[];
  /** And from which they are not, whatever allowFrom says. */
  readonly denyFrom: readonly Prefix[];
  /** Filter-Ids of RADIUS that put a caller's address into an nftables set (named as in User). */
  readonly filterSets: readonly FilterSet[];
  /** A source is locked out for `time` after `after` failed logins; after 0: never. */
  readonly ban: { readonly after: number; readonly time: number };
}

export interface ClientLinkOptions extends TunnelOptions {
  readonly kind: 'link';
  /** Name or address of the server. */
  readonly server: string;
  readonly username: string;
  readonly secret: Secret;
  /** Networks to reach through the link. */
  readonly routes: readonly Prefix[];
  readonly defaultRoute: boolean;
  readonly metric: number;
  /** Keep a route to the server outside the tunnel. */
  readonly hostRoute: boolean;
  /** Use the DNS servers that the peer gives. */
  readonly peerDns: boolean;
  /** Device to dial through; undefined: as the routing table says. */
  readonly bindDevice: string | undefined;
  /** Dial when the daemon starts. */
  readonly auto: boolean;
  /** Give up after a refused login until the credentials change or somebody dials. */
  readonly blockOnAuthFailure: boolean;
  /** Failed attempts in a row before giving up; 0: never. */
  readonly maxFail: number;
  /** First pause between attempts; doubled up to `holdoffMax`, with jitter. */
  readonly holdoff: number;
  readonly holdoffMax: number;
  /** Dial on the first packet and hang up after so long without traffic; 0: always connected. */
  readonly demand: number;
  /** Interface whose address we ask for; undefined: the server assigns one. */
  readonly unnumbered: string | undefined;
  /** undefined: addresses and routes in IPv6 are the owner's to set. */
  readonly ipv6Client: Ipv6Client | undefined;
  /** IPv6 networks to reach through the link. */
  readonly ipv6Routes: readonly Ipv6Prefix[];
  /** Shell commands of the owner. */
  readonly commands: { readonly up: string | undefined; readonly down: string | undefined };
  /** Every step of this link is logged. */
  readonly verbose: boolean;
  readonly quota: Quota | undefined;
}

export interface FilterSet {
  readonly filter: string;
  readonly set: string;
}

/** A part of the week in local time. */
export interface Period {
  /** Bit 0 is Sunday. On these days it begins. */
  readonly days: number;
  /** Minutes of the day. The end is not in it, and on the next day where it is not after the beginning. */
  readonly from: number;
  readonly to: number;
}

export interface Hours {
  readonly periods: readonly Period[];
  /** As its owner wrote it. */
  readonly text: string;
}

export interface User {
  /** Name of the UCI section. */
  readonly section: string;
  readonly keys: Pick<Keys, 'session'>;
  readonly enabled: boolean;
  readonly username: string;
  readonly secret: Secret;
  /** Names of the servers the user may call; empty: every server. */
  readonly servers: readonly string[];
  /** Fixed address; undefined: from the pool. */
  readonly address: Ipv4 | undefined;
  /** Networks behind the caller. */
  readonly routes: readonly Prefix[];
  readonly ip6: UserIpv6;
  /** As the server's, in their place; empty: those of the server. */
  readonly clientRoutes: readonly Prefix[];
  readonly domains: readonly string[];
  /** undefined: the server's maxPerUser. */
  readonly maxSessions: number | undefined;
  /** undefined: the server's policy. */
  readonly mppe: MppeOptions['policy'] | undefined;
  /** Login methods that this user may use, of those of the server; empty: all. */
  readonly auth: readonly AuthMethod[];
  /** When the user may be logged in; undefined: always. */
  readonly hours: Hours | undefined;
  /** nftables sets that the address is in during a session: family, table and name each. */
  readonly groups: readonly string[];
  /** For people. */
  readonly note: string | undefined;
  /** What is absent is as the server has it. */
  readonly rates: Partial<Rates>;
  readonly quota: Quota | undefined;
  /** Gets in with a new password only. */
  readonly mustChange: boolean;
  /** Last valid moment, ms since 1970 UTC; undefined: never expires. */
  readonly expires: number | undefined;
}

export interface Limits {
  /** Sessions in all servers and links together. */
  readonly maxSessions: number;
  /** Callers that have not logged in yet, in all and per source address. */
  readonly maxHalfOpen: number;
  readonly maxHalfOpenPerSource: number;
  /** Time a caller has from TCP to a completed login. */
  readonly loginTimeout: number;
}
