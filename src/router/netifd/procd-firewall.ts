/**
 * Opens the control connection's port of servers: rules that procd keeps as data of our service. fw4 takes them from there,
 * and procd has it reloaded whenever they change.
 */
import { errorText } from '../../platform/errors.ts';
import { UbusError, type Table } from '../../ubus-js/index.ts';
import { formatPrefix } from '../../wire/ip.ts';
import type { ServedPort } from '../router.ts';
import { CALL, isAway, type Bus } from './bus.ts';

/** That of the init script. */
const SERVICE = 'pptp-gateway';

/**
 * As sections of /etc/config/firewall: one for each server, or for each device that it listens on. fw4's own zones need not
 * be known: a rule of any zone may name a device.
 */
export function firewallRules(
  servers: readonly ServedPort[],
  deviceOf: (network: string) => string | undefined,
): Table[] {
  return servers.flatMap(({ name, port, listen, openFirewall, allowFrom, denyFrom }) => {
    if (!openFirewall || denyFrom.some(({ length }) => length === 0)) return [];
    const sources = [...allowFrom.map(formatPrefix), ...denyFrom.map((each) => `!${formatPrefix(each)}`)]; // prettier-ignore
    const devices =
      listen.length === 0 ? [undefined] : listen.flatMap((each) => deviceOf(each) ?? []);
    return [...new Set(devices)].map((device) => ({
      type: 'rule',
      name: `PPTP server ${name}`,
      family: 'ipv4',
      src: '*',
      ...(device === undefined ? {} : { device }),
      proto: 'tcp',
      dest_port: String(port),
      ...(sources.length === 0 ? {} : { src_ip: sources }),
      target: 'ACCEPT',
    }));
  });
}

export class ProcdFirewall {
  readonly #bus: Bus;
  readonly #warn: (text: string) => void;
  #rules: readonly Table[] = [];
  #told = false;

  constructor(bus: Bus, warn: (text: string) => void) {
    this.#bus = bus;
    this.#warn = warn;
  }

  /** procd does nothing where nothing changed, so that it is told whenever it might have lost them. */
  async open(rules: readonly Table[]): Promise<void> {
    this.#rules = rules;
    await this.tell();
  }

  async change(rules: readonly Table[]): Promise<void> {
    if (JSON.stringify(rules) !== JSON.stringify(this.#rules)) await this.open(rules);
  }

  /** Also after a restart of procd. */
  async tell(): Promise<void> {
    if (this.#rules.length === 0 && !this.#told) return;
    this.#told = true; // it may take effect even where no answer comes
    await this.#say(this.#rules, 'the firewall is not opened for callers');
  }

  /** procd forgets the data with the service, but has nothing reloaded for that. */
  async close(): Promise<void> {
    if (this.#rules.length === 0) return;
    this.#rules = [];
    await this.#say([], 'the firewall stays open for callers until it is reloaded');
  }

  async #say(firewall: readonly Table[], otherwise: string): Promise<void> {
    try {
      await this.#bus.call('service', 'set_data', { name: SERVICE, data: { firewall } }, CALL);
    } catch (error) {
      if (await isAway(this.#bus, 'service', error)) return; // ubus.object.add will come
      const unknown = error instanceof UbusError && error.status === 'NOT_FOUND';
      this.#warn(
        `${otherwise}: ${unknown ? `procd has no service ${SERVICE} (started by hand?)` : errorText(error)}`,
      );
    }
  }
}
