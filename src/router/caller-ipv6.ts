/**
 * IPv6 of servers on plain Linux: the router's address in each of their networks, and what leads to callers. A network leads into
 * the device as a whole, so that nothing in it goes back to where it came from; only what lies outside, or has a smaller MTU, has
 * a route of its own. All of it goes with the device.
 */
import { SERVER_INTERFACE_IDENTIFIER } from '../session/ports.ts';
import {
  addressInPrefix,
  formatIpv6Address,
  formatIpv6Prefix,
  ipv6PrefixCovers,
  type Ipv6Prefix,
} from '../wire/ipv6.ts';
import { deviceExists, ipBatch6, ipJson6 } from './ip-command.ts';
import type { ServerInterface } from './router.ts';

/** What leads to one caller. */
interface CallerPrefixes {
  readonly device: string;
  readonly mtu: number;
  readonly prefixes: readonly Ipv6Prefix[];
}

/** Arguments of `ip address` and `ip route`, by what is compared. */
interface Wanted {
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  readonly routes: ReadonlyMap<string, readonly string[]>;
}

type Made = Readonly<Record<'addresses' | 'routes', readonly string[]>>;

const NOTHING: Made = { addresses: [], routes: [] };

export class CallersIpv6 {
  readonly #servers = new Map<string, Pick<ServerInterface, 'mtu' | 'ipv6Networks'>>();
  /** By the key of the caller. */
  readonly #callers = new Map<string, CallerPrefixes>();
  /** By device: what was put there. */
  readonly #made = new Map<string, Made>();

  save() {
    return { servers: [...this.#servers], callers: [...this.#callers], made: [...this.#made] };
  }

  adopt({ servers, callers, made }: ReturnType<CallersIpv6['save']>): void {
    for (const [device, server] of servers) this.#servers.set(device, server);
    for (const [key, caller] of callers) this.#callers.set(key, caller);
    for (const [device, each] of made) this.#made.set(device, each);
  }

  /** @throws RouterError */
  async serverUp({ device, mtu, ipv6Networks }: ServerInterface): Promise<void> {
    this.#servers.set(device, { mtu, ipv6Networks });
    await this.look(device);
  }

  serverDown(device: string): void {
    this.#servers.delete(device);
    this.#made.delete(device);
  }

  /** @throws RouterError */
  async callerUp(key: string, caller: CallerPrefixes): Promise<void> {
    this.#callers.set(key, caller);
    await this.#change(caller.device);
  }

  /** @throws RouterError */
  async callerDown(key: string): Promise<void> {
    const caller = this.#callers.get(key);
    this.#callers.delete(key);
    if (caller !== undefined) await this.#change(caller.device);
  }

  /** Puts there what is missing. @returns whether something of what was there before was @throws RouterError */
  async look(device: string): Promise<boolean> {
    const wanted = this.#wanted(device);
    const before = this.#made.get(device) ?? NOTHING;
    const isNothing = wanted.addresses.size + wanted.routes.size === 0;
    if ((isNothing && before === NOTHING) || !deviceExists(device)) return false;
    const present = await shown(device);
    const commands: string[][] = [];
    let isMissing = false;
    for (const kind of ['addresses', 'routes'] as const) {
      const what = kind === 'addresses' ? 'address' : 'route';
      const missing = [...wanted[kind]].filter(([text]) => !present[kind].has(text));
      isMissing ||= missing.some(([text]) => before[kind].includes(text));
      for (const [text, attributes] of missing)
        commands.push([what, 'replace', text, 'dev', device, ...attributes]);
      for (const text of before[kind])
        if (!wanted[kind].has(text) && present[kind].has(text))
          commands.push([what, 'del', text, 'dev', device]);
    }
    this.#made.set(device, {
      addresses: [...wanted.addresses.keys()],
      routes: [...wanted.routes.keys()],
    });
    if (commands.length > 0) await ipBatch6(commands);
    return isMissing;
  }

  /** Starting `ip` takes longer than all else about a login. */
  async #change(device: string): Promise<void> {
    const { addresses, routes } = this.#made.get(device) ?? NOTHING;
    const wanted = this.#wanted(device);
    const isSame = (made: readonly string[], now: ReadonlyMap<string, unknown>) =>
      made.length === now.size && made.every((text) => now.has(text));
    if (!isSame(addresses, wanted.addresses) || !isSame(routes, wanted.routes))
      await this.look(device);
  }

  #wanted(device: string): Wanted {
    const server = this.#servers.get(device);
    const networks = server?.ipv6Networks ?? [];
    const addresses = networks.map((network): [string, string[]] => [
      formatIpv6Address(addressInPrefix(network, SERVER_INTERFACE_IDENTIFIER)),
      ['nodad'],
    ]);
    const routes = networks.map((network): [string, string[]] => [formatIpv6Prefix(network), []]);
    for (const caller of this.#callers.values()) {
      if (caller.device !== device) continue;
      const isSmall = server !== undefined && caller.mtu < server.mtu;
      for (const prefix of caller.prefixes)
        if (isSmall || !networks.some((network) => ipv6PrefixCovers(network, prefix)))
          routes.push([formatIpv6Prefix(prefix), ['mtu', String(caller.mtu)]]);
    }
    return { addresses: new Map(addresses), routes: new Map(routes) };
  }
}

/** `ip` leaves empty objects where others have been filtered out. */
interface ShownAddress {
  readonly addr_info?: readonly { readonly local?: string }[];
}

async function shown(device: string): Promise<Record<keyof Made, ReadonlySet<string>>> {
  const [addresses, routes] = (await ipJson6([
    ['address', 'show', 'dev', device],
    ['route', 'show', 'dev', device],
  ])) as [readonly ShownAddress[], readonly { readonly dst: string }[]];
  return {
    addresses: new Set(
      addresses.flatMap(({ addr_info = [] }) => addr_info.flatMap(({ local }) => local ?? [])),
    ),
    routes: new Set(routes.map(({ dst }) => dst)),
  };
}
