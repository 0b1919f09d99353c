/**
 * What the ubus object `pptp` answers: snake_case keys, numbers as numbers, seconds, octets ("bytes" as everywhere on ubus),
 * addresses as text. (Types, not interfaces: only they are ubus tables to the compiler.)
 */
import type { AccountSource } from '../../session/options.ts';
import type { Ban, CallCounters, LinkState, SessionStatus } from '../../session/ports.ts';
import type { DisabledInterface } from '../configuration/configuration.ts';
import type { Problem } from '../configuration/problems.ts';
import { shownSetName } from '../../router/set-name.ts';
import { printable } from '../printable.ts';
import type { RadiusServerStatus } from '../../radius/client-output.ts';
import type { RelayCallStatus } from '../relays/relay-event.ts';
import type { RelayStatus } from '../relays/relays.ts';
import { describeCause, type Cause } from '../../wire/cause.ts';
import { formatAddress, formatPrefix } from '../../wire/ip.ts';
import { formatIpv6Prefix } from '../../wire/ipv6.ts';

export type SessionDocument = {
  readonly id: number;
  readonly server?: string;
  readonly link?: string;
  readonly username: string;
  readonly peer: string;
  readonly callid: number;
  readonly peer_callid: number;
  readonly local_address: string;
  readonly address: string;
  readonly routes: readonly string[];
  /** Its own networks, or addresses, in IPv6, those behind it included; absent: none beside link-local. */
  readonly ipv6?: readonly string[];
  /** Seconds since 1970 UTC. */
  readonly since: number;
  /** Seconds. */
  readonly uptime: number;
  readonly auth: string;
  /** Of a caller: who has let it in. */
  readonly account?: AccountSource;
  /** Firewall sets that the address is in, as the owner writes them. */
  readonly groups?: readonly string[];
  /** Of the user. */
  readonly note?: string;
  readonly mppe: string;
  readonly mru: number;
  /** kbit/s; absent: no limit. */
  readonly rate_up?: number;
  readonly rate_down?: number;
  readonly rx_bytes: number;
  readonly tx_bytes: number;
  readonly rx_packets: number;
  readonly tx_packets: number;
  readonly lost: number;
  readonly reordered: number;
  readonly duplicates: number;
  readonly drops: CallCounters['drops'];
};

export type SessionsDocument = {
  readonly sessions: readonly SessionDocument[];
  /** There are more: ask for those after this id. */
  readonly next?: number;
};

export type CauseDocument = {
  readonly code: string;
  /** The sentence in English, with the detail. */
  readonly text: string;
  /** What is particular to this case, for who translates the sentence. */
  readonly detail?: string;
};

export type LinkDocument = {
  readonly name: string;
  readonly device: string;
  readonly server: string;
  readonly state: LinkState;
  readonly cause?: CauseDocument;
  /** Seconds to the next attempt. */
  readonly retry_in?: number;
  /** Servers that the peer gave. */
  readonly dns: readonly string[];
  readonly session?: SessionDocument;
};

export type ServerDocument = {
  readonly name: string;
  readonly device: string;
  readonly port: number;
  readonly local_address: string;
  readonly state: 'listening' | 'waiting' | 'failed';
  /** Why it does not listen. */
  readonly cause?: CauseDocument;
  readonly sessions: number;
  readonly max_sessions: number;
  /** Networks that callers have IPv6 of; absent: link-local at most. */
  readonly ipv6?: readonly string[];
  /** Of the callers that have been let in: who came last. Seconds since 1970 UTC. */
  readonly last_caller?: {
    readonly time: number;
    readonly username: string;
    readonly peer: string;
  };
};

export type RadiusServerDocument = {
  readonly name: string;
  /** unknown: it has not been asked yet. */
  readonly state: RadiusServerStatus['state'];
  /** Requests that wait for its answer. */
  readonly waiting: number;
  /** ms, of its last answer. */
  readonly round_trip?: number;
  /** Seconds since it was heard last. */
  readonly heard?: number;
  /** Its answers do not verify: the secret is another one. */
  readonly distrusted: boolean;
};

