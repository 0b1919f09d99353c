/* eslint max-lines: ['error', { max: 520, skipBlankLines: true, skipComments: true }] -- all things of the gateway, and how they go on */
/** The running gateway: servers, links, relays and everything around them. Each thing is made after what it needs. */
import { giveBack } from '../native/give-back.ts';
import type { NetlinkWatch } from '../native/netlink.ts';
import { randomOctets } from '../native/random.ts';
import type { Timer } from '../platform/clock.ts';
import { errorText } from '../platform/errors.ts';
import { clock, files, program } from '../platform/platform.ts';
import { CallIds } from '../pptp/call-ids.ts';
import { Journal } from '../router/journal.ts';
import { NamedSets } from '../router/named-sets.ts';
import { KernelNeighbours } from '../router/neighbours.ts';
import { readOwnNetworks } from '../router/own-networks.ts';
import { RelayTable } from '../router/relay-table.ts';
import { Upkeep } from '../router/upkeep.ts';
import { deviceNames } from '../router/zones.ts';
import { Gateway } from '../session/gateway.ts';
import type { SessionStatus } from '../session/ports.ts';
import { Access } from '../session/server/access.ts';
import { cause } from '../wire/cause.ts';
import { formatAddress, parseAddress } from '../wire/ip.ts';
import type { Configuration } from './configuration/configuration.ts';
import type { DaemonOptions } from './daemon-options.ts';
import {
  descriptorsOf,
  isUp,
  restoreRelays,
  restoreSessions,
  type DaemonState,
} from './daemon-state.ts';
import { Connections } from './engine/connections.ts';
import { Descriptors } from './engine/descriptors.ts';
import { Drive } from './engine/drive.ts';
import { GiveBack } from './engine/give-back.ts';
import { kernel, watchKernel } from './engine/kernel.ts';
import { PacketIo } from './engine/packet-io.ts';
import { InForce } from './in-force.ts';
import { LiveSessions } from './radius/live-sessions.ts';
import { MetricsListener } from './metrics/metrics-listener.ts';
import { metricsText } from './metrics/metrics.ts';
import { Tally } from './metrics/tally.ts';
import { Radius } from './radius/radius.ts';
import { Relays } from './relays/relays.ts';
import { Counters } from './reports/counters.ts';
import { Failures } from './reports/failures.ts';
import { Hooks, type AboutSession } from './reports/hooks.ts';
import type { LogDocument } from './reports/log.ts';
import { OwedHooks } from './reports/owed-hooks.ts';
import { Reports } from './reports/reports.ts';
import { BanSet } from './tunnels/ban-set.ts';
import { BroadcastRelays } from './tunnels/broadcast-relays.ts';
import { Checks } from './tunnels/checks.ts';
import type { LinkRunner } from './tunnels/link-runner.ts';
import { Links } from './tunnels/links.ts';
import { Listeners } from './tunnels/listeners.ts';
import { Pings } from './tunnels/pings.ts';
import type { RunnerPorts } from './tunnels/runner-ports.ts';
import type { ServerRunner } from './tunnels/server-runner.ts';
import { Supervision } from './tunnels/supervision.ts';
import { Surroundings } from './tunnels/surroundings.ts';
import { UsageRunner } from './usage/usage-runner.ts';
import { version } from './version.ts';

/** How often the router's networks and the LAN's devices are looked at, ms. */
const LOOK_AROUND = 5_000;
/** Sessions are asked for a sign of life as often as metrics are, but not more often than so, ms. */
const ECHO = 10_000;

/** How long what is being negotiated may take to end before another program takes over, ms, and how often that is looked at. */
const SETTLING = 3_000;
const LOOK = 20;

