/** The recent failures, for people: bounded, newest last, the same again in one entry with a count. */
import { isOfStranger, type Event } from './event.ts';
import type { SessionEvent } from '../../session/ports.ts';
import { formatAddress } from '../../wire/ip.ts';
import { causeDocument, type FailureDocument } from './documents.ts';
import { Recent } from './recent.ts';

const MOST = 100;
const MOST_OF_STRANGERS = 50;

/** Ends that nobody needs to act on. */
const ordinary: ReadonlySet<string> = new Set([
  'USER_REQUEST',
  'SHUTDOWN',
  'CONFIG_CHANGED',
  'REPLACED',
  'IDLE_TIMEOUT',
  'CONNECT_TIME',
  'INTERFACE_DOWN',
]);

/** Callers may hang up; a link is meant to stay. */
const goodbyes: ReadonlySet<string> = new Set(['HANGUP', 'PEER_TERMINATED']);

/** One time. */
type Failure = Omit<FailureDocument, 'count' | 'first'>;

export class Failures {
  readonly #entries = new Recent<FailureDocument>(MOST, MOST_OF_STRANGERS);
  /** Links that were given up, and whose failure is in the list. */
  readonly #blocked = new Set<string>();

  save() {
    return { entries: this.#entries.list, blocked: [...this.#blocked] };
  }

  restore({ entries, blocked }: ReturnType<Failures['save']>): void {
    for (const entry of entries) this.#entries.add(entry, false);
    for (const link of blocked) this.#blocked.add(link);
  }

  note(event: Event): void {
    if (event.what === 'link-state' && this.#isStillBlocked(event)) return;
    const found = failure(event);
    if (found === undefined || ordinary.has(found.cause.code)) return;
    if (goodbyes.has(found.cause.code) && isOfCaller(event)) return;
    if (event.what === 'link-state' && this.#isKnown(found)) return;
    this.#entries.add(this.#withThoseBefore(found), isOfStranger(event));
  }

  /** netifd is told again whenever it asks for the link; nothing has failed anew then. */
  #isStillBlocked({ link, state }: Extract<SessionEvent, { what: 'link-state' }>): boolean {
    const before = this.#blocked.has(link);
    if (state === 'blocked') this.#blocked.add(link);
    else this.#blocked.delete(link);
    return before && state === 'blocked';
  }

  /** A link that waits after its session was lost: the loss is in the list. */
  #isKnown({ name, cause: { code } }: Failure): boolean {
    const last = this.#entries.list.findLast((entry) => entry.name === name);
    return last !== undefined && last.peer !== '' && last.cause.code === code;
  }

  /** The same of before is counted in it: what goes wrong again and again must not push all others out. */
  #withThoseBefore(found: Failure): FailureDocument {
    const same = this.#entries.remove(this.#entries.list.find((entry) => isSame(entry, found)));
    return { ...found, count: (same?.count ?? 0) + 1, first: same?.first ?? found.time };
  }

  list(): readonly FailureDocument[] {
    return this.#entries.list;
  }
}

/** A link is one peer, whichever of its addresses has answered. */
function isSame(
  before: Failure,
  { kind, name, peer, username, cause: { code } }: Failure,
): boolean {
  return (
    before.kind === kind &&
    before.name === name &&
    before.cause.code === code &&
    (kind === 'link' || (before.peer === peer && before.username === username))
  );
}

function isOfCaller(event: Event): boolean {
  return event.what === 'session-down' && event.session.kind === 'caller';
}

function failure(event: Event): Failure | undefined {
  const time = Math.round(Date.now() / 1000);
  switch (event.what) {
    case 'session-down': {
      const { name, peer, username } = event.session;
      return {
        time,
        kind: isOfCaller(event) ? 'server' : 'link',
        name,
        peer: formatAddress(peer),
        username,
        cause: causeDocument(event.cause),
      };
    }
    case 'caller-refused':
      return {
        time,
        kind: 'server',
        name: event.server,
        peer: formatAddress(event.peer),
        username: '',
        cause: causeDocument(event.cause),
      };
    case 'auth-failed':
      return {
        time,
        kind: 'server',
        name: event.server,
        peer: formatAddress(event.peer),
        username: event.username,
        cause: causeDocument(event.cause),
      };
    case 'link-state':
      if (event.cause === undefined) return undefined;
      if (event.state === 'stopping' || event.state === 'demand') return undefined;
      return {
        time,
        kind: 'link',
        name: event.link,
        peer: '',
        username: '',
        cause: causeDocument(event.cause),
      };
    case 'relay-refused':
    case 'relay-call-down': {
      const { relay, client } = event.what === 'relay-refused' ? event : event.call;
      return {
        time,
        kind: 'relay',
        name: relay,
        peer: formatAddress(client),
        username: '',
        cause: causeDocument(event.cause),
      };
    }
    case 'server-trouble':
      return {
        time,
        kind: 'server',
        name: event.server,
        peer: '',
        username: event.username ?? '',
        cause: causeDocument(event.cause),
      };
    case 'banned': // its failed logins are in the list
    case 'unbanned':
    case 'quota':
    case 'relay-call-up':
    case 'session-up':
    case 'step':
      return undefined;
  }
}
