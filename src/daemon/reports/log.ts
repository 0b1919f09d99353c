/**
 * The log: one line per fact, to the system's log where it takes them, else on stderr. Protocol code never logs; it outputs
 * events, and this file turns them into lines with a fixed order of keys. No event carries a secret.
 */
import { isOfStranger, type Event } from './event.ts';
import { Recent } from './recent.ts';
import { program } from '../../platform/platform.ts';
import type { Ban, SessionStatus } from '../../session/ports.ts';
import { describeCause, type Cause } from '../../wire/cause.ts';
import { formatDay } from '../../usage/calendar.ts';
import { formatAddress, formatPrefix } from '../../wire/ip.ts';
import type { RelayCallStatus } from '../relays/relay-event.ts';
import { printable } from '../printable.ts';

export const levels = ['error', 'warning', 'info', 'debug'] as const;
export type Level = (typeof levels)[number];

/** (A type: it goes out on ubus as it is.) */
export type LogEntry = {
  /** Seconds since 1970 UTC. */
  readonly time: number;
  readonly level: Level;
  readonly text: string;
};

export type LogDocument = {
  readonly log: readonly LogEntry[];
  /** What to give as `after` for the lines to come. */
  readonly next: number;
};

/** Most lines and characters that are kept to be shown, and lines about strangers among them. */
const LINES = 500;
const CHARACTERS = 200_000;
const LINES_OF_STRANGERS = 150;

interface Numbered {
  /** Of all lines, from 1. */
  readonly number: number;
  readonly entry: LogEntry;
}

export class Log {
  level: Level = 'info';
  /** Links whose every step is told whatever the level is. */
  verbose: ReadonlySet<string> = new Set();
  readonly #write: (line: string) => void;
  readonly #kept = new Recent<Numbered>(LINES, LINES_OF_STRANGERS);
  #characters = 0;
  /** Of all lines so far. */
  #count = 0;
  readonly #taken: (level: Level, text: string) => boolean;

  /** @param taken offers a line to the system's log; `write` gets those that it does not take */
  constructor(
    write: (line: string) => void = toStderr,
    taken: (level: Level, text: string) => boolean = () => false,
  ) {
    this.#write = write;
    this.#taken = taken;
  }

