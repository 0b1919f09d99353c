/**
 * How peers negotiate MPPE, read in their sources: ppp 2.4.9 and 2.5 (ccp.c), accel-ppp (ccp_mppe.c); Windows by its
 * captures. Numbers are the bits of the MPPE option.
 */
import type { MppeStrength } from '../../src/ppp/options.ts';
import { MppeBits } from '../../src/wire/ccp-options.ts';

export type Answer =
  { readonly kind: 'ack' | 'reject' } | { readonly kind: 'nak'; readonly bits: number };

export interface MppePeer {
  readonly name: string;
  /** Strengths it can come to, and whether it hangs up without one. */
  readonly strengths: readonly MppeStrength[];
  readonly required: boolean;
  /** What it makes of the stateful mode; `hangs up`: where it is asked for that or told to. */
  readonly stateful: 'asks' | 'accepts' | 'declines' | 'hangs up';
  /** What it asks to receive next; undefined: no MPPE. */
  request(): number | undefined;
  /** Our Configure-Request; undefined: without MPPE. */
  consider(bits: number | undefined): Answer;
  /** Our Nak or Reject of its request. */
  naked(bits: number): void;
  rejected(): void;
  /** What its Terminate-Request of LCP says. */
  readonly goodbye: string | undefined;
}

const { Stateless, Strength128, Strength56, Strength40, Mppc, Obsolete } = MppeBits;
const strengthBits = { 128: Strength128, 56: Strength56, 40: Strength40 } as const;
const all: readonly MppeStrength[] = [128, 56, 40];

function union(strengths: readonly MppeStrength[]): number {
  return strengths.reduce((bits, strength) => bits | strengthBits[strength], 0);
}

function isStateful(bits: number): boolean {
  return (bits & Stateless) === 0;
}

/** pppd with the strengths that its options come to; without any it rejects what it is asked for. */
export class Pppd implements MppePeer {
  readonly name: string;
  readonly strengths: readonly MppeStrength[];
  readonly required: boolean;
  readonly stateful: 'accepts' | 'hangs up';
  goodbye: string | undefined;
  /** ccp_allowoptions and ccp_gotoptions. */
  readonly #allowed: number;
  #wanted: number;

  constructor(name: string, strengths: readonly (128 | 40)[], mayBeStateful = false) {
    this.name = `${name}${mayBeStateful ? ', mppe-stateful' : ''}`;
    this.strengths = strengths;
    this.required = strengths.length > 0;
    this.stateful = mayBeStateful ? 'accepts' : 'hangs up';
    this.#allowed = union(strengths);
    this.#wanted = this.#allowed | Stateless;
  }

  request(): number | undefined {
    return this.required ? this.#wanted : undefined;
  }

