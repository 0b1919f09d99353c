/**
 * The prefixes that are delegated to one caller: RFC 8415 §6.3. They are the session's: whoever asks through it is given the same
 * ones, so that asking again and again takes nothing. One identity association has them at a time.
 */
import type { Association, AssociationOption } from '../wire/dhcpv6.ts';
import { dhcpv6StatusOption as statusOption, Dhcpv6Status } from '../wire/dhcpv6.ts';
import {
  ipv6PrefixCovers,
  isSameIpv6Address,
  isSameIpv6Prefix,
  UNSPECIFIED,
  type Ipv6Prefix,
} from '../wire/ipv6.ts';
import {
  PREFERRED_LIFETIME,
  RENEWAL_TIME,
  REBINDING_TIME,
  VALID_LIFETIME,
  type CallerIpv6Options,
  type CallerIpv6Output,
  type CallerIpv6Ports,
} from './options.ts';
import { TokenBucket } from './token-bucket.ts';

/** Each new delegation is a route that is set and taken away: RFC-abiding clients come to a few in a session. */
const BURST = 4;
const INTERVAL = 30_000;
/** Of prefixes that a client asks about and that are not its own so many are denied; and so many are kept until they end. */
const MOST_STRANGE = 8;

interface Lease {
  readonly prefix: Ipv6Prefix;
  readonly until: number;
}

/** An identity association: RFC 8415 §12. */
interface Holder {
  readonly duid: Uint8Array;
  readonly iaid: number;
}

export class Delegation {
  readonly #delegate: CallerIpv6Ports['delegate'];
  readonly #emit: (output: CallerIpv6Output) => void;
  readonly #changes = new TokenBucket(BURST, INTERVAL);
  #options: CallerIpv6Options;
  #holder: Holder | undefined;
  #leases: readonly Lease[] = [];
  /** Of leases: they are not to be had any more, of which the client learns when it renews. */
  #old: readonly Lease[] = [];

  constructor(
    options: CallerIpv6Options,
    delegate: CallerIpv6Ports['delegate'],
    emit: (output: CallerIpv6Output) => void,
  ) {
    this.#options = options;
    this.#delegate = delegate;
    this.#emit = emit;
  }

  /** Not carried: #options, #delegate and #emit, which are given anew. */
  save() {
    return {
      changes: this.#changes.save(),
      holder: this.#holder,
      leases: this.#leases,
      old: this.#old,
    };
  }

  restore({ changes, holder, leases, old }: ReturnType<Delegation['save']>): void {
    this.#changes.restore(changes);
    this.#holder = holder;
    this.#leases = leases;
    this.#old = old;
  }

