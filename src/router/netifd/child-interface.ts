/**
 * IPv6 over a link (`ipv6 auto`): a DHCPv6 client on the link's device, as the interface <link>_6 that the stock client
 * makes, too. It is a dynamic interface of netifd: it exists as long as the link is up and IPV6CP is open.
 */
import { errorText } from '../../platform/errors.ts';
import type { Tunnel } from '../../session/ports.ts';
import { parseUci, wordsIn } from '../uci.ts';
import { CALL, type Bus } from './bus.ts';
import type { InterfaceStatus } from './interface-status.ts';

type Ipv6Client = NonNullable<Tunnel['ipv6Client']>;

export function childName(link: string): string {
  return `${link}_6`;
}

export class ChildInterfaces {
  readonly #bus: Bus;
  readonly #warn: (text: string) => void;
  /** Text of /etc/config/firewall; undefined: there is none. */
  readonly #firewall: () => Promise<string | undefined>;
  readonly #added = new Set<string>();

  constructor(bus: Bus, firewall: () => Promise<string | undefined>, warn: (text: string) => void) {
    this.#bus = bus;
    this.#firewall = firewall;
    this.#warn = warn;
  }

  /** Not carried: #bus, #warn, #firewall. */
  save() {
    return [...this.#added];
  }

  adopt(links: ReturnType<ChildInterfaces['save']>): void {
    for (const link of links) this.#added.add(link);
  }

  /** With what netifd's generic options are for the link itself. */
  async add(
    { name: link, defaultRoute, metric }: Pick<Tunnel, 'name' | 'defaultRoute' | 'metric'>,
    { peerDns, requestPrefix, noRelease, sourceFilter, delegate }: Ipv6Client,
    interfaces: readonly InterfaceStatus[],
  ): Promise<void> {
    const name = childName(link);
    const present = interfaces.find((known) => known.name === name);
    if (present !== undefined && !present.dynamic) {
      this.#warn(`link ${link}: no IPv6 client, since there is an interface ${name} already`);
      return;
    }
    const parent = interfaces.find((known) => known.name === link);
    const zone = parent?.zone ?? zoneOf(link, (await this.#firewall()) ?? '');
    try {
      await this.#bus.call(
        'network',
        'add_dynamic',
        {
          name,
          proto: 'dhcpv6',
          device: `@${link}`,
          extendprefix: '1',
          ...(requestPrefix === undefined ? {} : { reqprefix: requestPrefix }),
          defaultroute: defaultRoute,
          metric,
          peerdns: peerDns,
          norelease: noRelease,
          sourcefilter: sourceFilter,
          delegate,
          ...(zone === undefined ? {} : { zone }),
        },
        CALL,
      );
      this.#added.add(link);
    } catch (error) {
      this.#warn(`link ${link}: no IPv6 client: ${errorText(error)}`);
    }
  }

  async remove(link: string): Promise<void> {
    if (!this.#added.delete(link)) return;
    // With netifd away, or after an ifdown of its own, it is gone already.
    await this.#bus
      .call(`network.interface.${childName(link)}`, 'remove', {}, CALL)
      .catch(() => undefined);
  }
}

/** The zone of /etc/config/firewall that lists the network. */
export function zoneOf(network: string, firewall: string): string | undefined {
  const zone = parseUci('firewall', firewall).sections.find(
    (section) => section.type === 'zone' && wordsIn(section, 'network').includes(network),
  );
  return zone?.values.get('name')?.values.at(-1);
}
