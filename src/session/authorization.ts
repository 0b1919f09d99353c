/**
 * Logins that are decided on elsewhere (RADIUS): what is asked, what comes back, and what a session has that its server does not give
 * to everybody. Times in ms.
 */
import type { Proof } from '../ppp/authentication/evidence.ts';
import type { LoginAttempt } from '../ppp/authentication/login-attempt.ts';
import type { MppeStrength, Refusal } from '../ppp/options.ts';
import type { Ipv4 } from '../wire/brand.ts';
import type { Cause } from '../wire/cause.ts';
import type { Prefix } from '../wire/ip.ts';
import type { UserIpv6 } from './options.ts';

/** A call, as accounting and the servers that decide on logins know it from its first login on. */
export interface CallFacts {
  /** Unique, also among calls of earlier and later daemons (Acct-Session-Id). */
  readonly accountingId: string;
  readonly server: string;
  /** Outside addresses: the caller's, and ours that it has called. */
  readonly peer: Ipv4;
  readonly called: Ipv4;
  /** Which of the places for calls it has (NAS-Port). */
  readonly port: number;
}

export interface LoginQuestion {
  /** Unique in the daemon. */
  readonly id: number;
  readonly call: CallFacts;
  readonly attempt: LoginAttempt;
  /** The challenge that the attempt answers; undefined: it is a new login. */
  readonly continues: Continuation | undefined;
}

/** What whoever has challenged must see again. */
export interface Continuation {
  /** Its name. */
  readonly server: string;
  readonly state: Uint8Array | undefined;
}

export type LoginAnswer =
  | { readonly kind: 'accepted'; readonly proof: Proof; readonly authorization: Authorization }
  /** @param told what the caller learns of it; undefined: what a wrong password gets */
  | { readonly kind: 'refused'; readonly cause: Cause; readonly told: Refusal | undefined }
  /** EAP goes on: the caller's answer to this Request is the next question. */
  | {
      readonly kind: 'challenge';
      readonly request: Uint8Array;
      readonly continuation: Continuation;
    }
  /** Nobody has decided. */
  | { readonly kind: 'unanswered'; readonly cause: Cause };

/** kbit/s of inner IP packets, 0: no limit; undefined: as the server has it. */
export interface GrantedRates {
  /** From the caller. */
  readonly up: number | undefined;
  /** To the caller. */
  readonly down: number | undefined;
}

/** What is different for a session; undefined: as the server has it. */
export interface Terms {
  /** 0: never. */
  readonly sessionTimeout: number | undefined;
  /** 0: never. */
  readonly idleTimeout: number | undefined;
  /** Largest packet inside the tunnel, octets; never more than the server's. */
  readonly mtu: number | undefined;
  readonly dns: readonly Ipv4[] | undefined;
  readonly nbns: readonly Ipv4[] | undefined;
  /** Where it is stricter than the server's; `strengths` undefined: those of the server. */
  readonly mppe:
    | {
        readonly policy: 'required' | 'optional';
        readonly strengths: readonly MppeStrength[] | undefined;
      }
    | undefined;
  readonly rates: GrantedRates;
  /** As they came (Filter-Id, RFC 2865 §5.11): see FilterSet. */
  readonly filters: readonly string[];
  /** Returned in each accounting record. */
  readonly classes: readonly Uint8Array[];
  /** Between accounting records while it lasts; 0: none. */
  readonly interimInterval: number | undefined;
}

export const ordinaryTerms: Terms = {
  sessionTimeout: undefined,
  idleTimeout: undefined,
  mtu: undefined,
  dns: undefined,
  nbns: undefined,
  mppe: undefined,
  rates: { up: undefined, down: undefined },
  filters: [],
  classes: [],
  interimInterval: undefined,
};

/** What of IPv6 is an account's own. */
export interface AccountIpv6 extends UserIpv6 {
  /** 16 octets each; undefined: as the server has it. */
  readonly dns: readonly Uint8Array[] | undefined;
  /** The only interface identifier that it may have (8 octets). */
  readonly interfaceIdentifier?: Uint8Array;
}

export const ordinaryIpv6: AccountIpv6 = { prefixes: [], routes: [], dns: undefined };

/** Who it is, and what he gets. */
export interface Authorization {
  /** By which the session is known; undefined: the one that the caller gave. */
  readonly username: string | undefined;
  /** undefined: from a pool. */
  readonly address: Ipv4 | undefined;
  /** Name of the pool; undefined: the server's own. */
  readonly pool: string | undefined;
  /** Networks behind the caller. */
  readonly routes: readonly Prefix[];
  /** Of the address: how many bits of it are the network behind the caller; 32, or 0: there is none. */
  readonly prefixLength: number;
  readonly ip6: AccountIpv6;
  /** Sessions at the same time; undefined: the server's max_per_user. */
  readonly maxSessions: number | undefined;
  readonly terms: Terms;
}
