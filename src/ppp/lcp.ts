/**
 * What LCP negotiates here (RFC 1661 §6): MRU, magic number, login method, PFC and ACFC. ACCM is acked; callback,
 * multilink and endpoint options, as Windows sends them, are rejected. None of them means anything over GRE (RFC 2637 §4).
 */
import type { CauseCode } from '../wire/cause.ts';
import { lcpOptions, type LcpOption } from '../wire/lcp-options.ts';
import { readU32 } from '../wire/octets.ts';
import { authenticationOption, methodOf } from './authentication/method.ts';
import { Consideration, type OptionPolicy, type Verdict } from './option-policy.ts';
import { DEFAULT_MRU, MIN_MRU, ownMethods, type AuthMethod, type LinkOptions } from './options.ts';

/** Coincidences of magic numbers that make a loop certain: RFC 1661 §6.4. */
const MAX_COINCIDENCES = 4;

type WishName = 'mru' | 'magicNumber' | 'pfc' | 'acfc';

/** One for all: most links never have any. */
const NONE: readonly never[] = [];

export class LcpPolicy implements OptionPolicy<LcpOption> {
  readonly options = lcpOptions;
  /** What the peer's last acceptable Configure-Request set. */
  peerMru = DEFAULT_MRU;
  peerPfc = false;
  peerAcfc = false;
  /** How the peer wants us to log in. */
  ownMethod: AuthMethod | undefined;
  /** How the peer is to log in. */
  peerMethod: AuthMethod | undefined;
  /** The two ends asked for different login methods so far. */
  methodsDiffer = false;

  readonly #link: LinkOptions;
  readonly #ownMethods: readonly AuthMethod[];
  #mru: number;
  #magicNumber = 0;
  #omitted: readonly WishName[] = NONE;
  #refusedMethods: readonly AuthMethod[] = NONE;
  #smallMruNaked = false;
  #nakedMagicNumber: number | undefined;
  #coincidences = 0;

  constructor(link: LinkOptions) {
    this.#link = link;
    this.#ownMethods = ownMethods(link);
    this.#mru = link.mru;
  }

  /** Not carried: #link and #ownMethods, which are the owner's. */
  save() {
    return {
      peerMru: this.peerMru,
      peerPfc: this.peerPfc,
      peerAcfc: this.peerAcfc,
      ownMethod: this.ownMethod,
      peerMethod: this.peerMethod,
      methodsDiffer: this.methodsDiffer,
      mru: this.#mru,
      magicNumber: this.#magicNumber,
      omitted: this.#omitted,
      refusedMethods: this.#refusedMethods,
      smallMruNaked: this.#smallMruNaked,
      nakedMagicNumber: this.#nakedMagicNumber,
      coincidences: this.#coincidences,
    };
  }

  restore(saved: ReturnType<LcpPolicy['save']>): void {
    this.peerMru = saved.peerMru;
    this.peerPfc = saved.peerPfc;
    this.peerAcfc = saved.peerAcfc;
    this.ownMethod = saved.ownMethod;
    this.peerMethod = saved.peerMethod;
    this.methodsDiffer = saved.methodsDiffer;
    this.#mru = saved.mru;
    this.#magicNumber = saved.magicNumber;
    this.#omitted = saved.omitted;
    this.#refusedMethods = saved.refusedMethods;
    this.#smallMruNaked = saved.smallMruNaked;
    this.#nakedMagicNumber = saved.nakedMagicNumber;
    this.#coincidences = saved.coincidences;
  }

  /** 0 where the peer does not want it: RFC 1661 §6.4. */
  get magicNumber(): number {
    return this.#omitted.includes('magicNumber') ? 0 : this.#magicNumber;
  }

  restart(): void {
    this.#mru = this.#link.mru;
    this.#omitted = NONE;
    this.#refusedMethods = NONE;
    this.#smallMruNaked = false;
    this.#nakedMagicNumber = undefined;
    this.methodsDiffer = false;
    this.peerMethod = this.#link.authenticatePeer?.methods[0];
    this.#newMagicNumber();
  }