export type ProblemDocument = {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** Where the file is, and the line in it. */
  readonly path?: string;
  readonly line?: number;
  readonly section?: string;
  readonly option?: string;
  readonly message: string;
  /** Of an error: what was in force of the section before is so still. */
  readonly kept?: boolean;
  /** Whose section it is, where that is a user's. */
  readonly username?: string;
  /** What an interface is. */
  readonly kind?: 'server' | 'link';
};

/** What sets a caller's machine up. */
export type SetupDocument = {
  /** A name for the file. */
  readonly file: string;
  readonly text: string;
};

/** A capture that is running. */
export type RecordingDocument = {
  readonly path: string;
  /** Seconds since 1970 UTC. */
  readonly since: number;
  readonly packets: number;
  readonly seconds_left: number;
};

export type StatusDocument = {
  readonly version: string;
  readonly uptime: number;
  /** How often another program has taken the place of the one that was running, in this time. */
  readonly upgrades: number;
  /** Why the last upgrade was not to be. */
  readonly upgrade_failure?: string;
  /** `partial`: some sections have errors; `refused`: the files could not be taken up, what was in force before is so still. */
  readonly config: 'current' | 'partial' | 'refused';
  /** What is wrong with what stands in the files: errors are of sections that are not in force. */
  readonly problems: readonly ProblemDocument[];
  readonly capture?: RecordingDocument;
  readonly servers: readonly ServerDocument[];
  readonly links: readonly LinkDocument[];
  readonly disabled: readonly DisabledInterface[];
  readonly relays: readonly RelayDocument[];
  /** Servers that decide on logins. */
  readonly radius: readonly RadiusServerDocument[];
};

/** A call that passes through: received is what comes from the client. */
export type RelayCallDocument = {
  readonly id: number;
  readonly client: string;
  readonly server: string;
  readonly client_callid: number;
  readonly server_callid: number;
  /** Seconds since 1970 UTC. */
  readonly since: number;
  /** Outer packets; absent where the kernel does not count. */
  readonly rx_bytes?: number;
  readonly tx_bytes?: number;
  readonly rx_packets?: number;
  readonly tx_packets?: number;
  /** Octets of control messages about the call; absent with backend helper. */
  readonly control_rx_bytes?: number;
  readonly control_tx_bytes?: number;
};

export type RelayDocument = {
  readonly name: string;
  readonly direction: 'outbound' | 'inbound';
  /** Which one is at work; as configured where none is. */
  readonly backend: 'ebpf' | 'relay' | 'helper' | 'auto';
  /** Why this backend. */
  readonly reason: string;
  readonly src: string;
  readonly dest: string;
  readonly dest_ip?: string;
  readonly state: 'up' | 'failed';
  readonly cause?: CauseDocument;
  readonly clients: number;
  readonly connections: number;
  readonly calls: readonly RelayCallDocument[];
};

export type FailureDocument = {
  /** Of the last time; seconds since 1970 UTC. */
  readonly time: number;
  readonly kind: 'server' | 'link' | 'relay';
  readonly name: string;
  readonly peer: string;
  readonly username: string;
  readonly cause: CauseDocument;
  /** How often the same has happened, and when it did so first. */
  readonly count: number;
  readonly first: number;
};

export type BanDocument = {
  readonly address: string;
  readonly server: string;
  /** Seconds since 1970 UTC. */
  readonly since: number;
  readonly until: number;
  readonly seconds_left: number;
  /** Failed logins that led to it. */
  readonly tries: number;
  /** What the last of them gave as its name. */
  readonly username: string;
};

export type BansDocument = {
  readonly bans: readonly BanDocument[];
  /** There are more: ask for those after this address. */
  readonly next?: string;
};

export type CaptureDocument = {
  readonly path: string;
  readonly packets: number;
  /** Packets that found no room in the file. */
  readonly omitted: number;
  /** Why recording ended early. */
  readonly fault?: string;
};