export class Daemon {
  readonly started: number;
  /** How often a program has taken the place of another. */
  readonly upgrades: number;
  readonly servers: ReadonlyMap<string, ServerRunner>;
  readonly links: ReadonlyMap<string, LinkRunner>;
  readonly linkSet: Links;
  readonly failures = new Failures();
  readonly checks = new Checks();
  readonly pings = new Pings();
  readonly io: PacketIo;
  readonly ports: RunnerPorts;
  readonly radius: Radius;
  readonly usage: UsageRunner;
  readonly metrics: MetricsListener;
  readonly #tally = new Tally();
  readonly relays: Relays;
  readonly surroundings: Surroundings;
  /** Of what is in the kernel. */
  readonly upkeep: Upkeep;
  readonly inForce: InForce;
  readonly #options: DaemonOptions;
  readonly #counters = new Counters();
  readonly #drive: Drive;
  readonly #watches: readonly NetlinkWatch[];
  readonly #supervision = new Supervision();
  readonly #listeners: Listeners;
  readonly #ids: CallIds;
  readonly #hooks: Hooks;
  readonly #broadcasts: BroadcastRelays;
  readonly #giveBack: GiveBack;
  #looking: Timer | undefined;
  #lookedAt = 0;
  /** For metrics. */
  #echoedAt = -Infinity;

