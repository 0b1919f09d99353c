/**
 * DHCPv6 for one caller: RFC 9915 (RFC 8415) §18.3. Name servers and domains for whoever asks, prefixes for the networks behind it,
 * and no addresses, which it makes itself; but where callers share a /64, the one that is its own.
 */
import {
  dhcpv6Option,
  dhcpv6OptionCodes,
  Dhcpv6Status,
  dhcpv6StatusOption,
  type Association,
  type AssociationOption,
  type Dhcpv6Message,
  type Dhcpv6Option,
} from '../wire/dhcpv6.ts';
import { addressInPrefix, ipv6PrefixContains, isSameIpv6Address } from '../wire/ipv6.ts';
import { Delegation } from './delegation.ts';
import {
  PREFERRED_LIFETIME,
  REBINDING_TIME,
  RENEWAL_TIME,
  VALID_LIFETIME,
  type CallerIpv6Options,
  type CallerIpv6Output,
  type CallerIpv6Ports,
} from './options.ts';

/** RFC 8415 §11.1, octets. */
const SHORTEST_DUID = 3;
const LONGEST_DUID = 130;
/** Identity associations of a message that are answered, of each kind. */
const MOST_ASSOCIATIONS = 4;
/** Addresses that a client asks about and that are not its own: so many are denied. */
const MOST_STRANGE = 8;
/** When a client asks again for name servers: IRT_MINIMUM of RFC 8415 §7.6, seconds. */
const REFRESH_TIME = 600;

/** Why a message is left alone, for the counters. */
export type Dhcpv6Refusal = 'malformed' | 'unexpected' | 'another server' | 'flood';

/** How a message with identity associations is answered. */
interface Manner {
  readonly name: 'advertise' | 'reply';
  /** The client has been here before. */
  readonly renews: boolean;
  readonly isRapid: boolean;
}

export class Dhcpv6Server {
  readonly #delegation: Delegation;
  #options: CallerIpv6Options;

  constructor(
    options: CallerIpv6Options,
    delegate: CallerIpv6Ports['delegate'],
    emit: (output: CallerIpv6Output) => void,
  ) {
    this.#options = options;
    this.#delegation = new Delegation(options, delegate, emit);
  }

  /** Not carried: #options, which are given anew. */
  save() {
    return this.#delegation.save();
  }

  restore(saved: ReturnType<Dhcpv6Server['save']>): void {
    this.#delegation.restore(saved);
  }

  change(options: CallerIpv6Options): void {
    this.#options = options;
    this.#delegation.change(options);
  }

  nextTimeout(): number | undefined {
    return this.#delegation.nextTimeout();
  }

  handleTimeout(now: number): void {
    this.#delegation.handleTimeout(now);
  }