  request(): readonly LcpOption[] {
    const wishes: readonly (LcpOption & { readonly name: WishName })[] = [
      { name: 'mru', value: this.#mru },
      { name: 'magicNumber', value: this.#magicNumber },
      { name: 'pfc' },
      { name: 'acfc' },
    ];
    const request: LcpOption[] = wishes.filter((wish) => !this.#omitted.includes(wish.name));
    if (this.peerMethod !== undefined) request.splice(1, 0, authenticationOption(this.peerMethod));
    return request;
  }

  consider(peer: readonly LcpOption[], mayNak: boolean): Verdict<LcpOption> {
    const consideration = new Consideration<LcpOption>(mayNak);
    this.peerMru = DEFAULT_MRU;
    this.peerPfc = false;
    this.peerAcfc = false;
    this.ownMethod = undefined;
    let smallMru = false;
    for (const option of peer) {
      switch (option.name) {
        case 'mru':
          this.peerMru = option.value;
          smallMru = option.value < this.#link.mru;
          if (option.value < MIN_MRU || (smallMru && !this.#smallMruNaked))
            consideration.nak(option, { name: 'mru', value: this.#link.mru });
          break;
        case 'accm': // means nothing here
          break;
        case 'authentication':
          this.#considerMethod(option, consideration);
          break;
        case 'magicNumber':
          if (!this.#considerMagicNumber(option, consideration))
            return { kind: 'fail', code: 'LOOPBACK' };
          break;
        case 'pfc':
          this.peerPfc = true;
          break;
        case 'acfc':
          this.peerAcfc = true;
          break;
        case 'unknown':
          consideration.reject(option);
          break;
      }
    }
    const verdict = consideration.verdict();
    // A smaller MRU is Naked once; a peer that insists has its way.
    if (smallMru && verdict.kind === 'nak') this.#smallMruNaked = true;
    return verdict;
  }

  naked(options: readonly LcpOption[]): CauseCode | undefined {
    for (const option of options) {
      switch (option.name) {
        case 'mru':
          if (option.value >= MIN_MRU && option.value <= DEFAULT_MRU) this.#mru = option.value;
          break;
        case 'magicNumber':
          // RFC 1661 §6.4: the magic number of a Nak that we sent ourselves comes back on a looped link only.
          if (option.value === this.#nakedMagicNumber && ++this.#coincidences >= MAX_COINCIDENCES)
            return 'LOOPBACK';
          this.#newMagicNumber();
          break;
        case 'authentication':
          if (!this.#useAnotherMethod(methodOf(option))) return 'AUTH_METHOD_REFUSED';
          break;
        case 'pfc':
        case 'acfc':
          this.#omitted = [...this.#omitted, option.name];
          break;
        case 'accm': // Not in our request: a Nak may name options that the peer wants us to ask for.
        case 'unknown':
          break;
      }
    }
    return undefined;
  }

  rejected(options: readonly LcpOption[]): CauseCode | undefined {
    for (const option of options) {
      if (option.name === 'authentication') return 'AUTH_METHOD_REFUSED';
      if (option.name !== 'unknown' && option.name !== 'accm')
        this.#omitted = [...this.#omitted, option.name];
    }
    return undefined;
  }

  #considerMethod(
    option: LcpOption & { name: 'authentication' },
    consideration: Consideration<LcpOption>,
  ): void {
    const method = methodOf(option);
    const best = this.#ownMethods[0];
    if (method !== undefined && this.#ownMethods.includes(method)) {
      this.ownMethod = method;
      return;
    }
    this.methodsDiffer = true;
    if (best === undefined) consideration.reject(option);
    else consideration.nak(option, authenticationOption(best));
  }

  /** RFC 1661 §6.4. Returns false when the link is looped for certain. */
  #considerMagicNumber(
    option: LcpOption & { name: 'magicNumber' },
    consideration: Consideration<LcpOption>,
  ): boolean {
    const { value } = option;
    if (value !== 0 && value !== this.magicNumber) {
      this.#coincidences = 0;
      return true;
    }
    if (value !== 0 && ++this.#coincidences >= MAX_COINCIDENCES) return false;
    this.#nakedMagicNumber = this.#randomNumber();
    consideration.nak(option, { name: 'magicNumber', value: this.#nakedMagicNumber });
    return true;
  }

  /** Never a method that is not allowed, whatever the peer suggests. */
  #useAnotherMethod(suggested: AuthMethod | undefined): boolean {
    this.methodsDiffer = true;
    if (this.peerMethod === undefined) return true;
    this.#refusedMethods = [...this.#refusedMethods, this.peerMethod];
    const allowed = this.#link.authenticatePeer?.methods ?? [];
    const left = allowed.filter((method) => !this.#refusedMethods.includes(method));
    const next = left.find((method) => method === suggested) ?? left[0];
    if (next === undefined) return false;
    this.peerMethod = next;
    return true;
  }

  #newMagicNumber(): void {
    this.#magicNumber = this.#randomNumber();
  }

  #randomNumber(): number {
    return readU32(this.#link.random(4), 0) || 1;
  }
}
