/** The Router port on plain Linux: iproute2's `ip` and a few switches in /proc/sys. */
import { readFile } from 'node:fs/promises';
import { SERVER_INTERFACE_IDENTIFIER, type Network } from '../session/ports.ts';
import { formatAddress, formatPrefix } from '../wire/ip.ts';
import { CallTable } from './call-table.ts';
import { callerRoutes } from './caller-routes.ts';
import { HostRoutes } from './host-routes.ts';
import { deviceExists, ip, ipBatch, Serial } from './ip-command.ts';
import { Leftovers } from './leftovers.ts';
import { linkLocal } from './link-local.ts';
import type { Kernel } from './netlink-message.ts';
import { ProxyArp } from './proxy-arp.ts';
import type { OuterPath, Router, ServerInterface } from './router.ts';
import { writeSwitches } from './tunnel-device.ts';

/** What was done for a caller, to be undone. */
interface CallerRoutes {
  readonly device: string;
  readonly prefixes: string[];
}

const HOST_ROUTES = 'host routes'; // no device's name: it has a blank

export class IpRoute implements Router {
  readonly supervisor = undefined;
  private readonly serial = new Serial();
  private readonly leftovers: Leftovers;
  private readonly hostRoutes: HostRoutes;
  private readonly proxyArp: ProxyArp;
  private readonly calls: CallTable;
  private readonly servers = new Map<string, ServerInterface>();
  private readonly callers = new Map<string, CallerRoutes>();
  /** Of links that are up, by their device. */
  private readonly linkAddresses = new Map<string, readonly string[]>();
  private readonly warn: (message: string) => void;

  constructor(warn: (message: string) => void, kernel: Kernel) {
    this.warn = warn;
    this.leftovers = new Leftovers(warn);
    this.hostRoutes = new HostRoutes((what, why, undo) =>
      this.leftovers.add(what, why, () => this.serial.run(HOST_ROUTES, undo)),
    );
    this.proxyArp = new ProxyArp(warn, this.leftovers);
    this.calls = new CallTable(kernel.netfilter, warn);
  }

  serverUp(server: ServerInterface): Promise<void> {
    this.servers.set(server.device, server);
    return this.serial.run(server.device, async () => {
      const { device, localAddress, prefixLength, mtu, ipv6 } = server;
      const address = `${formatAddress(localAddress)}/${prefixLength}`;
      const identifier = ipv6 ? SERVER_INTERFACE_IDENTIFIER : undefined;
      await this.prepare(device, mtu, [address], identifier);
      if ((await readFile('/proc/sys/net/ipv4/ip_forward', 'latin1')).trim() === '0')
        this.warn(
          `server ${server.name}: net.ipv4.ip_forward is 0, so callers reach only this machine: sysctl -w net.ipv4.ip_forward=1`,
        );
    });
  }

  serverDown({ device }: ServerInterface): void {
    this.servers.delete(device);
  }

  networkUp(network: Network): Promise<void> {
    return this.serial.run(network.device, () =>
      network.role === 'link' ? this.linkUp(network) : this.callerUp(network),
    );
  }

  networkDown(network: Network): Promise<void> {
    return this.serial.run(network.device, async () => {
      // A link's device is gone, and addresses and routes with it.
      if (network.role === 'link') this.linkAddresses.delete(network.device);
      else await this.callerDown(network);
    });
  }

  hostRoute(link: string, server: number, bindDevice: string | undefined): Promise<void> {
    return this.serial.run(HOST_ROUTES, () => this.hostRoutes.hold(link, server, bindDevice));
  }

  releaseHostRoute(link: string): Promise<void> {
    return this.serial.run(HOST_ROUTES, () => this.hostRoutes.release(link));
  }

  /** The firewall of plain Linux is its owner's; so is NAT, but it must not turn these. */
  admit(path: OuterPath): Promise<void> {
    return this.calls.admit(path);
  }

  dismiss(path: OuterPath): void {
    this.calls.dismiss(path);
  }

  /** Networks are named by their devices. */
  deviceOf(network: string): string {
    return network;
  }

