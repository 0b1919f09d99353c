/** The running gateway: servers, links and everything around them, made from a configuration and remade on reload. */
import type { NetlinkWatch } from '../native/netlink.ts';
import { randomOctets } from '../native/random.ts';
import type { Timer } from '../platform/clock.ts';
import { errorText } from '../platform/errors.ts';
import { clock } from '../platform/platform.ts';
import { CallIds } from '../pptp/call-ids.ts';
import { KernelNeighbours } from '../router/neighbours.ts';
import { readOwnNetworks } from '../router/own-networks.ts';
import { RelayTable } from '../router/relay-table.ts';
import { RouterError, type SupervisedDaemon } from '../router/router.ts';
import { Upkeep } from '../router/upkeep.ts';
import { deviceNames } from '../router/zones.ts';
import { Gateway } from '../session/gateway.ts';
import { cause, type Cause } from '../wire/cause.ts';
import { formatAddress, parseAddress } from '../wire/ip.ts';
import { Checks } from './tunnels/checks.ts';
import type { Configuration } from './configuration/configuration.ts';
import { describeProblem, type Problem } from './configuration/problems.ts';
import { placesOf } from './configuration/usable-sections.ts';
import { Connections } from './engine/connections.ts';
import type { DaemonOptions } from './daemon-options.ts';
import { Descriptors } from './engine/descriptors.ts';
import { Drive, monotonic } from './engine/drive.ts';
import type { ServerOptions } from '../session/options.ts';
import { Failures } from './reports/failures.ts';
import { Hooks } from './reports/hooks.ts';
import { kernel, watchKernel } from './engine/kernel.ts';
import type { LinkRunner } from './tunnels/link-runner.ts';
import type { RunnerPorts } from './tunnels/runner-ports.ts';
import { Links } from './tunnels/links.ts';
import { Listeners } from './tunnels/listeners.ts';
import type { LogEntry } from './reports/log.ts';
import { PacketIo } from './engine/packet-io.ts';
import { Relays } from './relays/relays.ts';
import { Reports } from './reports/reports.ts';
import type { ServerRunner } from './tunnels/server-runner.ts';
import { routerCause } from './engine/router-cause.ts';
import { Servers } from './tunnels/servers.ts';
import { Supervision } from './tunnels/supervision.ts';
import { Surroundings } from './tunnels/surroundings.ts';

/** How often the router's networks and the LAN's devices are looked at, ms. */
const LOOK_AROUND = 5_000;

export class Daemon {
  readonly started = monotonic();
  readonly servers: ReadonlyMap<string, ServerRunner>;
  readonly links: ReadonlyMap<string, LinkRunner>;
  readonly linkSet: Links;
  readonly failures = new Failures();
  readonly checks = new Checks();
  readonly io: PacketIo;
  readonly ports: RunnerPorts;
  readonly relays: Relays;
  readonly surroundings: Surroundings;
  /** Of what is in the kernel. */
  readonly upkeep: Upkeep;
  configuration: Configuration;
  /** Why nothing of what stands in the files is in force; undefined: it is, but for the faults of the configuration. */
  refused: readonly Problem[] | undefined;
  /** Of servers that could not be started, or not with their new settings. */
  readonly serverFailures = new Map<string, Cause>();
  private readonly options: DaemonOptions;
  private readonly descriptors = Descriptors.ofProcess();
  private readonly connections = new Connections();
  private readonly drive: Drive;
  private readonly watches: readonly NetlinkWatch[];
  private readonly listeners: Listeners;
  private readonly serverSet: Servers;
  private readonly reports: Reports;
  private readonly hooks: Hooks;
  private configured = false;
  private readonly supervision: Supervision | undefined;
  private changing: Promise<unknown> = Promise.resolve();
  private looking: Timer | undefined;

