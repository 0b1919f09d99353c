/**
 * What sessions need from outside, and what they ask the outside to do.
 *
 * Ports are called directly and answer at once (the data path lives in memory). Whatever takes time (TCP, names, devices,
 * routes) is an Output; its result comes back through a handle… method. daemon/ implements both; test/support has
 * in-memory twins. The router floor knows nothing of session/ but this file.
 */
import type { Secret } from '../crypto/secret.ts';
import type { MppeKeys } from '../crypto/mppe-keys.ts';
import type { CallId, Ipv4, Slot } from '../wire/brand.ts';
import type { Cause } from '../wire/cause.ts';
import type { Prefix } from '../wire/ip.ts';
import type { Ipv6Prefix } from '../wire/ipv6.ts';
import type { CallFacts, LoginQuestion, Terms } from './authorization.ts';
import type { AccountSource, Ipv6Client, Rates } from './options.ts';

/** The packets of one call on the fast path. */
export interface CallPath {
  /** Which call, on the data path. */
  readonly slot: Slot;
  /** Our call id: random, unique on this machine. */
  readonly callId: CallId;
  /** The peer's call id is known: what was held, and what comes from now on, is `receiver`'s, transmit works. */
  connect(peerCallId: CallId, receiver: FrameReceiver): void;
  /** Send a PPP control frame (with FF 03). */
  transmit(frame: Uint8Array): void;
  /** Send an IPv6 packet of our own; without IPv6 it is dropped. */
  transmitIpv6(packet: Uint8Array): void;
  setFraming(framing: { pfc: boolean; acfc: boolean; mtu: number }): void;
  /** Starts (count 0) or clears encryption of one direction. */
  setMppe(direction: 'send' | 'receive', mppe: MppeKeys | undefined): void;
  /** IP passes only encrypted. */
  requireEncryption(required: boolean): void;
  /**
   * What passes from the peer and to it from now on, what waits included; at first there is no limit.
   * `receive`, `send`: kbit/s of inner IP octets, 0: no limit. `burst`: ms at the rate that may pass at once after a pause.
   */
  setRates(rates: { receive: number; send: number; burst: number }, now: number): void;
  /** The peer asked for a flush (CCP Reset-Request). */
  flush(): void;
  counters(): CallCounters;
  /** Some GRE of the peer has come, if only acknowledgments. */
  heard(): boolean;
  /** What NAT of this very router makes of the call's GRE, for a person; undefined: nothing, as far as is known. */
  obstacle(): string | undefined;
  /** Frees the call. Nothing is delivered or sent after it. */
  close(): void;
}

/** Takes what comes for one call, and is not IP. */
export interface FrameReceiver {
  /** One PPP control frame, or an IPv6 packet that is for the session itself (PPP protocol 0057). */
  handleFrame(frame: Uint8Array, now: number): void;
  /** Packets cannot be decrypted any more (stateful MPPE). */
  handleDesynchronized(now: number): void;
}

export interface CallPaths {
  /**
   * undefined: no room for another call.
   * @param machine of which the receiver is a part: it is drained after what the receiver was told, and ends if that throws
   */
  open(machine: object, peer: Ipv4, local: Ipv4, now: number): CallPath | undefined;
  /** That of a connected call which the program before had. @throws Error there is none with this call id */
  reopen(machine: object, callId: CallId): CallPath;
}

/** The devices of networks that a pool lies in (proxy ARP). */
export interface Neighbours {
  /** Asks who has the address; what was known of it is forgotten. */
  ask(address: Ipv4): void;
  /** Who has answered for it since, in words; undefined: nobody. */
  holder(address: Ipv4): string | undefined;
}

export interface CallCounters {
  readonly rxOctets: number;
  readonly txOctets: number;
  readonly rxPackets: number;
  readonly txPackets: number;
  /** Packets of the peer that never came, came late, came twice. */
  readonly lost: number;
  readonly reordered: number;
  readonly duplicates: number;
  /** Dropped packets by reason; only reasons that occurred. */
  readonly drops: Readonly<Record<string, number>>;
}

