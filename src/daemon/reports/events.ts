/**
 * What the buses are told as it happens: `pptp.session` (up, down, auth-failed), `pptp.ban` (banned, unbanned), `pptp.link` (a
 * link's state), `pptp.relay` (calls that pass through: up, down) and `pptp.quota` (one is used up).
 */
import type { Event } from './event.ts';
import type { Table } from '../../ubus-js/index.ts';
import { formatAddress } from '../../wire/ip.ts';
import { banDocument, causeDocument, relayCallDocument, sessionDocument } from './documents.ts';
import { nameOf, quotaDocument } from './usage-document.ts';

export interface BusEvent {
  readonly name: string;
  readonly data: Table;
}

/** undefined: for the log alone. A stranger who is refused could be told of without end. */
export function busEvent(event: Event, now: number): BusEvent | undefined {
  switch (event.what) {
    case 'session-up':
      return session({ action: 'up', ...sessionDocument(event.session, now) });
    case 'session-down':
      return session({
        action: 'down',
        ...sessionDocument(event.session, now),
        cause: causeDocument(event.cause),
      });
    case 'auth-failed':
      return session({
        action: 'auth-failed',
        server: event.server,
        username: event.username,
        peer: formatAddress(event.peer),
        cause: causeDocument(event.cause),
      });
    case 'banned':
      return { name: 'pptp.ban', data: { action: 'banned', ...banDocument(event.ban, now) } };
    case 'unbanned': {
      const { ban, why } = event;
      return { name: 'pptp.ban', data: { action: 'unbanned', ...banDocument(ban, now), why } };
    }
    case 'link-state': {
      const { link, state, cause, retryIn } = event;
      return {
        name: 'pptp.link',
        data: {
          link,
          state,
          ...(cause === undefined ? {} : { cause: causeDocument(cause) }),
          ...(retryIn === undefined ? {} : { retry_in: Math.round(retryIn / 1000) }),
        },
      };
    }
    case 'relay-call-up': {
      const { call } = event;
      const data = { action: 'up', relay: call.relay, ...relayCallDocument(call, now) };
      return { name: 'pptp.relay', data };
    }
    case 'relay-call-down': {
      const { call, cause } = event;
      const document = { ...relayCallDocument(call, now), cause: causeDocument(cause) };
      return { name: 'pptp.relay', data: { action: 'down', relay: call.relay, ...document } };
    }
    case 'quota': {
      const whose = nameOf({ kind: event.of, name: event.name });
      return { name: 'pptp.quota', data: { ...whose, ...quotaDocument(event) } };
    }
    case 'server-trouble':
    case 'relay-refused':
    case 'caller-refused':
    case 'step':
      return undefined;
  }
}

function session(data: Table): BusEvent {
  return { name: 'pptp.session', data };
}
