/** The running gateway: servers, links and everything around them, made from a configuration and remade on reload. */
import { randomFillSync } from 'node:crypto';
import { IpRoute } from '../router/iproute.ts';
import { Gateway } from '../session/gateway.ts';
import type { ClientLinkOptions } from '../session/options.ts';
import type { SessionEvent } from '../session/ports.ts';
import { cause } from '../wire/cause.ts';
import { formatAddress, parseAddress } from '../wire/ip.ts';
import { Checks } from './checks.ts';
import type { Configuration } from './configuration/configuration.ts';
import { formatProblem } from './configuration/problems.ts';
import { Drive, monotonic } from './drive.ts';
import { busEvent, type BusEvent } from './events.ts';
import { Failures } from './failures.ts';
import { LinkRunner, type RunnerPorts } from './link-runner.ts';
import { Listeners } from './listeners.ts';
import type { Log } from './log.ts';
import { PacketIo } from './packet-io.ts';
import type { ServerRunner } from './server-runner.ts';
import { Servers } from './servers.ts';
import { Strangers } from './strangers.ts';

export interface DaemonOptions {
  readonly log: Log;
  /** Dial links with auto 1 ourselves (no netifd does). */
  readonly dial: boolean;
  /** For the buses. */
  readonly publish?: (event: BusEvent) => void;
}

export class Daemon {
  readonly started = monotonic();
  readonly servers: ReadonlyMap<string, ServerRunner>;
  readonly links = new Map<string, LinkRunner>();
  readonly failures = new Failures();
  readonly checks = new Checks();
  readonly io: PacketIo;
  readonly ports: RunnerPorts;
  configuration: Configuration;
  private readonly options: DaemonOptions;
  private readonly drive: Drive;
  private readonly listeners: Listeners;
  private readonly serverSet: Servers;
  private readonly counted = new Map<string, number>();
  private readonly strangers = new Strangers();
  private changing: Promise<unknown> = Promise.resolve();

  private constructor(configuration: Configuration, options: DaemonOptions) {
    this.options = options;
    this.configuration = configuration;
    const { log } = options;
    const { users, limits } = configuration;
    const gateway = new Gateway({
      users,
      limits,
      random: randomOctets,
      wallClock: () => Date.now(),
    });
    this.drive = new Drive();
    this.io = new PacketIo(limits.maxSessions + limits.maxHalfOpen, this.drive, randomOctets);
    const router = new IpRoute((message) => log.line('warning', message));
    this.ports = {
      gateway,
      drive: this.drive,
      io: this.io,
      router,
      report: (event) => this.report(event),
    };
    this.serverSet = new Servers(this.ports, log, (name) => {
      this.changing = this.changing
        .then(() => this.reopen(name))
        .catch((error: unknown) => {
          log.line(
            'error',
            `server ${name}: ${error instanceof Error ? error.message : String(error)}`,
          );
        });
    });
    this.servers = this.serverSet.running;
    this.listeners = new Listeners(
      () => [...this.servers.values()],
      (socket) => {
        const peer = parseAddress(socket.remoteAddress ?? '') ?? 0;
        this.count('caller: no server listens there');
        this.ofStrangers(() =>
          log.line(
            'warning',
            `caller ${formatAddress(peer)}: no server listens on ${socket.localAddress ?? '?'} (option listen)`,
          ),
        );
      },
      (port, error) =>
        this.ofStrangers(() => log.line('error', `TCP port ${port}: ${error.message}`)),
    );
  }

  /** @throws Fatal, IoError or RouterError: nothing runs then */
  static async start(configuration: Configuration, options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(configuration, options);
    try {
      await daemon.apply(configuration);
    } catch (error) {
      await daemon.stop();
      throw error;
    }
    return daemon;
  }

  /** Carries over what did not change: a session ends only when its own settings did. */
  reload(configuration: Configuration): Promise<void> {
    const done = this.changing.then(() => this.apply(configuration));
    this.changing = done.catch(() => undefined); // the caller of reload sees it
    return done;
  }

  /** Says goodbye to every peer; at most 4 s. */
  async stop(): Promise<void> {
    this.listeners.close();
    const goodbyes = [
      ...[...this.servers.values()].map((runner) => runner.shutdown(cause('SHUTDOWN'))),
      ...[...this.links.values()].map((runner) => runner.retire(cause('SHUTDOWN'))),
    ];
    await Promise.race([
      Promise.all(goodbyes),
      new Promise((resolve) => setTimeout(resolve, 3_800).unref()),
    ]);
    this.io.close();
    this.drive.stop();
  }

  /** Things that were counted and belong to no session. */
  counters(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.counted);
  }

  private async apply(configuration: Configuration): Promise<void> {
    const { log } = this.options;
    await this.serverSet.change(configuration.servers, this.listeners); // nothing else can fail
    this.configuration = configuration;
    log.level = configuration.logLevel;
    log.verbose = new Set(
      configuration.links.filter(({ verbose }) => verbose).map(({ name }) => name),
    );
    for (const warning of configuration.warnings) log.line('warning', formatProblem(warning));
    this.ports.gateway.reconfigure(configuration.users, configuration.limits);
    for (const options of configuration.servers)
      this.servers.get(options.name)?.server.reconfigure(options, monotonic());

    for (const [name, runner] of this.links) {
      const next = configuration.links.find((link) => link.name === name);
      if (next !== undefined && next.device === runner.link.options.device)
        runner.feed((link, now) => link.reconfigure(next, now));
      else {
        this.links.delete(name);
        await runner.retire(cause('CONFIG_CHANGED'));
      }
    }
    for (const options of configuration.links)
      if (!this.links.has(options.name)) this.startLink(options);
  }

  private async reopen(name: string): Promise<void> {
    await this.serverSet.end(name, cause('DEVICE_FAILED'));
    await this.apply(this.configuration);
  }

  private startLink(options: ClientLinkOptions): void {
    const runner = new LinkRunner(options, this.ports);
    this.links.set(options.name, runner);
    if (this.options.dial && options.auto) runner.feed((link, now) => link.dial(now));
  }

  private report(event: SessionEvent): void {
    this.failures.note(event);
    const told = busEvent(event, monotonic());
    if (told !== undefined) this.options.publish?.(told);
    if (event.what === 'counted') this.count(event.counter);
    if (event.what !== 'caller-refused') this.options.log.event(event);
    else {
      this.count(`caller refused: ${event.cause.code}`);
      this.ofStrangers(() => this.options.log.event(event));
    }
  }

  private count(counter: string): void {
    this.counted.set(counter, (this.counted.get(counter) ?? 0) + 1);
  }

  /** Anybody can be the cause of such lines, as often as he likes. */
  private ofStrangers(write: () => void): void {
    const admitted = this.strangers.admit(monotonic());
    if (admitted === undefined) return;
    if (admitted.omitted > 0)
      this.options.log.line(
        'warning',
        `${admitted.omitted} lines about callers that were not let in are left out here`,
      );
    write();
  }
}

function randomOctets(length: number): Uint8Array {
  return randomFillSync(new Uint8Array(length));
}