/**
 * What every server tells its callers in IPV6CP (RFC 5072 §4.1): all its sessions share one device, and with it one
 * link-local address, fe80::1.
 */
export const SERVER_INTERFACE_IDENTIFIER = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1);

/** What a caller is told besides its address when it asks by DHCPINFORM. */
export interface InformParameters {
  /** Length of the network that its address is in. */
  readonly prefixLength: number;
  readonly dns: readonly Ipv4[];
  /** The first is its own, all are searched. */
  readonly domains: readonly string[];
  /** Networks to reach through the tunnel. */
  readonly routes: readonly Prefix[];
}

/** IPV6CP is open. */
export interface TunnelIpv6 {
  /** Interface identifiers, 8 octets each. */
  readonly local: Uint8Array;
  readonly peer: Uint8Array;
  /**
   * caller: what leads to it, and what it may send from, beside link-local; its neighbour discovery and DHCPv6 are the session's.
   * undefined: link-local alone.
   */
  readonly prefixes?: readonly Ipv6Prefix[];
}

/** What the kernel must know of a tunnel that is up. */
export interface Tunnel {
  /** Interface (UCI section) and its device. */
  readonly name: string;
  readonly device: string;
  readonly role: 'caller' | 'link';
  /** Outside address of the other end. */
  readonly peer: Ipv4;
  readonly localAddress: Ipv4;
  readonly peerAddress: Ipv4;
  /** caller: networks behind the caller; link: networks to reach through it. */
  readonly routes: readonly Prefix[];
  readonly mtu: number;
  /** caller only */
  readonly inform: InformParameters | undefined;
  /** link only */
  readonly defaultRoute: boolean;
  readonly metric: number;
  readonly dns: readonly Ipv4[];
  readonly ipv6: TunnelIpv6 | undefined;
  readonly proxyArp: boolean;
  /** caller: nftables sets that the peer's address is in, as User.groups. */
  readonly groups: readonly string[];
  /** link only */
  readonly ipv6Client: Ipv6Client | undefined;
  /** link only: networks to reach through it while the peer speaks IPv6. */
  readonly ipv6Routes: readonly Ipv6Prefix[];
}

/** How far a link has come; `check` prints these in order. */
export const steps = [
  'name',
  'tcp',
  'control',
  'call',
  'gre',
  'lcp',
  'login',
  'encryption',
  'addresses',
] as const;
export type Step = (typeof steps)[number];

/** What both kinds of session machine ask of the daemon. */
export type SessionOutput =
  /** One control message: one write. */
  | { readonly kind: 'write'; readonly octets: Uint8Array }
  /** Close TCP after what was written. */
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'tunnel-up'; readonly path: CallPath; readonly tunnel: Tunnel }
  | { readonly kind: 'tunnel-down'; readonly path: CallPath; readonly tunnel: Tunnel }
  | { readonly kind: 'event'; readonly event: SessionEvent }
  /** The machine is finished and may be forgotten. */
  | { readonly kind: 'done' };

/** What a caller asks besides. */
export type CallerOutput =
  | SessionOutput
  /** A tunnel that is up is in other groups than before, or has other prefixes in IPv6. */
  | { readonly kind: 'tunnel-changed'; readonly path: CallPath; readonly tunnel: Tunnel }
  /** Somebody wants to log in who is not (only) to be found here. Answer: handleAuthorized. */
  | { readonly kind: 'authorize'; readonly question: LoginQuestion }
  /** Nobody waits for that answer any more. */
  | { readonly kind: 'authorize-cancel'; readonly id: number }
  /**
   * A user of the configuration has a new password (its NT hash), which need not be changed any more. Answer:
   * handlePasswordStored, when it stands in the file and in the accounts in force.
   */
  | {
      readonly kind: 'store-password';
      /** Unique in the daemon. */
      readonly id: number;
      /** Name of the user's UCI section. */
      readonly section: string;
      readonly secret: Secret;
    };

