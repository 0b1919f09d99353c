/**
 * The configuration that is in force, and how another one takes its place: servers first, for only they can fail; then all
 * else that runs follows. What changes it comes one after the other: a reload, the supervisor's words, networks that have
 * come and gone.
 */
import { errorText } from '../platform/errors.ts';
import { clock } from '../platform/platform.ts';
import { RouterError } from '../router/router.ts';
import type { ServerOptions } from '../session/options.ts';
import { cause, type Cause } from '../wire/cause.ts';
import { nothingToRun, type Configuration } from './configuration/configuration.ts';
import { metricsFrom } from './configuration/metrics.ts';
import { describeProblem, type Problem } from './configuration/problems.ts';
import { placesOf } from './configuration/usable-sections.ts';
import type { DaemonOptions } from './daemon-options.ts';
import type { Descriptors } from './engine/descriptors.ts';
import { routerCause } from './engine/router-cause.ts';
import type { MetricsListener } from './metrics/metrics-listener.ts';
import type { Radius } from './radius/radius.ts';
import type { Relays } from './relays/relays.ts';
import type { Log } from './reports/log.ts';
import type { BanSet } from './tunnels/ban-set.ts';
import type { BroadcastRelays } from './tunnels/broadcast-relays.ts';
import type { Links } from './tunnels/links.ts';
import type { Listeners } from './tunnels/listeners.ts';
import type { RunnerPorts } from './tunnels/runner-ports.ts';
import type { ServerRunner } from './tunnels/server-runner.ts';
import { Servers } from './tunnels/servers.ts';
import type { Supervision } from './tunnels/supervision.ts';
import type { Surroundings } from './tunnels/surroundings.ts';
import type { UsageRunner } from './usage/usage-runner.ts';

/** What follows the configuration. */
export interface Followers {
  readonly log: Log;
  readonly descriptors: Descriptors;
  readonly ports: RunnerPorts;
  readonly surroundings: Surroundings;
  /** Those that run. */
  readonly servers: Map<string, ServerRunner>;
  readonly listeners: Listeners;
  readonly broadcasts: BroadcastRelays;
  readonly links: Links;
  readonly relays: Relays;
  readonly radius: Radius;
  readonly usage: UsageRunner;
  readonly metrics: MetricsListener;
  readonly supervision: Supervision;
  readonly banSet: BanSet;
}

export class InForce {
  configuration: Configuration;
  /** Why nothing of what stands in the files is in force; undefined: it is, but for the faults of the configuration. */
  refused: readonly Problem[] | undefined;
  readonly #followers: Followers;
  readonly #read: DaemonOptions['read'];
  readonly #servers: Servers;
  /** Of servers that could not be started, or not with their new settings. */
  readonly #failures = new Map<string, Cause>();
  #inherited: ReadonlySet<string> = new Set();
  #areRelaysOff = false;
  /** It has been in force once. */
  #configured = false;
  #changing: Promise<unknown> = Promise.resolve();

  constructor(configuration: Configuration, read: DaemonOptions['read'], followers: Followers) {
    this.configuration = configuration;
    this.#read = read;
    this.#followers = followers;
    const { log, ports, servers, surroundings } = followers;
    this.#servers = new Servers(
      ports,
      log,
      (name) => this.change(() => this.#reopen(name), `server ${name}`),
      (server) => surroundings.keptFrom(server, this.configuration.servers),
      servers,
    );
  }

  /** @throws Fatal, IoError or RouterError: nothing runs then */
  async start(): Promise<void> {
    await this.resume();
    await this.startRelays();
  }

  /** As start, but for the relays: packets of tunnels wait meanwhile, and the kernel passes those of relays by itself. */
  async resume(): Promise<void> {
    this.#areRelaysOff = true;
    await this.#apply(this.configuration);
  }

