/**
 * The networks that the router has beside its servers', as the kernel has them now. A server whose network appears somewhere
 * else keeps out of its way: it does not run meanwhile, or its callers get no addresses from there.
 */
import type { OwnNetwork } from '../../router/own-networks.ts';
import type { ServerOptions } from '../../session/options.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { formatAddress, formatPrefix, type AddressRange } from '../../wire/ip.ts';
import { clashes, keptFrom, type Surrounding } from '../configuration/clashes.ts';
import type { Configuration } from '../configuration/configuration.ts';
import type { Problem } from '../configuration/problems.ts';

export interface SurroundingsPorts {
  /** @throws IoError */
  readonly read: () => readonly OwnNetwork[];
  /** The name of the network with an address on a device, where devices have other names than networks. */
  readonly networkOn: (device: string, address: Ipv4) => string | undefined;
  /** Servers run on these devices now, also those that are to end. */
  readonly serverDevices: () => readonly string[];
  readonly failed: (error: unknown) => void;
}

interface Judgement {
  readonly warnings: readonly Problem[];
  readonly conflicts: readonly (readonly [server: string, why: Cause])[];
  readonly over: readonly string[];
}

export class Surroundings {
  /** As of the last look. */
  networks: readonly OwnNetwork[] = [];
  /** What is wrong with servers, beside what stands in the configuration about it. */
  problems: readonly Problem[] = [];
  readonly #ports: SurroundingsPorts;
  #conflicts: ReadonlyMap<string, Cause> = new Map();
  #key = '';

  constructor(ports: SurroundingsPorts) {
    this.#ports = ports;
  }

  /** @returns whether something has changed since the last look */
  look(): boolean {
    try {
      this.networks = this.#ports.read();
    } catch (error) {
      this.#ports.failed(error); // what was seen stays
      return false;
    }
    const key = this.networks
      .map((own) => `${own.device} ${formatAddress(own.address)} ${formatPrefix(own.network)}`)
      .join();
    const isNews = key !== this.#key;
    this.#key = key;
    return isNews;
  }

  /** @returns the warnings that were not there before, and the servers that must not run any more or may again */
  judge({ servers, surroundings }: Configuration): Judgement {
    const before = this.#conflicts;
    const known = new Set(this.problems.map(({ section, message }) => `${section} ${message}`));
    const problems: Problem[] = [];
    const conflicts = new Map<string, Cause>();
    for (const server of servers) {
      const others = this.#others(server, servers);
      for (const clash of clashes(server, others)) {
        if (clash.severity === 'error' && !conflicts.has(server.name))
          conflicts.set(server.name, cause('NETWORK_CONFLICT', clash.message));
      }
      // What stands in the configuration was complained of there.
      const news = others.filter(
        ({ address, network }) =>
          !surroundings.some(
            (other) => other.address === address && other.network.length === network.length,
          ),
      );
      for (const clash of clashes(server, news))
        problems.push({ file: 'network', section: server.name, ...clash });
    }
    this.problems = problems;
    this.#conflicts = conflicts;
    return {
      warnings: problems.filter(
        ({ severity, section, message }) =>
          severity === 'warning' && !known.has(`${section} ${message}`),
      ),
      conflicts: [...conflicts].filter(([name, why]) => before.get(name)?.detail !== why.detail),
      over: [...before.keys()].filter((name) => !conflicts.has(name)),
    };
  }

  /** Why a server must not run now. */
  conflict(server: string): Cause | undefined {
    return this.#conflicts.get(server);
  }

  /** What callers of a server must not get. */
  keptFrom(server: ServerOptions, servers: readonly ServerOptions[]): readonly AddressRange[] {
    return keptFrom(server, this.#others(server, servers)).filter(isNear(server));
  }

  /** Networks of servers are held against each other by the configuration. */
  #others(server: ServerOptions, servers: readonly ServerOptions[]): Surrounding[] {
    const ours = new Set([...servers, server].map(({ device }) => device));
    for (const device of this.#ports.serverDevices()) ours.add(device);
    return this.networks.flatMap(({ device, address, network }) => {
      if (ours.has(device)) return [];
      const name = this.#ports.networkOn(device, address);
      return [
        {
          name: name === undefined ? `device ${device}` : `interface ${name}`,
          address,
          network,
        },
      ];
    });
  }
}

/** What is far from a server's addresses is no change for it. */
function isNear({ pool }: ServerOptions): (range: AddressRange) => boolean {
  return ({ first, last }) => pool.some((range) => range.first <= last && first <= range.last);
}
