/**
 * Routes to the servers that links dial, so that a link's own routes do not swallow its own packets.
 *
 * Ours carry a protocol number: what a daemon that was killed left behind is found again, and a /32 that the owner made
 * is left alone, when a link comes and when it goes.
 */
import type { Ipv4 } from '../wire/brand.ts';
import { formatAddress, parseAddress } from '../wire/ip.ts';
import { ip, ipJson } from './ip-command.ts';
import type { Journal } from './journal.ts';
import type { Leftovers } from './leftovers.ts';
import { readRoutes, wayTo } from './route-table.ts';
import { RouterError } from './router.ts';
import { PROTOCOL } from './tunnel-state.ts';

/** RTPROT_KERNEL: the kernel's own route to the peer address of a point-to-point device. */
const KERNEL = '2';

interface HostRoute {
  readonly server: Ipv4;
  readonly bindDevice: string | undefined;
  readonly address: string;
  /** Arguments of `ip route replace`. */
  readonly route: readonly string[];
}

export class HostRoutes {
  readonly #held = new Map<string, HostRoute>();
  /** Links whose server has a route of its own, be it the owner's. */
  readonly #kept = new Set<string>();
  readonly #journal: Journal;
  readonly #later: Leftovers['add'];

  /** @param later undoes what cannot be undone now, in order with the other calls */
  constructor(journal: Journal, later: Leftovers['add']) {
    this.#journal = journal;
    this.#later = later;
  }

  /** Not carried: #journal, which is a file; #later. */
  save() {
    return { held: [...this.#held], kept: [...this.#kept] };
  }

  adopt({ held, kept }: ReturnType<HostRoutes['save']>): void {
    for (const [link, route] of held) this.#held.set(link, route);
    for (const link of kept) this.#kept.add(link);
  }

  /** @throws RouterError there is no way to the server */
  async hold(link: string, server: Ipv4, bindDevice: string | undefined): Promise<void> {
    await this.release(link);
    const address = formatAddress(server);
    const all = JSON.parse(
      (await ip('-N', '-json', 'route', 'show', 'exact', `${address}/32`)) || '[]',
    ) as { protocol?: string }[];
    // A server may give its outside address as its inside one: that route leads into a tunnel.
    const present = all.filter(({ protocol }) => protocol !== KERNEL);
    if (present.some(({ protocol }) => protocol !== PROTOCOL)) {
      this.#kept.add(link); // the owner decided
      return;
    }
    const isHeld = present.length > 0 && this.#holders(address).length > 0;
    if (present.length > 0 && !isHeld) await this.#remove(address);

    const bound = bindDevice === undefined ? [] : ['oif', bindDevice];
    const found = await ip('-json', 'route', 'get', address, ...bound);
    const [way] = JSON.parse(found) as { gateway?: string; dev?: string; type?: string }[];
    if (way?.type === 'local')
      throw new RouterError(`${address} is an address of this machine itself`, 'LOOPBACK');
    if (way?.dev === undefined) throw new RouterError(`ip route get ${address}: no device`);
    const route = routeTo(address, parseAddress(way.gateway ?? '') ?? 0, way.dev);
    this.#journal.add('host-route', { address, device: way.dev });
    // Before the kernel's, which must be there again afterwards; ours of before is the first one already.
    await ip('route', isHeld ? 'replace' : 'prepend', ...route);
    this.#held.set(link, { server, bindDevice, address, route });
    this.#kept.add(link);
  }

  /** The server of the link is looked for outside, whatever routes the link has. */
  isHeld(link: string): boolean {
    return this.#kept.has(link);
  }

  /** What cannot be removed now is removed later. */
  async release(link: string): Promise<void> {
    this.#kept.delete(link);
    const own = this.#held.get(link);
    if (own === undefined) return;
    this.#held.delete(link);
    const others = this.#holders(own.address);
    if (others.some(({ route }) => route.join() === own.route.join())) return;
    try {
      if (others[0] === undefined) await this.#remove(own.address);
      else await ip('route', 'replace', ...others[0].route);
    } catch (error) {
      this.#later(`host route to ${own.address}`, error, () => this.#undo(own.address));
    }
  }

  /**
   * Puts back what has gone: with the device that it led through, if that was down for a moment. While there is no other
   * way a server would be looked for in its own tunnel.
   * @param tunnels devices of ours, which lead to no server
   * @returns whether anything had gone
   * @throws RouterError there is no way now
   */
  async look(tunnels: readonly string[]): Promise<boolean> {
    if (this.#held.size === 0) return false;
    const [shown] = (await ipJson([['route', 'show', 'proto', PROTOCOL]])) as [{ dst: string }[]];
    const present = new Set(shown.map(({ dst }) => dst));
    const missing = [...this.#held].filter(([, { address }]) => !present.has(address));
    if (missing.length === 0) return false;
    const all = await readRoutes();
    for (const [link, held] of missing) {
      const { server, bindDevice, address } = held;
      if (this.#held.get(link) !== held) continue; // released meanwhile
      // A server behind another tunnel of ours has that one's device.
      const routes = all.filter(
        ({ device }) => !tunnels.includes(device) || held.route.includes(device),
      );
      if (routes.some(({ prefix }) => prefix.length === 32 && prefix.address === server)) continue; // the owner's
      const way = wayTo(server, routes, bindDevice);
      if (way === undefined) throw new RouterError(`there is no way to ${address} now`, 'NO_ROUTE');
      const route = routeTo(address, way.gateway, way.device);
      this.#journal.add('host-route', { address, device: way.device });
      await ip('route', 'prepend', ...route);
      for (const [other, { address: same }] of this.#held)
        if (same === address) this.#held.set(other, { ...held, route });
    }
    return true;
  }

  /** Removes what a daemon that was killed has left; what cannot be removed now is removed later. */
  async recover(): Promise<void> {
    for (const { address } of this.#journal.all('host-route')) {
      await this.#undo(address).catch((error: unknown) =>
        this.#later(`host route to ${address}, of a daemon before`, error, () =>
          this.#undo(address),
        ),
      );
    }
  }

  /** Nobody needs any of it any more. */
  async close(): Promise<void> {
    this.#held.clear();
    await this.recover();
  }

  /** Unless somebody needs it. */
  async #undo(address: string): Promise<void> {
    if (this.#holders(address).length === 0) await this.#remove(address);
  }

  /** Unlike `del`, `flush` does not mind when there is none. */
  async #remove(address: string): Promise<void> {
    await ip('route', 'flush', 'exact', `${address}/32`, 'proto', PROTOCOL);
    for (const entry of this.#journal.all('host-route'))
      if (entry.address === address) this.#journal.remove('host-route', entry);
  }

  #holders(address: string): HostRoute[] {
    return [...this.#held.values()].filter((other) => other.address === address);
  }
}

/** @param gateway 0: the server is a neighbour, or at the end of a point-to-point device such as PPPoE */
function routeTo(address: string, gateway: Ipv4, device: string): string[] {
  const via = gateway === 0 ? [] : ['via', formatAddress(gateway)];
  return [`${address}/32`, ...via, 'dev', device, 'proto', PROTOCOL];
}
