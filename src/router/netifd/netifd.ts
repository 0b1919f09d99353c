/* eslint max-lines: ['error', { max: 475, skipBlankLines: true, skipComments: true }] -- one machine, with what of it goes on */
/** The Router port on OpenWrt: netifd has addresses, routes and DNS, procd and nftables the firewall. */
import type { Ipv4 } from '../../wire/brand.ts';
import { errorText } from '../../platform/errors.ts';
import { clock, files } from '../../platform/platform.ts';
import type { Tunnel } from '../../session/ports.ts';
import { UbusError, type Table } from '../../ubus-js/index.ts';
import type { Cause } from '../../wire/cause.ts';
import { formatAddress, formatPrefix } from '../../wire/ip.ts';
import { isSameIpv6Prefix } from '../../wire/ipv6.ts';
import { callerRoutes } from '../caller-routes.ts';
import { Serial } from '../jobs.ts';
import { Journal } from '../journal.ts';
import { Leftovers } from '../leftovers.ts';
import { forgetMasqueraded } from '../masquerade.ts';
import { nft, nftJson } from '../nft-command.ts';
import type { Kernel } from '../netlink-message.ts';
import { OuterWays } from '../outer-ways.ts';
import { ProxyArp } from '../proxy-arp.ts';
import {
  RouterError,
  type ControlPath,
  type Router,
  type ServedPort,
  type ServerInterface,
  type SupervisedDaemon,
  type Supervisor,
} from '../router.ts';
import { checkOwnAddress, peerLeftOut, type Surroundings } from '../given-addresses.ts';
import { ownerOf } from '../own-networks.ts';
import { prepareDevice } from '../tunnel-device.ts';
import type { Upkeep } from '../upkeep.ts';
import { linkAnnouncement, serverAnnouncement } from './announcement.ts';
import { CALL, type Bus } from './bus.ts';
import { ChildInterfaces } from './child-interface.ts';
import { chooseDefaultRoute } from './default-route.ts';
import { FirewallSet } from './firewall-set.ts';
import { HostDependencies, systemTools } from './host-dependencies.ts';
import { ManagedInterfaces } from './managed-interfaces.ts';
import { Networks } from './networks.ts';
import { firewallRules, ProcdFirewall } from './procd-firewall.ts';
import { routeConflicts, without, type Conflict } from '../route-conflicts.ts';

const HOST_ROUTES = 'host routes'; // no device's name: it has a blank
/** A loss that netifd has not answered by then was not heard. */
const LOSS_TIME = 10_000;

/** netifd has read its configuration by then. */
const RELOAD_TIME = 2_000;

/** What a link is given up for, with authfail. */
const loginErrors = new Set(['AUTH_TOPEER_FAILED', 'SERVER_NOT_TRUSTED']);

interface RunningServer {
  readonly server: ServerInterface;
  /** By their address inside. */
  readonly callers: Map<Ipv4, Tunnel>;
  /** As netifd has it. */
  announced: string;
  /** As the daemon has it. */
  assigned: string;
}

interface RunningLink {
  readonly tunnel: Tunnel;
  /** The other end's address inside the tunnel has a route. */
  readonly isPeerRouted: boolean;
  /** As netifd has it. */
  announced: string;
  /** As the daemon has it. */
  ipv6: string;
}

/** What runs commands and reads files; tests have their own. */
export interface NetifdTools {
  readonly nft: (script: string) => Promise<unknown>;
  /** What a command of nft lists, as JSON. */
  readonly nftJson: typeof nftJson;
  readonly prepareDevice: typeof prepareDevice;
  readonly forgetMasqueraded: typeof forgetMasqueraded;
  readonly hostRoutes: typeof systemTools;
  /** What this machine is and has now, besides what netifd knows. */
  readonly around: () => Surroundings;
}

const tools: NetifdTools = {
  nft,
  nftJson,
  prepareDevice,
  forgetMasqueraded,
  hostRoutes: systemTools,
  around: () => ({ networks: [], resolvers: [] }),
};

interface SavedNetifd {
  readonly kind: string;
  readonly managed: ReturnType<ManagedInterfaces['save']>;
  readonly dependencies: ReturnType<HostDependencies['save']>;
  readonly children: ReturnType<ChildInterfaces['save']>;
  readonly set: ReturnType<FirewallSet['save']>;
  readonly ways: ReturnType<OuterWays['save']>;
  readonly proxyArp: ReturnType<ProxyArp['save']>;
  readonly servers: readonly {
    readonly server: ServerInterface;
    readonly callers: readonly (readonly [Ipv4, Tunnel])[];
    readonly announced: string;
  }[];
  readonly links: readonly RunningLink[];
}

