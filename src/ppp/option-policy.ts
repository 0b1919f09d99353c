/**
 * What distinguishes LCP, CCP, IPCP and IPV6CP: which options they want and which they accept (RFC 1661 §5, §6).
 */
import type { CauseCode } from '../wire/cause.ts';
import type { OptionTable } from '../wire/option.ts';

/** The answer to a peer's Configure-Request; `fail`: no agreement is possible. */
export type Verdict<O> =
  | { readonly kind: 'ack' }
  | { readonly kind: 'nak'; readonly options: readonly O[] }
  | { readonly kind: 'reject'; readonly options: readonly O[] }
  | { readonly kind: 'fail'; readonly code: CauseCode };

export interface OptionPolicy<O> {
  readonly options: OptionTable<O>;
  /** A negotiation begins: forget what an earlier one changed in our wishes and what the peer asked for. */
  restart(): void;
  /** The options of our Configure-Request. */
  request(): readonly O[];
  /** Considers the peer's Configure-Request. `mayNak`: false once Max-Failure Naks were sent: reject instead. */
  consider(peer: readonly O[], mayNak: boolean): Verdict<O>;
  /** The peer wants other values. Returns why that is the end, if it is. */
  naked(options: readonly O[]): CauseCode | undefined;
  /** The peer does not know or allow these. Returns why that is the end, if it is. */
  rejected(options: readonly O[]): CauseCode | undefined;
}

/** Collects the verdict on one Configure-Request. Rejects go before Naks (RFC 1661 §5.4). */
export class Consideration<O> {
  readonly #mayNak: boolean;
  readonly #naks: O[] = [];
  readonly #rejects: O[] = [];

  constructor(mayNak: boolean) {
    this.#mayNak = mayNak;
  }

  reject(peer: O): void {
    this.#rejects.push(peer);
  }

  /** Answers `peer` with `ours`; after Max-Failure Naks `peer` is rejected (RFC 1661 §4.6). */
  nak(peer: O, ours: O): void {
    if (this.#mayNak) this.#naks.push(ours);
    else this.#rejects.push(peer);
  }

  /** Asks for an option that the peer left out (RFC 1661 §5.3). */
  append(ours: O): void {
    if (this.#mayNak) this.#naks.push(ours);
  }

  verdict(): Verdict<O> {
    if (this.#rejects.length > 0) return { kind: 'reject', options: this.#rejects };
    if (this.#naks.length > 0) return { kind: 'nak', options: this.#naks };
    return { kind: 'ack' };
  }
}