  private constructor(configuration: Configuration, options: DaemonOptions, saved?: DaemonState) {
    this.#options = options;
    this.started = saved?.started ?? clock.monotonic();
    this.upgrades = (saved?.upgrades ?? -1) + 1;
    this.#giveBack = new GiveBack(saved !== undefined);
    const { log, faults } = options;
    const { users, limits } = configuration;
    const count = (counter: string) => this.#counters.count(counter);
    const warn = (message: string) => log.line('warning', message);

    // Filled by InForce and Links; whoever tells of sessions or listens for callers looks into them.
    const servers = new Map<string, ServerRunner>();
    const links = new Map<string, LinkRunner>();
    this.servers = servers;
    this.links = links;

    const hooks = new Hooks(
      {
        log: (level, text) => log.line(level, text),
        count,
        about: (session) => aboutSession(session, servers, links),
      },
      new OwedHooks(files.join(options.runtime, 'hooks'), warn),
    );
    const reports = new Reports({
      log,
      faults,
      counters: this.#counters,
      failures: this.failures,
      tally: (event) => this.#tally.note(event),
      publish: (event) => options.publish?.(event),
      runHooks: (event) => hooks.note(event),
    });

    this.#hooks = hooks;

    const descriptors = Descriptors.ofProcess(
      saved === undefined ? 0 : descriptorsOf(saved).length,
    );
    const connections = new Connections();
    const ids = new CallIds(randomOctets);
    const gateway = new Gateway({
      limits,
      random: randomOctets,
      count: (counter) => reports.countInput(counter),
    });
    const drive = new Drive(faults);
    if (saved !== undefined) {
      this.#counters.restore(saved.counters);
      this.failures.restore(saved.failures);
      log.restore(saved.log);
      ids.restore(saved.resting);
      gateway.restore(saved.gateway);
    }
    this.#ids = ids;
    this.metrics = new MetricsListener({
      faults,
      warn,
      count,
      text: (perSession) => this.metricsText(perSession),
    });
    this.usage = new UsageRunner(
      {
        drive,
        warn,
        report: (event) => reports.event(event),
        zone: (wall) => options.localTime(wall) - wall,
        sessions: () => this.sessions(),
        review: (of, name) => {
          if (of === 'link') this.inForce.change(() => this.linkSet.allow(name), `link ${name}`);
          else for (const { server } of servers.values()) server.review(name, clock.monotonic());
        },
      },
      configuration,
      { ...options.usage, lasting: configuration.globals.usage_folder ?? options.usage.lasting },
    );
    const access = new Access(gateway, {
      users,
      wallTime: () => {
        const utc = Date.now();
        return { utc, local: options.localTime(utc) };
      },
      report: (event) => {
        faults.contain('ban set', () => banSet.note(event, clock.monotonic()));
        reports.event(event);
      },
      allowance: (username) => this.usage.allowance('user', username),
    });
    if (saved !== undefined) access.restore(saved.access);
    const io = new PacketIo(
      limits.maxSessions + limits.maxHalfOpen,
      drive,
      ids,
      (error) => faults.endAll('packets', error),
      saved?.packets,
    );
    this.#drive = drive;
    this.io = io;

    this.upkeep = new Upkeep(warn);
    const sets = new NamedSets({
      journal: new Journal(files.join(options.runtime, 'sets'), warn),
      upkeep: this.upkeep,
      count,
    });
    const banSet = new BanSet(sets);
    this.#watches = watchKernel(this.upkeep, warn, (table) => sets.uses(table));
    const router = options.router(this.#supervision, warn, this.upkeep);
    const failed = (error: unknown) =>
      reports.ofStrangers('neighbours: failed', () =>
        log.line('error', `networks and neighbours: ${errorText(error)}`),
      );
    const surroundings = new Surroundings({
      read: () => readOwnNetworks(kernel.route),
      networkOn: (device, address) => router.networkOn(device, address),
      serverDevices: () => [...servers.values()].map(({ server }) => server.options.device),
      failed,
    });
    this.surroundings = surroundings;

    this.radius = new Radius(
      {
        drive,
        log,
        count,
        sessions: new LiveSessions(servers),
        trouble: (username, why) =>
          reports.event({ what: 'server-trouble', server: 'accounting', username, cause: why }),
        doubt: (kind, text) => reports.ofStrangers(kind, () => warn(text)),
      },
      configuration,
      options.state,
      saved?.accounting,
    );
    this.ports = {
      gateway,
      access,
      authority: this.radius,
      drive,
      faults,
      io,
      router,
      sets,
      connections,
      linkAllowance: (name) => this.usage.allowance('link', name),
      neighbours: new KernelNeighbours(kernel.route, () => surroundings.networks, failed),
      report: (event) => {
        faults.contain('accounting', () => this.radius.note(event));
        faults.contain('usage', () => this.usage.note(event));
        reports.event(event);
      },
      storePassword: async (section, secret) => {
        await options.storePassword(section, secret);
        await this.inForce.reload();
      },
    };
    this.relays = new Relays(
      {
        drive,
        connections,
        faults,
        table: new RelayTable(kernel.netfilter, options.shortcut),
        ids,
        nextId: () => gateway.nextId(),
        report: (event) => reports.event(event),
        count,
        warn: (message) => reports.ofStrangers('relay: failed', () => log.line('error', message)),
        capture: () => io.capture,
      },
      options.zones ?? deviceNames,
      (level, message) => log.line(level, message),
      this.upkeep,
    );
    this.linkSet = new Links(this.ports, log, options.dial, links);
    this.#listeners = new Listeners(
      () => [...servers.values()],
      (network) => router.deviceOf(network),
      ({ endpoints }) => {
        const peer = parseAddress(endpoints?.peer ?? '') ?? 0;
        const kind = 'caller: no server listens there';
        count(kind);
        reports.ofStrangers(kind, () =>
          warn(
            `caller ${formatAddress(peer)}: no server listens on ${endpoints?.local ?? '?'} (option listen)`,
          ),
        );
      },
      (port, error) =>
        reports.ofStrangers('caller: not accepted', () =>
          log.line('error', `TCP port ${port}: ${errorText(error)}`),
        ),
      faults,
    );
    this.#broadcasts = new BroadcastRelays({
      servers,
      networks: () => readOwnNetworks(kernel.route),
      deviceOf: (network) => router.deviceOf(network),
      count,
      warn,
    });
    const inForce = new InForce(configuration, options.read, {
      log,
      descriptors,
      ports: this.ports,
      surroundings,
      servers,
      listeners: this.#listeners,
      broadcasts: this.#broadcasts,
      links: this.linkSet,
      relays: this.relays,
      radius: this.radius,
      usage: this.usage,
      metrics: this.metrics,
      supervision: this.#supervision,
      banSet,
    });
    this.inForce = inForce;
    if (router.supervisor !== undefined)
      this.#supervision.open({
        log,
        links,
        servers,
        supervisor: router.supervisor,
        change: (job) => inForce.change(job, 'netifd'),
        readAgain: () => inForce.readAgain(),
        faults: () => inForce.faults(),
        isLink: (name, proto) => proto === 'pptp' && (links.has(name) || inForce.isLeftOut(name)),
        isServer: (name) => inForce.isServer(name),
        startServer: (name) => inForce.startServer(name),
        stopServer: (name) => inForce.stopServer(name),
      });
  }

  /** @throws Fatal, IoError or RouterError: nothing runs then */
  static async start(configuration: Configuration, options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(configuration, options);
    try {
      await daemon.ports.router.recover();
      await daemon.ports.sets.recover();
      daemon.#hooks.recover(() => false);
      await daemon.inForce.start();
    } catch (error) {
      await daemon.stop();
      throw error;
    }
    daemon.#beginToLook();
    return daemon;
  }

  /**
   * Goes on with what the program before has left, all but relays: nothing passes until then, but what the kernel lets through.
   * @param well all that could fail as a whole is done; what was inherited is used from here on
   * @throws Error it cannot: nothing of what was inherited has been used
   */
  static async resume(
    configuration: Configuration,
    options: DaemonOptions,
    saved: DaemonState,
    well: () => void,
  ): Promise<Daemon> {
    const daemon = new Daemon(configuration, options, saved);
    const { inForce, io, linkSet, ports, radius } = daemon;
    const known = saved.servers.filter(({ name, server }) =>
      configuration.servers.some(
        (other) => other.name === name && other.keys.listener === server.keys.listener,
      ),
    );
    const links = saved.links.filter(({ name, keys }) =>
      configuration.links.some(
        (other) => other.name === name && other.keys.listener === keys.listener,
      ),
    );
    ports.router.adopt(saved.router);
    daemon.#listeners.adopt(saved.listeners);
    inForce.adopt(
      new Map(known.flatMap(({ name, device }) => (device === undefined ? [] : [[name, device]]))),
    );
    linkSet.expect(links.map(({ name }) => name));
    daemon.relays.adopt(saved.relays);
    await inForce.resume();
    well();
    daemon.usage.restore(saved.usage);
    void ports.sets.recover(); // what callers are held in is not removed
    restoreSessions(daemon, options.faults, saved, { servers: known, links });
    daemon.#hooks.restore(saved.hooks);
    daemon.#hooks.recover((subject) => isUp(subject, daemon, ports.access));
    io.go();
    radius.settle();
    daemon.#beginToLook();
    return daemon;
  }

  /** What is left to do after resume(). */
  async resumeRelays(): Promise<void> {
    await this.inForce.startRelays();
    restoreRelays(this.relays);
  }

  #beginToLook(): void {
    this.#lookedAt = clock.monotonic();
    this.#looking = clock.every(LOOK_AROUND, () => this.#lookAround());
  }

  #lookAround(): void {
    const now = clock.monotonic();
    this.#tally.delayed(Math.max(0, now - this.#lookedAt - LOOK_AROUND));
    this.#lookedAt = now;
    this.inForce.lookAround();
    if (this.#giveBack.isDue(this.sessions().length)) giveBack();
  }

  /**
   * Lets another program go on with everything that is established: what is being negotiated ends before.
   * @param become ends this program; where it comes back, by throwing, everything goes on here
   */
  succeeded(become: (state: DaemonState) => never): Promise<never> {
    return this.inForce.undisturbed(async () => {
      const listeners = this.#listeners.save();
      try {
        const runners = [...this.servers.values()];
        for (const runner of runners) runner.settle();
        const until = clock.monotonic() + SETTLING;
        const isSettled = () =>
          runners.every((runner) => runner.isSettled) &&
          [...this.links.values()].every((runner) => runner.isSettled) &&
          !this.ports.router.isBusy &&
          !this.#hooks.isBusy;
        while (!isSettled() && clock.monotonic() < until) await clock.pause(LOOK);
        return become(this.#save(listeners));
      } finally {
        await this.#listeners.open(listeners.map(([port]) => port));
      }
    });
  }

  /**
   * In one go: nothing is received any more after it.
   * Not carried: #drive, #watches, #supervision, #looking, #broadcasts, which are made anew; #giveBack, #tally, #lookedAt and #echoedAt, which begin anew; #listeners, which wait already.
   */
  #save(listeners: DaemonState['listeners']): DaemonState {
    const { gateway, access, router } = this.ports;
    const servers = [...this.servers.values()].map((runner) => runner.save());
    const links = this.linkSet.save();
    const machines = new Set<object>(servers.flatMap((server) => server.machines));
    for (const { name, tcp } of links)
      if (tcp !== undefined) machines.add(this.links.get(name)!.link);
    return {
      started: this.started,
      savedAt: clock.monotonic(),
      upgrades: this.upgrades,
      version,
      packets: this.io.save(machines),
      listeners,
      router: router.save(),
      gateway: gateway.save(),
      access: access.save(),
      resting: this.#ids.save(),
      servers: servers.map(({ saved }) => saved),
      links,
      relays: this.relays.save(),
      accounting: this.radius.save(),
      usage: this.usage.save(),
      failures: this.failures.save(),
      counters: this.#counters.all(),
      hooks: this.#hooks.save(),
      log: this.#options.log.recent().log,
    };
  }

  /** Networks have come, gone or changed their device: relays follow them. */
  networksChanged(): void {
    this.inForce.change(() => this.relays.refresh(), 'relays');
  }

  /** Says goodbye to every peer; at most 4 s. */
  async stop(): Promise<void> {
    clock.cancel(this.#looking);
    this.#supervision.close();
    this.#listeners.close();
    this.#broadcasts.close();
    const goodbyes = [
      ...[...this.servers.values()].map((runner) => runner.shutdown(cause('SHUTDOWN'))),
      this.linkSet.stop(cause('SHUTDOWN')),
    ];
    await Promise.race([
      Promise.all([...goodbyes, this.relays.stop()]),
      new Promise<void>((resolve) => clock.meanwhile(3_800, resolve)),
    ]);
    await this.radius.close();
    this.usage.close();
    this.metrics.close();
    this.upkeep.close();
    for (const watch of this.#watches) watch.close();
    await this.ports.router.close();
    await this.ports.sets.close();
    this.io.close();
    this.#drive.stop();
  }

  /** Those that go on, of servers and links. */
  sessions(): readonly SessionStatus[] {
    return [
      ...[...this.servers.values()].flatMap(({ server }) => server.sessions()),
      ...[...this.links.values()].flatMap(({ link }) => link.status().session ?? []),
    ];
  }

  /** For Prometheus. Sessions are asked for a sign of life: the next one tells how long that took. */
  metricsText(perSession: boolean): string {
    const now = clock.monotonic();
    const text = metricsText(
      {
        tally: this.#tally,
        sessions: this.sessions(),
        servers: [...this.servers.values()].map(({ server }) => server.options),
        links: [...this.links].map(([name, { link }]) => ({ name, state: link.status().state })),
        bans: this.ports.access.lockout.bans(now).length,
        packets: this.io.counters(),
        waits: this.io.waits(),
        counted: this.counters(),
        radius: this.radius.status(),
        resources: program.resources(),
        uptime: (now - this.started) / 1000,
        now: Date.now() / 1000,
      },
      perSession,
    );
    if (now - this.#echoedAt >= ECHO) {
      this.#echoedAt = now;
      for (const { server } of this.servers.values()) server.askEchoes(now);
      for (const runner of this.links.values()) runner.feed((link, at) => link.askEcho(at));
    }
    return text;
  }

  /** Things that were counted and belong to no session. */
  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters.all(), ...this.#options.faults.counters() };
  }

  /** The last lines of the log. */
  recentLines(after?: number): LogDocument {
    return this.#options.log.recent(after);
  }
}

/** What hooks of a session are told besides. */
function aboutSession(
  { kind, name }: SessionStatus,
  servers: ReadonlyMap<string, ServerRunner>,
  links: ReadonlyMap<string, LinkRunner>,
): AboutSession | undefined {
  if (kind === 'caller') return servers.get(name)?.server.options;
  const options = links.get(name)?.link.options;
  return options && { device: options.device, ...options.commands };
}
