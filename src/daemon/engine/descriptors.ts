/**
 * The descriptors that the system gives us (RLIMIT_NOFILE), and who may take how many: TCP connections, which strangers
 * open, get what is left when our own needs are met.
 *
 * Node has raised the soft limit to the hard one before any of our code runs.
 */
import { files } from '../../platform/platform.ts';
import type { RelayOptions } from '../../relay/relay-options.ts';
import type { ClientLinkOptions, Limits, ServerOptions } from '../../session/options.ts';

/**
 * What comes and goes: pipes of `ip`, `nft` and hooks (eight while one is started, two or three while it runs), clients of
 * our bus, files that are read, captures, names that are looked up, requests to the kernel.
 */
const LEAST_RESERVE = 24;
const MOST_RESERVE = 64;
/** The socket for GRE, and that of our own bus. */
const SINGLE = 2;
/** Device and listener of a server; device and connection of a link; connections of a client and to its server. */
const OF_SERVER = 2;
const OF_LINK = 2;
const OF_RELAYED = 2;
/** Sockets to a RADIUS server, for logins and for accounting; more are opened under load, from the reserve. */
const OF_RADIUS = 2;
/** Connections that have been accepted and not been refused yet, or have logged in and have no session (any more). */
const SPARE = 2;
/** A limit that is too low for the configuration must not shut everybody out: then the reserve gives way. */
const LEAST_CONNECTIONS = 8;
/** Callers without a login take no more than this part of what callers have. */
const HALF_OPEN_PART = 4;

interface Wanted {
  readonly servers: readonly ServerOptions[];
  readonly links: readonly ClientLinkOptions[];
  readonly relays: readonly RelayOptions[];
  readonly radius: readonly unknown[];
  readonly limits: Limits;
}

export interface Shares {
  /** TCP connections at the same time, those that linger included. */
  readonly connections: number;
  /** What callers can have of what the configuration allows. */
  readonly limits: Limits;
  /** Connections that pass through all relays. */
  readonly relayed: number;
  /** The configuration allows more; says so. */
  readonly shortage: string | undefined;
}

export class Descriptors {
  readonly #limit: number;
  readonly #own: number;

  /** @param own descriptors that the program itself has */
  constructor(limit: number, own: number) {
    this.#limit = limit;
    this.#own = own;
  }

  /**
   * Those of this process, before it opens what the configuration asks for.
   * @param inherited how many of what the configuration asks for are open all the same
   */
  static ofProcess(inherited = 0): Descriptors {
    const [, soft] = /^Max open files +(\d+)/m.exec(files.text('/proc/self/limits'))!;
    return new Descriptors(Number(soft), files.names('/proc/self/fd').length - inherited);
  }

  share({ servers, links, relays, radius, limits }: Wanted): Shares {
    const reserve = Math.min(MOST_RESERVE, Math.max(LEAST_RESERVE, this.#limit >> 3));
    const taken =
      this.#own +
      SINGLE +
      OF_SERVER * servers.length +
      OF_LINK * links.length +
      OF_RADIUS * radius.length +
      relays.length;
    const connections = Math.max(LEAST_CONNECTIONS, this.#limit - taken - reserve);
    const room = connections - SPARE;
    const callers = servers.length === 0 ? 0 : limits.maxSessions + limits.maxHalfOpen;
    const passing = relays.reduce((sum, { maxConnections }) => sum + maxConnections, 0);
    const all = callers + OF_RELAYED * passing;
    if (all <= room) return { connections, limits, relayed: passing, shortage: undefined };
    const ofCallers = Math.floor((room * callers) / all);
    const maxHalfOpen = Math.min(limits.maxHalfOpen, Math.ceil(ofCallers / HALF_OPEN_PART));
    const maxSessions = Math.min(limits.maxSessions, ofCallers - maxHalfOpen);
    const relayed = Math.floor((room - ofCallers) / OF_RELAYED);
    const possible = [
      ...(servers.length === 0
        ? []
        : [`${maxSessions} sessions and ${maxHalfOpen} callers that have not logged in yet`]),
      ...(relays.length === 0 ? [] : [`${relayed} connections that pass through`]),
    ];
    return {
      connections,
      limits: servers.length === 0 ? limits : { ...limits, maxSessions, maxHalfOpen },
      relayed,
      shortage: `the system gives ${this.#limit} descriptors, enough for ${possible.join(', ')}, fewer than the configuration allows: raise the limit (ulimit -n; systemd: LimitNOFILE)`,
    };
  }
}
