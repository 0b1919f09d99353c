/**
 * The way to the server that a link dials: netifd adds a route to it through the upstream and makes the link depend on that
 * (notify_proto action 6). It leaves the route behind when the link goes, and takes it for present ever after: so we remove
 * it, and make it ourselves where netifd believes that it is there.
 */
import { UbusError } from '../../ubus-js/index.ts';
import { formatAddress } from '../../wire/ip.ts';
import { ip } from '../ip-command.ts';
import { RouterError } from '../router.ts';
import { readRoutes, wayTo, type KernelRoute } from '../route-table.ts';
import { CALL, message, type Bus } from './bus.ts';
import type { OwnRoutes } from './own-routes.ts';

const ADD_HOST_DEPENDENCY = 6;

export interface HostRouteTools {
  readonly bus: Bus;
  readonly ip: (...args: readonly string[]) => Promise<unknown>;
  readonly routes: () => Promise<readonly KernelRoute[]>;
  readonly own: OwnRoutes;
  /** Undoes what cannot be undone now, in order with the other calls. */
  readonly later: (what: string, why: unknown, undo: () => Promise<void>) => void;
}

/** Its device; undefined while the network is down, as far as we know. */
type Upstream = { readonly name: string; readonly device: string | undefined } | undefined;

interface Held {
  readonly address: number;
  readonly upstream: Upstream;
  /** undefined: somebody else's, which stays. */
  readonly device: string | undefined;
}

export const systemTools = { ip, routes: readRoutes };

export class HostDependencies {
  private readonly tools: HostRouteTools;
  private readonly held = new Map<string, Held>();

  constructor(tools: HostRouteTools) {
    this.tools = tools;
  }

  /**
   * @param upstream netifd's name of the network to go through, and its device
   * @throws RouterError there is no way now: netifd takes the link down, and sets it up again when there is one
   */
  async hold(link: string, server: number, upstream: Upstream): Promise<void> {
    const { bus, routes } = this.tools;
    const address = formatAddress(server);
    const before = hostRoute(server, await routes());
    const others = [...this.held.values()].filter((held) => held.address === server);
    const own = this.held.get(link);
    if (own !== undefined && (own.address !== server || own.upstream?.name !== upstream?.name))
      await this.release(link);
    const isForeign =
      before !== undefined &&
      !others.some(({ device }) => device === before.device) &&
      !this.tools.own.has(address, before.device);
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
          : `netifd does not add the route to ${address}: ${message(error)}`,
        'NO_ROUTE',
      );
    }
    if (upstream !== undefined && upstream.device === undefined)
      throw new RouterError(
        `the network ${upstream.name} (option interface) is not up`,
        'NO_ROUTE',
      );
    const device = await this.make(server, upstream?.device);
    if (!isForeign) this.tools.own.add(address, device);
    this.held.set(link, { address: server, upstream, device: isForeign ? undefined : device });
  }

  /** What cannot be removed now is removed later. */
  async release(link: string): Promise<void> {
    const { address, device } = this.held.get(link) ?? {};
    this.held.delete(link);
    if (address === undefined || device === undefined) return;
    try {
      await this.remove(address, device);
    } catch (error) {
      this.tools.later(`host route to ${formatAddress(address)}`, error, () =>
        this.remove(address, device),
      );
    }
  }

  /** Unless another link holds it, or it is not there any more. */
  private async remove(address: number, device: string): Promise<void> {
    if ([...this.held.values()].some((held) => held.address === address)) return;
    if (hostRoute(address, await this.tools.routes())?.device !== device) return;
    await this.tools.ip('route', 'del', `${formatAddress(address)}/32`, 'dev', device);
  }

  /** Again where it has gone while the link is up: netifd was started anew, or the upstream flushed. @throws RouterError */
  async keep(link: string): Promise<void> {
    const own = this.held.get(link);
    if (own === undefined) return;
    if (hostRoute(own.address, await this.tools.routes()) === undefined)
      await this.hold(link, own.address, own.upstream);
  }

  /** All that have gone. @returns whether any had @throws RouterError */
  async look(): Promise<boolean> {
    let wasMissing = false;
    for (const [link, { address }] of [...this.held]) {
      if (hostRoute(address, await this.tools.routes()) !== undefined) continue;
      await this.keep(link);
      wasMissing ||= this.held.has(link);
    }
    return wasMissing;
  }

  isHeld(link: string): boolean {
    return this.held.has(link);
  }

  /** @returns the device that the route to the server goes through */
  private async make(server: number, upstream: string | undefined): Promise<string> {
    const address = formatAddress(server);
    const routes = await this.tools.routes();
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
    await this.tools.ip('route', 'replace', `${address}/32`, ...via, 'dev', way.device);
    return way.device;
  }
}

function hostRoute(address: number, routes: readonly KernelRoute[]): KernelRoute | undefined {
  return routes.find(({ prefix }) => prefix.length === 32 && prefix.address === address);
}
