/** Everything that is told to Prometheus. Names and labels are what dashboards stand on: docs/metrics.md has them. */
import type { RadiusServerStatus } from '../../radius/client-output.ts';
import type { LinkState, SessionStatus } from '../../session/ports.ts';
import { formatAddress } from '../../wire/ip.ts';
import type { PacketIo } from '../engine/packet-io.ts';
import { version } from '../version.ts';
import { Exposition, type Labels, type Sample } from './exposition.ts';
import { ownerOf, type Tally, type Traffic } from './tally.ts';

/** What it is made of. */
export interface Measured {
  readonly tally: Tally;
  readonly sessions: readonly SessionStatus[];
  readonly servers: readonly { readonly name: string; readonly maxSessions: number }[];
  readonly links: readonly { readonly name: string; readonly state: LinkState }[];
  readonly bans: number;
  readonly packets: ReturnType<PacketIo['counters']>;
  readonly waits: ReturnType<PacketIo['waits']>;
  readonly counted: Readonly<Record<string, number>>;
  readonly radius: readonly RadiusServerStatus[];
  readonly resources: {
    readonly resident: number;
    readonly heap: number;
    readonly processor: number;
  };
  /** Seconds. */
  readonly uptime: number;
  /** Seconds since 1970. */
  readonly now: number;
}

/** Sessions that have series of their own: the rest is in the sums. */
const MOST_SESSIONS = 500;

/** @param perSession a series for each session, too */
export function metricsText(measured: Measured, perSession: boolean): string {
  const out = new Exposition();
  aboutProgram(out, measured);
  aboutSessions(out, measured);
  aboutTraffic(out, measured);
  aboutRadius(out, measured);
  if (perSession) aboutEach(out, measured.sessions.slice(0, MOST_SESSIONS));
  return out.text;
}

const one = (value: number): readonly Sample[] => [[{}, value]];
const by = (names: readonly string[], counts: ReadonlyMap<string, number>): readonly Sample[] =>
  [...counts].map(([key, value]) => {
    const values = JSON.parse(key) as readonly string[];
    return [Object.fromEntries(names.map((name, i) => [name, values[i]!])), value];
  });

function aboutProgram(out: Exposition, { tally, resources, uptime, now }: Measured): void {
  out.gauge('pptp_build_info', 'Which version runs.', [[{ version }, 1]]);
  out.gauge(
    'process_start_time_seconds',
    'When the program was started, in seconds since 1970.',
    one(Math.round(now - uptime)),
  );
  out.gauge('process_resident_memory_bytes', 'Memory in use.', one(resources.resident));
  out.gauge('pptp_heap_bytes', 'Memory in use by objects.', one(resources.heap));
  out.counter('process_cpu_seconds_total', 'Processor time.', one(resources.processor));
  const { count, sum, worst } = tally.delay;
  out.summary('pptp_event_loop_delay_seconds', 'How late the event loop comes to what is due.', [
    [{}, count, sum / 1000],
  ]);
  out.gauge(
    'pptp_event_loop_delay_max_seconds',
    'The longest of these since the start.',
    one(worst / 1000),
  );
}

function aboutSessions(out: Exposition, measured: Measured): void {
  const { tally, sessions, servers, links, bans } = measured;
  const ofServer = (name: string) =>
    sessions.filter((each) => each.kind === 'caller' && each.name === name);
  out.gauge(
    'pptp_server_sessions',
    'Callers that are logged in.',
    servers.map(({ name }) => [{ server: name }, ofServer(name).length]),
  );
  out.gauge(
    'pptp_server_sessions_max',
    'How many there may be.',
    servers.map(({ name, maxSessions }) => [{ server: name }, maxSessions]),
  );
  out.gauge(
    'pptp_link_up',
    'Whether the link is up.',
    links.map(({ name, state }) => [{ link: name }, state === 'up' ? 1 : 0]),
  );
  out.counter(
    'pptp_sessions_started_total',
    'Sessions that came up.',
    by(['kind', 'name'], tally.started),
  );
  out.counter(
    'pptp_sessions_ended_total',
    'Sessions that ended, by cause.',
    by(['kind', 'name', 'cause'], tally.ended),
  );
  out.counter(
    'pptp_logins_total',
    'Logins of callers by result: accepted, or the cause of the refusal.',
    by(['server', 'result'], tally.logins),
  );
  out.counter(
    'pptp_callers_refused_total',
    'Callers that did not come as far as a login, by cause.',
    by(['server', 'cause'], tally.refused),
  );
  out.gauge('pptp_bans', 'Addresses that are locked out now.', one(bans));
  out.counter('pptp_bans_total', 'Addresses that were locked out.', one(tally.bans));
  const trips = new Map<string, number[]>();
  for (const { kind, name, roundTrip } of sessions) {
    if (roundTrip === undefined) continue;
    const key = JSON.stringify([ownerOf(kind), name]);
    trips.set(key, [...(trips.get(key) ?? []), roundTrip]);
  }
  const seconds = (of: (times: readonly number[]) => number) =>
    by(['kind', 'name'], new Map([...trips].map(([key, times]) => [key, of(times) / 1000])));
  out.gauge(
    'pptp_round_trip_seconds',
    'Round trip of the last LCP echo, the mean of all sessions.',
    seconds((times) => times.reduce((sum, time) => sum + time, 0) / times.length),
  );
  out.gauge(
    'pptp_round_trip_max_seconds',
    'Round trip of the last LCP echo, the longest of all sessions.',
    seconds((times) => Math.max(...times)),
  );
}

