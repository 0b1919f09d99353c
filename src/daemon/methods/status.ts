/** How everything is, what went wrong, what was counted; reading the configuration again. */
import { clock } from '../../platform/platform.ts';
import { cause } from '../../wire/cause.ts';
import { formatAddress } from '../../wire/ip.ts';
import { formatIpv6Prefix } from '../../wire/ipv6.ts';
import { method, UbusError } from '../../ubus-js/index.ts';
import type { Problem } from '../configuration/problems.ts';
import type { Daemon } from '../daemon.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import {
  causeDocument,
  problemDocument,
  radiusServerDocument,
  relayDocument,
  sessionDocument,
  type LinkDocument,
  type ProblemDocument,
  type ServerDocument,
  type StatusDocument,
} from '../reports/documents.ts';
import type { Upgrade } from '../upgrade/upgrade.ts';
import { version } from '../version.ts';
import type { Captures } from './capture.ts';

/** Most problems that are shown; the log has all. */
const PROBLEMS = 100;

export function statusMethods(
  daemon: Daemon,
  captures: Captures,
  reload: () => Promise<readonly Problem[]>,
  upgrade: Upgrade,
) {
  return {
    status: method({}, () => statusDocument(daemon, captures, upgrade)),
    log: method({ after: 'int32?' }, ({ after }) => daemon.recentLines(after)),
    failures: method({}, () => ({ failures: daemon.failures.list() })),
    counters: method({}, () => {
      const { gre, calls, ...others } = daemon.io.counters();
      return { gre: { ...gre }, calls: { ...calls }, ...others, counted: daemon.counters() };
    }),
    metrics: method({ sessions: 'bool?' }, ({ sessions = false }) => ({
      text: daemon.metricsText(sessions),
    })),
    reload: method({}, async () => {
      const faults = await reload().catch(refused);
      return { faults: faults.slice(0, PROBLEMS).map(problemDocument) };
    }),
  };
}

/** What the files say cannot be taken up: other than a fault of the system, that is for their owner. */
function refused(error: unknown): never {
  if (error instanceof Fatal && error.exitCode === ExitCode.Configuration)
    throw new UbusError('PARSE_ERROR', error.message);
  throw error;
}

async function statusDocument(
  daemon: Daemon,
  captures: Captures,
  upgrade: Upgrade,
): Promise<StatusDocument> {
  const now = clock.monotonic();
  const { configuration, refused } = daemon.inForce;
  const faults = daemon.inForce.faults();
  const surprises = daemon.surroundings.problems.filter(({ severity }) => severity === 'warning');
  const problems = [
    ...faults,
    ...configuration.warnings,
    ...surprises,
    ...daemon.upkeep
      .problems()
      .map((message) => ({ severity: 'warning', file: 'kernel', message }) as const),
  ].map(problemDocument);
  const servers = configuration.servers.map((options): ServerDocument => {
    // One that could not be changed runs as it was before.
    const { server, lastCaller } = daemon.servers.get(options.name) ?? {};
    const running = server?.options ?? options;
    const { name, device, port, localAddress, maxSessions } = running;
    const networks = server?.ipv6Networks(running) ?? [];
    return {
      name,
      device,
      port,
      local_address: formatAddress(localAddress),
      ...serverState(daemon, name),
      sessions: server?.sessions().length ?? 0,
      max_sessions: maxSessions,
      ...(networks.length === 0 ? {} : { ipv6: networks.map(formatIpv6Prefix) }),
      ...(lastCaller === undefined
        ? {}
        : {
            last_caller: {
              time: Math.round((Date.now() - (now - lastCaller.at)) / 1000),
              username: lastCaller.username,
              peer: formatAddress(lastCaller.peer),
            },
          }),
    };
  });
  const links = [...daemon.links.values()].map(({ link, dns }): LinkDocument => {
    const { state, cause: why, retryAt, session } = link.status();
    return {
      name: link.options.name,
      device: link.options.device,
      server: link.options.server,
      state,
      dns: dns.map(formatAddress),
      ...(why === undefined ? {} : { cause: causeDocument(why) }),
      ...(retryAt === undefined
        ? {}
        : { retry_in: Math.max(0, Math.round((retryAt - now) / 1000)) }),
      ...(session === undefined ? {} : { session: sessionDocument(session, now) }),
    };
  });
  const relays = (await daemon.relays.status()).map((relay) => relayDocument(relay, now));
  const capture = captures.running();
  return {
    version,
    uptime: Math.round((now - daemon.started) / 1000),
    upgrades: daemon.upgrades,
    ...(upgrade.failure === undefined ? {} : { upgrade_failure: upgrade.failure }),
    config: refused !== undefined ? 'refused' : faults.length > 0 ? 'partial' : 'current',
    problems: withoutTwins(problems).slice(0, PROBLEMS),
    ...(capture === undefined ? {} : { capture }),
    servers,
    links,
    disabled: configuration.disabled,
    relays,
    radius: daemon.radius.status().map((server) => radiusServerDocument(server, now)),
  };
}

function serverState(daemon: Daemon, name: string): Pick<ServerDocument, 'state' | 'cause'> {
  if (daemon.servers.has(name)) return { state: 'listening' };
  const why = daemon.inForce.serverFault(name);
  if (why !== undefined) return { state: 'failed', cause: causeDocument(why) };
  const unset = cause('INTERFACE_DOWN', 'netifd has not set it up');
  return { state: 'waiting', cause: causeDocument(unset) };
}

/** What stands in the files may be what was found in the kernel, too. */
function withoutTwins(problems: readonly ProblemDocument[]): readonly ProblemDocument[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}
