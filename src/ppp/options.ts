/**
 * What the owner of a PPP link decides about it before it starts.
 */
import type { Secret } from '../crypto/secret.ts';
import type { Ipv4 } from '../wire/brand.ts';

/** Ways to log in, strongest first; 'eap' is EAP-MSCHAPv2, or what a server behind us makes of it (RFC 3748 §2.3). */
export const authMethods = ['mschap-v2', 'eap', 'mschap', 'chap', 'pap'] as const;
export type AuthMethod = (typeof authMethods)[number];

/** Methods by which both ends prove that they know the password. */
export const mutualMethods: readonly AuthMethod[] = ['mschap-v2', 'eap'];

export type MppeStrength = 128 | 56 | 40;

/** What a peer has that does not ask for another: RFC 1661 §6.1. */
export const DEFAULT_MRU = 1500;
/** The least that is accepted, as by pppd. */
export const MIN_MRU = 128;

export interface MppeOptions {
  readonly policy: 'required' | 'optional' | 'off';
  /** Allowed key lengths, bits, strongest first. */
  readonly strengths: readonly MppeStrength[];
  /** Whether the stateful mode is accepted from a peer that wants it; stateless is what we ask for. */
  readonly stateful: boolean;
  /** Ask for the stateful mode ourselves and suggest it to the peer (needs `stateful`). */
  readonly askStateful?: boolean;
}

export interface LinkOptions {
  /** Octets: the MRU we offer, and the upper bound of what we send. 128..1500. */
  readonly mru: number;
  /** How the peer must log in, methods in order of preference, `name` sent with CHAP. Absent: it need not. */
  readonly authenticatePeer?: {
    readonly methods: readonly AuthMethod[];
    readonly name: string;
    /** Who speaks EAP with the peer: we (that is the default), or a server that the owner asks. */
    readonly eap?: 'local' | 'pass-through';
  };
  /** How we log in, methods in order of preference. Absent: we refuse to log in. */
  readonly identity?: {
    readonly username: string;
    readonly secret: Secret;
    readonly methods: readonly AuthMethod[];
  };
  readonly mppe: MppeOptions;
  readonly ip: {
    /** Our address; absent or 0: the peer assigns it. A `Grant` overrides it. */
    readonly localAddress?: Ipv4;
    /** The only address the peer may have; absent: any. A `Grant` overrides it. */
    readonly peerAddress?: Ipv4;
    /** Ask the peer for DNS servers (RFC 1877). */
    readonly requestDns: boolean;
  };
  /** IPV6CP; off, or where packets may not have 1280 octets: it is Protocol-Rejected. */
  readonly ipv6: boolean;
  /** 8 octets, not all 0; absent: random. */
  readonly interfaceIdentifier?: Uint8Array;
  /** Whether somebody else on the link has this interface identifier; absent: nobody else is there. */
  readonly isIdentifierTaken?: (identifier: Uint8Array) => boolean;
  /**
   * LCP echo: the peer is dead after `failures` requests, one each `interval` ms, without an answer. `always`: also while
   * other packets come from it.
   */
  readonly keepalive?: {
    readonly failures: number;
    readonly interval: number;
    readonly always?: true;
  };
  /** Cryptographically secure. */
  readonly random: (length: number) => Uint8Array;
  /** Something malformed or unexpected came and was ignored. */
  readonly count: (what: string) => void;
}

/** What an authenticated peer gets. */
export interface Grant {
  readonly localAddress: Ipv4;
  /** The only address the peer may have. */
  readonly peerAddress: Ipv4;
  /** At most two are passed on. */
  readonly dns: readonly Ipv4[];
  readonly nbns: readonly Ipv4[];
  /** Encryption with this peer; absent: as with all. */
  readonly mppe?: MppeOptions;
  /** Largest packet inside the tunnel, octets; absent: as LCP has it. */
  readonly mtu?: number;
  /** The only interface identifier that the peer may have (8 octets); absent: its own choice. */
  readonly interfaceIdentifier?: Uint8Array;
}

/** What a peer is told that has proved its password and is not let in all the same. */
export interface Refusal {
  /** MS-CHAP's: RFC 2433 §6, RFC 2759 §6. */
  readonly errorCode: number;
  readonly message: string;
  /** Also one that has not proved its password: it tells nothing of it. */
  readonly isForAnybody?: true;
  /**
   * With MS-CHAPv2 the peer may try again on the same link: with another password, or with a new one where the error is
   * PasswordExpired. `challenge`: 16 octets to use for it; absent: random.
   */
  readonly retry?: { readonly challenge?: Uint8Array };
}

/** How we can log in, in order of preference. An NT hash is no password: it serves MS-CHAP only, also in EAP. */
export function ownMethods({ identity }: LinkOptions): readonly AuthMethod[] {
  if (identity === undefined) return [];
  if (identity.secret.kind === 'password') return identity.methods;
  return identity.methods.filter((method) => method !== 'chap' && method !== 'pap');
}

/** @throws RangeError for options with which a link could not do what it is asked to */
export function checkLinkOptions({ mru, identity, authenticatePeer, mppe }: LinkOptions): void {
  if (authenticatePeer?.methods.length === 0)
    throw new RangeError('the peer must log in, but by no method');
  if (mppe.policy !== 'off' && mppe.strengths.length === 0)
    throw new RangeError('encryption without an allowed strength');
  if (!Number.isInteger(mru) || mru < MIN_MRU || mru > DEFAULT_MRU)
    throw new RangeError(`MRU ${mru} is not in ${MIN_MRU}..${DEFAULT_MRU}`);
  if (octetsOf(identity?.username ?? '') > MAX_NAME)
    throw new RangeError(`a user name has at most ${MAX_NAME} octets`);
  if (octetsOf(identity?.secret.password ?? '') > MAX_NAME)
    throw new RangeError(`a password has at most ${MAX_NAME} octets`);
  if (octetsOf(authenticatePeer?.name ?? '') > MAX_NAME)
    throw new RangeError(`a name has at most ${MAX_NAME} octets`);
}

/** Octets: PAP counts name and password in an octet each (RFC 1334 §2.2.1), and pppd has no room for more either. */
export const MAX_NAME = 255;

function octetsOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