export function sessionDocument(status: SessionStatus, now: number): SessionDocument {
  const { counters, rates, account } = status;
  const { groups = [], note } = account ?? {};
  const prefixes = status.ipv6?.prefixes ?? [];
  const uptime = Math.max(0, Math.round((now - status.since) / 1000));
  return {
    id: status.id,
    ...(status.kind === 'caller' ? { server: status.name } : { link: status.name }),
    username: status.username,
    peer: formatAddress(status.peer),
    callid: status.callId,
    peer_callid: status.peerCallId,
    local_address: formatAddress(status.localAddress),
    address: formatAddress(status.peerAddress),
    routes: status.routes.map(formatPrefix),
    ...(prefixes.length === 0 ? {} : { ipv6: prefixes.map(formatIpv6Prefix) }),
    since: Math.round((Date.now() - (now - status.since)) / 1000),
    uptime,
    auth: status.auth,
    ...(account === undefined ? {} : { account: account.source }),
    ...(groups.length === 0 ? {} : { groups: groups.map(shownSetName) }),
    ...(note === undefined ? {} : { note: printable(note) }),
    mppe: status.mppe,
    mru: status.mtu,
    ...(rates.up === 0 ? {} : { rate_up: rates.up }),
    ...(rates.down === 0 ? {} : { rate_down: rates.down }),
    rx_bytes: counters.rxOctets,
    tx_bytes: counters.txOctets,
    rx_packets: counters.rxPackets,
    tx_packets: counters.txPackets,
    lost: counters.lost,
    reordered: counters.reordered,
    duplicates: counters.duplicates,
    drops: counters.drops,
  };
}

export function banDocument(ban: Ban, now: number): BanDocument {
  const { server, tries, username } = ban;
  const [since, until] = [ban.since, ban.until].map((time) =>
    Math.round((Date.now() - now + time) / 1000),
  ) as [number, number];
  return {
    address: formatAddress(ban.address),
    server,
    since,
    until,
    seconds_left: Math.max(0, Math.ceil((ban.until - now) / 1000)),
    tries,
    username,
  };
}

export function relayDocument(
  { options, backend, reason, cause, clients, connections, calls }: RelayStatus,
  now: number,
): RelayDocument {
  return {
    name: options.name,
    direction: options.direction,
    backend: backend ?? options.backend,
    reason,
    src: options.src.join(' '),
    dest: options.dest.join(' '),
    ...(options.server === undefined ? {} : { dest_ip: formatAddress(options.server) }),
    state: cause === undefined ? 'up' : 'failed',
    ...(cause === undefined ? {} : { cause: causeDocument(cause) }),
    clients,
    connections,
    calls: calls.map((call) => relayCallDocument(call, now)),
  };
}

export function relayCallDocument(call: RelayCallStatus, now: number): RelayCallDocument {
  const { id, client, server, clientCallId, serverCallId, since, traffic, control } = call;
  return {
    id,
    client: formatAddress(client),
    server: formatAddress(server),
    client_callid: clientCallId,
    server_callid: serverCallId,
    since: Math.round((Date.now() - (now - since)) / 1000),
    ...(traffic && {
      rx_bytes: traffic.rxOctets,
      tx_bytes: traffic.txOctets,
      rx_packets: traffic.rxPackets,
      tx_packets: traffic.txPackets,
    }),
    ...(control && {
      control_rx_bytes: control.rxOctets,
      control_tx_bytes: control.txOctets,
    }),
  };
}

export function radiusServerDocument(
  { name, state, waiting, roundTrip, heard, isDistrusted }: RadiusServerStatus,
  now: number,
): RadiusServerDocument {
  return {
    name,
    state,
    waiting,
    ...(roundTrip === undefined ? {} : { round_trip: Math.round(roundTrip) }),
    ...(heard === undefined ? {} : { heard: Math.round((now - heard) / 1000) }),
    distrusted: isDistrusted,
  };
}

/** Without the value. */
export function problemDocument(problem: Problem): ProblemDocument {
  const { severity, file, path, line, section, option, message, isKept, username, kind } = problem;
  return {
    severity,
    file,
    ...(path === undefined ? {} : { path }),
    ...(line === undefined ? {} : { line }),
    ...(section === undefined ? {} : { section }),
    ...(option === undefined ? {} : { option }),
    message: printable(message),
    ...(severity === 'error' ? { kept: isKept ?? false } : {}),
    ...(username === undefined ? {} : { username: printable(username) }),
    ...(kind === undefined ? {} : { kind }),
  };
}

export function causeDocument(cause: Cause): CauseDocument {
  const { code, detail } = cause;
  return { code, text: describeCause(cause), ...(detail === undefined ? {} : { detail }) };
}