  /** Never fails. */
  startRelays(): Promise<void> {
    this.#areRelaysOff = false;
    return this.undisturbed(() => this.#followers.relays.change(this.configuration.relays));
  }

  /**
   * Reads the configuration again, and carries over what did not change: a session ends only when its own settings did.
   * @returns what of it is not in force, and why
   * @throws Fatal, IoError or RouterError: what was in force stays
   */
  reload(): Promise<readonly Problem[]> {
    const done = this.#changing.then(async () => {
      await this.#takeUp(() => true);
      return this.faults();
    });
    this.#changing = done.catch(() => undefined); // the caller of reload sees it
    return done;
  }

  /** As reload, where the files have changed; within a change. */
  readAgain(): Promise<void> {
    return this.#takeUp(({ digest }) => digest !== this.configuration.digest);
  }

  /** Servers of the program before: they start, whoever else decides on that, with these devices. */
  adopt(devices: ReadonlyMap<string, number>): void {
    this.#inherited = new Set(devices.keys());
    this.#servers.adopt(devices);
  }

  /** Does something while nothing is changed, after what is being changed. */
  undisturbed<T>(job: () => Promise<T>): Promise<T> {
    const done = this.#changing.then(job);
    this.#changing = done.catch(() => undefined); // the caller sees it
    return done;
  }

  /** Does something that changes what runs, after what is being changed. */
  change(job: () => Promise<void>, about: string): void {
    this.#changing = this.#changing.then(job).catch((error: unknown) => {
      this.#followers.log.line('error', `${about}: ${errorText(error)}`);
    });
  }

  /** Networks may have come and gone, and devices of the LAN may have taken callers' addresses. */
  lookAround(): void {
    const { ports, servers, surroundings } = this.#followers;
    ports.access.lockout.watch(clock.monotonic());
    for (const { server } of servers.values()) server.watch(clock.monotonic());
    if (surroundings.look()) this.change(() => this.#apply(this.configuration), 'networks');
    else this.#followers.broadcasts.follow(); // a device may have been made anew
  }

  /** What stands in the files and is not in force. */
  faults(): readonly Problem[] {
    const { servers, surroundings } = this.#followers;
    const failed = [...this.#failures].map(([section, { code, detail }]): Problem => ({
      severity: 'error',
      file: 'network',
      section,
      kind: 'server',
      message: detail ?? code,
      isKept: servers.has(section),
    }));
    const conflicts = surroundings.problems.filter(({ severity }) => severity === 'error');
    return [...(this.refused ?? []), ...this.configuration.faults, ...failed, ...conflicts];
  }

  /** Why a server does not run, or not with its new settings. */
  serverFault(name: string): Cause | undefined {
    return this.#followers.surroundings.conflict(name) ?? this.#failures.get(name);
  }

  isServer(name: string): boolean {
    return this.configuration.servers.some((server) => server.name === name);
  }

  /** It stands in the files, with faults. */
  isLeftOut(name: string): boolean {
    return placesOf(this.configuration.faults).includes(`network.${name}`);
  }

  /** One that its supervisor has set up; within a change. @throws why it cannot be started */
  startServer(name: string): Promise<void> {
    return this.#startServer(name, name);
  }

  /** Its device is gone when this returns. */
  stopServer(name: string): void {
    const { listeners, servers } = this.#followers;
    this.#failures.delete(name);
    const runner = servers.get(name);
    if (runner === undefined) return;
    runner.closeDevice();
    this.change(async () => {
      if (servers.get(name) !== runner) return;
      await this.#servers.end(name, cause('INTERFACE_DOWN'));
      listeners.retain([...servers.values()].map(({ server }) => server.options.port));
    }, `server ${name}`);
  }

  async #reopen(name: string): Promise<void> {
    await this.#servers.end(name, cause('DEVICE_FAILED'));
    await this.#startServer(name);
  }

  async #startServer(name: string, starting?: string): Promise<void> {
    this.#failures.delete(name);
    try {
      await this.#apply(this.configuration, starting);
    } catch (error) {
      this.#failures.set(name, routerCause(error, 'DEVICE_FAILED'));
      throw error;
    }
    const why = this.#followers.surroundings.conflict(name);
    if (why !== undefined) throw new RouterError(why.detail ?? '', why.code);
  }

  async #takeUp(isWanted: (configuration: Configuration) => boolean): Promise<void> {
    try {
      const configuration = this.#read(this.configuration);
      if (isWanted(configuration)) await this.#apply(configuration);
      this.refused = undefined;
    } catch (error) {
      this.refused = [{ severity: 'error', file: 'network', message: errorText(error) }];
      throw error;
    }
  }

  /** @param starting a server that its supervisor has set up */
  async #apply(configuration: Configuration, starting?: string): Promise<void> {
    const { links, metrics, ports, radius, relays, servers, supervision, surroundings, usage } =
      this.#followers;
    const { supervisor } = ports.router;
    await this.#makeWay(configuration);
    const wanted = configuration.servers.filter(
      ({ name }) =>
        surroundings.conflict(name) === undefined &&
        (supervisor === undefined ||
          (supervisor.isSetUp(name) &&
            (servers.has(name) || name === starting || this.#inherited.has(name)))),
    );
    this.#inherited = new Set();
    const failed = await this.#changeServers(wanted); // nothing else can fail
    const isNews = configuration !== this.configuration || !this.#configured;
    this.configuration = configuration;
    if (!isNews) {
      this.#followers.broadcasts.follow();
      return;
    }
    this.#configured = true;
    for (const name of this.#failures.keys()) if (!this.isServer(name)) this.#failures.delete(name);
    this.#tell(configuration);
    this.#shareDescriptors(configuration);
    this.#nameBanSet(configuration.banSet);
    usage.configure(configuration);
    for (const options of configuration.servers)
      if (!failed.has(options.name))
        servers.get(options.name)?.server.reconfigure(options, clock.monotonic());
    radius.configure(configuration);
    await links.change(configuration.links);
    if (!this.#areRelaysOff) await relays.change(configuration.relays);
    ports.router.serversConfigured(
      configuration.servers.map(({ name, port, listen, openFirewall, allowFrom, denyFrom }) => ({
        name,
        port,
        listen,
        openFirewall,
        allowFrom,
        denyFrom,
      })),
    );
    this.#followers.broadcasts.follow();
    supervision.configured();
    await metrics.configure(metricsFrom(configuration.globals));
  }

  /** What is logged from now on, and what is wrong. */
  #tell(configuration: Configuration): void {
    const { faults, links, logLevel, warnings } = configuration;
    const { log } = this.#followers;
    log.level = logLevel;
    log.verbose = new Set(links.filter(({ verbose }) => verbose).map(({ name }) => name));
    for (const problem of [...faults, ...warnings])
      log.line(problem.severity, describeProblem(problem));
    const idle = nothingToRun(configuration);
    if (idle !== undefined) log.line('warning', idle);
    for (const [isKept, what] of [
      [false, 'left out until they are mended'],
      [true, 'as they were before, until they are mended'],
    ] as const) {
      const places = placesOf(faults.filter((fault) => (fault.isKept ?? false) === isKept));
      if (places.length > 0) log.line('error', `${what}: ${places.join(', ')}`);
    }
  }

  /** Accounts and limits, as far as there are descriptors. */
  #shareDescriptors(configuration: Configuration): void {
    const { descriptors, log, ports, relays } = this.#followers;
    const { connections, limits, relayed, shortage } = descriptors.share(configuration);
    if (shortage !== undefined) log.line('warning', shortage);
    ports.connections.most = connections;
    relays.most = relayed;
    ports.gateway.reconfigure(limits);
    ports.access.reconfigure(configuration.users);
  }

  #nameBanSet(name: string | undefined): void {
    const { banSet, ports } = this.#followers;
    const now = clock.monotonic();
    banSet.configure(name, ports.access.lockout.bans(now), now);
  }

  /** @returns those that could not be changed @throws Fatal, IoError or RouterError at the start */
  async #changeServers(wanted: readonly ServerOptions[]): Promise<ReadonlySet<string>> {
    const { listeners, log, ports } = this.#followers;
    if (!this.#configured || ports.router.supervisor !== undefined) {
      await this.#servers.change(wanted, listeners);
      return new Set();
    }
    const failed = await this.#servers.changeAsFarAsPossible(wanted, listeners);
    this.#failures.clear();
    for (const [name, error] of failed) {
      this.#failures.set(name, routerCause(error, 'DEVICE_FAILED'));
      log.line('error', `server ${name}: ${errorText(error)}`);
    }
    return new Set(failed.keys());
  }

  /** Servers whose network is somewhere else now end, and callers whose addresses are; what is wrong is told once. */
  async #makeWay(configuration: Configuration): Promise<void> {
    const { log, ports, servers, supervision, surroundings } = this.#followers;
    surroundings.look();
    const { warnings, conflicts, over } = surroundings.judge(configuration);
    for (const problem of warnings) log.line('warning', describeProblem(problem));
    for (const [server, why] of conflicts)
      ports.report({ what: 'server-trouble', server, username: undefined, cause: why });
    for (const name of over) supervision.resume(name);
    for (const options of configuration.servers) {
      const { name } = options;
      const why = surroundings.conflict(name);
      if (why !== undefined) {
        servers.get(name)?.closeDevice(); // goodbyes take seconds; the network is somebody else's now
        await this.#servers.end(name, why);
      } else {
        const kept = surroundings.keptFrom(options, configuration.servers);
        servers.get(name)?.server.keepOff(kept, clock.monotonic());
      }
    }
  }
}
