/** The Router port on plain Linux: iproute2's `ip` and a few switches in /proc/sys. */
import { readFile, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { SERVER_INTERFACE_IDENTIFIER, type Network } from '../session/ports.ts';
import {
  formatAddress,
  formatPrefix,
  parsePrefix,
  prefixContains,
  prefixOf,
  type Prefix,
} from '../wire/ip.ts';
import { HostRoutes } from './host-routes.ts';
import { deviceExists, ip, ipBatch, Serial } from './ip-command.ts';
import type { Router, ServerInterface } from './router.ts';

/** What was done for a caller, to be undone. */
interface CallerRoutes {
  readonly device: string;
  readonly prefixes: string[];
  /** Devices on which we answer ARP for the caller. */
  readonly proxies: string[];
}

const HOST_ROUTES = 'host routes'; // no device's name: it has a blank

export class IpRoute implements Router {
  private readonly serial = new Serial();
  private readonly hostRoutes: HostRoutes;
  private readonly servers = new Map<string, ServerInterface>();
  private readonly callers = new Map<string, CallerRoutes>();
  private readonly warn: (message: string) => void;

  constructor(warn: (message: string) => void) {
    this.warn = warn;
    this.hostRoutes = new HostRoutes(warn);
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

  networkUp(network: Network): Promise<void> {
    return this.serial.run(network.device, () =>
      network.role === 'link' ? this.linkUp(network) : this.callerUp(network),
    );
  }

  networkDown(network: Network): Promise<void> {
    // A link's device is gone, and addresses and routes with it.
    if (network.role === 'link') return Promise.resolve();
    return this.serial.run(network.device, () => this.callerDown(network));
  }

  hostRoute(link: string, server: number, bindDevice: string | undefined): Promise<void> {
    return this.serial.run(HOST_ROUTES, () => this.hostRoutes.hold(link, server, bindDevice));
  }

  releaseHostRoute(link: string): Promise<void> {
    return this.serial.run(HOST_ROUTES, () => this.hostRoutes.release(link));
  }

  private async linkUp(network: Network): Promise<void> {
    const { device, localAddress, peerAddress, mtu, ipv6, metric, defaultRoute } = network;
    const [local, peer] = [formatAddress(localAddress), formatAddress(peerAddress)];
    await this.prepare(device, mtu, [local, 'peer', peer], ipv6?.local);
    const attributes = metric === 0 ? [] : ['metric', String(metric)];
    // Two halves are more specific than any default route there is, and leave it in place for when the link goes.
    const halves = defaultRoute ? ['0.0.0.0/1', '128.0.0.0/1'] : [];
    for (const prefix of [...network.routes.map(formatPrefix), ...halves])
      await addRoute(prefix, device, attributes);
  }

  private async callerUp(network: Network): Promise<void> {
    await this.callerDown(network);
    const { device, peerAddress, mtu } = network;
    const done: CallerRoutes = { device, prefixes: [], proxies: [] };
    this.callers.set(callerKey(network), done);
    try {
      for (const prefix of this.callerRoutes(network).map(formatPrefix)) {
        done.prefixes.push(prefix);
        await addRoute(prefix, device, ['mtu', String(mtu)]);
      }
      const proxies = proxyArpDevices(network);
      if (network.proxyArp && proxies.length === 0)
        this.warn(
          `${formatAddress(peerAddress)} (caller on ${device}): no device here has a network with this address, so nobody answers ARP for it`,
        );
      for (const proxy of proxies) {
        done.proxies.push(proxy);
        await ip('neighbour', 'replace', 'proxy', formatAddress(peerAddress), 'dev', proxy);
      }
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
    const address = formatAddress(network.peerAddress);
    for (const proxy of done.proxies)
      await this.undo(proxy, 'neighbour', 'del', 'proxy', address, 'dev', proxy);
    for (const prefix of done.prefixes) {
      if (!this.isRouted(prefix, done.device))
        await this.undo(done.device, 'route', 'flush', 'exact', prefix, 'dev', done.device);
    }
  }

  private isRouted(prefix: string, device: string): boolean {
    return [...this.callers.values()].some(
      (other) => other.device === device && other.prefixes.includes(prefix),
    );
  }

  /** A device that is gone has taken everything along; anything else that cannot be undone is a warning. */
  private async undo(device: string, ...args: readonly string[]): Promise<void> {
    try {
      await ip(...args);
    } catch (error) {
      if (deviceExists(device)) this.warn(error instanceof Error ? error.message : String(error));
    }
  }

  /** The device's own network leads to most callers; one from elsewhere, or with a smaller MTU, needs a route of its own. */
  private callerRoutes(network: Network): readonly Prefix[] {
    const server = this.servers.get(network.device);
    const covered =
      server !== undefined &&
      server.mtu <= network.mtu &&
      server.prefixLength < 32 &&
      prefixContains(prefixOf(server.localAddress, server.prefixLength), network.peerAddress);
    return covered
      ? network.routes
      : [{ address: network.peerAddress, length: 32 }, ...network.routes];
  }

  /** Gives a device its MTU and addresses, and brings it up. @param identifier of its link-local IPv6 address, if any */
  private async prepare(
    device: string,
    mtu: number,
    address: readonly string[],
    identifier: Uint8Array | undefined,
  ): Promise<void> {
    const linkLocals = identifier === undefined ? [] : [`${linkLocal(identifier)}/64`];
    await ipBatch([
      // Before it is up: the kernel brings a device up first and only then looks at addrgenmode, too late for the
      // link-local address that it has invented by then.
      ['link', 'set', 'dev', device, 'mtu', String(mtu), 'addrgenmode', 'none'],
      ['link', 'set', 'dev', device, 'up'],
      ['address', 'replace', ...address, 'dev', device],
      ...linkLocals.map((own) => ['address', 'replace', own, 'dev', device, 'nodad']),
    ]);
    const redirects = `/proc/sys/net/ipv4/conf/${device}/send_redirects`;
    await writeFile(redirects, '0').catch((error: unknown) => {
      this.warn(`${redirects}: ${String(error)}`);
    });
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

/** Devices whose network contains the caller's address: there we answer ARP for it. */
function proxyArpDevices(network: Network): string[] {
  if (!network.proxyArp) return [];
  return Object.entries(networkInterfaces()).flatMap(([device, addresses]) => {
    const contains = addresses?.some(({ family, cidr }) => {
      const prefix = family === 'IPv4' && cidr !== null ? parsePrefix(cidr) : undefined;
      return (
        prefix !== undefined && prefix.length < 32 && prefixContains(prefix, network.peerAddress)
      );
    });
    return contains === true && device !== network.device ? [device] : [];
  });
}

/** fe80::/64 with the interface identifier of IPV6CP (RFC 5072 §5). */
function linkLocal(identifier: Uint8Array): string {
  const words = Array.from({ length: 4 }, (_, i) =>
    ((identifier[2 * i]! << 8) | identifier[2 * i + 1]!).toString(16),
  );
  return `fe80::${words.join(':')}`;
}