  change(options: CallerIpv6Options): void {
    this.#options = options;
    const { delegated, networks } = options;
    const goesOn = ({ prefix }: Lease) =>
      delegated.length > 0
        ? delegated.some((fixed) => isSameIpv6Prefix(fixed, prefix))
        : networks.some((network) => ipv6PrefixCovers(network, prefix));
    const all = [...this.#leases, ...this.#old];
    this.#leases = all.filter(goesOn);
    this.#old = all.filter((lease) => !goesOn(lease));
    for (const { prefix } of this.#old.slice(0, -MOST_STRANGE))
      this.#emit({ kind: 'released', prefix });
    this.#old = this.#old.slice(-MOST_STRANGE);
  }

  /** Answers what a client advertises for: nothing is bound. */
  offer(association: Association, duid: Uint8Array): Association {
    const { iaid } = association;
    if (this.#isElsewhere(duid, iaid)) return none(iaid);
    const prefixes = this.#offered(association);
    return prefixes.length === 0 ? none(iaid) : associated(iaid, prefixes.map(lasting));
  }

  /** Binds or renews. undefined: too often. */
  bind(association: Association, duid: Uint8Array, now: number): Association | undefined {
    const { iaid } = association;
    if (this.#isElsewhere(duid, iaid)) return none(iaid);
    const prefixes = this.#offered(association);
    const before = [...this.#leases, ...this.#old].map(({ prefix }) => prefix);
    const added = prefixes.filter((prefix) => !isIn(prefix, before));
    if (added.length > 0 && !this.#changes.take(now)) return undefined;
    const gone = before.filter((prefix) => !isIn(prefix, prefixes));
    for (const prefix of gone) this.#emit({ kind: 'released', prefix });
    for (const prefix of added) this.#emit({ kind: 'delegated', prefix });
    const until = now + 1000 * VALID_LIFETIME;
    this.#holder = { duid, iaid };
    this.#leases = prefixes.map((prefix) => ({ prefix, until }));
    this.#old = [];
    // RFC 8415 §18.3.4: what is not, or no longer, for this client has lifetimes of 0.
    const strange = prefixesIn(association).filter(
      (prefix) => !isHint(prefix) && !isIn(prefix, prefixes) && !isIn(prefix, gone),
    );
    const denied = [...gone, ...strange.slice(0, MOST_STRANGE)].map(ended);
    if (prefixes.length === 0) return none(iaid, denied);
    return associated(iaid, [...prefixes.map(lasting), ...denied]);
  }

  /** @returns false: the client has none of them */
  release(association: Association, duid: Uint8Array): boolean {
    const holder = this.#holder;
    if (holder?.iaid !== association.iaid || !isSameDuid(holder.duid, duid)) return false;
    const given = prefixesIn(association);
    const isGiven = ({ prefix }: Lease) => isIn(prefix, given);
    return this.#end(isGiven);
  }

  nextTimeout(): number | undefined {
    const all = [...this.#leases, ...this.#old].map(({ until }) => until);
    return all.length === 0 ? undefined : Math.min(...all);
  }

  handleTimeout(now: number): void {
    this.#end(({ until }) => until <= now);
  }

  /** @returns false: there was nothing to end */
  #end(isOver: (lease: Lease) => boolean): boolean {
    const over = [...this.#leases, ...this.#old].filter(isOver);
    for (const { prefix } of over) this.#emit({ kind: 'released', prefix });
    this.#leases = this.#leases.filter((lease) => !over.includes(lease));
    this.#old = this.#old.filter((lease) => !over.includes(lease));
    return over.length > 0;
  }

  #offered(association: Association): readonly Ipv6Prefix[] {
    const { delegated } = this.#options;
    return delegated.length > 0
      ? delegated
      : this.#delegate(prefixesIn(association)[0]?.length ?? 0);
  }

  /** Another association of the same client has them. */
  #isElsewhere(duid: Uint8Array, iaid: number): boolean {
    const holder = this.#holder;
    if (holder === undefined || this.#leases.length === 0) return false;
    return holder.iaid !== iaid && isSameDuid(holder.duid, duid);
  }
}

function isSameDuid(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, n) => octet === b[n]);
}

function isIn(prefix: Ipv6Prefix, list: readonly Ipv6Prefix[]): boolean {
  return list.some((other) => isSameIpv6Prefix(other, prefix));
}

function prefixesIn({ options }: Association): readonly Ipv6Prefix[] {
  return options.flatMap(({ name, value }) => (name === 'prefix' ? [value] : []));
}

/** `::` says of which length a client would like one: RFC 8168 §2. */
function isHint({ address }: Ipv6Prefix): boolean {
  return isSameIpv6Address(address, UNSPECIFIED);
}

function lasting({ address, length }: Ipv6Prefix): AssociationOption {
  return prefixOption(address, length, PREFERRED_LIFETIME, VALID_LIFETIME);
}

function ended({ address, length }: Ipv6Prefix): AssociationOption {
  return prefixOption(address, length, 0, 0);
}

function prefixOption(
  address: Uint8Array,
  length: number,
  preferredLifetime: number,
  validLifetime: number,
): AssociationOption {
  const options = new Uint8Array();
  return { name: 'prefix', value: { preferredLifetime, validLifetime, length, address, options } };
}

function associated(iaid: number, options: readonly AssociationOption[]): Association {
  return { iaid, t1: RENEWAL_TIME, t2: REBINDING_TIME, options };
}

function none(iaid: number, denied: readonly AssociationOption[] = []): Association {
  return { iaid, t1: 0, t2: 0, options: [...denied, statusOption(Dhcpv6Status.NoPrefixAvail)] };
}