  private constructor(configuration: Configuration, options: DaemonOptions) {
    this.options = options;
    this.configuration = configuration;
    const { log, faults } = options;
    const { users, limits } = configuration;
    const reports = new Reports({
      log,
      faults,
      failures: this.failures,
      publish: (event) => options.publish?.(event),
      runHooks: (event) => this.hooks.note(event),
    });
    this.reports = reports;
    const gateway = new Gateway({
      users,
      limits,
      random: randomOctets,
      wallClock: () => Date.now(),
      count: (counter) => reports.countInput(counter),
    });
    this.drive = new Drive(faults);
    const ids = new CallIds(randomOctets);
    this.io = new PacketIo(limits.maxSessions + limits.maxHalfOpen, this.drive, ids, (error) =>
      faults.endAll('packets', error),
    );
    // The router calls it only once all is there: it is told of nothing before the bus has answered.
    const supervised: SupervisedDaemon = {
      start: (name, fresh) => this.supervision?.start(name, fresh),
      stop: (name) => this.supervision?.stop(name),
      givenIpv6: (link, prefixes) => this.supervision?.givenIpv6(link, prefixes),
      isOurs: (name, proto) => this.supervision?.isOurs(name, proto) ?? false,
    };
    const warn = (message: string) => log.line('warning', message);
    this.upkeep = new Upkeep(warn);
    this.watches = watchKernel(this.upkeep, warn);
    const router = options.router(supervised, warn, this.upkeep);
    const failed = (error: unknown) =>
      reports.ofStrangers('neighbours: failed', () =>
        log.line('error', `networks and neighbours: ${errorText(error)}`),
      );
    this.surroundings = new Surroundings({
      read: () => readOwnNetworks(kernel.route),
      networkOn: (device, address) => router.networkOn(device, address),
      serverDevices: () => [...this.servers.values()].map(({ server }) => server.options.device),
      failed,
    });
    this.ports = {
      gateway,
      drive: this.drive,
      faults,
      io: this.io,
      router,
      connections: this.connections,
      neighbours: new KernelNeighbours(kernel.route, () => this.surroundings.networks, failed),
      report: (event) => reports.event(event),
    };
    this.relays = new Relays(
      {
        drive: this.drive,
        connections: this.connections,
        faults,
        table: new RelayTable(kernel.netfilter),
        ids,
        nextId: () => gateway.nextId(),
        report: (event) => reports.event(event),
        count: (counter) => reports.count(counter),
        warn: (message) => reports.ofStrangers('relay: failed', () => log.line('error', message)),
        capture: () => this.io.capture,
      },
      options.zones ?? deviceNames,
      (level, message) => log.line(level, message),
      this.upkeep,
    );
    this.hooks = new Hooks({
      log: (level, text) => log.line(level, text),
      count: (counter) => reports.count(counter),
      about: ({ kind, name }) => {
        const options =
          kind === 'caller'
            ? this.servers.get(name)?.server.options
            : this.links.get(name)?.link.options;
        return (
          options && { device: options.device, ...('commands' in options ? options.commands : {}) }
        );
      },
    });
    this.linkSet = new Links(this.ports, log, options.dial);
    this.links = this.linkSet.running;
    this.serverSet = new Servers(
      this.ports,
      log,
      (name) => this.change(() => this.reopen(name), `server ${name}`),
      (server) => this.surroundings.keptFrom(server, this.configuration.servers),
    );
    this.servers = this.serverSet.running;
    if (router.supervisor !== undefined)
      this.supervision = new Supervision({
        log,
        links: this.links,
        supervisor: router.supervisor,
        change: (job) => this.change(job, 'netifd'),
        readAgain: () => this.readAgain(),
        faults: () => this.faults(),
        isLink: (name, proto) => proto === 'pptp' && (this.links.has(name) || this.isLeftOut(name)),
        isServer: (name) => this.configuration.servers.some((server) => server.name === name),
        startServer: (name) => this.startServer(name, name),
        stopServer: (name) => this.stopServer(name),
      });
    this.listeners = new Listeners(
      () => [...this.servers.values()],
      (network) => router.deviceOf(network),
      (socket) => {
        const peer = parseAddress(socket.endpoints?.peer ?? '') ?? 0;
        const kind = 'caller: no server listens there';
        reports.count(kind);
        reports.ofStrangers(kind, () =>
          log.line(
            'warning',
            `caller ${formatAddress(peer)}: no server listens on ${socket.endpoints?.local ?? '?'} (option listen)`,
          ),
        );
      },
      (port, error) =>
        reports.ofStrangers('caller: not accepted', () =>
          log.line('error', `TCP port ${port}: ${errorText(error)}`),
        ),
      faults,
    );
  }

