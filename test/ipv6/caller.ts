/** A caller on the virtual clock: what it sends, and what the machine answers, as messages. */
import assert from 'node:assert/strict';
import { CallerIpv6 } from '../../src/ipv6/caller-ipv6.ts';
import type { CallerIpv6Options, CallerIpv6Output } from '../../src/ipv6/options.ts';
import { PrefixPool } from '../../src/ipv6/prefix-pool.ts';
import {
  ALL_DHCP_SERVERS,
  decodeDhcpv6,
  dhcpv6Option,
  encodeDhcpv6,
  type Association,
  type Dhcpv6Message,
  type Dhcpv6MessageName,
  type Dhcpv6Option,
} from '../../src/wire/dhcpv6.ts';
import {
  decodeNeighborMessage,
  encodeNeighborMessage,
  type NeighborMessage,
} from '../../src/wire/icmpv6.ts';
import {
  decodeIpv6,
  encodeIpv6,
  formatIpv6Address,
  formatIpv6Prefix,
  hasRightIpv6Checksum,
  Ipv6NextHeader,
  linkLocalAddress,
  parseIpv6Address,
  parseIpv6Prefix,
  type Ipv6Prefix,
} from '../../src/wire/ipv6.ts';
import { decodeUdp, encodeUdp } from '../../src/wire/udp.ts';
import { VirtualClock } from '../support/clock.ts';
import { ok } from '../wire/sample.ts';

export const ip6 = (text: string): Uint8Array => parseIpv6Address(text)!;
export const net = (text: string): Ipv6Prefix => parseIpv6Prefix(text)!;

const IDENTIFIER = Uint8Array.of(0xd8, 0, 0, 0, 0, 0, 0, 0x42);
const SERVER_IDENTIFIER = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1);
export const PEER = linkLocalAddress(IDENTIFIER);
export const SERVER = linkLocalAddress(SERVER_IDENTIFIER);
export const ALL_ROUTERS = ip6('ff02::2');
export const SERVER_DUID = Uint8Array.of(0, 4, ...new Uint8Array(16).fill(7));
export const CLIENT_DUID = Uint8Array.of(0, 3, 0, 1, 2, 0, 0x5e, 0x10, 0, 1);
const USER = 'alice';
const HOLDER = 1;

export const OPTIONS: CallerIpv6Options = {
  mode: 'own',
  prefixes: [net('2001:db8:0:5::/64')],
  delegated: [],
  networks: [net('2001:db8::/48')],
  isDefault: true,
  addresses: [ip6('2001:db8::1')],
  dns: [ip6('2001:db8::53')],
  domains: ['example.net'],
  mtu: 1400,
  ourIdentifier: SERVER_IDENTIFIER,
  peerIdentifier: IDENTIFIER,
  duid: SERVER_DUID,
};

export interface Sent {
  readonly at: number;
  readonly to: string;
  readonly message: NeighborMessage | Dhcpv6Message;
}

/** Half of what there may be: 0x8000 of 0x10000. */
const middling = (length: number): Uint8Array => new Uint8Array(length).fill(0x80, 0, 1);

export class Caller {
  readonly clock = new VirtualClock();
  readonly sent: Sent[] = [];
  /** `delegated PREFIX` and `released PREFIX`. */
  readonly routes: string[] = [];
  readonly counted = new Map<string, number>();
  readonly pool: PrefixPool;
  options: CallerIpv6Options;
  machine: CallerIpv6;
  #transaction = 0x1000;

  constructor(options: Partial<CallerIpv6Options> = {}, pool?: PrefixPool) {
    this.options = { ...OPTIONS, ...options };
    this.pool = pool ?? new PrefixPool({ networks: this.options.networks, reserved: [] });
    this.machine = this.#make();
  }

  start(): this {
    this.machine.start(this.clock.now);
    this.#drain();
    return this;
  }

  /** Another program goes on. */
  succeed(): void {
    this.#drain();
    const saved = JSON.stringify(this.machine.save(), (_, value: unknown) =>
      value instanceof Uint8Array ? { octets: [...value] } : value,
    );
    this.machine = this.#make();
    this.machine.restore(
      JSON.parse(saved, (_, value: { octets?: number[] } | null) =>
        value?.octets === undefined ? value : Uint8Array.from(value.octets),
      ) as ReturnType<CallerIpv6['save']>,
    );
  }

  change(options: Partial<CallerIpv6Options>): void {
    this.options = { ...this.options, ...options };
    this.pool.reconfigure({ networks: this.options.networks, reserved: [] });
    this.machine.change(this.options, this.clock.now);
    this.#drain();
  }

  advance(duration: number): void {
    this.clock.advance(duration, [this.machine], () => {
      this.#drain();
    });
  }

  /** Octets as they come from the data path. @returns what is answered at once */
  give(octets: Uint8Array): readonly Sent[] {
    const before = this.sent.length;
    this.machine.receive(octets, this.clock.now);
    this.#drain();
    return this.sent.slice(before);
  }

  neighbor(message: NeighborMessage, source = PEER, destination = ALL_ROUTERS): readonly Sent[] {
    return this.give(encodeIpv6(encodeNeighborMessage(message, source, destination)));
  }

  solicitRouter(source = PEER): readonly Sent[] {
    return this.neighbor({ name: 'router-solicitation', options: [] }, source);
  }

