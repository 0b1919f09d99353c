/**
 * What hooks are run at, and what they are told in their environment: docs/hooks.md says what it means. Names come from
 * peers: no value is a command, none has a NUL, and none is a secret.
 */
import type { Ban, LinkState, SessionEvent, SessionStatus } from '../../session/ports.ts';
import { formatAddress, formatPrefix } from '../../wire/ip.ts';
import type { Event } from './event.ts';
import type { CauseCode } from '../../wire/cause.ts';
import type { Hook, Job } from './owed-hooks.ts';
import { quotaDocument } from './usage-document.ts';

/** Each has its folder: its name and `.d`. */
export type OccasionName =
  | 'session-up'
  | 'session-down'
  | 'link-up'
  | 'link-down'
  | 'auth-failed'
  | 'ban'
  | 'unban'
  | 'quota';

export interface Occasion {
  readonly name: OccasionName;
  /** Its hooks run after those that came before in it. */
  readonly lane: string;
  readonly env: Readonly<Record<string, string>>;
}

/** undefined: hooks are run at nothing of the kind. */
export class Occasions {
  readonly #links = new Map<string, LinkTurn>();

  /** How links were: what was up owes a link-down. */
  save() {
    return [...this.#links];
  }

  restore(links: ReturnType<Occasions['save']>): void {
    for (const [link, turn] of links) this.#links.set(link, turn);
  }

  /** @param deviceOf of a session */
  of(event: Event, deviceOf: (session: SessionStatus) => string): Occasion | undefined {
    switch (event.what) {
      case 'session-up':
      case 'session-down':
        return ofSession(event, deviceOf(event.session));
      case 'auth-failed': {
        const { server, username, peer, cause } = event;
        const env = { ...caller(server, username, peer), CAUSE: cause.code };
        return occasion('auth-failed', 'auth-failed', 'auth-failed', env);
      }
      case 'banned':
        return occasion('ban', 'ban', 'ban', ofBan(event.ban));
      case 'unbanned':
        return occasion('unban', 'ban', 'unban', { ...ofBan(event.ban), WHY: event.why });
      case 'link-state':
        return this.#ofLink(event);
      case 'quota':
        return occasion('quota', 'quota', 'quota', ofQuota(event));
      case 'caller-refused':
      case 'server-trouble':
      case 'relay-call-up':
      case 'relay-call-down':
      case 'relay-refused':
      case 'step':
        return undefined;
    }
  }

  #ofLink({
    link,
    state,
    cause,
    retryIn,
  }: Extract<SessionEvent, { what: 'link-state' }>): Occasion | undefined {
    const turn = turns[state];
    const before = this.#links.get(link);
    if (turn === undefined || turn === before) return undefined;
    this.#links.set(link, turn);
    if (turn === 'idle' && before !== 'up') return undefined;
    const action = turn === 'up' ? 'up' : 'down';
    return occasion(`link-${action}`, `link ${link}`, action, {
      LINK: link,
      STATE: state,
      ...(cause === undefined ? {} : { CAUSE: cause.code }),
      ...(retryIn === undefined ? {} : { RETRY_IN: String(Math.round(retryIn / 1000)) }),
    });
  }
}

const DIED: CauseCode = 'SERVICE_DIED';

/** What is to be run if the daemon does not live to say that it is over; undefined: it is no beginning. */
export function downOf({ name, lane, env }: Occasion, own: Hook | undefined): Job | undefined {
  if (name === 'ban') {
    const told = { ...env, EVENT: 'unban', ACTION: 'unban', WHY: 'restarted', OMITTED: '0' };
    return { lane, env: told, own: undefined, folder: 'unban.d' };
  }
  if (name !== 'session-up' && name !== 'link-up') return undefined;
  const down = name === 'session-up' ? 'session-down' : 'link-down';
  const state = name === 'link-up' ? { STATE: 'down' } : {};
  const told = { ...env, EVENT: down, ACTION: 'down', ...state, CAUSE: DIED };
  return { lane, env: told, own, folder: `${down}.d` };
}

/** What a link's owner sees of its states; attempts in between are none of them. */
type LinkTurn = 'up' | 'idle' | 'failed';
const turns: Readonly<Record<LinkState, LinkTurn | undefined>> = {
  up: 'up',
  down: 'idle',
  demand: 'idle',
  waiting: 'failed',
  blocked: 'failed',
  connecting: undefined,
  stopping: undefined,
};

function occasion(
  name: OccasionName,
  lane: string,
  action: string,
  env: Record<string, string>,
): Occasion {
  return { name, lane, env: { EVENT: name, ACTION: action, ...env } };
}

function ofSession(
  event: Extract<SessionEvent, { what: 'session-up' | 'session-down' }>,
  device: string,
): Occasion {
  const { session, what } = event;
  const { id, kind, name, username, peer, localAddress, peerAddress, routes, auth, mppe, mtu } =
    session;
  return occasion(what, `session ${id}`, what === 'session-up' ? 'up' : 'down', {
    [kind === 'caller' ? 'SERVER' : 'LINK']: name,
    SESSION: String(id),
    USERNAME: withoutNul(username),
    PEER: formatAddress(peer),
    DEVICE: device,
    LOCAL_ADDRESS: formatAddress(localAddress),
    ADDRESS: formatAddress(peerAddress),
    ROUTES: routes.map(formatPrefix).join(' '),
    AUTH: auth,
    MPPE: mppe,
    MTU: String(mtu),
    ...(event.what === 'session-up'
      ? {}
      : {
          CAUSE: event.cause.code,
          BYTES_RECEIVED: String(session.counters.rxOctets),
          BYTES_SENT: String(session.counters.txOctets),
        }),
  });
}

function ofBan({ server, username, address, tries, since, until }: Ban): Record<string, string> {
  return {
    ...caller(server, username, address),
    TRIES: String(tries),
    SECONDS: String(Math.round((until - since) / 1000)),
  };
}

function ofQuota(event: Extract<Event, { what: 'quota' }>): Record<string, string> {
  const { bytes, used_bytes: used, action, rate, since, until } = quotaDocument(event);
  return {
    [event.of === 'user' ? 'USERNAME' : 'LINK']: withoutNul(event.name),
    QUOTA: String(bytes),
    USED: String(used),
    QUOTA_ACTION: rate === undefined ? action : `${action} ${rate}`,
    SINCE: since,
    UNTIL: until,
  };
}

function caller(server: string, username: string, peer: number): Record<string, string> {
  return { SERVER: server, USERNAME: withoutNul(username), PEER: formatAddress(peer) };
}

function withoutNul(text: string): string {
  return text.replaceAll('\0', '?');
}
