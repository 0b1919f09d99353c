/**
 * Interfaces that a supervisor (netifd) starts and stops: its words reach links and servers here, in order with changes of
 * the configuration, which is read again before each start.
 */
import { errorText } from '../../platform/errors.ts';
import { clock } from '../../platform/platform.ts';
import type { SupervisedDaemon, Supervisor } from '../../router/router.ts';
import { cause } from '../../wire/cause.ts';
import type { Ipv6Prefix } from '../../wire/ipv6.ts';
import { describeProblem, type Problem } from '../configuration/problems.ts';
import type { LinkRunner } from './link-runner.ts';
import type { ServerRunner } from './server-runner.ts';
import type { Log } from '../reports/log.ts';
import { routerCause } from '../engine/router-cause.ts';

/** A server that could not be started is tried again, ms. */
const RETRY = 30_000;
/** netifd may hear of a section that was deleted only after us, ms. */
const DELETION_TIME = 5_000;

/** What supervision asks of the daemon. */
export interface Supervised {
  readonly log: Log;
  readonly links: ReadonlyMap<string, LinkRunner>;
  readonly servers: ReadonlyMap<string, ServerRunner>;
  readonly supervisor: Supervisor;
  /** Jobs that change what runs, one after the other. */
  change(job: () => Promise<void>): void;
  /** Takes up what stands in the files now. @throws why it cannot: what was in force stays */
  readAgain(): Promise<void>;
  /** What stands in the files and is not in force. */
  faults(): readonly Problem[];
  isLink(name: string, proto: string): boolean;
  isServer(name: string): boolean;
  /** @throws why it cannot be started */
  startServer(name: string): Promise<void>;
  /** Its device is gone when this returns. */
  stopServer(name: string): void;
}

export class Supervision implements SupervisedDaemon {
  #daemon: Supervised | undefined;
  /** Set up, but not (yet) in our configuration: whether a pause is skipped. */
  readonly #unknown = new Map<string, boolean>();
  /** IPv6 networks, by server, be it started or not (yet). */
  readonly #assigned = new Map<string, readonly Ipv6Prefix[]>();
  /** Interfaces without a section, to be looked at once more. */
  readonly #doubts = new Set<string>();
  #closed = false;

  /** All is there that it works on. The supervisor says nothing before: its bus has to answer first. */
  open(daemon: Supervised): void {
    this.#daemon = daemon;
  }

  start(name: string, fresh: boolean): void {
    const daemon = this.#daemon;
    if (daemon !== undefined && !this.#closed)
      daemon.change(() => this.#begin(daemon, name, fresh));
  }

  stop(name: string): void {
    this.#unknown.delete(name);
    this.#assigned.delete(name);
    this.#daemon?.links.get(name)?.hold();
    this.#daemon?.stopServer(name);
  }

  givenIpv6(link: string, prefixes: readonly Ipv6Prefix[]): void {
    this.#daemon?.links.get(link)?.giveIpv6(prefixes);
  }

  assignedIpv6(server: string, prefixes: readonly Ipv6Prefix[]): void {
    this.#assigned.set(server, prefixes);
    this.#assign(server);
  }

  isOurs(name: string, proto: string): boolean {
    if (this.#daemon === undefined) return false;
    return proto === 'pptpgw' || proto === 'pptpserver' || this.#daemon.isLink(name, proto);
  }

  /** Another configuration is in force: what was set up before it is started now. */
  configured(): void {
    const daemon = this.#daemon;
    if (daemon === undefined) return;
    for (const [name, fresh] of this.#unknown) {
      if (daemon.links.has(name) || daemon.isServer(name)) this.start(name, fresh);
    }
    for (const name of this.#assigned.keys()) this.#assign(name);
    daemon.supervisor.review();
  }

  /** What a server was refused for is over. */
  resume(name: string): void {
    if (this.#daemon?.supervisor.isSetUp(name) === true) this.start(name, true);
  }

  close(): void {
    this.#closed = true;
  }

  #assign(server: string): void {
    const prefixes = this.#assigned.get(server);
    const runner = this.#daemon?.servers.get(server);
    if (prefixes === undefined || runner === undefined) return;
    runner.assign(prefixes).catch((error: unknown) => {
      // Taken down meanwhile: it comes up with what there is then.
      if (this.#daemon?.supervisor.isSetUp(server) === true)
        this.#daemon.log.line('error', `server ${server}: ${errorText(error)}`);
    });
  }

  async #begin(daemon: Supervised, name: string, fresh: boolean): Promise<void> {
    const { supervisor, links } = daemon;
    let faults: readonly string[];
    try {
      await daemon.readAgain();
      faults = faultsOf(name, daemon.faults());
    } catch (error) {
      faults = [errorText(error)];
    }
    if (this.#closed || !supervisor.isSetUp(name)) return; // it was taken down meanwhile
    const link = links.get(name);
    this.#unknown.delete(name);
    if (link !== undefined) link.release(fresh);
    else if (daemon.isServer(name)) await this.#beginServer(daemon, name);
    else {
      this.#unknown.set(name, fresh);
      if (faults.length > 0) refuse(daemon, name, faults);
      else this.#doubt(daemon, name);
    }
  }

  /** There is no such section: it was deleted, or somebody made the interface in another way. */
  #doubt(daemon: Supervised, name: string): void {
    if (this.#doubts.has(name)) return;
    this.#doubts.add(name);
    clock.meanwhile(DELETION_TIME, () => {
      this.#doubts.delete(name);
      if (!this.#closed && this.#unknown.has(name) && daemon.supervisor.isSetUp(name))
        refuse(daemon, name, ['there is no such section in the configuration']);
    });
  }

  async #beginServer(daemon: Supervised, name: string): Promise<void> {
    const { log, supervisor } = daemon;
    try {
      await daemon.startServer(name);
      this.#assign(name);
    } catch (error) {
      if (!supervisor.isSetUp(name)) return;
      const why = routerCause(error, 'DEVICE_FAILED');
      supervisor.refuse(name, why);
      if (why.code === 'NETWORK_CONFLICT') return; // it was told, and resume() will come
      log.line('error', `server ${name}: ${errorText(error)}; next attempt in ${RETRY / 1000} s`);
      clock.meanwhile(RETRY, () => this.resume(name));
    }
  }
}

function refuse({ log, supervisor }: Supervised, name: string, faults: readonly string[]): void {
  for (const line of faults) log.line('error', `interface ${name}: ${line}`);
  supervisor.refuse(name, cause('CONFIG_INVALID'));
}

/** Why an interface is not in force, to who looks at it alone: its own faults, or those of a whole file. */
function faultsOf(name: string, faults: readonly Problem[]): readonly string[] {
  return faults
    .filter(
      ({ file, section }) => section === undefined || (file === 'network' && section === name),
    )
    .map(describeProblem);
}
