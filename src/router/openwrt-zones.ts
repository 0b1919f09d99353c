/**
 * Zones and networks of OpenWrt: the zones are those of /etc/config/firewall, the devices of their networks are known to
 * netifd. A name may also be that of a network alone, or of a device.
 */
import { errorText } from '../platform/errors.ts';
import type { Table, UbusClient, Value } from '../ubus-js/index.ts';
import { deviceExists } from './ip-command.ts';
import { RouterError } from './router.ts';
import { parseUci, type UciSection } from './uci.ts';
import type { Zones } from './zones.ts';

type Bus = Pick<UbusClient, 'call'>;

/** netifd answers within milliseconds. */
const TIMEOUT = 10_000;

interface Interface {
  readonly name: string;
  readonly device: string | undefined;
  /** The zone that the interface itself asks for. */
  readonly zone: string | undefined;
}

export class OpenWrtZones implements Zones {
  readonly #bus: Bus;
  readonly #readFirewall: () => Promise<string>;
  readonly #exists: (device: string) => boolean;

  /** @param readFirewall the text of /etc/config/firewall; empty if there is none */
  constructor(bus: Bus, readFirewall: () => Promise<string>, exists = deviceExists) {
    this.#bus = bus;
    this.#readFirewall = readFirewall;
    this.#exists = exists;
  }

  async devices(name: string): Promise<readonly string[]> {
    const zone = parseUci('firewall', await this.#readFirewall()).sections.find(
      (section) => section.type === 'zone' && words(section, 'name')[0] === name,
    );
    const interfaces = await this.#interfaces();
    const networks = zone === undefined ? [name] : words(zone, 'network');
    const found = interfaces
      .filter((one) => networks.includes(one.name) || (zone !== undefined && one.zone === name))
      .flatMap(({ device }) => device ?? []);
    if (zone !== undefined) found.push(...words(zone, 'device'));
    else if (
      !interfaces.some((one) => one.name === name) &&
      (name.endsWith('+') || this.#exists(name))
    )
      found.push(name);
    return [...new Set(found.map((device) => device.replace(/\+$/, '*')))];
  }

  async #interfaces(): Promise<readonly Interface[]> {
    let dump: Table;
    try {
      dump = await this.#bus.call('network.interface', 'dump', {}, { timeout: TIMEOUT });
    } catch (error) {
      throw new RouterError(`netifd does not tell its networks: ${errorText(error)}`);
    }
    const list = dump['interface'];
    return Array.isArray(list)
      ? (list as readonly Value[]).flatMap((entry) => read(entry) ?? [])
      : [];
  }
}

function read(entry: Value): Interface | undefined {
  if (!isTable(entry) || typeof entry['interface'] !== 'string') return undefined;
  const { l3_device: device, data } = entry;
  const zone = data !== undefined && isTable(data) ? data['zone'] : undefined;
  return {
    name: entry['interface'],
    device: typeof device === 'string' ? device : undefined,
    zone: typeof zone === 'string' ? zone : undefined,
  };
}

function isTable(value: Value): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `list network 'a'` and `option network 'a b'` are the same to fw4. */
function words(section: UciSection, option: string): string[] {
  return section.values.get(option)?.values.flatMap((text) => text.trim().split(/\s+/)) ?? [];
}
