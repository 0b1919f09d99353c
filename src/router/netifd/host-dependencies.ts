/**
 * The way to the server that a link dials: netifd adds a route to it through the upstream and makes the link depend on that
 * (notify_proto action 6). It leaves the route behind when the link goes, and takes it for present ever after: so we remove
 * it, and make it ourselves where netifd believes that it is there.
 */
import { errorText } from '../../platform/errors.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import { UbusError } from '../../ubus-js/index.ts';
import { formatAddress, parseAddress } from '../../wire/ip.ts';
import { ip } from '../ip-command.ts';
import type { Journal } from '../journal.ts';
import type { Leftovers } from '../leftovers.ts';
import { RouterError } from '../router.ts';
import { readRoutes, wayTo, type KernelRoute } from '../route-table.ts';
import { CALL, type Bus } from './bus.ts';

const ADD_HOST_DEPENDENCY = 6;

export interface HostRouteTools {
  readonly bus: Bus;
  readonly ip: (...args: readonly string[]) => Promise<unknown>;
  readonly routes: () => Promise<readonly KernelRoute[]>;
  readonly journal: Journal;
  /** Undoes what cannot be undone now, in order with the other calls. */
  readonly later: Leftovers['add'];
}

/** Its device; undefined while the network is down, as far as we know. */
type Upstream = { readonly name: string; readonly device: string | undefined } | undefined;

interface Held {
  readonly address: Ipv4;
  readonly upstream: Upstream;
  /** undefined: somebody else's, which stays. */
  readonly device: string | undefined;
}

export const systemTools = { ip, routes: readRoutes };

export class HostDependencies {
  readonly #tools: HostRouteTools;
  readonly #held = new Map<string, Held>();

  constructor(tools: HostRouteTools) {
    this.#tools = tools;
  }

  /** Not carried: #tools. */
  save() {
    return [...this.#held];
  }

  adopt(held: ReturnType<HostDependencies['save']>): void {
    for (const [link, each] of held) this.#held.set(link, each);
  }

  /**
   * @param upstream netifd's name of the network to go through, and its device
   * @throws RouterError there is no way now: netifd takes the link down, and sets it up again when there is one
   */
  async hold(link: string, server: Ipv4, upstream: Upstream): Promise<void> {
    const { bus, routes } = this.#tools;
    const address = formatAddress(server);
    const before = hostRoute(server, await routes());
    const others = [...this.#held.values()].filter((held) => held.address === server);
    const own = this.#held.get(link);
    if (own !== undefined && (own.address !== server || own.upstream?.name !== upstream?.name))
      await this.release(link);
    const isForeign =
      before !== undefined &&
      !others.some(({ device }) => device === before.device) &&
      !this.#tools.journal.has('host-route', { address, device: before.device }) &&
      !this.#tools.journal.has('once', { address, device: before.device });
    try {
      await bus.call(
        'network.interface',
        'notify_proto',
        {
          interface: link,
          action: ADD_HOST_DEPENDENCY,
          host: address,
          ...(upstream === undefined ? {} : { ifname: upstream.name }),
        },
        CALL,
      );
    } catch (error) {
      const status = error instanceof UbusError ? error.status : undefined;
      if (status === 'PERMISSION_DENIED')
        throw new RouterError(`netifd is taking ${link} down`, 'INTERFACE_DOWN');
      const isWaiting = status === 'NOT_FOUND';
      throw new RouterError(
        isWaiting
          ? `there is no route to ${address}${upstream === undefined ? '' : ` through ${upstream.name}`} yet: waiting for the upstream`
          : `netifd does not add the route to ${address}: ${errorText(error)}`,
        'NO_ROUTE',
      );
    }
    if (upstream !== undefined && upstream.device === undefined)
      throw new RouterError(
        `the network ${upstream.name} (option interface) is not up`,
        'NO_ROUTE',
      );
    const device = await this.#make(server, upstream?.device);
    if (!isForeign) {
      // netifd makes it before we know its device.
      this.#tools.journal.add('host-route', { address, device });
      this.#tools.journal.add('once', { address, device });
    }
    this.#held.set(link, { address: server, upstream, device: isForeign ? undefined : device });
  }

  /** What cannot be removed now is removed later. */
  async release(link: string): Promise<void> {
    const { address, device } = this.#held.get(link) ?? {};
    this.#held.delete(link);
    if (address === undefined || device === undefined) return;
    await this.#removeOrLater(address, device);
  }

  /** Removes what a daemon that was killed has left; what cannot be removed now is removed later. */
  async recover(): Promise<void> {
    for (const { address, device } of this.#tools.journal.all('host-route'))
      await this.#removeOrLater(parseAddress(address)!, device);
  }

  /** Nobody needs any of it any more. */
  async close(): Promise<void> {
    this.#held.clear();
    await this.recover();
  }

  async #removeOrLater(server: Ipv4, device: string): Promise<void> {
    try {
      await this.#remove(server, device);
    } catch (error) {
      this.#tools.later(`host route to ${formatAddress(server)}`, error, () =>
        this.#remove(server, device),
      );
    }
  }

  /** Unless another link holds it, or it is not there any more. */
  async #remove(server: Ipv4, device: string): Promise<void> {
    const tools = this.#tools;
    const address = formatAddress(server);
    if ([...this.#held.values()].some((held) => held.address === server)) return;
    if (hostRoute(server, await tools.routes())?.device === device)
      await tools.ip('route', 'del', `${address}/32`, 'dev', device);
    tools.journal.remove('host-route', { address, device });
  }

  /** Again where it has gone while the link is up: netifd was started anew, or the upstream flushed. @throws RouterError */
  async keep(link: string): Promise<void> {
    const own = this.#held.get(link);
    if (own === undefined) return;
    if (hostRoute(own.address, await this.#tools.routes()) === undefined)
      await this.hold(link, own.address, own.upstream);
  }

  /** All that have gone. @returns whether any had @throws RouterError */
  async look(): Promise<boolean> {
    let wasMissing = false;
    for (const [link, { address }] of [...this.#held]) {
      if (hostRoute(address, await this.#tools.routes()) !== undefined) continue;
      await this.keep(link);
      wasMissing ||= this.#held.has(link);
    }
    return wasMissing;
  }

  isHeld(link: string): boolean {
    return this.#held.has(link);
  }

  /** @returns the device that the route to the server goes through */
  async #make(server: Ipv4, upstream: string | undefined): Promise<string> {
    const address = formatAddress(server);
    const routes = await this.#tools.routes();
    const present = hostRoute(server, routes);
    if (present !== undefined && (upstream === undefined || present.device === upstream))
      return present.device;
    const way = wayTo(server, routes, upstream);
    if (way === undefined)
      throw new RouterError(
        `there is no route to ${address}${upstream === undefined ? '' : ` through ${upstream}`}`,
        'NO_ROUTE',
      );
    // Without a gateway the server is a neighbour, or at the end of a point-to-point device such as PPPoE.
    const via = way.gateway === 0 ? [] : ['via', formatAddress(way.gateway)];
    await this.#tools.ip('route', 'replace', `${address}/32`, ...via, 'dev', way.device);
    return way.device;
  }
}

function hostRoute(address: Ipv4, routes: readonly KernelRoute[]): KernelRoute | undefined {
  return routes.find(({ prefix }) => prefix.length === 32 && prefix.address === address);
}
