/** What a daemon leaves to another program that takes its place, and how that takes up the sessions. */
import type { CallIds } from '../pptp/call-ids.ts';
import { clock } from '../platform/platform.ts';
import type { Gateway } from '../session/gateway.ts';
import type { SessionStatus } from '../session/ports.ts';
import type { Access } from '../session/server/access.ts';
import { formatAddress } from '../wire/ip.ts';
import type { Faults } from './engine/faults.ts';
import { dismiss, drop } from './engine/goodbye.ts';
import type { SavedPackets } from './engine/packet-io.ts';
import type { Radius } from './radius/radius.ts';
import type { Relays } from './relays/relays.ts';
import type { Failures } from './reports/failures.ts';
import type { Hooks } from './reports/hooks.ts';
import type { LogEntry } from './reports/log.ts';
import type { LinkRunner, SavedLink } from './tunnels/link-runner.ts';
import type { Listeners } from './tunnels/listeners.ts';
import type { UsageRunner } from './usage/usage-runner.ts';
import type { SavedServer, ServerRunner } from './tunnels/server-runner.ts';

/** What another program goes on with. */
export interface DaemonState {
  /** ms of the monotonic clock. */
  readonly started: number;
  readonly savedAt: number;
  /** How often a program has taken the place of another. */
  readonly upgrades: number;
  readonly version: string;
  readonly packets: SavedPackets;
  readonly listeners: ReturnType<Listeners['save']>;
  readonly router: object;
  readonly gateway: ReturnType<Gateway['save']>;
  readonly access: ReturnType<Access['save']>;
  readonly resting: ReturnType<CallIds['save']>;
  readonly servers: readonly SavedServer[];
  readonly links: readonly SavedLink[];
  readonly relays: ReturnType<Relays['save']>;
  readonly accounting: ReturnType<Radius['save']>;
  readonly usage: ReturnType<UsageRunner['save']>;
  readonly failures: ReturnType<Failures['save']>;
  readonly counters: Readonly<Record<string, number>>;
  readonly hooks: ReturnType<Hooks['save']>;
  readonly log: readonly LogEntry[];
}

/** Descriptors that the configuration accounts for. */
export function descriptorsOf(state: DaemonState): number[] {
  const { packets, listeners, servers, links, relays } = state;
  return [
    packets.gre,
    ...listeners.map(([, descriptor]) => descriptor),
    ...servers.flatMap(({ device, callers }) => [
      ...(device === undefined ? [] : [device]),
      ...callers.map(({ descriptor }) => descriptor),
    ]),
    ...links.flatMap(({ device, tcp }) => [device, tcp].filter((each) => each !== undefined)),
    ...relays.table.shortcut.descriptors,
    ...relays.relays.flatMap(({ listener, connections }) => [
      listener,
      ...connections.flatMap(({ client, server }) => [client, server]),
    ]),
  ];
}

/** Who takes up sessions. */
interface Heirs {
  readonly servers: ReadonlyMap<string, ServerRunner>;
  readonly links: ReadonlyMap<string, LinkRunner>;
}

/**
 * Each goes on, or ends by itself with a goodbye.
 * @param known servers and links that the configuration still has
 */
export function restoreSessions(
  { servers, links }: Heirs,
  faults: Faults,
  saved: DaemonState,
  known: Pick<DaemonState, 'servers' | 'links'>,
): void {
  const leftOut = (what: string, restore: () => void, descriptors: readonly number[]) => {
    try {
      restore();
    } catch (error) {
      faults.note(what, error);
      for (const descriptor of descriptors) dismiss(descriptor);
    }
  };
  for (const server of saved.servers) {
    const runner = known.servers.includes(server) ? servers.get(server.name) : undefined;
    const about = `server ${server.name}: its sessions`;
    const tcp = server.callers.map(({ descriptor }) => descriptor);
    if (runner !== undefined) leftOut(about, () => runner.restore(server), tcp);
    else for (const descriptor of tcp) dismiss(descriptor);
  }
  for (const link of saved.links) {
    const runner = known.links.includes(link) ? links.get(link.name) : undefined;
    const tcp = link.tcp === undefined ? [] : [link.tcp];
    if (runner !== undefined && runner.link.options.keys.session === link.keys.session)
      leftOut(`link ${link.name}: its session`, () => runner.restore(link), tcp);
    else {
      for (const descriptor of tcp) dismiss(descriptor);
      if (link.device !== undefined) drop(link.device);
      if (runner?.link.options.auto === true) runner.release(true);
    }
  }
  for (const { device } of saved.servers.filter((server) => !known.servers.includes(server)))
    if (device !== undefined) drop(device);
}

/** Connections through relays that the configuration has no more end. */
export function restoreRelays(relays: Relays): void {
  for (const { client, server } of relays.restore())
    for (const descriptor of [client, server]) dismiss(descriptor);
}

/** Whether what hooks were told of is up still. @param subject as hooks call it */
export function isUp(
  subject: string,
  daemon: Pick<Heirs, 'links'> & { sessions(): readonly SessionStatus[] },
  { lockout }: Access,
): boolean {
  const [kind, name = ''] = subject.split(' ', 2);
  if (kind === 'link') return daemon.links.get(name)?.link.status().state === 'up';
  if (kind === 'ban')
    return lockout.bans(clock.monotonic()).some(({ address }) => formatAddress(address) === name);
  return daemon.sessions().some(({ id }) => String(id) === name);
}
