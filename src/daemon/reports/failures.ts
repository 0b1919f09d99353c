/** The recent failures, for people: bounded, newest last. */
import type { SessionEvent } from '../../session/ports.ts';
import { formatAddress } from '../../wire/ip.ts';
import type { RelayEvent } from '../relays/relay-event.ts';
import { causeDocument, type FailureDocument } from './documents.ts';

const MAX_FAILURES = 100;

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

export class Failures {
  readonly #entries: FailureDocument[] = [];
  /** Links that were given up, and whose failure is in the list. */
  readonly #blocked = new Set<string>();

  save() {
    return { entries: this.#entries, blocked: [...this.#blocked] };
  }

  restore({ entries, blocked }: ReturnType<Failures['save']>): void {
    this.#entries.push(...entries);
    for (const link of blocked) this.#blocked.add(link);
  }

  note(event: SessionEvent | RelayEvent): void {
    if (event.what === 'link-state' && this.#isStillBlocked(event)) return;
    const found = failure(event);
    if (found === undefined || ordinary.has(found.cause.code)) return;
    if (goodbyes.has(found.cause.code) && isOfCaller(event)) return;
    if (event.what === 'link-state' && this.#isKnown(found)) return;
    if (event.what === 'caller-refused' || event.what === 'relay-refused') this.#forget(found); // a stranger must not push all others out
    this.#entries.push(found);
    if (this.#entries.length > MAX_FAILURES) this.#entries.shift();
  }

  /** netifd is told again whenever it asks for the link; nothing has failed anew then. */
  #isStillBlocked({ link, state }: Extract<SessionEvent, { what: 'link-state' }>): boolean {
    const before = this.#blocked.has(link);
    if (state === 'blocked') this.#blocked.add(link);
    else this.#blocked.delete(link);
    return before && state === 'blocked';
  }

  /** A link that waits after its session was lost: the loss is in the list. */
  #isKnown({ name, cause: { code } }: FailureDocument): boolean {
    const last = this.#entries.findLast((entry) => entry.name === name);
    return last !== undefined && last.peer !== '' && last.cause.code === code;
  }

  /** The same of before, if there is one. */
  #forget({ name, peer, username, cause: { code } }: FailureDocument): void {
    const same = this.#entries.findIndex(
      (entry) =>
        entry.name === name &&
        entry.peer === peer &&
        entry.username === username &&
        entry.cause.code === code,
    );
    if (same !== -1) this.#entries.splice(same, 1);
  }

  list(): readonly FailureDocument[] {
    return this.#entries;
  }
}

function isOfCaller(event: SessionEvent | RelayEvent): boolean {
  return event.what === 'session-down' && event.session.kind === 'caller';
}

function failure(event: SessionEvent | RelayEvent): FailureDocument | undefined {
  const time = Math.round(Date.now() / 1000);
  switch (event.what) {
    case 'session-down': {
      const { name, peer, username } = event.session;
      return { time, name, peer: formatAddress(peer), username, cause: causeDocument(event.cause) };
    }
    case 'caller-refused':
      return {
        time,
        name: event.server,
        peer: formatAddress(event.peer),
        username: '',
        cause: causeDocument(event.cause),
      };
    case 'auth-failed':
      return {
        time,
        name: event.server,
        peer: formatAddress(event.peer),
        username: event.username,
        cause: causeDocument(event.cause),
      };
    case 'link-state':
      if (event.cause === undefined) return undefined;
      if (event.state === 'stopping' || event.state === 'demand') return undefined;
      return { time, name: event.link, peer: '', username: '', cause: causeDocument(event.cause) };
    case 'relay-refused':
    case 'relay-call-down': {
      const { relay, client } = event.what === 'relay-refused' ? event : event.call;
      return {
        time,
        name: relay,
        peer: formatAddress(client),
        username: '',
        cause: causeDocument(event.cause),
      };
    }
    case 'server-trouble':
      return {
        time,
        name: event.server,
        peer: '',
        username: event.username ?? '',
        cause: causeDocument(event.cause),
      };
    case 'relay-call-up':
    case 'session-up':
    case 'step':
      return undefined;
  }
}