  dhcp(name: Dhcpv6MessageName, options: readonly Dhcpv6Option[]): readonly Sent[] {
    return this.give(this.datagram(name, options));
  }

  datagram(
    name: Dhcpv6MessageName,
    options: readonly Dhcpv6Option[],
    {
      source = PEER,
      destination = ALL_DHCP_SERVERS,
      port = 547,
    }: { source?: Uint8Array; destination?: Uint8Array; port?: number } = {},
  ): Uint8Array {
    const payload = encodeDhcpv6({ name, transaction: ++this.#transaction, options });
    const ports = { sourcePort: 546, destinationPort: port };
    return encodeIpv6(encodeUdp(ports, payload, { hopLimit: 1, source, destination }));
  }

  /** The answer to a message of DHCPv6; undefined: none. */
  ask(name: Dhcpv6MessageName, options: readonly Dhcpv6Option[]): Dhcpv6Message | undefined {
    const [answer, more] = this.dhcp(name, options);
    assert.equal(more, undefined);
    if (answer === undefined) return undefined;
    assert.equal(answer.to, formatIpv6Address(PEER));
    const message = answer.message as Dhcpv6Message;
    assert.equal(message.transaction, this.#transaction);
    assert.deepEqual(dhcpv6Option(message, 'server-identifier'), SERVER_DUID);
    return message;
  }

  /** The last advertisement. */
  get advertisement(): Extract<NeighborMessage, { name: 'router-advertisement' }> {
    const message = this.advertisements.at(-1)!.message;
    assert.ok(message.name === 'router-advertisement');
    return message;
  }

  get advertisements(): readonly Sent[] {
    return this.sent.filter(({ message }) => message.name === 'router-advertisement');
  }

  #make(): CallerIpv6 {
    return new CallerIpv6(this.options, {
      random: middling,
      count: (name) => this.counted.set(name, (this.counted.get(name) ?? 0) + 1),
      delegate: (length) => this.pool.delegate(HOLDER, USER, length),
    });
  }

  #drain(): void {
    for (let output = this.machine.poll(); output !== undefined; output = this.machine.poll())
      this.#note(output);
  }

  #note(output: CallerIpv6Output): void {
    if (output.kind === 'send') this.sent.push(read(output.packet, this.clock.now));
    else this.routes.push(`${output.kind} ${formatIpv6Prefix(output.prefix)}`);
  }
}

/** Whatever is sent is right, and from our link-local address, or from one that was asked about. */
function read(octets: Uint8Array, at: number): Sent {
  const packet = ok(decodeIpv6(octets));
  assert.ok(hasRightIpv6Checksum(packet));
  assert.ok(octets.length <= OPTIONS.mtu);
  const to = formatIpv6Address(packet.destination);
  if (packet.nextHeader === Ipv6NextHeader.Icmpv6)
    return { at, to, message: ok(decodeNeighborMessage(packet)) };
  assert.equal(formatIpv6Address(packet.source), 'fe80::1');
  const { sourcePort, destinationPort, payload } = ok(decodeUdp(packet.payload));
  assert.deepEqual([sourcePort, destinationPort], [547, 546]);
  return { at, to, message: ok(decodeDhcpv6(payload)) };
}

export const client: Dhcpv6Option = { name: 'client-identifier', value: CLIENT_DUID };
export const server: Dhcpv6Option = { name: 'server-identifier', value: SERVER_DUID };
export const rapid: Dhcpv6Option = { name: 'rapid-commit', value: {} };

/** IA_PD. @param prefixes that are asked for */
export function wanted(iaid: number, ...prefixes: readonly string[]): Dhcpv6Option {
  return {
    name: 'prefixes',
    value: {
      iaid,
      t1: 0,
      t2: 0,
      options: prefixes.map(net).map((prefix) => ({
        name: 'prefix',
        value: { ...prefix, preferredLifetime: 0, validLifetime: 0, options: new Uint8Array() },
      })),
    },
  };
}

/** IA_NA */
export function wantedAddress(iaid: number, ...addresses: readonly string[]): Dhcpv6Option {
  return {
    name: 'addresses',
    value: {
      iaid,
      t1: 0,
      t2: 0,
      options: addresses.map((address) => ({
        name: 'address',
        value: {
          address: ip6(address),
          preferredLifetime: 0,
          validLifetime: 0,
          options: new Uint8Array(),
        },
      })),
    },
  };
}

/** What an answer has for its first IA_PD or IA_NA: `PREFIX PREFERRED VALID`, `status CODE`. */
export function given(
  message: Dhcpv6Message | undefined,
  kind: 'prefixes' | 'addresses' = 'prefixes',
): readonly string[] {
  assert.ok(message !== undefined, 'no answer');
  const association = dhcpv6Option(message, kind);
  assert.ok(association !== undefined, `no ${kind}`);
  return inAssociation(association);
}

export function inAssociation({ options }: Association): readonly string[] {
  return options.map(({ name, value }) => {
    switch (name) {
      case 'prefix':
        return `${formatIpv6Prefix(value)} ${value.preferredLifetime} ${value.validLifetime}`;
      case 'address':
        return `${formatIpv6Address(value.address)} ${value.preferredLifetime} ${value.validLifetime}`;
      case 'status':
        return `status ${value.code}`;
    }
  });
}
