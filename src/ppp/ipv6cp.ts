/**
 * What IPV6CP negotiates here: interface identifiers (RFC 5072 §4.1), the low halves of the two link-local addresses.
 */
import type { CauseCode } from '../wire/cause.ts';
import { ipv6cpOptions, type Ipv6cpOption } from '../wire/ipv6cp-options.ts';
import type { LinkOptions } from './options.ts';
import { Consideration, type OptionPolicy, type Verdict } from './option-policy.ts';

export class Ipv6cpPolicy implements OptionPolicy<Ipv6cpOption> {
  readonly options = ipv6cpOptions;
  readonly #random: (length: number) => Uint8Array;
  readonly #configured: Uint8Array | undefined;
  readonly #isTaken: (identifier: Uint8Array) => boolean;
  readonly #granted: Uint8Array | undefined;
  #localIdentifier: Uint8Array;
  #peerIdentifier: Uint8Array | undefined;

  /** @param granted the only identifier that the peer may have; undefined: any that nobody has */
  constructor(
    {
      random,
      interfaceIdentifier,
      isIdentifierTaken = () => false,
    }: Pick<LinkOptions, 'random' | 'interfaceIdentifier' | 'isIdentifierTaken'>,
    granted?: Uint8Array,
  ) {
    this.#random = random;
    this.#configured = interfaceIdentifier;
    this.#isTaken = isIdentifierTaken;
    this.#granted = granted;
    this.#localIdentifier = interfaceIdentifier ?? this.#randomIdentifier();
  }

  /** Not carried: #random, #configured, #isTaken and #granted, which are given. */
  save() {
    return { localIdentifier: this.#localIdentifier, peerIdentifier: this.#peerIdentifier };
  }

  restore({ localIdentifier, peerIdentifier }: ReturnType<Ipv6cpPolicy['save']>): void {
    this.#localIdentifier = localIdentifier;
    this.#peerIdentifier = peerIdentifier;
  }

  get localIdentifier(): Uint8Array {
    return this.#localIdentifier;
  }

  get peerIdentifier(): Uint8Array | undefined {
    return this.#peerIdentifier;
  }

  restart(): void {
    this.#localIdentifier = this.#configured ?? this.#localIdentifier;
    this.#peerIdentifier = undefined;
  }

  request(): readonly Ipv6cpOption[] {
    return [{ name: 'interfaceIdentifier', value: this.#localIdentifier }];
  }

  consider(peer: readonly Ipv6cpOption[], mayNak: boolean): Verdict<Ipv6cpOption> {
    const consideration = new Consideration<Ipv6cpOption>(mayNak);
    let identifier: Uint8Array | undefined;
    for (const option of peer) {
      if (option.name !== 'interfaceIdentifier') {
        consideration.reject(option);
        continue;
      }
      identifier = option.value;
      if (!this.#mayHave(identifier)) consideration.nak(option, this.#suggestion());
    }
    if (identifier === undefined) consideration.append(this.#suggestion());
    const verdict = consideration.verdict();
    if (verdict.kind === 'ack') this.#peerIdentifier = identifier;
    return verdict;
  }

  naked(options: readonly Ipv6cpOption[]): CauseCode | undefined {
    for (const option of options) {
      if (option.name !== 'interfaceIdentifier' || isZero(option.value)) continue;
      if (this.#peerIdentifier === undefined || !isSame(option.value, this.#peerIdentifier))
        this.#localIdentifier = option.value;
    }
    return undefined;
  }

  rejected(): CauseCode | undefined {
    return 'NEGOTIATION_FAILED';
  }

  #mayHave(identifier: Uint8Array): boolean {
    if (isZero(identifier) || isSame(identifier, this.#localIdentifier)) return false;
    return this.#granted === undefined
      ? !this.#isTaken(identifier)
      : isSame(identifier, this.#granted);
  }

  #suggestion(): Ipv6cpOption {
    return { name: 'interfaceIdentifier', value: this.#granted ?? this.#randomIdentifier() };
  }

  /** RFC 5072 §4.1: not globally unique, so the universal/local bit is 0; and not all zero. */
  #randomIdentifier(): Uint8Array {
    const identifier = this.#random(8).slice();
    identifier[0] = identifier[0]! & 0xfd;
    identifier[7] = identifier[7]! | 1;
    return identifier;
  }
}

function isZero(octets: Uint8Array): boolean {
  return octets.every((octet) => octet === 0);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, at) => octet === b[at]);
}
