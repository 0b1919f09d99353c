/** All that is told of as it happens. */
import type { SessionEvent } from '../../session/ports.ts';
import type { QuotaEvent } from '../../usage/usage.ts';
import type { RelayEvent } from '../relays/relay-event.ts';

export type Event = SessionEvent | RelayEvent | QuotaEvent;
