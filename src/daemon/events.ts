/** What the buses are told as it happens: `pptp.session` (up, down, auth-failed) and `pptp.link` (a link's state). */
import type { SessionEvent } from '../session/ports.ts';
import type { Table } from '../ubus-js/index.ts';
import { formatAddress } from '../wire/ip.ts';
import { causeDocument, sessionDocument } from './documents.ts';

export interface BusEvent {
  readonly name: string;
  readonly data: Table;
}

/** undefined: for the log alone. A stranger who is refused could be told of without end. */
export function busEvent(event: SessionEvent, now: number): BusEvent | undefined {
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
    case 'caller-refused':
    case 'step':
    case 'counted':
      return undefined;
  }
}

function session(data: Table): BusEvent {
  return { name: 'pptp.session', data };
}