export class Netifd implements Router {
  readonly supervisor: Supervisor;
  readonly #bus: Bus;
  readonly #daemon: SupervisedDaemon;
  readonly #tools: NetifdTools;
  readonly #warn: (text: string) => void;
  readonly #leftovers: Leftovers;
  readonly #managed: ManagedInterfaces;
  readonly #networks: Networks;
  readonly #dependencies: HostDependencies;
  readonly #children: ChildInterfaces;
  readonly #set: FirewallSet;
  readonly #ways: OuterWays;
  readonly #procd: ProcdFirewall;
  readonly #proxyArp: ProxyArp;
  readonly #serial = new Serial();
  /** By device. */
  readonly #servers = new Map<string, RunningServer>();
  /** Links that are up. */
  readonly #links = new Map<string, RunningLink>();
  #served: readonly ServedPort[] = [];

  constructor(
    bus: Bus,
    daemon: SupervisedDaemon,
    warn: (text: string) => void,
    folders: { readonly config: string; readonly state: string },
    upkeep: Upkeep,
    kernel: Kernel,
    own: Partial<NetifdTools> = {},
  ) {
    this.#bus = bus;
    this.#daemon = daemon;
    this.#warn = warn;
    this.#tools = { ...tools, ...own };
    this.#leftovers = new Leftovers(warn);
    this.#managed = new ManagedInterfaces(bus, daemon, warn);
    this.#networks = new Networks(bus, () => {
      const expected = this.#managed.expectDump();
      return (interfaces) => {
        expected(interfaces);
        this.#networksChanged();
      };
    });
    const journal = new Journal(files.join(folders.state, 'journal'), warn);
    this.#dependencies = new HostDependencies({
      bus,
      later: (what, why, undo) =>
        this.#leftovers.add(what, why, () => this.#serial.run(HOST_ROUTES, undo)),
      journal,
      ...this.#tools.hostRoutes,
    });
    this.#children = new ChildInterfaces(
      bus,
      () => files.textLater(files.join(folders.config, 'firewall')).catch(() => undefined),
      warn,
    );
    this.#set = new FirewallSet(this.#tools, files.join(folders.state, 'firewall.nft'), warn);
    this.#procd = new ProcdFirewall(bus, warn);
    this.#proxyArp = new ProxyArp(journal, warn, this.#leftovers);
    this.#ways = new OuterWays(kernel.route, warn);
    upkeep.keep({
      what: 'the ways of calls',
      by: ['devices', 'routes'],
      look: () => this.#ways.look(),
    });
    upkeep.keep({
      what: 'the routes to the servers of links',
      by: ['devices', 'routes'],
      look: () => this.#serial.run(HOST_ROUTES, () => this.#dependencies.look()),
    });
    upkeep.keep({ what: 'ARP for callers', by: ['devices'], look: () => this.#proxyArp.look() });
    upkeep.keep({
      what: "the elements of the firewall's set",
      by: ['nftables'],
      look: () => this.#set.look(),
    });
    this.supervisor = {
      isSetUp: (name) => this.#managed.isSetUp(name),
      linkSetup: (name) => this.#managed.handleSetup(name),
      linkTeardown: (name) => this.#managed.handleTeardown(name),
      dial: (name) => this.#dial(name),
      hangup: (name) => this.#hangup(name),
      revive: (name) => this.#revive(name),
      refuse: (name, cause) => void this.#managed.fail(name, cause, false),
      review: () => {
        this.#refresh();
        // netifd, which reads the same file, may do so after us, and says nothing of what it assigns anew.
        clock.meanwhile(RELOAD_TIME, () => this.#refresh());
      },
    };
    bus.listen('network.interface', () => this.#refresh());
    // Of what changes while an interface is up, such as a prefix that was given later, there is no event.
    bus.subscribe('network.interface', () => this.#refresh());
    bus.listen('ubus.object.add', (_event, { path }) => {
      if (path === 'network.interface') this.#refresh();
      if (path === 'service') void this.#procd.tell();
    });
    this.#refresh();
  }

  /** The bus is there (again): what happened meanwhile is found in a dump. */
  handleConnected(): void {
    this.#refresh();
    void this.#procd.tell();
  }

  async recover(): Promise<void> {
    await this.#serial.run(HOST_ROUTES, () => this.#dependencies.recover());
    await this.#proxyArp.recover();
    await this.#ways.clear();
  }

  get isBusy(): boolean {
    return !this.#serial.isIdle;
  }

  /**
   * Not carried: supervisor, #bus, #daemon, #tools, #warn, #leftovers, #serial; #networks, which netifd is asked for; #procd, which
   * is told again; #served, which are of the configuration.
   */
  save(): object {
    return {
      kind: 'netifd',
      managed: this.#managed.save(),
      dependencies: this.#dependencies.save(),
      children: this.#children.save(),
      set: this.#set.save(),
      ways: this.#ways.save(),
      proxyArp: this.#proxyArp.save(),
      servers: [...this.#servers.values()].map(({ server, callers, announced }) => ({
        server,
        callers: [...callers],
        announced,
      })),
      links: [...this.#links.values()],
    } satisfies SavedNetifd;
  }

  adopt(state: object): void {
    const saved = state as SavedNetifd;
    if (saved.kind !== 'netifd') throw new Error('its router was iproute');
    this.#managed.restore(saved.managed);
    this.#dependencies.adopt(saved.dependencies);
    this.#children.adopt(saved.children);
    this.#set.adopt(saved.set);
    this.#ways.adopt(saved.ways);
    this.#proxyArp.adopt(saved.proxyArp);
    for (const { server, callers, announced } of saved.servers)
      this.#servers.set(server.device, {
        server,
        callers: new Map(callers),
        announced,
        assigned: '',
      });
    for (const link of saved.links) this.#links.set(link.tunnel.name, link);
  }

  serverUp(server: ServerInterface): Promise<void> {
    const before = this.#servers.get(server.device)?.server;
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(server))
      return Promise.resolve();
    return this.#serial.run(server.device, async () => {
      await this.#tools.prepareDevice(server.device, server.mtu, this.#warn);
      const { callers = new Map<Ipv4, Tunnel>(), assigned = '' } =
        this.#servers.get(server.device) ?? {};
      const running = { server, callers, announced: '', assigned };
      this.#servers.set(server.device, running);
      await this.#announceServer(running);
      if (server.masquerade)
        this.#warn(
          `server ${server.name}: option masquerade has no effect here: what callers reach is for the firewall's zones`,
        );
    });
  }

  serverDown({ name, device }: ServerInterface): void {
    this.#servers.delete(device);
    this.#withdraw(name);
  }

  tunnelUp(tunnel: Tunnel): Promise<void> {
    return this.#serial.run(tunnel.device, () =>
      tunnel.role === 'link' ? this.#linkUp(tunnel) : this.#callerUp(tunnel),
    );
  }

  tunnelChanged(tunnel: Tunnel): Promise<void> {
    return this.tunnelUp(tunnel);
  }

  tunnelDown(tunnel: Tunnel): Promise<void> {
    if (tunnel.role === 'link') {
      this.#links.delete(tunnel.name);
      this.#withdraw(tunnel.name); // at once: netifd must not find out by itself
      return this.#serial.run(tunnel.device, () => this.#children.remove(tunnel.name));
    }
    return this.#serial.run(tunnel.device, () => this.#callerDown(tunnel));
  }

  async hostRoute(link: string, server: Ipv4, through: string | undefined): Promise<void> {
    if (!this.#managed.isSetUp(link))
      throw new RouterError(`netifd has taken ${link} down`, 'INTERFACE_DOWN');
    if (through !== undefined && this.deviceOf(through) === undefined)
      await this.#networks.refresh(); // it may have come up just now
    // netifd is asked also while that network is down: it takes the link down then, and sets it up when the network is back.
    const upstream =
      through === undefined ? undefined : { name: through, device: this.deviceOf(through) };
    await this.#serial.run(HOST_ROUTES, () => this.#dependencies.hold(link, server, upstream));
  }

  releaseHostRoute(link: string): Promise<void> {
    return this.#serial.run(HOST_ROUTES, () => this.#dependencies.release(link));
  }

  async admit(path: ControlPath): Promise<void> {
    await Promise.all([this.#set.admit(path), this.#ways.hold(path)]);
  }

  dismiss(path: ControlPath): void {
    this.#set.dismiss(path);
    this.#ways.release(path);
  }

  deviceOf(network: string): string | undefined {
    return this.#networks.named(network)?.device;
  }

  networkOn(device: string, address: Ipv4): string | undefined {
    const there = this.#networks.all.filter((known) => known.device === device);
    const exact = there.find(({ addresses }) => addresses.some((own) => own.address === address));
    return (exact ?? there[0])?.name;
  }

  linkFailed(link: string, cause: Cause, blocked: boolean): void {
    void this.#managed.fail(link, cause, blocked);
  }

  serversConfigured(servers: readonly ServedPort[]): void {
    this.#served = servers;
    void this.#procd.open(this.#rules());
  }

  async close(): Promise<void> {
    // What the end of each session has not undone.
    await this.#serial.run(HOST_ROUTES, () => this.#dependencies.close());
    await this.#proxyArp.close();
    await this.#ways.clear();
    await Promise.all([this.#procd.close(), this.#set.close(), this.#leftovers.close()]);
  }

  async #linkUp(given: Tunnel): Promise<void> {
    const { name, device, mtu, localAddress, ipv6, ipv6Client } = given;
    await this.#networks.refresh();
    const owner = this.#networks.all.find(
      (other) =>
        other.name !== name && other.addresses.some(({ address }) => address === localAddress),
    );
    if (owner !== undefined)
      throw new RouterError(
        `the peer gives the address ${formatAddress(localAddress)}, which interface ${owner.name} has`,
        'ADDRESS_IN_USE',
      );
    const around = this.#tools.around();
    checkOwnAddress(given, around);
    // A name server that is this router would be asked by itself.
    const dns = given.dns.filter((address) => ownerOf(address, around.networks) === undefined);
    const tunnel = { ...given, dns };
    const surprise = peerLeftOut(tunnel, around);
    if (surprise !== undefined) this.#warn(surprise);
    await this.#tools.prepareDevice(device, mtu, this.#warn);
    const before = this.#links.get(name)?.tunnel;
    const link = { tunnel, isPeerRouted: surprise === undefined, announced: '', ipv6: '[]' };
    this.#links.set(name, link);
    await this.#announceLink(link);
    if (before !== undefined && before.localAddress !== localAddress)
      await this.#tools.forgetMasqueraded(device, before.localAddress, this.#warn);
    if (ipv6 !== undefined && ipv6Client !== undefined)
      await this.#children.add(tunnel, ipv6Client, this.#networks.all);
    else await this.#children.remove(name);
  }

  async #announceLink(link: RunningLink): Promise<void> {
    const { tunnel } = link;
    const { name, peer } = tunnel;
    const server = { address: peer, hostRoute: this.#dependencies.isHeld(name) };
    const conflicts = this.#conflicts(tunnel, server);
    const defaultRoute = chooseDefaultRoute(tunnel, this.#networks.all);
    const routes = without(tunnel.routes, conflicts);
    const announcement = linkAnnouncement(tunnel, routes, defaultRoute, link.isPeerRouted);
    const isFirst = link.announced === '';
    const text = JSON.stringify(announcement);
    if (link.announced === text) return;
    link.announced = text;
    await this.#managed.announce(name, announcement);
    if (isFirst) await this.#tell(tunnel, conflicts);
  }

  async #callerUp(tunnel: Tunnel): Promise<void> {
    const running = this.#servers.get(tunnel.device);
    if (running === undefined) throw new RouterError(`the device ${tunnel.device} is gone`);
    running.callers.set(tunnel.peerAddress, tunnel);
    await this.#proxyArp.hold(tunnel);
    await this.#announceServer(running);
    await this.#tell(tunnel, this.#conflicts(tunnel));
  }

  async #callerDown(tunnel: Tunnel): Promise<void> {
    await this.#proxyArp.release(tunnel);
    const running = this.#servers.get(tunnel.device);
    if (running?.callers.delete(tunnel.peerAddress) !== true) return;
    try {
      await this.#announceServer(running);
    } catch (error) {
      // Taken down as a whole, or in a moment.
      if (this.#managed.isAnnounced(running.server.name)) this.#warn(errorText(error));
    }
  }

  /** All routes at once: netifd leaves alone what was there before. */
  async #announceServer(running: RunningServer): Promise<void> {
    const { server, callers } = running;
    const all = [...callers.values()].flatMap((caller) => {
      const mtu = caller.mtu < server.mtu ? { mtu: caller.mtu } : {};
      const routes = without(callerRoutes(server, caller), this.#conflicts(caller));
      return routes.map((prefix) => ({ prefix, ...mtu }));
    });
    const assigned = this.#networks.named(server.name)?.assigned ?? [];
    const own = server.ipv6Networks.filter(
      (network) => !assigned.some((each) => isSameIpv6Prefix(each, network)),
    );
    const prefixes = [...callers.values()].flatMap(({ ipv6 }) => ipv6?.prefixes ?? []);
    const announcement = serverAnnouncement(server, all, own, prefixes);
    const text = JSON.stringify(announcement);
    if (running.announced === text) return;
    running.announced = text;
    await this.#managed.announce(server.name, announcement);
  }

  #conflicts(tunnel: Tunnel, server?: Parameters<typeof routeConflicts>[2]) {
    return routeConflicts(tunnel.name, tunnel.routes, server, this.#networks.all);
  }

  /** The owner hears of routes that are left out once the interface is up: netifd forgets errors then. */
  async #tell({ name }: Tunnel, conflicts: readonly Conflict[]): Promise<void> {
    if (conflicts.length === 0) return;
    for (const { route, what } of conflicts)
      this.#warn(`interface ${name}: route ${formatPrefix(route)} is left out: ${what}`);
    await this.#managed.fail(name, { code: 'ROUTE_CONFLICT' }, false);
  }

  #withdraw(name: string): void {
    if (!this.#managed.isAnnounced(name)) return;
    this.#managed.withdraw(name);
    clock.meanwhile(LOSS_TIME, () => this.#refresh());
  }

  async #dial(name: string): Promise<void> {
    await this.#insist(name);
    this.#managed.handleDial(name);
    await this.#ask(name, 'up');
  }

  async #hangup(name: string): Promise<void> {
    await this.#insist(name);
    await this.#ask(name, 'down');
  }

  /** Who may dial our links may not take any other interface down. @throws RouterError */
  async #insist(name: string): Promise<void> {
    await this.#networks.refresh();
    const proto = this.#networks.named(name)?.proto;
    if (proto !== undefined && (proto === 'pptpserver' || !this.#daemon.isOurs(name, proto)))
      throw new RouterError(`${name} is no link of pptp-gateway`);
  }

  /** Also one that a daemon before us gave up. */
  async #revive(name: string): Promise<void> {
    await this.#networks.refresh();
    const status = this.#networks.named(name);
    if (status === undefined || status.up || status.pending || status.autostart) return;
    if (status.errors.some((code) => loginErrors.has(code))) await this.#dial(name);
  }

  async #ask(name: string, method: 'up' | 'down'): Promise<void> {
    try {
      await this.#bus.call(`network.interface.${name}`, method, {}, CALL);
    } catch (error) {
      if (error instanceof UbusError && error.status === 'NOT_FOUND')
        throw new RouterError(`netifd knows no interface ${name}: has the network been reloaded?`);
      throw new RouterError(`netifd does not take ${name} ${method}: ${errorText(error)}`);
    }
  }

  #refresh(): void {
    if (!this.#bus.connected) return; // handleConnected will come
    this.#networks.refresh().catch(() => undefined); // netifd is away: ubus.object.add will come
  }

  /** Upstreams and devices may be others now. */
  #networksChanged(): void {
    void this.#procd.change(this.#rules());
    for (const server of this.#servers.values()) this.#tellAssigned(server);
    for (const link of this.#links.values()) {
      const { name } = link.tunnel;
      this.#tellIpv6(link);
      if (!this.#managed.isAnnounced(name)) continue;
      const done = [
        this.#announceLink(link),
        this.#serial.run(HOST_ROUTES, () => this.#dependencies.keep(name)),
      ];
      for (const each of done)
        each.catch((error: unknown) => {
          const isGoing = error instanceof RouterError && error.code === 'INTERFACE_DOWN';
          if (!isGoing && this.#managed.isAnnounced(name)) this.#warn(errorText(error));
        });
    }
  }

  /** On the link's device are the DHCPv6 client's interface, and others that the owner may have put there. */
  #tellIpv6(link: RunningLink): void {
    const { name, device } = link.tunnel;
    const given = this.#networks.all.flatMap((each) => (each.device === device ? each.ipv6 : []));
    const text = JSON.stringify(given);
    if (link.ipv6 === text) return;
    link.ipv6 = text;
    this.#daemon.givenIpv6(name, given);
  }

  /** netifd has its address in it on the device already. */
  #tellAssigned(running: RunningServer): void {
    const { name } = running.server;
    const assigned = this.#networks.named(name)?.assigned ?? [];
    const text = JSON.stringify(assigned);
    if (running.assigned === text) return;
    running.assigned = text;
    this.#daemon.assignedIpv6(name, assigned);
  }

  #rules(): readonly Table[] {
    return firewallRules(this.#served, (network) => this.deviceOf(network));
  }
}
