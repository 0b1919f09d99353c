/** The Router port on plain Linux: iproute2's `ip` and a few switches in /proc/sys. */
import type { Ipv4 } from '../wire/brand.ts';
import { errorText } from '../platform/errors.ts';
import { files } from '../platform/platform.ts';
import { SERVER_INTERFACE_IDENTIFIER, type Tunnel } from '../session/ports.ts';
import { formatAddress, formatPrefix, parsePrefix } from '../wire/ip.ts';
import type { Plain } from '../wire/plain.ts';
import { CALL_TABLE, CallTable } from './call-table.ts';
import { callerRoutes } from './caller-routes.ts';
import { CallersIpv6 } from './caller-ipv6.ts';
import { CALLER_TABLE, forwardDroppers, Forwarding } from './forwarding.ts';
import { soundTunnel, type Surroundings } from './given-addresses.ts';
import { HostRoutes } from './host-routes.ts';
import { deviceExists, ip, ipBatch } from './ip-command.ts';
import { Serial } from './jobs.ts';
import type { Journal } from './journal.ts';
import { Leftovers } from './leftovers.ts';
import { addIpv6Routes, forgetIpv6, linkIpv6 } from './link-ipv6.ts';
import { linkLocal } from './link-local.ts';
import { forgetMasqueraded } from './masquerade.ts';
import type { Kernel } from './netlink-message.ts';
import { ProxyArp } from './proxy-arp.ts';
import { OuterWays } from './outer-ways.ts';
import type { ControlPath, Router, ServerInterface } from './router.ts';
import { allowIpv6, writeSwitches } from './tunnel-device.ts';
import { lacks, type TunnelDevice, type TunnelRoute } from './tunnel-state.ts';
import type { Upkeep } from './upkeep.ts';

/** What was done for a caller, to be undone. */
interface CallerRoutes {
  readonly device: string;
  readonly routes: TunnelRoute[];
}

/** A device that is ours, with what is its own beside the callers' routes. */
interface Standing {
  readonly tunnel: TunnelDevice;
  readonly routes: readonly TunnelRoute[];
  readonly forget: () => void;
}

interface SavedIpRoute {
  readonly kind: string;
  readonly hostRoutes: ReturnType<HostRoutes['save']>;
  readonly proxyArp: ReturnType<ProxyArp['save']>;
  readonly calls: ReturnType<CallTable['save']>;
  readonly ways: ReturnType<OuterWays['save']>;
  readonly forwarding: ReturnType<Forwarding['save']>;
  readonly servers: readonly ServerInterface[];
  readonly callers: readonly (readonly [string, CallerRoutes])[];
  readonly ipv6: ReturnType<CallersIpv6['save']>;
  readonly tunnels: readonly Omit<Standing, 'forget'>[];
  readonly links: readonly Tunnel[];
}

const HOST_ROUTES = 'host routes'; // no device's name: it has a blank

export class IpRoute implements Router {
  readonly supervisor = undefined;
  readonly #serial = new Serial();
  readonly #leftovers: Leftovers;
  readonly #hostRoutes: HostRoutes;
  readonly #proxyArp: ProxyArp;
  readonly #calls: CallTable;
  readonly #ways: OuterWays;
  readonly #forwarding: Forwarding;
  /** Devices of servers that an earlier program has made, until they are asked for. */
  readonly #inherited = new Set<string>();
  readonly #servers = new Map<string, ServerInterface>();
  readonly #callers = new Map<string, CallerRoutes>();
  readonly #ipv6 = new CallersIpv6();
  /** By device. */
  readonly #tunnels = new Map<string, Standing>();
  readonly #upkeep: Upkeep;
  /** Links that are up, by their device. */
  readonly #links = new Map<string, Tunnel>();
  readonly #warn: (message: string) => void;
  readonly #around: () => Surroundings;