  /** ccp_reqci */
  consider(bits: number | undefined): Answer {
    if (bits === undefined) return { kind: 'ack' };
    if (!this.required) return { kind: 'reject' };
    if (isStateful(bits) && this.stateful === 'hangs up') return this.#reject();
    const unsupported = Strength56 | Obsolete | Mppc;
    let taken = bits & ~unsupported;
    if ((taken & Strength128) !== 0 && (taken & Strength40) !== 0)
      taken &= ~((this.#allowed & Strength128) === 0 ? Strength128 : Strength40);
    else if ((taken & (Strength128 | Strength40)) === 0) taken = this.#allowed | Stateless;
    else if ((taken & this.#allowed) === 0) return this.#reject();
    return taken === bits ? { kind: 'ack' } : { kind: 'nak', bits: taken };
  }

  /** ccp_nakci: it may take bits away, and ask for stateful mode, no more. */
  naked(bits: number): void {
    const strengths = bits & ~Stateless;
    const refused = isStateful(bits) && this.stateful === 'hangs up';
    if (refused || strengths === 0 || (strengths & ~this.#wanted) !== 0)
      this.goodbye = 'MPPE required but peer negotiation failed';
    else this.#wanted = bits;
  }

  /** ccp_rejci */
  rejected(): void {
    this.goodbye = 'MPPE required but peer refused';
  }

  #reject(): Answer {
    this.goodbye = 'MPPE required but peer negotiation failed';
    return { kind: 'reject' };
  }
}

/** accel-ppp: 128 bits stateless, for which it has a number of its own and no other. */
export class Accel implements MppePeer {
  readonly name: string;
  readonly strengths: readonly MppeStrength[];
  readonly required: boolean;
  readonly stateful = 'declines';
  goodbye: string | undefined;
  readonly #policy: 'deny' | 'allow' | 'prefer' | 'require';
  /** -1: no option, 0: all bits off, 1: its number. */
  #mppe: -1 | 0 | 1;

  constructor(policy: 'deny' | 'allow' | 'prefer' | 'require') {
    this.name = `accel-ppp, mppe=${policy}`;
    this.strengths = policy === 'deny' ? [] : [128];
    this.required = policy === 'require';
    this.#policy = policy;
    this.#mppe = policy === 'require' || policy === 'prefer' ? 1 : -1;
  }

  request(): number | undefined {
    if (this.#mppe === -1) return undefined;
    return this.#mppe === 1 ? ONLY : 0;
  }

  /** mppe_recv_conf_req */
  consider(bits: number | undefined): Answer {
    if (bits === undefined) return this.required ? { kind: 'nak', bits: ONLY } : { kind: 'ack' };
    if (this.#policy === 'deny') return { kind: 'reject' };
    if (this.#policy === 'require')
      return bits === ONLY ? { kind: 'ack' } : { kind: 'nak', bits: ONLY };
    this.#mppe = (bits & ONLY) !== 0 || this.#policy === 'prefer' ? 1 : 0;
    const answer = this.#mppe === 1 ? ONLY : 0;
    return bits === answer ? { kind: 'ack' } : { kind: 'nak', bits: answer };
  }

  /** mppe_recv_conf_nak, word for word: the number itself turns it off. */
  naked(bits: number): void {
    if (this.#policy === 'require') {
      if (bits === ONLY) this.goodbye = '';
    } else if (this.#policy !== 'deny') this.#mppe = (bits & ONLY) === ONLY ? 0 : 1;
  }

  /** mppe_recv_conf_rej */
  rejected(): void {
    if (this.required) this.goodbye = '';
    else this.#mppe = -1;
  }
}

const ONLY = Stateless | Strength128;

/** Windows: all that it allows at once, Microsoft's compression too if it likes; the strongest of what it is offered. */
export class Windows implements MppePeer {
  readonly name: string;
  readonly strengths: readonly MppeStrength[];
  readonly required: boolean;
  readonly stateful: 'asks' | 'accepts';
  goodbye: string | undefined;
  #wanted: number;

  constructor(
    name: string,
    strengths: readonly MppeStrength[],
    required: boolean,
    stateful: 'asks' | 'accepts' = 'accepts',
    more = 0,
  ) {
    this.name = name;
    this.strengths = strengths;
    this.required = required;
    this.stateful = stateful;
    this.#wanted = union(strengths) | (stateful === 'asks' ? 0 : Stateless) | more;
  }

  request(): number | undefined {
    return this.#wanted;
  }

  consider(bits: number | undefined): Answer {
    if (bits === undefined) return this.required ? this.#hangUp() : { kind: 'ack' };
    const best = this.#best(bits);
    if (best === undefined && this.required) return this.#hangUp();
    const taken = best === undefined ? 0 : strengthBits[best] | (bits & Stateless);
    return taken === bits ? { kind: 'ack' } : { kind: 'nak', bits: taken };
  }

  naked(bits: number): void {
    const best = this.#best(bits);
    if (best !== undefined) this.#wanted = strengthBits[best] | (bits & Stateless);
    else if (this.required) this.#hangUp();
    else this.#wanted = 0;
  }

  rejected(): void {
    if (this.required) this.#hangUp();
    else this.#wanted = 0;
  }

  #best(bits: number): MppeStrength | undefined {
    return all.find(
      (strength) => this.strengths.includes(strength) && (bits & strengthBits[strength]) !== 0,
    );
  }

  #hangUp(): Answer {
    this.goodbye = '';
    return { kind: 'reject' };
  }
}

/** Each peer as it is started, anew for every call. */
export const mppePeers: readonly (() => MppePeer)[] = [
  () => new Pppd('pppd 2.4.9, require-mppe', [128, 40]),
  () => new Pppd('pppd 2.4.9, require-mppe', [128, 40], true),
  () => new Pppd('pppd 2.5, require-mppe', [40]),
  () => new Pppd('pppd 2.5, require-mppe', [40], true),
  () => new Pppd('pppd, require-mppe-128', [128]),
  () => new Pppd('pppd, require-mppe-128', [128], true),
  () => new Pppd('pppd 2.4.9, require-mppe-40', [40]),
  () => new Pppd('pppd 2.5, require-mppe and require-mppe-128', [128, 40]),
  () => new Pppd('pppd, nomppe', []),
  () => new Accel('deny'),
  () => new Accel('allow'),
  () => new Accel('prefer'),
  () => new Accel('require'),
  () => new Windows('Windows, maximum strength', [128], true),
  () => new Windows('Windows, required', all, true),
  () => new Windows('Windows, optional', all, false),
  () => new Windows('Windows, required, with compression', all, true, 'accepts', Mppc),
  () => new Windows('Windows 95, 40 bits', [40], true, 'asks'),
  () => new Windows('Windows NT, stateful', [128, 40], true, 'asks', Mppc | Obsolete),
];