  /** @throws Fatal, IoError or RouterError: nothing runs then */
  static async start(configuration: Configuration, options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(configuration, options);
    try {
      await daemon.ports.router.recover();
      await daemon.apply(configuration);
    } catch (error) {
      await daemon.stop();
      throw error;
    }
    daemon.looking = clock.every(LOOK_AROUND, () => daemon.lookAround());
    return daemon;
  }

  /**
   * Reads the configuration again, and carries over what did not change: a session ends only when its own settings did.
   * @returns what of it is not in force, and why
   * @throws Fatal, IoError or RouterError: what was in force stays
   */
  reload(): Promise<readonly Problem[]> {
    const done = this.changing.then(async () => {
      await this.takeUp(() => true);
      return this.faults();
    });
    this.changing = done.catch(() => undefined); // the caller of reload sees it
    return done;
  }

  /** What stands in the files and is not in force. */
  faults(): readonly Problem[] {
    const failed = [...this.serverFailures].map(([section, { code, detail }]): Problem => ({
      severity: 'error',
      file: 'network',
      section,
      kind: 'server',
      message: detail ?? code,
      isKept: this.servers.has(section),
    }));
    const conflicts = this.surroundings.problems.filter(({ severity }) => severity === 'error');
    return [...(this.refused ?? []), ...this.configuration.faults, ...failed, ...conflicts];
  }

  /** Networks have come, gone or changed their device: relays follow them. */
  networksChanged(): void {
    this.change(() => this.relays.refresh(), 'relays');
  }

  /** Says goodbye to every peer; at most 4 s. */
  async stop(): Promise<void> {
    clock.cancel(this.looking);
    this.supervision?.close();
    this.listeners.close();
    const goodbyes = [
      ...[...this.servers.values()].map((runner) => runner.shutdown(cause('SHUTDOWN'))),
      this.linkSet.stop(cause('SHUTDOWN')),
    ];
    await Promise.race([
      Promise.all([...goodbyes, this.relays.stop()]),
      new Promise<void>((resolve) => clock.meanwhile(3_800, resolve)),
    ]);
    this.upkeep.close();
    for (const watch of this.watches) watch.close();
    await this.ports.router.close();
    this.io.close();
    this.drive.stop();
  }

  /** Things that were counted and belong to no session. */
  counters(): Readonly<Record<string, number>> {
    return { ...this.reports.counters(), ...this.options.faults.counters() };
  }

  /** The last lines of the log. */
  recentLines(): readonly LogEntry[] {
    return this.options.log.recent();
  }

  /** @param starting a server that its supervisor has set up */
  private async apply(configuration: Configuration, starting?: string): Promise<void> {
    const { log } = this.options;
    const { router } = this.ports;
    const { supervisor } = router;
    await this.makeWay(configuration);
    const wanted = configuration.servers.filter(
      ({ name }) =>
        this.surroundings.conflict(name) === undefined &&
        (supervisor === undefined ||
          (supervisor.isSetUp(name) && (this.servers.has(name) || name === starting))),
    );
    const failed = await this.changeServers(wanted); // nothing else can fail
    const isNews = configuration !== this.configuration || !this.configured;
    this.configuration = configuration;
    if (!isNews) return;
    this.configured = true;
    for (const name of this.serverFailures.keys())
      if (!configuration.servers.some((server) => server.name === name))
        this.serverFailures.delete(name);
    log.level = configuration.logLevel;
    log.verbose = new Set(
      configuration.links.filter(({ verbose }) => verbose).map(({ name }) => name),
    );
    const { faults, warnings } = configuration;
    for (const problem of [...faults, ...warnings])
      log.line(problem.severity, describeProblem(problem));
    for (const [isKept, what] of [
      [false, 'left out until they are mended'],
      [true, 'as they were before, until they are mended'],
    ] as const) {
      const places = placesOf(faults.filter((fault) => (fault.isKept ?? false) === isKept));
      if (places.length > 0) log.line('error', `${what}: ${places.join(', ')}`);
    }
    this.shareDescriptors(configuration);
    for (const options of configuration.servers)
      if (!failed.has(options.name))
        this.servers.get(options.name)?.server.reconfigure(options, monotonic());

    await this.linkSet.change(configuration.links);
    await this.relays.change(configuration.relays);
    router.serversConfigured(
      configuration.servers.map(({ name, port, listen, openFirewall, allowFrom }) => ({
        name,
        port,
        listen,
        openFirewall,
        allowFrom,
      })),
    );
    this.supervision?.configured();
  }

