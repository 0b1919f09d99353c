/** Usage and quotas of the sessions that there are: counted, kept in files, and obeyed. */
import { clock } from '../../platform/platform.ts';
import type { Allowance } from '../../session/allowance.ts';
import type { ClientLinkOptions, Quota, User } from '../../session/options.ts';
import type { SessionEvent } from '../../session/ports.ts';
import type { Zone } from '../../usage/calendar.ts';
import { Usage, type CountedSession, type QuotaEvent } from '../../usage/usage.ts';
import type { Drive } from '../engine/drive.ts';
import { UsageStore } from './usage-store.ts';

export interface UsageRunnerPorts {
  readonly drive: Drive;
  readonly warn: (text: string) => void;
  readonly report: (event: QuotaEvent) => void;
  readonly zone: Zone;
  readonly sessions: () => readonly CountedSession[];
  /** The allowance of one is another one. */
  readonly review: (of: 'user' | 'link', name: string) => void;
}

/** What of the configuration it obeys. */
export interface QuotaConfiguration {
  readonly users: readonly User[];
  readonly links: readonly ClientLinkOptions[];
}

/** Where the book is kept. */
export interface UsageFolders {
  readonly memory: string;
  /** undefined: there is none. */
  readonly lasting: string | undefined;
}

export class UsageRunner {
  readonly #drive: Drive;
  readonly #usage: Usage;
  #quotas: ReadonlyMap<string, Quota> = new Map();

  constructor(
    { drive, warn, report, zone, sessions, review }: UsageRunnerPorts,
    configuration: QuotaConfiguration,
    { memory, lasting }: UsageFolders,
  ) {
    this.#drive = drive;
    this.#take(configuration);
    const store = new UsageStore(memory, lasting, warn);
    const { saved, isLasting } = store.read();
    this.#usage = new Usage(
      {
        wallClock: () => Date.now(),
        zone,
        sessions,
        quota: (kind, name) => this.#quotas.get(`${kind} ${name}`),
        forgotten: ({ kind, name }) =>
          warn(`usage of ${kind} ${JSON.stringify(name)} is forgotten: there are too many`),
      },
      saved,
      isLasting,
      clock.monotonic(),
    );
    drive.add(this.#usage, {
      about: 'usage',
      carryOut: (output) => {
        if (output.kind === 'keep') store.keep(output.text, output.isLasting);
        else if (output.kind === 'event') report(output.event);
        else review(output.of, output.name);
      },
      failed: () => undefined, // nothing is counted any more; it was told
    });
  }

  /** As it stands now. */
  get usage(): Usage {
    this.#feed((usage, now) => usage.handleLook(now));
    return this.#usage;
  }

  configure(configuration: QuotaConfiguration): void {
    this.#take(configuration);
    this.#feed((usage, now) => usage.handleQuotas(now));
  }

  allowance(kind: 'user' | 'link', name: string): Allowance {
    return this.#usage.allowance(kind, name);
  }

  note(event: SessionEvent): void {
    if (event.what === 'session-up')
      this.#feed((usage, now) => usage.handleSession(event.session, now));
    if (event.what === 'session-down')
      this.#feed((usage, now) => usage.handleEnd(event.session, now));
  }

  /** The book is in memory after it. Not carried: #drive, #usage, which the book has; #quotas. */
  save(): ReturnType<Usage['handOver']> {
    let read: ReturnType<Usage['handOver']> = [];
    this.#feed((usage, now) => (read = usage.handOver(now)));
    return read;
  }

  restore(read: ReturnType<Usage['handOver']>): void {
    this.#feed((usage, now) => usage.takeOver(read, now));
  }

  /** Where it survives a reboot. */
  keep(): void {
    this.#feed((usage, now) => usage.handleKeep(now));
  }

  /** All sessions have ended. */
  close(): void {
    this.keep();
    this.#drive.remove(this.#usage);
  }

  #feed(tell: (usage: Usage, now: number) => void): void {
    this.#drive.feed(this.#usage, tell);
  }

  /** Of namesakes the first that has one. */
  #take({ users, links }: QuotaConfiguration): void {
    const quotas = new Map<string, Quota>();
    const add = (key: string, quota: Quota | undefined) => {
      if (quota !== undefined && !quotas.has(key)) quotas.set(key, quota);
    };
    for (const { username, quota } of users) add(`user ${username}`, quota);
    for (const { name, quota } of links) add(`link ${name}`, quota);
    this.#quotas = quotas;
  }
}