  /** @returns the answer, or undefined: it wants none */
  answer(message: Dhcpv6Message, now: number): Dhcpv6Message | undefined | Dhcpv6Refusal {
    const refusal = this.#check(message);
    if (refusal !== undefined) return refusal;
    switch (message.name) {
      case 'solicit': {
        const isRapid = dhcpv6Option(message, 'rapid-commit') !== undefined;
        const name = isRapid ? 'reply' : 'advertise';
        return this.#associate(message, { name, renews: false, isRapid }, now);
      }
      case 'request':
        return this.#associate(message, { name: 'reply', renews: false, isRapid: false }, now);
      case 'renew':
      case 'rebind':
        return this.#associate(message, { name: 'reply', renews: true, isRapid: false }, now);
      case 'confirm':
        return this.#confirm(message);
      case 'release':
        return this.#release(message);
      case 'decline':
        return this.#reply(message, [
          dhcpv6StatusOption(Dhcpv6Status.Success),
          ...associationsOf(message, 'addresses').map((association) =>
            within('addresses', status(association, Dhcpv6Status.NoBinding)),
          ),
        ]);
      case 'information-request':
        return this.#reply(message, this.#configuration(message));
      case 'advertise':
      case 'reply':
      case 'reconfigure':
        return 'unexpected';
    }
  }

  /** RFC 8415 §16 */
  #check(message: Dhcpv6Message): Dhcpv6Refusal | undefined {
    const client = dhcpv6Option(message, 'client-identifier');
    const server = dhcpv6Option(message, 'server-identifier');
    const isOurs = server !== undefined && isSame(server, this.#options.duid);
    if (client !== undefined && (client.length < SHORTEST_DUID || client.length > LONGEST_DUID))
      return 'malformed';
    switch (message.name) {
      case 'solicit':
      case 'confirm':
      case 'rebind':
        return client === undefined || server !== undefined ? 'malformed' : undefined;
      case 'request':
      case 'renew':
      case 'release':
      case 'decline':
        if (client === undefined || server === undefined) return 'malformed';
        return isOurs ? undefined : 'another server';
      case 'information-request':
        if (associationsOf(message, 'addresses').length > 0) return 'malformed';
        if (associationsOf(message, 'prefixes').length > 0) return 'malformed';
        return server === undefined || isOurs ? undefined : 'another server';
      case 'advertise':
      case 'reply':
      case 'reconfigure':
        return undefined;
    }
  }

  #associate(message: Dhcpv6Message, manner: Manner, now: number): Dhcpv6Message | 'flood' {
    const duid = dhcpv6Option(message, 'client-identifier')!;
    const options: Dhcpv6Option[] = manner.isRapid ? [{ name: 'rapid-commit', value: {} }] : [];
    for (const association of associationsOf(message, 'addresses'))
      options.push(within('addresses', this.#address(association, manner)));
    for (const [n, association] of associationsOf(message, 'prefixes').entries()) {
      const prefixes =
        manner.name === 'reply'
          ? this.#delegation.bind(association, duid, now)
          : n === 0
            ? this.#delegation.offer(association, duid)
            : status(association, Dhcpv6Status.NoPrefixAvail);
      if (prefixes === undefined) return 'flood';
      options.push(within('prefixes', prefixes));
    }
    return this.#reply(message, [...options, ...this.#configuration(message)], manner.name);
  }

  #address(association: Association, { renews }: Manner): Association {
    const own = this.#addresses;
    const strange = addressesIn(association)
      .filter((address) => !own.some((other) => isSameIpv6Address(other, address)))
      .slice(0, renews ? MOST_STRANGE : 0)
      .map((address) => addressOption(address, 0, 0));
    if (own.length === 0)
      return status(association, renews ? Dhcpv6Status.NoBinding : Dhcpv6Status.NoAddrsAvail);
    const lasting = own.map((address) =>
      addressOption(address, PREFERRED_LIFETIME, VALID_LIFETIME),
    );
    const { iaid } = association;
    return { iaid, t1: RENEWAL_TIME, t2: REBINDING_TIME, options: [...lasting, ...strange] };
  }

  /** RFC 8415 §18.3.3: whether the addresses fit this link; without any there is nothing to say. */
  #confirm(message: Dhcpv6Message): Dhcpv6Message | undefined {
    const { prefixes } = this.#options;
    const addresses = associationsOf(message, 'addresses').flatMap(addressesIn);
    if (addresses.length === 0) return undefined;
    const fit = addresses.every((address) =>
      prefixes.some((prefix) => ipv6PrefixContains(prefix, address)),
    );
    const code = fit ? Dhcpv6Status.Success : Dhcpv6Status.NotOnLink;
    return this.#reply(message, [dhcpv6StatusOption(code)]);
  }

  /** RFC 8415 §18.3.7 */
  #release(message: Dhcpv6Message): Dhcpv6Message {
    const duid = dhcpv6Option(message, 'client-identifier')!;
    const unknown = [
      ...associationsOf(message, 'addresses')
        .filter(() => this.#addresses.length === 0)
        .map((association) => within('addresses', status(association, Dhcpv6Status.NoBinding))),
      ...associationsOf(message, 'prefixes')
        .filter((association) => !this.#delegation.release(association, duid))
        .map((association) => within('prefixes', status(association, Dhcpv6Status.NoBinding))),
    ];
    return this.#reply(message, [dhcpv6StatusOption(Dhcpv6Status.Success), ...unknown]);
  }

  /** What was asked for of that which is no lease. */
  #configuration(message: Dhcpv6Message): readonly Dhcpv6Option[] {
    const { dns, domains } = this.#options;
    const wanted = dhcpv6Option(message, 'option-request');
    const wants = (name: keyof typeof dhcpv6OptionCodes) =>
      wanted === undefined || wanted.includes(dhcpv6OptionCodes[name]);
    const options: Dhcpv6Option[] = [];
    if (dns.length > 0 && wants('name-servers')) options.push({ name: 'name-servers', value: dns });
    if (message.name === 'information-request' && wants('refresh-time'))
      options.push({ name: 'refresh-time', value: REFRESH_TIME });
    if (domains.length > 0 && wants('search-list'))
      options.push({ name: 'search-list', value: domains });
    return options;
  }

  #reply(
    message: Dhcpv6Message,
    options: readonly Dhcpv6Option[],
    name: 'advertise' | 'reply' = 'reply',
  ): Dhcpv6Message {
    const client = dhcpv6Option(message, 'client-identifier');
    return {
      name,
      transaction: message.transaction,
      options: [
        { name: 'server-identifier', value: this.#options.duid },
        ...(client === undefined ? [] : [{ name: 'client-identifier', value: client } as const]),
        ...options,
      ],
    };
  }

  /** That the caller has where it shares a /64 with others. */
  get #addresses(): readonly Uint8Array[] {
    const { mode, prefixes, peerIdentifier } = this.#options;
    return mode === 'own' ? [] : prefixes.map((prefix) => addressInPrefix(prefix, peerIdentifier));
  }
}

function associationsOf(
  { options }: Dhcpv6Message,
  kind: 'addresses' | 'prefixes',
): readonly Association[] {
  return options
    .flatMap((option) => (option.name === kind ? [option.value] : []))
    .slice(0, MOST_ASSOCIATIONS);
}

function addressesIn({ options }: Association): readonly Uint8Array[] {
  return options.flatMap(({ name, value }) => (name === 'address' ? [value.address] : []));
}

function addressOption(
  address: Uint8Array,
  preferredLifetime: number,
  validLifetime: number,
): AssociationOption {
  const options = new Uint8Array();
  return { name: 'address', value: { address, preferredLifetime, validLifetime, options } };
}

function within(name: 'addresses' | 'prefixes', value: Association): Dhcpv6Option {
  return { name, value };
}

function status({ iaid }: Association, code: number): Association {
  return { iaid, t1: 0, t2: 0, options: [dhcpv6StatusOption(code)] };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, n) => octet === b[n]);
}
