/**
 * What CCP negotiates here: MPPE (RFC 3078 §2) and no compression. Each end's Configure-Request says what it wants to
 * receive: all that it allows, from which the other picks one strength with a Nak.
 */
import type { CauseCode } from '../wire/cause.ts';
import { ccpOptions, MppeBits, type CcpOption } from '../wire/ccp-options.ts';
import { Consideration, type OptionPolicy, type Verdict } from './option-policy.ts';
import type { MppeOptions, MppeStrength } from './options.ts';

/** The encryption of one direction. */
export interface MppeChoice {
  readonly strength: MppeStrength;
  readonly stateful: boolean;
}

const strengthBits: Record<MppeStrength, number> = {
  128: MppeBits.Strength128,
  56: MppeBits.Strength56,
  40: MppeBits.Strength40,
};
const allStrengths = [128, 56, 40] as const;
/** Equal requests sent again after a Nak that offered nothing we may take. */
const MAX_INSISTENCE = 2;

export class CcpPolicy implements OptionPolicy<CcpOption> {
  readonly options = ccpOptions;
  readonly #mppe: MppeOptions;
  readonly #strengths: readonly MppeStrength[];
  #ownBits = 0;
  #peerBits = 0;
  #insistence = 0;
  #suggestedStateful = false;
  /** What the peer asked for last, in a request or a Nak. */
  #peerWish: number | undefined;

  /** @param strengths allowed ones for which there are keys, strongest first; at least one */
  constructor(mppe: MppeOptions, strengths: readonly MppeStrength[]) {
    this.#mppe = mppe;
    this.#strengths = strengths;
    this.restart();
  }

  /** Not carried: #mppe and #strengths, which are of the options and the login. */
  save() {
    return {
      ownBits: this.#ownBits,
      peerBits: this.#peerBits,
      insistence: this.#insistence,
      suggestedStateful: this.#suggestedStateful,
      peerWish: this.#peerWish,
    };
  }

  restore(saved: ReturnType<CcpPolicy['save']>): void {
    this.#ownBits = saved.ownBits;
    this.#peerBits = saved.peerBits;
    this.#insistence = saved.insistence;
    this.#suggestedStateful = saved.suggestedStateful;
    this.#peerWish = saved.peerWish;
  }

  /** What the peer's packets are encrypted with, as our latest request asks. */
  get receive(): MppeChoice | undefined {
    return this.#choice(this.#ownBits);
  }

  /** What our packets are encrypted with, as the peer's latest request asks. */
  get send(): MppeChoice | undefined {
    return this.#choice(this.#peerBits);
  }

  /** Why the peer and we come to no agreement, as far as its wishes tell. */
  get objection(): string | undefined {
    const wish = this.#peerWish;
    if (wish === undefined) return undefined;
    const wanted = allStrengths.filter((strength) => (wish & strengthBits[strength]) !== 0);
    if (this.#shared(wish) !== undefined) {
      const isStateful = (wish & MppeBits.Stateless) === 0;
      return isStateful && !this.#mppe.stateful ? 'asks for the stateful mode only' : undefined;
    }
    if (wanted.length === 0) return 'asks for no encryption';
    const objection = `asks for ${wanted.join(' or ')} bits only`;
    // pppd 2.5.0 to 2.5.3 keep the option's two bits in a C99 _Bool.
    return wanted[0] === 40 && this.#strengths.includes(128)
      ? `${objection} (pppd 2.5's require-mppe does; require-mppe-128 is meant)`
      : objection;
  }