  /** @param around what this machine is and has now */
  constructor(
    warn: (message: string) => void,
    around: () => Surroundings,
    kernel: Kernel,
    upkeep: Upkeep,
    journal: Journal,
  ) {
    this.#warn = warn;
    this.#around = around;
    this.#upkeep = upkeep;
    this.#leftovers = new Leftovers(warn);
    this.#hostRoutes = new HostRoutes(journal, (what, why, undo) =>
      this.#leftovers.add(what, why, () => this.#serial.run(HOST_ROUTES, undo)),
    );
    this.#proxyArp = new ProxyArp(journal, warn, this.#leftovers);
    this.#calls = new CallTable(kernel.netfilter, warn);
    this.#ways = new OuterWays(kernel.route, warn);
    this.#forwarding = new Forwarding(kernel.netfilter, journal, () => around().networks);
    upkeep.keep({
      what: 'the ways of calls',
      by: ['devices', 'routes'],
      look: () => this.#ways.look(),
    });
    upkeep.keep({
      what: 'the routes to the servers of links',
      by: ['devices', 'routes'],
      look: () =>
        this.#serial.run(HOST_ROUTES, () => this.#hostRoutes.look([...this.#tunnels.keys()])),
    });
    upkeep.keep({ what: 'ARP for callers', by: ['devices'], look: () => this.#proxyArp.look() });
    upkeep.keep({
      what: `the nftables table ${CALL_TABLE}`,
      by: ['nftables'],
      look: () => this.#calls.look(),
    });
    upkeep.keep({
      what: `forwarding for callers and the nftables table ${CALLER_TABLE}`,
      by: ['devices', 'nftables'],
      look: () => this.#forwarding.look(),
    });
  }

  async recover(): Promise<void> {
    await this.#serial.run(HOST_ROUTES, () => this.#hostRoutes.recover());
    await this.#proxyArp.recover();
    await this.#ways.clear();
    await this.#clearCalls();
    await this.#undoForwarding(() => this.#forwarding.clear());
  }

  get isBusy(): boolean {
    return !this.#serial.isIdle;
  }

  /** Not carried: #serial, #leftovers, which are tried at the next start, #inherited, #upkeep, #warn, #around. */
  save(): Plain<SavedIpRoute> {
    return {
      kind: 'iproute',
      hostRoutes: this.#hostRoutes.save(),
      proxyArp: this.#proxyArp.save(),
      calls: this.#calls.save(),
      ways: this.#ways.save(),
      forwarding: this.#forwarding.save(),
      servers: [...this.#servers.values()],
      callers: [...this.#callers],
      ipv6: this.#ipv6.save(),
      tunnels: [...this.#tunnels.values()].map(({ tunnel, routes }) => ({ tunnel, routes })),
      links: [...this.#links.values()],
    };
  }

  adopt(state: object): void {
    const saved = state as SavedIpRoute;
    if (saved.kind !== 'iproute') throw new Error('its router was netifd');
    this.#hostRoutes.adopt(saved.hostRoutes);
    this.#proxyArp.adopt(saved.proxyArp);
    this.#calls.adopt(saved.calls);
    this.#ways.adopt(saved.ways);
    this.#forwarding.adopt(saved.forwarding);
    for (const server of saved.servers) {
      this.#servers.set(server.device, server);
      this.#inherited.add(server.device);
    }
    for (const [key, caller] of saved.callers) this.#callers.set(key, caller);
    this.#ipv6.adopt(saved.ipv6);
    for (const { tunnel, routes } of saved.tunnels) this.#keep(tunnel, routes);
    for (const link of saved.links) this.#links.set(link.device, link);
  }

  serverUp(server: ServerInterface): Promise<void> {
    const before = this.#servers.get(server.device);
    // It stands as the program before has made it, and must not be made anew under its sessions.
    const isInherited = this.#inherited.delete(server.device);
    if (isInherited && JSON.stringify(before) === JSON.stringify(server)) return Promise.resolve();
    const hadIpv6 = before?.ipv6 === true;
    this.#servers.set(server.device, server);
    return this.#serial.run(server.device, async () => {
      const { device, localAddress, prefixLength, mtu, ipv6 } = server;
      if (hadIpv6 && !ipv6) await ip('address', 'flush', 'dev', device, 'scope', 'link');
      const address = `${formatAddress(localAddress)}/${prefixLength}`;
      const identifier = ipv6 ? SERVER_INTERFACE_IDENTIFIER : undefined;
      await this.#stand({ device, mtu, address: [address], identifier }, []);
      await this.#ipv6.serverUp(server);
      await this.#openWay(server);
    });
  }

  serverDown({ device }: ServerInterface): void {
    this.#servers.delete(device);
    this.#ipv6.serverDown(device);
    this.#fall(device);
    void this.#undoForwarding(() => this.#forwarding.serverDown(device));
  }

  tunnelUp(tunnel: Tunnel): Promise<void> {
    return this.#serial.run(tunnel.device, () => {
      const hostRoute = this.#hostRoutes.isHeld(tunnel.name);
      const sound = soundTunnel(tunnel, hostRoute, this.#around());
      for (const line of sound.leftOut) this.#warn(line);
      return tunnel.role === 'link' ? this.#linkUp(sound.tunnel) : this.#callerUp(sound.tunnel);
    });
  }

  tunnelChanged(tunnel: Tunnel): Promise<void> {
    return this.#serial.run(tunnel.device, async () => {
      if (this.#callers.has(callerKey(tunnel))) await this.#callerIpv6(tunnel);
    });
  }

  tunnelDown(tunnel: Tunnel): Promise<void> {
    return this.#serial.run(tunnel.device, async () => {
      // A link's device is gone, and addresses and routes with it.
      if (tunnel.role === 'link') {
        this.#links.delete(tunnel.device);
        this.#fall(tunnel.device);
      } else await this.#callerDown(tunnel);
    });
  }

  hostRoute(link: string, server: Ipv4, bindDevice: string | undefined): Promise<void> {
    return this.#serial.run(HOST_ROUTES, () => this.#hostRoutes.hold(link, server, bindDevice));
  }

  releaseHostRoute(link: string): Promise<void> {
    return this.#serial.run(HOST_ROUTES, () => this.#hostRoutes.release(link));
  }

  /** The firewall of plain Linux is its owner's; so is NAT, but it must not turn these. */
  async admit(path: ControlPath): Promise<void> {
    await Promise.all([this.#calls.admit(path), this.#ways.hold(path)]);
  }

  dismiss(path: ControlPath): void {
    this.#calls.dismiss(path);
    this.#ways.release(path);
  }

  /** Networks are named by their devices. */
  deviceOf(network: string): string {
    return network;
  }

  networkOn(): undefined {
    return undefined;
  }

  linkFailed(): void {
    // it is in the log, and in the status
  }

  serversConfigured(): void {
    // their ports are opened by the owner
  }

  /** What the end of each session has not undone. */
  async close(): Promise<void> {
    await this.#serial.run(HOST_ROUTES, () => this.#hostRoutes.close());
    await this.#proxyArp.close();
    await this.#ways.clear();
    await this.#clearCalls();
    await this.#undoForwarding(() => this.#forwarding.clear());
    await this.#leftovers.close();
  }

  async #clearCalls(): Promise<void> {
    try {
      await this.#calls.clear();
    } catch (error) {
      this.#warn(errorText(error));
    }
  }

  /** To other networks, for a server's callers. */
  async #openWay(server: ServerInterface): Promise<void> {
    const { name, device, masquerade, ipv6Networks } = server;
    try {
      // The kernel has no such switch for single devices; it has more to it than forwarding, so it is the owner's.
      if (ipv6Networks.length > 0 && (await readSwitch('ipv6/conf/all/forwarding')) === '0')
        this.#warn(
          `server ${name}: net.ipv6.conf.all.forwarding is 0, so callers reach only this machine in IPv6: sysctl -w net.ipv6.conf.all.forwarding=1 (where this machine has its own addresses by router advertisement: net.ipv6.conf.DEVICE.accept_ra=2, too)`,
        );
      await this.#forwarding.serverUp(device, masquerade);
      if (masquerade)
        for (const chain of await forwardDroppers())
          this.#warn(
            `server ${name}: the nftables chain ${chain} drops what is forwarded unless a rule of its own lets it pass: where callers get no further, let pass there what comes in by ${device} and what goes out by it`,
          );
      else if ((await readSwitch('ipv4/ip_forward')) === '0')
        this.#warn(
          `server ${name}: net.ipv4.ip_forward is 0, so callers reach only this machine: option masquerade '1', or sysctl -w net.ipv4.ip_forward=1`,
        );
    } catch (error) {
      this.#warn(`server ${name}: callers may reach only this machine: ${errorText(error)}`);
    }
  }

  async #undoForwarding(undo: () => Promise<void>): Promise<void> {
    try {
      await undo();
    } catch (error) {
      this.#leftovers.add('forwarding for callers', error, undo);
    }
  }

  async #linkUp(tunnel: Tunnel): Promise<void> {
    const { device, localAddress, mtu, metric, defaultRoute } = tunnel;
    const address = withPeer(tunnel);
    const attributes = metric === 0 ? [] : ['metric', String(metric)];
    // Two halves are more specific than any default route there is, and leave it in place for when the link goes.
    const halves = defaultRoute ? [parsePrefix('0.0.0.0/1')!, parsePrefix('128.0.0.0/1')!] : [];
    const routes = [...tunnel.routes, ...halves].map((prefix) => ({ prefix, attributes }));
    const before = this.#links.get(device);
    // Before the new address: the kernel looks for routers when it gets its only link-local one.
    if (before !== undefined) await forgetIpv6(before, tunnel);
    const own = { device, mtu, address, ...linkIpv6(tunnel) };
    await this.#stand(own, routes);
    this.#links.set(device, tunnel);
    // Only now: with its last address a device loses its routes.
    if (before !== undefined && withPeer(before).join() !== address.join())
      await ip('address', 'del', ...withPeer(before), 'dev', device);
    for (const route of routes) await addRoute(route, device);
    await addIpv6Routes(own.ipv6Routes, tunnel);
    if (before !== undefined && before.localAddress !== localAddress)
      await forgetMasqueraded(device, before.localAddress, this.#warn);
  }

  async #callerUp(tunnel: Tunnel): Promise<void> {
    await this.#callerDown(tunnel);
    const { device, mtu } = tunnel;
    const done: CallerRoutes = { device, routes: [] };
    this.#callers.set(callerKey(tunnel), done);
    try {
      for (const prefix of callerRoutes(this.#servers.get(device), tunnel)) {
        const route = { prefix, attributes: ['mtu', String(mtu)] };
        done.routes.push(route);
        await addRoute(route, device);
      }
      await this.#proxyArp.hold(tunnel);
      await this.#callerIpv6(tunnel);
    } catch (error) {
      await this.#callerDown(tunnel);
      throw error;
    }
  }

  async #callerIpv6(tunnel: Tunnel): Promise<void> {
    const { device, mtu, ipv6 } = tunnel;
    const prefixes = ipv6?.prefixes ?? [];
    await this.#ipv6.callerUp(callerKey(tunnel), { device, mtu, prefixes });
  }

  async #callerDown(tunnel: Tunnel): Promise<void> {
    const key = callerKey(tunnel);
    const done = this.#callers.get(key);
    if (done === undefined) return;
    this.#callers.delete(key);
    await this.#proxyArp.release(tunnel);
    try {
      await this.#ipv6.callerDown(key);
    } catch (error) {
      this.#leftovers.add(`IPv6 routes through ${done.device}`, error, () =>
        this.#serial.run(done.device, async () => {
          await this.#ipv6.look(done.device);
        }),
      );
    }
    for (const prefix of done.routes.map((route) => formatPrefix(route.prefix))) {
      try {
        await this.#removeRoute(prefix, done.device);
      } catch (error) {
        this.#leftovers.add(`route to ${prefix} through ${done.device}`, error, () =>
          this.#serial.run(done.device, () => this.#removeRoute(prefix, done.device)),
        );
      }
    }
  }

  /** Unless somebody has it. A device that is gone has taken it along. @throws RouterError */
  async #removeRoute(prefix: string, device: string): Promise<void> {
    const isRouted = this.#callersRoutes(device).some(
      (route) => formatPrefix(route.prefix) === prefix,
    );
    if (isRouted || !deviceExists(device)) return;
    try {
      await ip('route', 'flush', 'exact', prefix, 'dev', device);
    } catch (error) {
      if (deviceExists(device)) throw error;
    }
  }

  #callersRoutes(device: string): TunnelRoute[] {
    return [...this.#callers.values()]
      .filter((caller) => caller.device === device)
      .flatMap(({ routes }) => routes);
  }

  /** Makes a device what it should be, and looks after it from now on. */
  async #stand(tunnel: TunnelDevice, routes: readonly TunnelRoute[]): Promise<void> {
    this.#keep(tunnel, routes);
    await this.#prepare(tunnel);
  }

  #keep(tunnel: TunnelDevice, routes: readonly TunnelRoute[]): void {
    const { device } = tunnel;
    this.#tunnels.get(device)?.forget();
    const forget = this.#upkeep.keep({
      what: `addresses and routes of ${device}`,
      by: ['devices', 'routes'],
      look: () => this.#serial.run(device, () => this.#look(device)),
    });
    this.#tunnels.set(device, { tunnel, routes, forget });
  }

  #fall(device: string): void {
    this.#tunnels.get(device)?.forget();
    this.#tunnels.delete(device);
  }

  async #look(device: string): Promise<boolean> {
    const standing = this.#tunnels.get(device);
    if (standing === undefined || !deviceExists(device)) return false; // who made it hears that it was deleted
    const lacking = await lacks(standing.tunnel, [
      ...standing.routes,
      ...this.#callersRoutes(device),
    ]);
    if (lacking.address) await this.#prepare(standing.tunnel);
    for (const route of lacking.routes) await addRoute(route, device);
    const link = this.#links.get(device);
    if (link !== undefined) await addIpv6Routes(lacking.ipv6Routes, link);
    const lackedIpv6 = await this.#ipv6.look(device);
    const lackedRoutes = lacking.routes.length > 0 || lacking.ipv6Routes.length > 0;
    return lacking.address || lackedRoutes || lackedIpv6;
  }

  /** Gives a device its MTU and addresses, and brings it up. */
  async #prepare(tunnel: TunnelDevice): Promise<void> {
    const { device, mtu, address, identifier, advertisements } = tunnel;
    await writeSwitches(device, this.#warn, advertisements);
    if (identifier !== undefined) await allowIpv6(device, this.#warn);
    const linkLocals = identifier === undefined ? [] : [`${linkLocal(identifier)}/64`];
    await ipBatch([
      ['link', 'set', 'dev', device, 'mtu', String(mtu), 'up'],
      ['address', 'replace', ...address, 'dev', device],
      ...linkLocals.map((own) => ['address', 'replace', own, 'dev', device, 'nodad']),
    ]);
  }
}

async function readSwitch(name: string): Promise<string> {
  return (await files.textLater(`/proc/sys/net/${name}`)).trim();
}

function withPeer({ localAddress, peerAddress }: Tunnel): readonly string[] {
  return [formatAddress(localAddress), 'peer', formatAddress(peerAddress)];
}

function callerKey({ device, peerAddress }: Tunnel): string {
  return `${device} ${formatAddress(peerAddress)}`;
}

/** Before the routes of others to the same network, not instead of them: they must be there again when ours goes. */
async function addRoute({ prefix, attributes }: TunnelRoute, device: string): Promise<void> {
  await ip('route', 'flush', 'exact', formatPrefix(prefix), 'dev', device);
  await ip('route', 'prepend', formatPrefix(prefix), 'dev', device, ...attributes);
}