  /** Accounts and limits, as far as there are descriptors. */
  private shareDescriptors(configuration: Configuration): void {
    const { connections, limits, relayed, shortage } = this.descriptors.share(configuration);
    if (shortage !== undefined) this.options.log.line('warning', shortage);
    this.connections.most = connections;
    this.relays.most = relayed;
    this.ports.gateway.reconfigure(configuration.users, limits);
  }

  /** @returns those that could not be changed @throws Fatal, IoError or RouterError at the start */
  private async changeServers(wanted: readonly ServerOptions[]): Promise<ReadonlySet<string>> {
    if (!this.configured || this.ports.router.supervisor !== undefined) {
      await this.serverSet.change(wanted, this.listeners);
      return new Set();
    }
    const failed = await this.serverSet.changeAsFarAsPossible(wanted, this.listeners);
    this.serverFailures.clear();
    for (const [name, error] of failed) {
      this.serverFailures.set(name, routerCause(error, 'DEVICE_FAILED'));
      this.options.log.line('error', `server ${name}: ${errorText(error)}`);
    }
    return new Set(failed.keys());
  }

  /** Servers whose network is somewhere else now end, and callers whose addresses are; what is wrong is told once. */
  private async makeWay(configuration: Configuration): Promise<void> {
    const { surroundings } = this;
    surroundings.look();
    const { warnings, conflicts, over } = surroundings.judge(configuration);
    for (const problem of warnings) this.options.log.line('warning', describeProblem(problem));
    for (const [server, why] of conflicts)
      this.ports.report({ what: 'server-trouble', server, username: undefined, cause: why });
    for (const name of over) this.supervision?.resume(name);
    for (const options of configuration.servers) {
      const { name } = options;
      const why = surroundings.conflict(name);
      if (why !== undefined) await this.serverSet.end(name, why);
      else {
        const kept = surroundings.keptFrom(options, configuration.servers);
        this.servers.get(name)?.server.keepOff(kept, monotonic());
      }
    }
  }

  /** Networks may have come and gone, and devices of the LAN may have taken callers' addresses. */
  private lookAround(): void {
    for (const { server } of this.servers.values()) server.watch(monotonic());
    if (this.surroundings.look()) this.change(() => this.apply(this.configuration), 'networks');
  }

  private readAgain(): Promise<void> {
    return this.takeUp(({ digest }) => digest !== this.configuration.digest);
  }

  private async takeUp(isWanted: (configuration: Configuration) => boolean): Promise<void> {
    try {
      const configuration = this.options.read(this.configuration);
      if (isWanted(configuration)) await this.apply(configuration);
      this.refused = undefined;
    } catch (error) {
      this.refused = [{ severity: 'error', file: 'network', message: errorText(error) }];
      throw error;
    }
  }

  private async startServer(name: string, starting?: string): Promise<void> {
    this.serverFailures.delete(name);
    try {
      await this.apply(this.configuration, starting);
    } catch (error) {
      this.serverFailures.set(name, routerCause(error, 'DEVICE_FAILED'));
      throw error;
    }
    const why = this.surroundings.conflict(name);
    if (why !== undefined) throw new RouterError(why.detail ?? '', why.code);
  }

  private isLeftOut(name: string): boolean {
    return placesOf(this.configuration.faults).includes(`network.${name}`);
  }

  private stopServer(name: string): void {
    this.serverFailures.delete(name);
    const runner = this.servers.get(name);
    if (runner === undefined) return;
    runner.closeDevice();
    this.change(async () => {
      if (this.servers.get(name) !== runner) return;
      await this.serverSet.end(name, cause('INTERFACE_DOWN'));
      this.listeners.retain([...this.servers.values()].map(({ server }) => server.options.port));
    }, `server ${name}`);
  }

  private change(job: () => Promise<void>, about: string): void {
    this.changing = this.changing.then(job).catch((error: unknown) => {
      this.options.log.line('error', `${about}: ${errorText(error)}`);
    });
  }

  private async reopen(name: string): Promise<void> {
    await this.serverSet.end(name, cause('DEVICE_FAILED'));
    await this.startServer(name);
  }
}