  line(level: Level, text: string, isAboutStranger = false): void {
    if (levels.indexOf(level) > levels.indexOf(this.level)) return;
    const shown = printable(text);
    this.#keep({ time: Date.now() / 1000, level, text: shown }, isAboutStranger);
    if (!this.#taken(level, shown)) this.#write(formatLine(level, shown));
  }

  /**
   * The last lines, oldest first: for who may not read the system's log.
   * @param after what `next` was: those that have come since
   */
  recent(after = 0): LogDocument {
    const known = after > this.#count ? 0 : after;
    const log = this.#kept.list.filter(({ number }) => number > known);
    return { log: log.map(({ entry }) => entry), next: this.#count };
  }

  event(event: Event): void {
    const [level, text] = describeEvent(event);
    const shown = event.what === 'step' && this.verbose.has(event.link) ? 'info' : level;
    this.line(shown, text, isOfStranger(event));
  }

  /** Lines of the program before. */
  restore(entries: readonly LogEntry[]): void {
    for (const entry of entries) this.#keep(entry, false);
  }

  #keep(entry: LogEntry, isAboutStranger: boolean): void {
    const gone = this.#kept.add({ number: ++this.#count, entry }, isAboutStranger);
    this.#characters += entry.text.length - (gone?.entry.text.length ?? 0);
    while (this.#characters > CHARACTERS)
      this.#characters -= this.#kept.remove(this.#kept.list[0])!.entry.text.length;
  }
}

export function formatLine(level: Level, text: string): string {
  return `pptp ${level}: ${text}\n`;
}

/** Whoever reads it there has no other time. */
export function toStderr(line: string): void {
  program.complain(`${new Date().toISOString()} ${line}`);
}

function describeEvent(event: Event): [Level, string] {
  switch (event.what) {
    case 'session-up':
      return ['info', `${about(event.session)}: up ${facts(event.session)}`];
    case 'session-down':
      return [
        'info',
        `${about(event.session)}: down ${because(event.cause)} ${traffic(event.session)}`,
      ];
    case 'caller-refused':
      return [
        'warning',
        `server ${event.server} caller ${formatAddress(event.peer)}: refused ${because(event.cause)}`,
      ];
    case 'auth-failed':
      return [
        'warning',
        `server ${event.server} caller ${formatAddress(event.peer)} user ${quote(event.username)}: login failed ${because(event.cause)}`,
      ];
    case 'banned':
      return [
        'warning',
        `${aboutBan(event.ban)}: banned for ${lasting(event.ban)} s after ${event.ban.tries} failed logins, the last as user ${quote(event.ban.username)}`,
      ];
    case 'unbanned':
      return ['info', `${aboutBan(event.ban)}: no longer banned (${event.why})`];
    case 'link-state': {
      const retry =
        event.retryIn === undefined
          ? ''
          : ` next attempt in ${(event.retryIn / 1000).toFixed(1)} s`;
      const cause = event.cause === undefined ? '' : ` ${because(event.cause)}`;
      return [
        event.state === 'waiting' || event.state === 'blocked' ? 'warning' : 'info',
        `link ${event.link}: ${event.state}${cause}${retry}`,
      ];
    }
    case 'server-trouble': {
      const whose = event.username === undefined ? '' : ` user ${quote(event.username)}`;
      return ['warning', `server ${event.server}${whose}: ${because(event.cause)}`];
    }
    case 'quota': {
      const { of, name, quota, used, period } = event;
      const since = `since ${formatDay(period.first)}`;
      return [
        'warning',
        `${of} ${quote(name)}: quota used up: ${used} of ${quota.octets} octets ${since}: ${quota.action.kind}`,
      ];
    }
    case 'relay-call-up':
      return ['info', `${aboutCall(event.call)}: up`];
    case 'relay-call-down':
      return [
        'info',
        `${aboutCall(event.call)}: down ${because(event.cause)}${callTraffic(event.call)}`,
      ];
    case 'relay-refused': {
      const server = event.server === undefined ? '' : ` server ${formatAddress(event.server)}`;
      return [
        'warning',
        `relay ${event.relay} client ${formatAddress(event.client)}${server}: refused ${because(event.cause)}`,
      ];
    }
    case 'step':
      return ['debug', `link ${event.link}: ${event.step} ok${event.detail && ` ${event.detail}`}`];
  }
}

function aboutBan({ server, address }: Ban): string {
  return `server ${server} caller ${formatAddress(address)}`;
}

function lasting({ since, until }: Ban): number {
  return Math.round((until - since) / 1000);
}

function about({ kind, name, id, username, peer }: SessionStatus): string {
  const who = kind === 'caller' ? `server ${name} session ${id}` : `link ${name} session ${id}`;
  return `${who} user ${quote(username)} peer ${formatAddress(peer)}`;
}

function aboutCall({ relay, id, client, server, ...ids }: RelayCallStatus): string {
  return `relay ${relay} call ${id} client ${formatAddress(client)} server ${formatAddress(server)} ids ${ids.clientCallId} ${ids.serverCallId}`;
}

function callTraffic({ traffic }: RelayCallStatus): string {
  if (traffic === undefined) return '';
  const { rxOctets, rxPackets, txOctets, txPackets } = traffic;
  return ` rx ${rxOctets} octets ${rxPackets} packets tx ${txOctets} octets ${txPackets} packets`;
}

function facts({ localAddress, peerAddress, routes, auth, mppe, mtu }: SessionStatus): string {
  const behind = routes.length === 0 ? '' : ` routes ${routes.map(formatPrefix).join(',')}`;
  return `local ${formatAddress(localAddress)} address ${formatAddress(peerAddress)}${behind} auth ${auth} mppe ${mppe} mtu ${mtu}`;
}

function traffic({
  counters: { rxOctets, txOctets, rxPackets, txPackets, lost },
}: SessionStatus): string {
  return `rx ${rxOctets} octets ${rxPackets} packets tx ${txOctets} octets ${txPackets} packets lost ${lost}`;
}

function because(cause: Cause): string {
  return `${cause.code} "${describeCause(cause)}"`;
}

/** No account has a longer name; and a log that cuts lines must not cut off what comes after one. */
const NAME = 128;

/** Names come from the peer: quoted, and nothing in them can end the quote or the line. */
function quote(text: string): string {
  return JSON.stringify(text.length > NAME ? `${text.slice(0, NAME)}…` : text);
}
