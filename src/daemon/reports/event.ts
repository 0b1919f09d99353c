/** All that is told of as it happens. */
import type { SessionEvent } from '../../session/ports.ts';
import type { QuotaEvent } from '../../usage/usage.ts';
import type { RelayEvent } from '../relays/relay-event.ts';

export type Event = SessionEvent | RelayEvent | QuotaEvent;

/** Whoever reaches this machine can be the cause, as often as they like. */
export function isOfStranger({ what }: Event): boolean {
  return (
    what === 'caller-refused' ||
    what === 'relay-refused' ||
    what === 'auth-failed' ||
    what === 'banned' ||
    what === 'unbanned'
  );
}