  restart(): void {
    this.#ownBits = this.#strengths.reduce(
      (bits, strength) => bits | strengthBits[strength],
      this.#asksStateful ? 0 : MppeBits.Stateless,
    );
    this.#peerBits = 0;
    this.#insistence = 0;
    this.#suggestedStateful = false;
    this.#peerWish = undefined;
  }

  request(): readonly CcpOption[] {
    return [{ name: 'mppe', bits: this.#ownBits }];
  }

  consider(peer: readonly CcpOption[], mayNak: boolean): Verdict<CcpOption> {
    const consideration = new Consideration<CcpOption>(mayNak);
    const required = this.#mppe.policy === 'required';
    let asked: number | undefined;
    for (const option of peer) {
      if (option.name === 'unknown') {
        consideration.reject(option);
        continue;
      }
      asked = option.bits;
      this.#peerWish = option.bits;
      const ours = this.#answer(option.bits);
      if (mayNak && this.#suggestsStateful(ours)) {
        consideration.nak(option, { name: 'mppe', bits: ours & ~MppeBits.Stateless });
        continue;
      }
      if (ours === option.bits) continue;
      if (required && !mayNak) return { kind: 'fail', code: 'MPPE_REQUIRED' };
      consideration.nak(option, { name: 'mppe', bits: ours });
    }
    if (asked === undefined && required) {
      if (!mayNak) return { kind: 'fail', code: 'MPPE_REQUIRED' };
      consideration.append({ name: 'mppe', bits: this.#bits(this.#strengths[0]!, false) });
    }
    const verdict = consideration.verdict();
    if (verdict.kind === 'ack') this.#peerBits = asked ?? 0;
    return verdict;
  }

  naked(options: readonly CcpOption[]): CauseCode | undefined {
    for (const option of options) {
      if (option.name !== 'mppe') continue;
      this.#peerWish = option.bits;
      const bits = this.#counterOffer(option.bits);
      if (bits === undefined) return 'MPPE_REQUIRED';
      if (bits === this.#ownBits && ++this.#insistence > MAX_INSISTENCE) return 'MPPE_REQUIRED';
      this.#ownBits = bits;
    }
    return undefined;
  }

  rejected(options: readonly CcpOption[]): CauseCode | undefined {
    return options.some((option) => option.name === 'mppe') ? 'MPPE_REQUIRED' : undefined;
  }

  /**
   * The one choice we answer to the peer's set of bits: equal to it where it is an exact single choice that we allow.
   * Only where nothing is shared it has bits that the peer did not ask for; pppd hangs up at such a Nak.
   */
  #answer(bits: number): number {
    // Some peers ask for nothing at all, with all bits off, and repeat it for ever if it is rejected.
    if (bits === 0 && this.#mppe.policy !== 'required') return 0;
    const strength = this.#shared(bits) ?? this.#strengths[0]!;
    const stateful = (bits & MppeBits.Stateless) === 0 && this.#mppe.stateful && bits !== 0;
    return this.#bits(strength, stateful);
  }

  /** What we ask for next when the peer wants `bits`: the best of them; undefined: we allow none. */
  #counterOffer(bits: number): number | undefined {
    if (bits === 0 && this.#mppe.policy !== 'required') return 0;
    return this.#shared(bits) === undefined ? undefined : this.#answer(bits);
  }

  /** Whether the owner wants stateful and the peer could be told; once, for who repeats its choice has its reasons. */
  #suggestsStateful(ours: number): boolean {
    const suggests =
      this.#asksStateful && !this.#suggestedStateful && (ours & MppeBits.Stateless) !== 0;
    this.#suggestedStateful ||= suggests;
    return suggests;
  }

  #shared(bits: number): MppeStrength | undefined {
    return this.#strengths.find((strength) => (bits & strengthBits[strength]) !== 0);
  }

  get #asksStateful(): boolean {
    return this.#mppe.stateful && this.#mppe.askStateful === true;
  }

  #bits(strength: MppeStrength, stateful: boolean): number {
    return strengthBits[strength] | (stateful ? 0 : MppeBits.Stateless);
  }

  #choice(bits: number): MppeChoice | undefined {
    const strength = this.#shared(bits);
    if (strength === undefined) return undefined;
    return { strength, stateful: (bits & MppeBits.Stateless) === 0 };
  }
}
