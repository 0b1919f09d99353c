/**
 * Zones and networks of OpenWrt: the zones are those of /etc/config/firewall, the devices of their networks are known to
 * netifd. A name may also be that of a network alone, or of a device.
 */
import { errorText } from '../platform/errors.ts';
import { deviceExists } from './ip-command.ts';
import { CALL, type Bus } from './netifd/bus.ts';
import { parseDump, type InterfaceStatus } from './netifd/interface-status.ts';
import { RouterError } from './router.ts';
import { parseUci, wordsIn } from './uci.ts';
import type { Zones } from './zones.ts';

export class OpenWrtZones implements Zones {
  readonly #bus: Pick<Bus, 'call'>;
  readonly #readFirewall: () => Promise<string>;
  readonly #exists: (device: string) => boolean;

  /** @param readFirewall the text of /etc/config/firewall; empty if there is none */
  constructor(bus: Pick<Bus, 'call'>, readFirewall: () => Promise<string>, exists = deviceExists) {
    this.#bus = bus;
    this.#readFirewall = readFirewall;
    this.#exists = exists;
  }

  async devices(name: string): Promise<readonly string[]> {
    const zone = parseUci('firewall', await this.#readFirewall()).sections.find(
      (section) => section.type === 'zone' && wordsIn(section, 'name')[0] === name,
    );
    const interfaces = await this.#interfaces();
    const networks = zone === undefined ? [name] : wordsIn(zone, 'network');
    const found = interfaces
      .filter((one) => networks.includes(one.name) || (zone !== undefined && one.zone === name))
      .flatMap(({ device }) => device ?? []);
    if (zone !== undefined) found.push(...wordsIn(zone, 'device'));
    else if (
      !interfaces.some((one) => one.name === name) &&
      (name.endsWith('+') || this.#exists(name))
    )
      found.push(name);
    return [...new Set(found.map((device) => device.replace(/\+$/, '*')))];
  }

  async #interfaces(): Promise<readonly InterfaceStatus[]> {
    try {
      return parseDump(await this.#bus.call('network.interface', 'dump', {}, CALL));
    } catch (error) {
      throw new RouterError(`netifd does not tell its networks: ${errorText(error)}`);
    }
  }
}