  linkFailed(): void {
    // it is in the log, and in the status
  }

  serversConfigured(): void {
    // their ports are opened by the owner
  }

  async close(): Promise<void> {
    await this.leftovers.close();
    try {
      await this.calls.clear();
    } catch (error) {
      this.warn(error instanceof Error ? error.message : String(error));
    }
  }

  private async linkUp(network: Network): Promise<void> {
    const { device, localAddress, peerAddress, mtu, ipv6, metric, defaultRoute } = network;
    const address = [formatAddress(localAddress), 'peer', formatAddress(peerAddress)];
    await this.prepare(device, mtu, address, ipv6?.local);
    const before = this.linkAddresses.get(device);
    this.linkAddresses.set(device, address);
    // Only now: with its last address a device loses its routes.
    if (before !== undefined && before.join() !== address.join())
      await ip('address', 'del', ...before, 'dev', device);
    const attributes = metric === 0 ? [] : ['metric', String(metric)];
    // Two halves are more specific than any default route there is, and leave it in place for when the link goes.
    const halves = defaultRoute ? ['0.0.0.0/1', '128.0.0.0/1'] : [];
    for (const prefix of [...network.routes.map(formatPrefix), ...halves])
      await addRoute(prefix, device, attributes);
  }

  private async callerUp(network: Network): Promise<void> {
    await this.callerDown(network);
    const { device, mtu } = network;
    const done: CallerRoutes = { device, prefixes: [] };
    this.callers.set(callerKey(network), done);
    try {
      for (const prefix of callerRoutes(this.servers.get(device), network).map(formatPrefix)) {
        done.prefixes.push(prefix);
        await addRoute(prefix, device, ['mtu', String(mtu)]);
      }
      await this.proxyArp.hold(network);
    } catch (error) {
      await this.callerDown(network);
      throw error;
    }
  }

  private async callerDown(network: Network): Promise<void> {
    const key = callerKey(network);
    const done = this.callers.get(key);
    if (done === undefined) return;
    this.callers.delete(key);
    await this.proxyArp.release(network);
    for (const prefix of done.prefixes) {
      try {
        await this.removeRoute(prefix, done.device);
      } catch (error) {
        this.leftovers.add(`route to ${prefix} through ${done.device}`, error, () =>
          this.serial.run(done.device, () => this.removeRoute(prefix, done.device)),
        );
      }
    }
  }

  /** Unless somebody has it. A device that is gone has taken it along. @throws RouterError */
  private async removeRoute(prefix: string, device: string): Promise<void> {
    if (this.isRouted(prefix, device) || !deviceExists(device)) return;
    try {
      await ip('route', 'flush', 'exact', prefix, 'dev', device);
    } catch (error) {
      if (deviceExists(device)) throw error;
    }
  }

  private isRouted(prefix: string, device: string): boolean {
    return [...this.callers.values()].some(
      (other) => other.device === device && other.prefixes.includes(prefix),
    );
  }

  /** Gives a device its MTU and addresses, and brings it up. @param identifier of its link-local IPv6 address, if any */
  private async prepare(
    device: string,
    mtu: number,
    address: readonly string[],
    identifier: Uint8Array | undefined,
  ): Promise<void> {
    await writeSwitches(device, this.warn);
    const linkLocals = identifier === undefined ? [] : [`${linkLocal(identifier)}/64`];
    await ipBatch([
      ['link', 'set', 'dev', device, 'mtu', String(mtu), 'up'],
      ['address', 'replace', ...address, 'dev', device],
      ...linkLocals.map((own) => ['address', 'replace', own, 'dev', device, 'nodad']),
    ]);
  }
}

function callerKey({ device, peerAddress }: Network): string {
  return `${device} ${formatAddress(peerAddress)}`;
}

/** Before the routes of others to the same network, not instead of them: they must be there again when ours goes. */
async function addRoute(prefix: string, device: string, attributes: readonly string[]) {
  await ip('route', 'flush', 'exact', prefix, 'dev', device);
  await ip('route', 'prepend', prefix, 'dev', device, ...attributes);
}
