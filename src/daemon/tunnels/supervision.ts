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
  private readonly daemon: Supervised;
  /** Set up, but not (yet) in our configuration: whether a pause is skipped. */
  private readonly unknown = new Map<string, boolean>();
  /** Interfaces without a section, to be looked at once more. */
  private readonly doubts = new Set<string>();
  private closed = false;

  constructor(daemon: Supervised) {
    this.daemon = daemon;
  }

  start(name: string, fresh: boolean): void {
    if (!this.closed) this.daemon.change(() => this.begin(name, fresh));
  }

  stop(name: string): void {
    this.unknown.delete(name);
    this.daemon.links.get(name)?.hold();
    this.daemon.stopServer(name);
  }

  givenIpv6(link: string, prefixes: readonly Ipv6Prefix[]): void {
    this.daemon.links.get(link)?.giveIpv6(prefixes);
  }

  isOurs(name: string, proto: string): boolean {
    return proto === 'pptpgw' || proto === 'pptpserver' || this.daemon.isLink(name, proto);
  }

  /** Another configuration is in force: what was set up before it is started now. */
  configured(): void {
    for (const [name, fresh] of this.unknown) {
      if (this.daemon.links.has(name) || this.daemon.isServer(name)) this.start(name, fresh);
    }
    this.daemon.supervisor.review();
  }

  /** What a server was refused for is over. */
  resume(name: string): void {
    if (this.daemon.supervisor.isSetUp(name)) this.start(name, true);
  }

  close(): void {
    this.closed = true;
  }

  private async begin(name: string, fresh: boolean): Promise<void> {
    const { daemon } = this;
    const { supervisor, links } = daemon;
    let faults: readonly string[];
    try {
      await daemon.readAgain();
      faults = faultsOf(name, daemon.faults());
    } catch (error) {
      faults = [errorText(error)];
    }
    if (this.closed || !supervisor.isSetUp(name)) return; // it was taken down meanwhile
    const link = links.get(name);
    this.unknown.delete(name);
    if (link !== undefined) link.release(fresh);
    else if (daemon.isServer(name)) await this.beginServer(name);
    else {
      this.unknown.set(name, fresh);
      if (faults.length > 0) this.refuse(name, faults);
      else this.doubt(name);
    }
  }

  /** There is no such section: it was deleted, or somebody made the interface in another way. */
  private doubt(name: string): void {
    if (this.doubts.has(name)) return;
    this.doubts.add(name);
    clock.meanwhile(DELETION_TIME, () => {
      this.doubts.delete(name);
      if (!this.closed && this.unknown.has(name) && this.daemon.supervisor.isSetUp(name))
        this.refuse(name, ['there is no such section in the configuration']);
    });
  }

  private refuse(name: string, faults: readonly string[]): void {
    const { log, supervisor } = this.daemon;
    for (const line of faults) log.line('error', `interface ${name}: ${line}`);
    supervisor.refuse(name, cause('CONFIG_INVALID'));
  }

  private async beginServer(name: string): Promise<void> {
    const { log, supervisor } = this.daemon;
    try {
      await this.daemon.startServer(name);
    } catch (error) {
      if (!supervisor.isSetUp(name)) return;
      const why = routerCause(error, 'DEVICE_FAILED');
      supervisor.refuse(name, why);
      if (why.code === 'NETWORK_CONFLICT') return; // it was told, and resume() will come
      log.line('error', `server ${name}: ${errorText(error)}; next attempt in ${RETRY / 1000} s`);
      clock.meanwhile(RETRY, () => {
        if (supervisor.isSetUp(name)) this.start(name, true);
      });
    }
  }
}

/** Why an interface is not in force, to who looks at it alone: its own faults, or those of a whole file. */
function faultsOf(name: string, faults: readonly Problem[]): readonly string[] {
  return faults
    .filter(
      ({ file, section }) => section === undefined || (file === 'network' && section === name),
    )
    .map(describeProblem);
}