const columns = [
  ['pptp_received_bytes_total', 'Octets of IP packets from the other end.', 'rxOctets'],
  ['pptp_sent_bytes_total', 'Octets of IP packets to the other end.', 'txOctets'],
  ['pptp_received_packets_total', 'IP packets from the other end.', 'rxPackets'],
  ['pptp_sent_packets_total', 'IP packets to the other end.', 'txPackets'],
  ['pptp_lost_packets_total', 'GRE packets that never came.', 'lost'],
  ['pptp_reordered_packets_total', 'GRE packets that came late.', 'reordered'],
  ['pptp_duplicate_packets_total', 'GRE packets that came twice.', 'duplicates'],
] as const satisfies readonly (readonly [string, string, keyof Traffic])[];

function aboutTraffic(
  out: Exposition,
  { tally, sessions, packets, waits, counted }: Measured,
): void {
  const traffic = tally.traffic(sessions);
  for (const [name, help, column] of columns)
    out.counter(
      name,
      help,
      traffic.map((each) => [{ kind: each.kind, name: each.name }, each[column]]),
    );
  const { calls, gre } = packets;
  const labelled = (label: string, counts: Readonly<Record<string, number | undefined>>) =>
    Object.entries(counts).map(([text, value]): Sample => [{ [label]: text }, value ?? 0]);
  out.counter(
    'pptp_dropped_packets_total',
    'Packets that were dropped, by reason.',
    labelled('reason', calls.drops),
  );
  const { errors, received, sent, ...lost } = gre;
  out.counter('pptp_gre_received_packets_total', 'Packets from the GRE socket.', one(received));
  out.counter('pptp_gre_sent_packets_total', 'Packets to the GRE socket.', one(sent));
  out.counter(
    'pptp_gre_errors_total',
    'What the GRE socket lost, by reason.',
    labelled('reason', { ...lost, ...errors }),
  );
  out.summary(
    'pptp_queue_wait_seconds',
    'How long packets waited for the rate of their session.',
    Object.entries(waits).map(([direction, wait]) => [{ direction }, wait[0]!, wait[1]! / 1000]),
  );
  out.counter(
    'pptp_counted_total',
    'What was tolerated, refused or failed besides, as the command counters names it.',
    labelled('what', counted),
  );
}

function aboutRadius(out: Exposition, { radius }: Measured): void {
  const known = radius.filter(({ state }) => state !== 'unknown');
  out.gauge(
    'pptp_radius_up',
    'Whether the RADIUS server answers, as far as it was asked.',
    known.map(({ name, state }) => [{ radius: name }, state === 'alive' ? 1 : 0]),
  );
  out.gauge(
    'pptp_radius_waiting',
    'Requests that wait for its answer.',
    radius.map(({ name, waiting }) => [{ radius: name }, waiting]),
  );
  out.gauge(
    'pptp_radius_round_trip_seconds',
    'How long its last answer took.',
    radius.flatMap(({ name, roundTrip }): readonly Sample[] =>
      roundTrip === undefined ? [] : [[{ radius: name }, roundTrip / 1000]],
    ),
  );
}

function aboutEach(out: Exposition, sessions: readonly SessionStatus[]): void {
  const each = (value: (session: SessionStatus) => number | undefined) =>
    sessions.flatMap((session): readonly Sample[] => {
      const found = value(session);
      return found === undefined ? [] : [[labelsOf(session), found]];
    });
  out.counter(
    'pptp_session_received_bytes_total',
    'Octets of IP packets from the other end, by session.',
    each(({ counters }) => counters.rxOctets),
  );
  out.counter(
    'pptp_session_sent_bytes_total',
    'Octets of IP packets to the other end, by session.',
    each(({ counters }) => counters.txOctets),
  );
  out.gauge(
    'pptp_session_lost_packets',
    'GRE packets that have not come, by session.',
    each(({ counters }) => counters.lost),
  );
  out.gauge(
    'pptp_session_round_trip_seconds',
    'Round trip of the last LCP echo, by session.',
    each(({ roundTrip }) => (roundTrip === undefined ? undefined : roundTrip / 1000)),
  );
}

function labelsOf({ id, kind, name, username, peer }: SessionStatus): Labels {
  const labels = { session: String(id), kind: ownerOf(kind), name, username };
  return { ...labels, peer: formatAddress(peer) };
}