/** What a link asks besides. */
export type ClientLinkOutput =
  | SessionOutput
  /** Answer: handleResolved. */
  | { readonly kind: 'resolve'; readonly server: string }
  /** Keep the way to the server outside the tunnel. Answer: handleHostRoute. */
  | {
      readonly kind: 'host-route';
      readonly address: Ipv4;
      readonly bindDevice: string | undefined;
    }
  /** The device, with placeholder addresses, and routes into it, while there is no session. Answer: handleStandby. */
  | { readonly kind: 'standby'; readonly tunnel: Tunnel }
  | { readonly kind: 'standby-down'; readonly tunnel: Tunnel }
  /** Answer: handleConnected or handleConnectFailed. */
  | {
      readonly kind: 'connect';
      readonly address: Ipv4;
      readonly port: number;
      readonly bindDevice: string | undefined;
    };

/** Facts for the log, the events and the history. */
export type SessionEvent =
  | { readonly what: 'session-up'; readonly session: SessionStatus }
  | { readonly what: 'session-down'; readonly session: SessionStatus; readonly cause: Cause }
  | {
      readonly what: 'caller-refused';
      readonly server: string;
      readonly peer: Ipv4;
      readonly cause: Cause;
    }
  | {
      readonly what: 'auth-failed';
      readonly server: string;
      readonly peer: Ipv4;
      readonly username: string;
      readonly cause: Cause;
    }
  | { readonly what: 'banned'; readonly ban: Ban }
  /** Its time is over, somebody has lifted it, or there are too many others. */
  | {
      readonly what: 'unbanned';
      readonly ban: Ban;
      readonly why: 'expired' | 'lifted' | 'displaced';
    }
  | {
      readonly what: 'link-state';
      readonly link: string;
      readonly state: LinkState;
      readonly cause?: Cause;
      readonly retryIn?: number;
    }
  | { readonly what: 'step'; readonly link: string; readonly step: Step; readonly detail: string }
  /** Something that its owner should know; nothing has ended. `username`: of the caller it concerns. */
  | {
      readonly what: 'server-trouble';
      readonly server: string;
      readonly username: string | undefined;
      readonly cause: Cause;
    };

/** A source whose logins have failed too often: nobody gets in from there until `until`. */
export interface Ban {
  readonly address: Ipv4;
  /** Whose caller it was. */
  readonly server: string;
  readonly since: number;
  readonly until: number;
  /** Failed logins that have led to it. */
  readonly tries: number;
  /** The name that the last of them gave. */
  readonly username: string;
}

export type LinkState =
  | 'down'
  | 'waiting'
  /** It dials when the first packet comes. */
  | 'demand'
  | 'connecting'
  | 'up'
  | 'blocked'
  | 'stopping';

export interface SessionStatus {
  /** Unique while the daemon runs. */
  readonly id: number;
  readonly kind: 'caller' | 'link';
  /** Server or link it belongs to. */
  readonly name: string;
  readonly username: string;
  readonly peer: Ipv4;
  readonly callId: CallId;
  readonly peerCallId: CallId;
  readonly localAddress: Ipv4;
  readonly peerAddress: Ipv4;
  readonly routes: readonly Prefix[];
  /** undefined: none. */
  readonly ipv6: TunnelIpv6 | undefined;
  /** Monotonic ms of the moment IP came up. */
  readonly since: number;
  readonly auth: string;
  /** As in "mppe-128", "mppe-40 stateful", "none". */
  readonly mppe: string;
  readonly mtu: number;
  /** As the owner sees them, see Rates. */
  readonly rates: Rates;
  readonly counters: CallCounters;
  /** ms, of the last LCP echo that was answered; undefined: none was. */
  readonly roundTrip: number | undefined;
  /** Of a caller: how it was let in. */
  readonly account: SessionAccount | undefined;
}

export interface SessionAccount {
  readonly source: AccountSource;
  readonly call: CallFacts;
  readonly terms: Terms;
  /** nftables sets that the address is in. */
  readonly groups: readonly string[];
  /** Of the user. */
  readonly note: string | undefined;
}
